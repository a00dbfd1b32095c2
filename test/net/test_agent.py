# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent itself: folder of manifests, restart, repair, reload, status, metrics, cleanup."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

from lab import cni, tcp
from lab.arena import normal
from lab.cluster import ROOT, wait_for
from lab.faults import Refuser
from lab.monitor import nft_monitor

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: default}
spec:
  podSelector: {}
  ingress:
  - ports:
    - port: %s
"""


@pytest.fixture
def pods(lab, node):
    """A server on ports 80 and 81, and a client."""
    both = [lab.run_pod(node, "default", "server", {"role": "server"}, serve=(80, 81)),
            lab.run_pod(node, "default", "client")]
    lab.settle()
    return both


def open_ports(pods):
    server, client = pods
    return {port for port in (80, 81)
            if all(tcp(client, a, port) for a in server.addresses)}


def set_aside(node):
    return sum(v for k, v in node.metrics().items() if k.startswith("manx_objects_set_aside"))


def status(node):
    return node.manx("status", "--run-dir", node.run_dir).stdout


# --- the folder ---


def test_yaml_several_documents_and_lists(lab, node, pods):
    lab.write_text("more.yaml", POLICY % 80 + "---\n" + """\
apiVersion: v1
kind: List
items:
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: q, namespace: default}
  spec:
    podSelector: {}
    ingress: [{ports: [{port: 81}]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ignored, namespace: default}
""")
    lab.settle()
    assert open_ports(pods) == {80, 81}
    assert "manx_objects_ignored" in "".join(node.metrics())
    (lab.manifests / "more.yaml").unlink()
    lab.write_text("more.yml", POLICY % 81)
    lab.settle()
    assert open_ports(pods) == {81}


def test_editing_in_place_and_by_rename(lab, node, pods):
    path = lab.manifests / "p.yaml"
    path.write_text(POLICY % 80)
    wait_for(lambda: open_ports(pods) == {80}, what="a file written in place")
    lab.write_text("p.yaml", POLICY % 81)
    wait_for(lambda: open_ports(pods) == {81}, what="a file renamed over")
    path.rename(lab.folder / "away.yaml")
    wait_for(lambda: open_ports(pods) == {80, 81}, what="a file moved away")


def test_a_half_written_file_changes_nothing(lab, node, pods):
    lab.write_text("p.yaml", POLICY % 80)
    lab.settle()
    assert open_ports(pods) == {80}
    with (lab.manifests / "p.yaml").open("w") as half:
        half.write((POLICY % 81)[:120])
        half.flush()
        time.sleep(0.3)
        assert open_ports(pods) == {80}
        half.write((POLICY % 81)[120:])
    wait_for(lambda: open_ports(pods) == {81}, what="the rest of the file")


@pytest.mark.parametrize("text", [
    "kind: [unclosed", "\t- bad", b"\xff\xfe\x00binary", "[" * 100000, "{" * 5000,
    "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
    "c: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
    "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e]\n"
    "g: [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n",
    "a: " + "x" * ((1 << 20) + 10), "kind: Pod\nkind: Pod\n",
], ids=["unclosed", "tab", "binary", "deep", "deep-maps", "aliases", "long-string", "duplicate"])
def test_a_bad_file_keeps_its_last_good_objects(lab, node, pods, text):
    lab.write_text("p.yaml", POLICY % 80)
    lab.settle()
    lab.write_text("p.yaml", text)
    lab.settle()
    assert open_ports(pods) == {80}
    assert "p.yaml" in status(node)
    assert node.get("/livez")[0] == 200
    lab.write_text("p.yaml", POLICY % 81)
    lab.settle()
    assert open_ports(pods) == {81}
    assert "p.yaml" not in status(node)


@pytest.mark.parametrize(("spec", "field"), [
    ("podSelector: {}\n  ingress: [{ports: [{port: 80, endPort: 70000}]}]",
     "spec.ingress[0].ports[0].endPort"),
    ("podSelector: {}\n  ingress: [{ports: [{port: 80, endPort: 79}]}]",
     "spec.ingress[0].ports[0].endPort"),
    ("podSelector: {}\n  ingress: [{ports: [{port: 0}]}]", "spec.ingress[0].ports[0].port"),
    ("podSelector: {}\n  ingress: [{ports: [{protocol: ICMP}]}]",
     "spec.ingress[0].ports[0].protocol"),
    ("podSelector: {}\n  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/33}}]}]",
     "spec.ingress[0].from[0].ipBlock.cidr"),
    ("podSelector: {}\n  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/8]}}]}]",
     "spec.ingress[0].from[0].ipBlock.except[0]"),
    ("podSelector: {}\n  ingress: [{from: [{}]}]", "spec.ingress[0].from[0]"),
    ("podSelector: {matchLabels: {role: server}}\n  policyTypes: [Sideways]",
     "spec.policyTypes[0]"),
    ("podSelector: {matchExpressions: [{key: a, operator: Near}]}",
     "spec.podSelector.matchExpressions[0].operator"),
    ("podSelector: 7", "spec.podSelector"),
])
def test_a_bad_policy_is_named_and_fails_closed(lab, node, pods, spec, field):
    lab.write_text("good.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: "
                   "{name: good, namespace: default}\nspec: {podSelector: {}, policyTypes: "
                   "[Ingress], ingress: []}\n---\n" + (POLICY % 80).replace("{name: p,",
                                                                            "{name: open,"))
    lab.settle()
    assert open_ports(pods) == {80}
    lab.write_text("bad.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                   f"metadata: {{name: bad, namespace: default}}\nspec:\n  {spec}\n")
    lab.settle()
    assert open_ports(pods) == {80}, "the good policies stay in force"
    assert set_aside(node) == 1
    assert field in status(node)
    (lab.manifests / "good.yaml").unlink()
    lab.settle()
    assert open_ports(pods) == set(), "the bad one isolates whom it selects"
    (lab.manifests / "bad.yaml").unlink()
    lab.settle()
    assert open_ports(pods) == {80, 81}
    assert set_aside(node) == 0


def test_a_status_of_any_length(lab, node, pods):
    """16,000 policies make more than a megabyte of text, and of JSON."""
    lab.write_text("many.json", json.dumps({"kind": "List", "apiVersion": "v1", "items": [
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
         "metadata": {"namespace": "elsewhere", "name": f"policy-with-quite-a-long-name-{i:05}"},
         "spec": {"podSelector": {}}} for i in range(16000)]}))
    lab.settle()
    text = status(node)
    assert len(text) > 1 << 20
    assert "policy-with-quite-a-long-name-15999" in text
    known = json.loads(node.manx("status", "--json", "--run-dir", node.run_dir).stdout)
    assert len(known["policies"]) == 16000


# --- restart and repair ---


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_changes_nothing_in_the_kernel(lab, node, pods, sig):
    lab.policy("default", "p", ingress=[{"ports": [{"port": 80}], "from": [
        {"podSelector": {}}, {"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.7/32"]}}]}])
    lab.settle()
    before = node.ruleset()
    with nft_monitor(node) as seen:
        node.restart_agent(sig)
        lab.settle()
        assert seen() == ""
    assert normal(node.ruleset()) == normal(before)
    assert node.metrics()["manx_nft_operations_total"] == 0
    assert open_ports(pods) == {80}


def test_what_changed_while_the_agent_was_down(lab, node, pods):
    lab.policy("default", "p", ingress=[{"ports": [{"port": 80}]}])
    lab.settle()
    node.stop_agent()
    assert open_ports(pods) == {80}, "the kernel goes on without the agent"
    lab.policy("default", "p", ingress=[{"ports": [{"port": 81}]}])
    node.start_agent()
    lab.settle()
    assert open_ports(pods) == {81}


def test_packets_flow_during_a_restart(lab, node, pods):
    """Connections every few milliseconds: none is lost, none slips past the policy."""
    server, client = pods
    lab.policy("default", "p", ingress=[{"ports": [{"port": 80}]}])
    lab.settle()
    node.stop_agent()
    node.start_agent(wait=False)
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        assert tcp(client, server.v4, 80)
        assert tcp(client, server.v4, 81, wait=0.05) is None
    node.wait_ready()


def test_foreign_rules_and_routes_are_left_alone(lab, node, pods):
    node.namespace.run("nft", "add table inet other; add chain inet other c;"
                       " add rule inet other c counter accept")
    node.namespace.ip("route", "add", "10.98.0.0/16", "via", "10.200.0.254")
    node.restart_agent()
    lab.settle()
    node.stop_agent()
    cleanup(node)
    assert "chain c" in node.namespace.run("nft", "list", "table", "inet", "other").stdout
    assert "10.98.0.0/16" in node.namespace.ip("route")


# --- one agent, its end, cleanup ---


def test_a_second_agent_is_refused(node):
    with node.namespace:
        second = subprocess.run(node.agent_command("--http-address", "127.0.0.1:9110"),
                                capture_output=True, text=True, timeout=10, check=False)
    assert second.returncode != 0
    assert str(node.run_dir) in second.stderr
    assert node.get("/readyz")[0] == 200


def cleanup(node):
    node.manx("cleanup", "--run-dir", node.run_dir, "--state-dir", node.state_dir,
              "--cni-conf-dir", node.cni_conf_dir, "--cni-bin-dir", node.cni_bin_dir)


def test_cleanup_leaves_nothing(lab, node, pods):
    second = lab.node("n2", start=True)
    foreign = node.cni_conf_dir / "99-other.conflist"
    foreign.write_text("{}")
    assert (node.cni_conf_dir / "10-manx.conflist").exists()
    second.stop_agent()
    node.stop_agent()
    cleanup(node)
    assert node.namespace.run("nft", "list", "tables").stdout == ""
    assert not [name for name in node.links() if name.startswith("mx")]
    assert "10.201." not in node.namespace.ip("route")
    assert "fd00:201" not in node.namespace.ip("-6", "route")
    assert not (node.cni_conf_dir / "10-manx.conflist").exists()
    assert not (node.cni_bin_dir / "manx").exists()
    assert foreign.exists()
    for folder in (node.state_dir, node.run_dir):
        assert not folder.exists() or not list(folder.iterdir())


def test_the_conflist_comes_once_ready_and_is_whole(node):
    conflist = json.loads((node.cni_conf_dir / "10-manx.conflist").read_text())
    plugin = conflist["plugins"][0]
    assert conflist["cniVersion"] == "1.0.0"
    assert plugin["type"] == "manx"
    assert plugin["socket"] == str(node.run_dir / "cni.sock")
    assert os.access(node.cni_bin_dir / "manx", os.X_OK)


@pytest.mark.parametrize(("arguments", "says"), [
    (["--kubeconfig", "/does/not/exist"], "/does/not/exist: No such file or directory"),
    (["--in-cluster"], "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set"),
    ([], "no source of objects"),
])
def test_without_a_source_the_agent_says_what_is_missing(node, tmp_path, arguments, says):
    done = node.manx("agent", "--node", "x", "--run-dir", tmp_path, "--state-dir", tmp_path,
                     *arguments, check=False, timeout=10)
    assert done.returncode != 0
    assert says in done.stderr


# --- configuration ---


def test_reload(lab):
    node = lab.node("n1")
    node.config_file.write_text("log-level: info\naddress-cooldown: 30s\n")
    node.start_agent()
    lab.namespace_object("default")
    node.config_file.write_text("log-level: debug\nconflist-name: 20-manx.conflist\n"
                                "ranges: [10.201.99.0/24]\n")
    node.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "conflist-name" in node.log_text(), what="what needs a restart to be named")
    assert node.get("/livez")[0] == 200
    wait_for(lambda: "10.201.99.0/24" in node.manx("ipam", "show", "--run-dir",
                                                   node.run_dir).stdout, what="the new range")
    node.config_file.write_text("log-level: nonsense\n")
    wait_for(lambda: "nonsense" in node.log_text(), what="the error to be logged")
    assert node.get("/readyz")[0] == 200


def test_a_huge_configuration_is_refused(lab):
    node = lab.node("n1")
    node.config_file.write_text("log-level: info\n#" + "x" * (10 << 20))
    node.start_agent(wait=False)
    assert node.process.wait(10) != 0
    node.process = None
    assert "manx.conf" in node.log_text()


# --- seen from outside ---


def test_metrics_of_the_loop_and_of_transactions(node, pods):
    """Every wake-up is a hold of some length; the kernel took some time for each transaction."""
    metrics = node.metrics()
    assert metrics["manx_loop_hold_seconds_count"] >= metrics["manx_loop_turns_total"] > 0
    assert metrics['manx_loop_hold_seconds_bucket{le="+Inf"}'] == metrics[
        "manx_loop_hold_seconds_count"]
    longest = metrics["manx_loop_longest_hold_seconds"]
    assert longest <= metrics["manx_loop_hold_seconds_sum"]
    for bound in (0.0001, 0.001, 0.1):
        beyond = metrics["manx_loop_hold_seconds_count"] - metrics[
            f'manx_loop_hold_seconds_bucket{{le="{bound:g}"}}']
        assert (beyond > 0) == (longest > bound)
    assert 0 < metrics["manx_nft_longest_transaction_seconds"] <= longest


def test_metrics_pass_promtool(lab, node, pods):
    promtool = subprocess.run([ROOT / "scripts/get-promtool"], stdout=subprocess.PIPE, text=True,
                              check=True).stdout.strip()
    lab.policy("default", "p", ingress=[{"ports": [{"port": 80}]}])
    lab.settle()
    code, text = node.get("/metrics")
    assert code == 200
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True,
                             text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert all(n.startswith(("manx_", "process_")) for n in names)


def test_livez_readyz_and_unknown_pages(node):
    assert node.get("/livez")[0] == 200
    assert node.get("/readyz")[0] == 200
    assert node.get("/nothing")[0] == 404


def test_readyz_says_why_not(lab):
    """Without its Node object the agent has no range and is not ready."""
    node = lab.node("n1")
    lab.remove(node.object())
    node.start_agent(wait=False)
    wait_for(lambda: node.get("/livez")[0] == 200, what="the agent")
    time.sleep(0.3)
    code, why = node.get("/readyz")
    assert code == 503
    assert "pod range" in why
    assert not (node.cni_conf_dir / "10-manx.conflist").exists()
    lab.write(node.object())
    node.wait_ready()


def test_status(lab, node, pods):
    lab.policy("default", "two", ingress=[])
    lab.settle()
    text = status(node)
    for word in ("default/server", "default/two", "10.201.1.0/24"):
        assert word in text
    data = json.loads(node.manx("status", "--json", "--run-dir", node.run_dir).stdout)
    assert isinstance(data, dict)
    node.stop_agent()
    down = node.manx("status", "--run-dir", node.run_dir, check=False)
    assert down.returncode == 1
    assert down.stderr


def test_ipam(lab, node, pods):
    show = node.manx("ipam", "show", "--run-dir", node.run_dir).stdout
    assert pods[0].v4 in show
    assert pods[0].v6 in show
    node.manx("ipam", "check", "--run-dir", node.run_dir)
    node.namespace.ip("link", "delete", pods[0].host_ifname)
    assert node.manx("ipam", "check", "--run-dir", node.run_dir, check=False).returncode == 1
    node.manx("ipam", "release", pods[0].v4, "--run-dir", node.run_dir)
    assert pods[0].v4 not in node.manx("ipam", "show", "--run-dir", node.run_dir).stdout
    node.manx("ipam", "check", "--run-dir", node.run_dir)
    cni.call(pods[0], "DEL")


def test_validate(node, tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(POLICY % 80)
    bad.write_text((POLICY % 99999).replace("name: p,", "name: q,"))
    assert node.manx("validate", good).returncode == 0
    done = node.manx("validate", good, bad, check=False)
    assert done.returncode == 1
    message = done.stdout + done.stderr
    assert "bad.yaml" in message
    assert "spec.ingress[0].ports[0].port" in message
    assert "good.yaml:" not in message


def test_memory_is_small(lab, node, pods):
    """The figure for 100 pods is in docs/benchmarks.md; this catches a leak of another order."""
    resident = int(next(line.split()[1] for line in
                        pathlib.Path(f"/proc/{node.process.pid}/status").read_text().splitlines()
                        if line.startswith("VmRSS")))
    assert resident < 32 * 1024, f"{resident} KiB"


def test_a_folder_needs_no_curl(node):
    """It and what it brings are loaded where the Kubernetes API is the source, and nowhere else."""
    maps = pathlib.Path(f"/proc/{node.process.pid}/maps").read_text()
    assert "libc.so" in maps
    assert not re.search("lib(curl|ssl|crypto|krb5|ldap|ssh2)", maps)


def refuse_elsewhere(lab, refuser, address):
    """The kernel refuses one element that is no policy's: the range of another node."""
    refuser.refuse(socket.inet_aton(address))
    lab.write({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "far"},
               "spec": {"podCIDRs": [f"{address}/24"]},
               "status": {"addresses": [{"type": "InternalIP", "address": "10.200.0.77"}]}})


