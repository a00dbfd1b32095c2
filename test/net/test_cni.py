# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin as container runtimes use it: every verb, every version, concurrency, bad input.

Source: CNI specification 1.1.0 (SPEC.md) and CONVENTIONS.md.
"""

import concurrent.futures
import json
import re
import signal
import subprocess
import time

import pytest

from lab import cni, tcp, udp
from lab.cluster import wait_for
from lab.cni import CniError

VERSIONS = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]
TRY_AGAIN = 11


def in_use(node):
    """Addresses in use as the metrics tell them."""
    return sum(v for k, v in node.metrics().items() if k.startswith("manx_ipam_addresses_used"))


# --- verbs ---


@pytest.mark.parametrize("version", VERSIONS)
def test_result_in_every_version(lab, node, version):
    pod = lab.pod(node, "default", "p")
    lab.write(pod.object())
    result = cni.call(pod, "ADD", version)
    assert result["cniVersion"] == version
    assert len(result["ips"]) == 2
    for entry in result["ips"]:
        assert ("version" in entry) == version.startswith("0.")  # gone since 1.0.0
        assert entry["address"].endswith("/128" if ":" in entry["address"] else "/32")
        assert result["interfaces"][entry["interface"]]["sandbox"] == str(pod.netns_path)
    assert {r["dst"] for r in result["routes"]} == {"0.0.0.0/0", "::/0"}
    assert any("mtu" in i for i in result["interfaces"]) == (version == "1.1.0")


def test_version_verb(node):
    done = cni.call_raw(node, {"CNI_COMMAND": "VERSION"}, '{"cniVersion": "1.0.0"}')
    assert set(VERSIONS) <= set(cni.result_of(done)["supportedVersions"])


@pytest.mark.parametrize("version", ["0.4.0", "1.0.0", "1.1.0"])
def test_check(lab, node, version):
    pod = lab.pod(node, "default", "p")
    lab.write(pod.object())
    result = cni.call(pod, "ADD", version)
    cni.call(pod, "CHECK", version, prev=result)
    pod.take_result(result)
    pod.namespace.ip("address", "flush", "dev", "eth0", "scope", "global")
    with pytest.raises(CniError, match=re.escape(pod.v4)):
        cni.call(pod, "CHECK", version, prev=result)


def test_check_of_an_unknown_container(lab, node):
    known, unknown = (lab.pod(node, "default", n) for n in ("known", "unknown"))
    lab.write(known.object())
    with pytest.raises(CniError):
        cni.call(unknown, "CHECK", prev=cni.call(known, "ADD"))


def test_add_twice_gives_the_same(lab, node):
    """A runtime that lost the answer asks again."""
    pod = lab.pod(node, "default", "p")
    lab.write(pod.object())
    first, second = cni.call(pod, "ADD"), cni.call(pod, "ADD")
    assert first["ips"] == second["ips"]
    assert in_use(node) == 2
    pod.take_result(second)
    assert tcp(node, pod.v4, 80)


def link_of(node, pod):
    """Its number is another one when it was made anew."""
    return node.links()[pod.host_ifname]["ifindex"]


@pytest.mark.parametrize(("change", "code"), [
    ({"variables": {"CNI_NETNS": "/nowhere"}}, 3), ({"variables": {"CNI_NETNS": "/etc/passwd"}}, 4),
    ({"name": "other"}, 4), ({"runtime": {"bandwidth": {"ingressRate": 1}}}, 2)], ids=str)
def test_a_repeated_add_that_fails_takes_nothing(lab, node, change, code):
    pod = lab.run_pod(node, "default", "p")
    lab.settle()
    index = link_of(node, pod)
    with pytest.raises(CniError) as e:
        cni.call(pod, "ADD", **change)
    assert e.value.code == code
    assert in_use(node) == 2
    assert link_of(node, pod) == index
    assert tcp(node, pod.v4, 80) and tcp(node, pod.v6, 80)
    cni.call(pod, "CHECK", prev=pod.result)


def test_a_repeated_add_leaves_a_running_container_alone(lab, node):
    """Its link, its connections and its addresses; and the answer is the same."""
    pod = lab.run_pod(node, "default", "p")
    index = link_of(node, pod)
    again = cni.call(pod, "ADD")
    assert again == pod.result
    assert link_of(node, pod) == index
    cni.call(pod, "CHECK", prev=again)


def test_a_repeated_add_in_another_namespace(lab, node):
    """Refused while the first has the interface; served, with the same addresses, afterwards."""
    pod, other = lab.run_pod(node, "default", "p"), lab.pod(node, "default", "other")
    there = {"CNI_NETNS": str(other.netns_path)}
    with pytest.raises(CniError, match="is in use in") as e:
        cni.call(pod, "ADD", variables=there)
    assert e.value.code == 4
    cni.call(pod, "CHECK", prev=pod.result)
    pod.namespace.ip("link", "del", "eth0")
    result = cni.call(pod, "ADD", variables=there)
    assert result["ips"] == pod.result["ips"]
    cni.call(pod, "CHECK", prev=result, variables=there)
    assert in_use(node) == 2
    node.restart_agent()  # the journal has the new one
    cni.call(pod, "CHECK", prev=result, variables=there)


def test_a_repeated_add_whose_plugin_is_killed(lab, node):
    """It may have been anywhere; the container goes on."""
    pod = lab.run_pod(node, "default", "p")
    lab.settle()
    for wait in (0, 0.001, 0.002, 0.004):
        with node.namespace:
            process = subprocess.Popen([str(node.plugin)], stdin=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL, env=cni.environment(pod, "ADD"))
        process.stdin.write(json.dumps(cni.configuration(node)).encode())
        process.stdin.close()
        time.sleep(wait)
        process.kill()
        process.wait()
        assert tcp(node, pod.v4, 80)
    wait_for(lambda: in_use(node) == 2, what="the addresses to stay")
    cni.call(pod, "CHECK", prev=pod.result)


def test_a_repeated_add_mends_a_link(lab, node):
    pod = lab.run_pod(node, "default", "p")
    pod.namespace.ip("link", "del", "eth0")
    again = cni.call(pod, "ADD")
    assert again["ips"] == pod.result["ips"]
    lab.settle()
    assert tcp(node, pod.v4, 80) and tcp(node, pod.v6, 80)


def test_a_static_address_comes_back_at_once(lab, node):
    """A pod of the same name has it again, another one not before it has cooled down."""
    asked = {"ips": ["10.201.1.77/32", "fd00:201:1::77"]}
    pod, other = lab.pod(node, "default", "p"), lab.pod(node, "default", "other")
    lab.write(pod.object())
    cni.call(pod, "ADD", runtime=asked)
    with pytest.raises(CniError, match=r"10\.201\.1\.77 belongs to pod default/p"):
        cni.call(other, "ADD", runtime=asked)
    for restart in (False, True):
        cni.call(pod, "DEL")
        if restart:
            node.restart_agent()
        with pytest.raises(CniError, match=r"10\.201\.1\.77 was another pod's until a moment") as e:
            cni.call(other, "ADD", runtime=asked)
        assert e.value.code == TRY_AGAIN
        result = cni.call(pod, "ADD", runtime=asked)
        assert result["ips"][0]["address"] == "10.201.1.77/32"


def test_del_is_idempotent_and_frees_everything(lab, node):
    pod = lab.run_pod(node, "default", "p")
    client = lab.run_pod(node, "default", "client")
    lab.settle()
    assert tcp(client, pod.v4, 80)
    name = pod.host_ifname
    assert name in node.links()
    for _ in range(3):
        cni.call(pod, "DEL")
    assert name not in node.links()
    assert in_use(node) == 2
    assert pod.v4 not in node.ruleset()
    assert pod.v6 not in node.ruleset()
    assert pod.v4 not in node.namespace.ip("route")
    entries = node.namespace.run("conntrack", "-L", check=False).stdout
    assert f"dst={pod.v4} " not in entries


def test_del_of_what_never_was(lab, node):
    pod = lab.pod(node, "default", "p")
    cni.call(pod, "DEL")
    cni.call(pod, "DEL", variables={"CNI_NETNS": None})
    cni.call(pod, "DEL", variables={"CNI_NETNS": ""})


def test_del_after_the_namespace_is_gone(lab, node):
    pod = lab.run_pod(node, "default", "p")
    pod.namespace.delete()
    cni.call(pod, "DEL")
    assert in_use(node) == 0
    assert pod.v4 not in node.ruleset()


def test_freed_addresses_cool_down(lab, node):
    first = lab.run_pod(node, "default", "p1")
    lab.delete(first)
    second = lab.run_pod(node, "default", "p2")
    assert second.v4 != first.v4
    assert second.v6 != first.v6


def test_gc_removes_what_is_not_listed(lab, node):
    keep, drop = (lab.run_pod(node, "default", n) for n in ("keep", "drop"))
    names = keep.host_ifname, drop.host_ifname
    cni.gc(node, [keep])
    assert names[0] in node.links()
    assert names[1] not in node.links()
    assert in_use(node) == 2
    lab.settle()
    assert tcp(node, keep.v4, 80)


# --- networks: a GC, DEL or CHECK reaches its own alone ---


def second(pod, command, **more):
    """A call for the pod's second interface, of another network with the same plugin."""
    return cni.call(pod, command, name="second", variables={"CNI_IFNAME": "net1"}, **more)


def test_gc_of_another_network(lab, node):
    """It has a list of its own, in which ours are not."""
    pod = lab.run_pod(node, "default", "p")
    theirs = lab.pod(node, "default", "theirs")
    lab.write(theirs.object())
    result = second(theirs, "ADD")
    cni.gc(node, [], name="second")
    assert in_use(node) == 2
    assert pod.host_ifname in node.links()
    assert not {i["name"] for i in result["interfaces"]} & set(node.links())
    node.restart_agent()  # attachments remember theirs
    cni.gc(node, [], name="second")
    assert in_use(node) == 2
    lab.settle()
    assert tcp(node, pod.v4, 80)
    cni.gc(node, [])
    assert in_use(node) == 0


def test_del_and_check_of_another_network(lab, node):
    """As a runtime asks after an ADD that was refused since the interface is another's."""
    pod = lab.run_pod(node, "default", "p")
    with pytest.raises(CniError, match="belongs to network manx"):
        cni.call(pod, "ADD", name="second")
    cni.call(pod, "DEL", name="second")
    with pytest.raises(CniError, match="belongs to network manx") as e:
        cni.call(pod, "CHECK", prev=pod.result, name="second")
    assert e.value.code == 3
    cni.call(pod, "CHECK", prev=pod.result)
    lab.settle()
    assert tcp(node, pod.v4, 80)
    node.stop_agent()
    cni.call(pod, "DEL", name="second")  # the plugin by itself
    assert pod.host_ifname in node.links()
    node.start_agent()
    cni.call(pod, "CHECK", prev=pod.result)