def refusals(node):
    """What `manx status` says of the kernel's table."""
    status = node.manx("status", "--json", "--run-dir", node.run_dir).stdout
    return [p for p in json.loads(status)["problems"] if p.startswith("nft: ")]


def test_two_refusals_at_once(lab):
    """A policy that is set aside is tried again when its time has come, though an element that is
    no policy's is refused all the time; and nobody waits for either busily."""
    refused, elsewhere = "192.0.2.9", "203.0.113.0"
    node = lab.node("n1")
    refuser = Refuser(node.folder)
    node.launcher = refuser.launcher
    node.start_agent()
    lab.namespace_object("default")
    web, client = (lab.run_pod(node, "default", name, {"app": name})
                   for name in ("web", "client"))
    refuser.refuse(socket.inet_aton(refused))
    lab.policy("default", "web", {"matchLabels": {"app": "web"}}, ingress=[
        {"from": [{"podSelector": {}}, {"ipBlock": {"cidr": f"{refused}/32"}}]}])
    wait_for(lambda: "policy set aside" in node.log_text(), what="the refusal")
    assert "blamed=1" in node.log_text()
    refuse_elsewhere(lab, refuser, elsewhere)
    wait_for(lambda: refusals(node), what="the other refusal")
    assert not tcp(client, web.v4, 80, wait=0.3)
    before = node.metrics()["manx_loop_hold_seconds_count"]
    time.sleep(3)
    assert node.metrics()["manx_loop_hold_seconds_count"] - before < 100
    wait_for(lambda: tcp(client, web.v4, 80, wait=0.3), 40, "the policy in force")
    assert "cluster4" in refusals(node)[0]
    refuser.accept()
    wait_for(lambda: not refusals(node), 40, "the element in force")