def test_two_networks_on_one_pod(lab, node):
    """The second interface takes nothing of the first, works, and leaves nothing."""
    pod, client = lab.run_pod(node, "default", "p"), lab.run_pod(node, "default", "client")
    lab.settle()

    def state(of=""):
        """Routes and rules; the kernel makes some for each interface."""
        return [line for what in ("route", "rule") for family in ("-4", "-6")
                for line in pod.namespace.ip(family, what).splitlines()
                if of in line and "net1 proto kernel" not in line]
    before = state()
    result = second(pod, "ADD")
    assert result["routes"] == []
    v4, v6 = (e["address"].split("/")[0] for e in result["ips"])
    assert state("eth0") == [line for line in before if "eth0" in line]
    assert not state("net1")
    lab.write(pod.object())
    lab.settle()
    for address in (v4, v6, pod.v4, pod.v6):
        assert tcp(client, address, 80).name == "p"
    assert tcp(pod, client.v4, 80).seen_as == pod.v4
    second(pod, "CHECK", prev=result)
    cni.call(pod, "CHECK", prev=pod.result)
    second(pod, "DEL")
    assert state() == before
    assert tcp(client, pod.v4, 80) and tcp(client, pod.v6, 80)
    cni.call(pod, "CHECK", prev=pod.result)


def test_status(lab, node):
    cni.status(node)
    node.stop_agent()
    cni.status(node)  # it may only be restarting
    last_ready = node.run_dir / "last-ready"
    kept = last_ready.read_text()
    for text in ("", kept.replace(kept[:8], "00000000"), "x" * 100):  # of another boot
        last_ready.write_text(text)
        with pytest.raises(CniError) as e:
            cni.status(node)
        assert e.value.code == 50


# --- capabilities ---


def test_ips_and_mac_that_are_asked_for(lab, node):
    pod = lab.pod(node, "default", "p")
    lab.write(pod.object())
    pod.take_result(cni.call(pod, "ADD", runtime={
        "ips": ["10.201.1.77/32", "fd00:201:1::77"], "mac": "02:00:5e:00:53:01"}))
    assert (pod.v4, pod.v6) == ("10.201.1.77", "fd00:201:1::77")
    assert any(i["mac"] == "02:00:5e:00:53:01" for i in pod.result["interfaces"])
    other = lab.pod(node, "default", "other")
    with pytest.raises(CniError, match=r"10\.201\.1\.77"):
        cni.call(other, "ADD", runtime={"ips": ["10.201.1.77/32"]})
    with pytest.raises(CniError, match=r"192\.0\.2\.1"):
        cni.call(other, "ADD", runtime={"ips": ["192.0.2.1/32"]})


def test_bandwidth_is_refused(lab, node):
    pod = lab.pod(node, "default", "p")
    with pytest.raises(CniError, match="bandwidth"):
        cni.call(pod, "ADD", runtime={"bandwidth": {"ingressRate": 1000000}})


@pytest.mark.parametrize("ports", [
    [{"hostPort": 70000, "containerPort": 80, "protocol": "tcp"}],
    [{"hostPort": 8080, "containerPort": -1, "protocol": "tcp"}],
    [{"hostPort": 8080, "containerPort": 80, "protocol": "icmp"}],
    [{"hostPort": 8080, "containerPort": 80, "hostIP": "nonsense"}],
    "no list"])
def test_bad_port_mappings(lab, node, ports):
    pod = lab.pod(node, "default", "p")
    with pytest.raises(CniError, match="portMappings"):
        cni.call(pod, "ADD", runtime={"portMappings": ports})
    assert in_use(node) == 0


# --- libcni's clients ---

LIBCNI = [cni.OLD_LIBCNI, cni.NEW_LIBCNI]


@pytest.mark.parametrize("version", LIBCNI)
def test_cnitool(lab, node, version):
    pod = lab.pod(node, "default", "p")
    lab.write(pod.object())
    result = cni.cnitool(pod, "add", version=version)
    assert result["cniVersion"] == ("1.0.0" if version == cni.OLD_LIBCNI else "1.1.0")
    pod.take_result(result)
    lab.write(pod.object())
    lab.settle()
    assert tcp(node, pod.v4, 80).name == "p"
    cni.cnitool(pod, "check", version=version)
    cni.cnitool(pod, "del", version=version)
    assert in_use(node) == 0
    with pytest.raises(RuntimeError):
        cni.cnitool(pod, "check", version=version)