def refuse_a_node(lab):
    """A node whose kernel refuses the range of another node."""
    node = lab.node("n1")
    refuser = Refuser(node.folder)
    node.launcher = refuser.launcher
    node.start_agent()
    lab.namespace_object("default")
    first = lab.run_pod(node, "default", "first")
    refuse_elsewhere(lab, refuser, "203.0.113.0")
    wait_for(lambda: refusals(node), what="the refusal")
    assert tcp(node, first.v4, 80), "who is there is not concerned"
    return node, refuser


def test_a_refused_element_costs_no_pod(lab):
    """It is reported until the kernel takes it, and nobody else has to do with it."""
    node, refuser = refuse_a_node(lab)
    second = lab.run_pod(node, "default", "second")
    assert tcp(node, second.v4, 80)
    assert node.get("/readyz")[0] == 200
    assert ["cluster4" in r for r in refusals(node)] == [True]
    refuser.accept()
    wait_for(lambda: not refusals(node), 40, "the element in force")


def test_an_add_whose_own_element_is_refused(lab):
    """The ADD says which element; others go on, and the runtime's next one succeeds in the end."""
    node, refuser = refuse_a_node(lab)
    second = lab.pod(node, "default", "second")
    asked = {"ips": ["10.201.1.77/32"]}
    refuser.refuse(socket.inet_aton("10.201.1.77") * 2)
    with pytest.raises(cni.CniError, match="self4"):
        lab.add(second, runtime=asked)
    third = lab.run_pod(node, "default", "third")
    assert tcp(node, third.v4, 80)
    refuser.accept()
    wait_for(lambda: not refusals(node), 40, "nothing refused")
    lab.add(second, runtime=asked)
    assert tcp(node, second.v4, 80)