@pytest.mark.parametrize("version", LIBCNI)
@pytest.mark.parametrize("mapping", [
    {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
    {"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": ""},  # containerd
], ids=["specification", "containerd"])
def test_cnitool_with_host_port(lab, node, version, mapping):
    pod = lab.pod(node, "default", "p")
    lab.write(pod.object())
    pod.take_result(cni.cnitool(pod, "add", {"portMappings": [mapping]}, version=version))
    lab.write(pod.object())
    lab.settle()
    assert tcp(lab.world, node.v4, 8080).name == "p"
    cni.cnitool(pod, "del", version=version)


def test_libcni_status_and_gc(lab, node):
    """Those that come with CNI 1.1.0; the empty list of attachments is a null of JSON."""
    keep, drop = (lab.pod(node, "default", n) for n in ("keep", "drop"))
    cni.cnitool(keep, "status")
    for pod in (keep, drop):  # not by way of libcni, which would ask for a DEL by its cache
        lab.write(pod.object())
        pod.take_result(cni.call(pod, "ADD"))
    cni.libcni_gc(node, [f"{keep.container_id}/eth0"])
    assert in_use(node) == 2
    assert keep.host_ifname in node.links() and drop.host_ifname not in node.links()
    cni.libcni_gc(node, [])
    assert in_use(node) == 0


def test_an_upgrade_of_libcni(lab, node):
    """A pod that the old one made is checked and deleted by the new one."""
    pod = lab.pod(node, "default", "p")
    lab.write(pod.object())
    cni.cnitool(pod, "add", version=cni.OLD_LIBCNI)
    cni.cnitool(pod, "check", version=cni.NEW_LIBCNI)
    cni.cnitool(pod, "del", version=cni.NEW_LIBCNI)
    assert in_use(node) == 0


# --- much at once ---


def test_a_hundred_adds_at_once(lab, node):
    pods = [lab.pod(node, "default", f"p{i}", serve=()) for i in range(100)]
    lab.write(*(p.object() for p in pods))
    lab.settle()
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        results = list(pool.map(lambda p: cni.call(p, "ADD"), pods))
    print(f"100 ADDs at once: {time.monotonic() - start:.2f} s")
    addresses = [e["address"] for r in results for e in r["ips"]]
    assert len(set(addresses)) == 200
    assert in_use(node) == 200
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        list(pool.map(lambda p: cni.call(p, "DEL"), pods))
    assert in_use(node) == 0
    assert not [name for name in node.links() if name.startswith("mx")]


def test_add_and_del_of_one_container_at_once(lab, node):
    """Whatever the order, it ends with everything or with nothing, and DEL cleans up."""
    pod = lab.pod(node, "default", "p")
    lab.write(pod.object())

    def attempt(command):
        try:
            return cni.call(pod, command)
        except CniError as e:
            return e

    for _ in range(10):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(attempt, ["ADD", "DEL", "ADD", "DEL"]))
        cni.call(pod, "DEL")
        assert in_use(node) == 0
        assert not [name for name in node.links() if name.startswith("mx")]
    pod.take_result(cni.call(pod, "ADD"))
    lab.write(pod.object())
    lab.settle()
    assert tcp(node, pod.v4, 80)


@pytest.fixture
def patient(lab):
    """A node whose ADDs wait for the pod's object: under way for as long as a test wants."""
    one = lab.node("n1")
    one.start_agent("--pod-wait", "30s")
    lab.namespace_object("default")
    return one


def under_way(pool, node, pod):
    """An ADD that has made its link and waits for the object."""
    call = pool.submit(cni.call, pod, "ADD")
    wait_for(lambda: in_use(node) == 2 and any(name.startswith("mx") for name in node.links()) and
             "eth0" in pod.namespace.ip("-o", "address"), what="the link")
    time.sleep(0.2)
    assert not call.done()
    return call


def test_a_del_ends_an_add_under_way(lab, patient):
    pod = lab.pod(patient, "default", "p")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        call = under_way(pool, patient, pod)
        start = time.monotonic()
        cni.call(pod, "DEL")
        assert time.monotonic() - start < 5, "it did not wait for the ADD to end by itself"
        with pytest.raises(CniError, match="a DEL of the same interface came") as e:
            call.result(1)
        assert e.value.code == TRY_AGAIN
    assert in_use(patient) == 0
    assert not [name for name in patient.links() if name.startswith("mx")]


def test_a_del_of_another_network_ends_no_add(lab, patient):
    pod = lab.pod(patient, "default", "p")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        call = under_way(pool, patient, pod)
        other = pool.submit(cni.call, pod, "DEL", name="other")
        time.sleep(0.3)
        assert not call.done()
        lab.write(pod.object())
        pod.take_result(call.result(5))
        other.result(5)
    cni.call(pod, "CHECK", prev=pod.result)


def test_gc_while_an_add_is_under_way(lab, patient):
    """The runtime does not name it yet: its own answer comes first."""
    pod = lab.pod(patient, "default", "p")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        call = under_way(pool, patient, pod)
        cni.gc(patient, [])
        assert not call.done()
        lab.write(pod.object())
        pod.take_result(call.result(5))
    lab.write(pod.object())
    lab.settle()
    cni.call(pod, "CHECK", prev=pod.result)
    assert tcp(patient, pod.v4, 80)
    assert in_use(patient) == 2
    cni.gc(patient, [])  # now it is one that nobody names
    assert in_use(patient) == 0


def test_tcp_and_udp_of_one_host_port(lab, node):
    """They are two; a third pod has neither."""
    def mapping(protocol):
        return {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": protocol}]}
    pods = {}
    for protocol in ("tcp", "udp", "sctp"):
        pods[protocol] = pod = lab.pod(node, "default", protocol)
        lab.write(pod.object())
        pod.take_result(cni.call(pod, "ADD", runtime=mapping(protocol)))
        lab.write(pod.object())
    lab.settle()
    assert tcp(lab.world, node.v4, 8080).name == "tcp"
    assert udp(lab.world, node.v4, 8080).name == "udp"
    late = lab.pod(node, "default", "late")
    for protocol in ("tcp", "udp"):
        with pytest.raises(CniError, match=rf"(?i)8080/{protocol}.* default/{protocol}"):
            cni.call(late, "ADD", runtime=mapping(protocol))
    cni.call(pods["udp"], "DEL")
    cni.call(late, "ADD", runtime=mapping("udp"))
    assert tcp(lab.world, node.v4, 8080).name == "tcp"


def test_a_full_range_says_so_with_numbers(lab):
    node = lab.node("n1", podCIDR="10.201.1.0/29", podCIDRs=["10.201.1.0/29"])
    node.start_agent()
    lab.namespace_object("default")
    given = set()
    with pytest.raises(CniError, match=r"10\.201\.1\.0/29") as e:
        for i in range(8):
            given.add(lab.run_pod(node, "default", f"p{i}", serve=()).v4)
    assert e.value.code == 100
    assert 4 <= len(given) <= 6
    assert re.search(r"\d+ of \d+", e.value.msg + e.value.details)


def test_the_log_says_a_bad_request_once(lab, node):
    """By pod and reason; a kubelet tries again every few seconds, with another container."""
    pod, other = lab.pod(node, "default", "p"), lab.pod(node, "default", "other")

    def attempt(one, port, container):
        with pytest.raises(CniError):
            cni.call(one, "ADD", runtime={"portMappings": [
                {"hostPort": port, "containerPort": 80, "protocol": "icmp"}]},
                variables={"CNI_CONTAINERID": container})
        with pytest.raises(CniError):
            cni.call(one, "ADD", runtime={"ips": ["192.0.2.1/32"]},
                     variables={"CNI_CONTAINERID": container})
    for n in range(5):
        attempt(pod, 80, f"container-{n}")
    attempt(other, 80, "container-x")
    lines = [line for line in node.log_text().splitlines()
             if "bad request" in line or "request failed" in line]
    assert len(lines) == 4
    for line, name in zip(lines, ("p", "p", "other", "other"), strict=True):
        assert f'verb=ADD pod="default/{name}"' in line
    assert "not tcp, udp or sctp" in lines[0] and "192.0.2.1" in lines[1]


# --- the agent is down ---


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_status_grace(lab, sig):
    """It counts from when the agent was last ready, and is over when it is over."""
    node = lab.node("n1")
    node.start_agent("--status-grace", "8s")
    time.sleep(6)  # longer than the agent leaves its note unchanged
    node.stop_agent(sig)
    cni.status(node)
    time.sleep(8)
    start = time.monotonic()
    with pytest.raises(CniError, match="does not answer") as e:
        cni.status(node)
    assert e.value.code == 50
    with pytest.raises(CniError) as e:
        cni.call(lab.pod(node, "default", "p"), "ADD")
    assert e.value.code == TRY_AGAIN
    assert time.monotonic() - start < 2, "nothing to wait for any more"


def test_status_of_an_agent_that_starts(lab, node, tmp_path):
    """It answers for its predecessor until it has read its source, and no longer than the grace."""
    def starts_at(grace):
        node.stop_agent()
        node.start_agent("--status-grace", grace)
        node.stop_agent()
        # A kubeconfig whose server never answers: this agent never becomes ready.
        command = [c for c in node.agent_command()]
        where = command.index("--manifests")
        command[where:where + 2] = ["--kubeconfig", str(tmp_path / "kubeconfig")]
        node.agent_command = lambda *more: command
        node.start_agent(wait=False)
        wait_for((node.run_dir / "cni.sock").exists, what="the socket")
    (tmp_path / "kubeconfig").write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}]}))
    original = node.agent_command
    starts_at("1h")
    cni.status(node)
    assert node.get("/readyz")[0] == 503
    node.agent_command = original
    starts_at("0s")
    with pytest.raises(CniError) as e:
        cni.status(node)
    assert e.value.code == 50


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_calls_wait_for_an_agent_that_restarts(lab, node, sig):
    """README: an upgrade costs new pods some time, and no error."""
    pod, late = lab.run_pod(node, "default", "p"), lab.pod(node, "default", "late")
    lab.write(late.object())
    node.stop_agent(sig)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(cni.call, late, "ADD"),
                 pool.submit(cni.call, pod, "CHECK", prev=pod.result),
                 pool.submit(cni.gc, node, [pod, late])]
        time.sleep(1)
        assert not any(c.done() for c in calls)
        node.start_agent()
        late.take_result(calls[0].result(10))
        calls[1].result(10), calls[2].result(10)
    lab.write(late.object())
    lab.settle()
    assert tcp(node, late.v4, 80).name == "late"
    assert in_use(node) == 4


def test_agent_killed_while_calls_are_under_way(lab, node):
    """They go on with the next agent, as if nothing had been."""
    pods = [lab.pod(node, "default", f"p{i}", serve=()) for i in range(30)]
    lab.write(*(p.object() for p in pods))
    lab.settle()
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        futures = [pool.submit(cni.call, p, "ADD") for p in pods]
        time.sleep(0.05)
        node.stop_agent(signal.SIGKILL)
        time.sleep(0.2)
        node.start_agent()
        for pod, future in zip(pods, futures, strict=True):
            pod.take_result(future.result(20))
    assert in_use(node) == 60
    assert len({p.v4 for p in pods}) == 30


def test_agent_down(lab):
    node = lab.node("n1")
    node.start_agent("--status-grace", "0s")  # else these would wait
    lab.namespace_object("default")
    pod, late = lab.run_pod(node, "default", "p"), lab.pod(node, "default", "late")
    node.stop_agent()
    for command, options in (("ADD", {}), ("CHECK", {"prev": pod.result})):
        with pytest.raises(CniError) as e:
            cni.call(late if command == "ADD" else pod, command, **options)
        assert e.value.code == TRY_AGAIN
    name = pod.host_ifname
    cni.call(pod, "DEL")
    assert name not in node.links()
    lab.remove(pod.object())
    node.start_agent()
    wait_for(lambda: in_use(node) == 0, what="the agent to find what DEL could not release")
    assert pod.v4 not in node.ruleset()


def test_agent_killed_during_adds(lab):
    """Whatever was half done is complete or gone after the restart."""
    node = lab.node("n1")
    node.start_agent("--status-grace", "0s")  # else they would wait for the next agent
    lab.namespace_object("default")
    pods = [lab.pod(node, "default", f"p{i}", serve=()) for i in range(30)]
    lab.write(*(p.object() for p in pods))
    lab.settle()
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        futures = [pool.submit(cni.call, p, "ADD") for p in pods]
        time.sleep(0.05)
        node.stop_agent(signal.SIGKILL)
        done = [f.exception() is None for f in futures]
    node.start_agent()
    for pod, ok in zip(pods, done, strict=True):
        if not ok:
            cni.call(pod, "DEL")
    assert in_use(node) == 2 * sum(done)
    for pod in pods:
        cni.call(pod, "DEL")
    assert in_use(node) == 0
    assert not [name for name in node.links() if name.startswith("mx")]


# --- bad input: an error of the specification, nothing allocated, the agent lives ---


def refused(node, variables, stdin):
    done = cni.call_raw(node, variables, stdin)
    with pytest.raises(CniError) as e:
        cni.result_of(done)
    assert e.value.msg
    assert in_use(node) == 0
    assert node.get("/livez")[0] == 200
    return e.value


@pytest.mark.parametrize("change", [
    {"CNI_CONTAINERID": None}, {"CNI_CONTAINERID": ""}, {"CNI_CONTAINERID": "../../etc/passwd"},
    {"CNI_CONTAINERID": "a b"}, {"CNI_CONTAINERID": "x" * 5000}, {"CNI_CONTAINERID": "-x"},
    {"CNI_NETNS": None}, {"CNI_NETNS": "/nowhere/at/all"}, {"CNI_NETNS": "/etc/passwd"},
    {"CNI_IFNAME": None}, {"CNI_IFNAME": "a/b"}, {"CNI_IFNAME": "x" * 16}, {"CNI_IFNAME": ".."},
    {"CNI_COMMAND": "DESTROY"}, {"CNI_ARGS": "no equal sign"},
    {"CNI_ARGS": "K8S_POD_NAME=" + "y" * 100000}], ids=lambda c: str(c)[:40])
def test_bad_environment(lab, node, change):
    pod = lab.pod(node, "default", "p")
    refused(node, cni.environment(pod, "ADD", **change), json.dumps(cni.configuration(node)))


def with_config(node, **more):
    return json.dumps(cni.configuration(node, **more))


@pytest.mark.parametrize(("make", "code"), [
    (lambda n: b"", None),
    (lambda n: with_config(n)[:40], 6),
    (lambda n: b"\xff\xfe", 6),
    (lambda n: "[" * 100000, 6),
    (lambda n: '{"cniVersion": "1.1.0", "name": "manx"', 6),
    (lambda n: '{"a": 1, "a": 2}', None),
    (lambda n: "null", None),
    (lambda n: with_config(n, version="9.9.9"), 1),
    (lambda n: with_config(n, version="0.2.0"), 1),
    (lambda n: with_config(n, name="../x"), None),
    (lambda n: with_config(n, filler="x" * (10 << 20)), None),
    (lambda n: with_config(n, prevResult="no result"), None),
], ids=["empty", "cut", "not-utf8", "deep", "unclosed", "duplicate", "null", "version-new",
        "version-old", "name", "10-MiB", "prev"])
def test_bad_configuration(lab, node, make, code):
    pod = lab.pod(node, "default", "p")
    error = refused(node, cni.environment(pod, "ADD"), make(node))
    if code is not None:
        assert error.code == code


def test_only_root_may_call(node):
    """The socket refuses others: mode and peer credentials."""
    path = node.run_dir / "cni.sock"
    assert path.stat().st_mode & 0o077 == 0
