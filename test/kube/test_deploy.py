# SPDX-License-Identifier: GPL-2.0-or-later
"""deploy/ on a real API server, by the commands of README: applied, run as a kubelet would, edited,
upgraded and removed; and the rights of the agent: those that it uses, no others."""

import itertools
import json
import pathlib
import re
import shutil
import subprocess

import pytest

from lab import cni, tcp
from lab.cluster import ROOT, binary, wait_for
from lab.container import Container

from .lab import ApiError, KubeLab, Kubelet, daemon_pod, path_of
from .lab.kubelab import ROLE
from .lab.readme import CONFIGURE, INSTALL, REMOVE, UPGRADE, follow

ACCOUNT = "system:serviceaccount:kube-system:manx"
VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
MIB = 1 << 20


class Site:
    """A cluster with one node, and an administrator with a copy of deploy/."""

    def __init__(self, lab, folder):
        self.lab, self.control, self.folder = lab, lab.control, folder
        for kind in ("ClusterRole", "ClusterRoleBinding"):  # the lab's, for its own agents
            self.control.objects.delete({"apiVersion": "rbac.authorization.k8s.io/v1",
                                         "kind": kind, "metadata": {"name": ROLE}})
        self.deploy = folder / "deploy"
        shutil.copytree(ROOT / "deploy", self.deploy)
        self.node = lab.node("node-a")
        host = folder / "host"
        self.node.run_dir, self.node.state_dir = host / "run/manx", host / "var/lib/manx"
        self.node.cni_conf_dir = host / "etc/cni/net.d"
        self.node.cni_bin_dir = host / "opt/cni/bin"
        image = folder / "rootfs"
        subprocess.run([ROOT / "deploy/rootfs", image, binary().parent], check=True,
                       capture_output=True)
        self.image = image
        self.kubelet = Kubelet(lab, self.node, host, image)
        self.pod = None

    @property
    def manifests(self):
        return sorted(self.deploy.glob("*.yaml"))

    def kubectl(self, *arguments, **options):
        return self.control.kubectl(*arguments, cwd=self.folder, **options).stdout

    def follow(self, lines):
        """Run commands of README; after `apply` DaemonSet controller and kubelet have done what
        they do."""
        def kubectl(*arguments):
            printed = self.kubectl(*arguments)
            if arguments[:2] == ("apply", "-f"):
                self.roll_out()
            return printed

        return follow(lines, self.folder, kubectl)

    def daemon_set(self):
        return self.control.admin.get("/apis/apps/v1/namespaces/kube-system/daemonsets/manx")

    def roll_out(self):
        """Replace the pod if the template has changed, bring ConfigMaps, report the state."""
        wanted = daemon_pod(self.daemon_set(), self.node.name)
        image = wanted["spec"]["containers"][0]["image"]
        if self.pod is None or self.pod["spec"]["containers"][0]["image"] != image:
            self.end_pod()
            self.start_pod(wanted)
        self.kubelet.sync()
        wait_for(lambda: self.kubelet.probe("manx", "readinessProbe") == 200, 20,
                 "readiness\n" + self.node.log_text()[-3000:])
        found = any(self.node.cni_conf_dir.iterdir())  # then the kubelet reports the node ready
        self.control.admin.patch(f"/api/v1/nodes/{self.node.name}/status", {"status": {
            "conditions": [{"type": "Ready", "status": str(found)}]}})
        now = self.daemon_set()
        self.control.admin.patch(path_of(now) + "/status", {"status": {
            "observedGeneration": now["metadata"]["generation"], "numberMisscheduled": 0,
            **dict.fromkeys(["currentNumberScheduled", "desiredNumberScheduled", "numberReady",
                             "updatedNumberScheduled", "numberAvailable"], 1)}})

    def start_pod(self, wanted=None):
        self.pod = self.control.admin.post(
            "/api/v1/namespaces/kube-system/pods",
            wanted or daemon_pod(self.daemon_set(), self.node.name))
        self.node.process = self.kubelet.run(self.pod)["manx"].process

    def end_pod(self):
        if self.pod:
            assert self.kubelet.stop() == {"manx": 0}, self.node.log_text()[-3000:]
            self.control.objects.delete(self.pod)
            self.pod = self.node.process = None

    @property
    def agent(self):
        return self.kubelet.containers["manx"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with KubeLab() as lab:
        one = Site(lab, tmp_path_factory.mktemp("site"))
        yield one
        one.end_pod()


@pytest.fixture(scope="module")
def installed(site):
    site.printed = site.follow(INSTALL)
    return site


@pytest.fixture(scope="module")
def pods(installed):
    lab = installed.lab
    return [lab.run_pod(installed.node, "default", name) for name in ("web", "client")]


def objects_of(site):
    """Names of what deploy/ holds, as `kubectl create --dry-run` gives them."""
    return site.kubectl("create", "--dry-run=client", "-f", "deploy/", "-o", "name").split()


def test_a_dry_run_on_the_server(site):
    """Each file alone, as a server-side apply and as a client's; nothing is made."""
    assert len(site.manifests) == 3
    names = objects_of(site)
    assert sorted(name.split("/")[0].split(".")[0] for name in names) == [
        "clusterrole", "clusterrolebinding", "configmap", "daemonset", "serviceaccount"]
    for file in site.manifests:
        for how in (["--server-side"], []):
            printed = site.kubectl("apply", *how, "--dry-run=server", "--validate=strict", "-f",
                                   file)
            assert all("server dry run)" in line for line in printed.splitlines()), printed
    for name in names:
        with pytest.raises(RuntimeError, match="NotFound"):
            site.kubectl("-n", "kube-system", "get", name)


def test_installed_by_the_commands_of_the_readme(installed):
    applied, rolled_out, nodes = installed.printed
    assert [line.rsplit(" ", 1)[1] for line in applied.splitlines()] == ["created"] * 5
    assert 'daemon set "manx" successfully rolled out' in rolled_out
    assert re.search(r"^node-a +Ready ", nodes, re.M)
    names = [line.rsplit(" ", 1)[0] for line in applied.splitlines()]
    assert sorted(names) == sorted(objects_of(installed))
    again = installed.kubectl("apply", "--server-side", "--force-conflicts", "-f", "deploy/")
    assert again.count("serverside-applied") == 5


def test_the_pod_is_what_the_manifest_promises(installed):
    spec = installed.pod["spec"]
    assert spec["priority"] == 2000001000 and spec["hostNetwork"]  # system-node-critical
    assert {"operator": "Exists"} in spec["tolerations"]
    strategy = installed.daemon_set()["spec"]["updateStrategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": "10%", "maxUnavailable": 0}
    # Two pods of one node that want the same port of the host: the second would never be scheduled.
    assert not any("ports" in c for c in spec["containers"])
    assert "privileged" not in json.dumps(spec)
    status = installed.agent.status()
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {f"{1 << 12:016x}"}
    assert status["NoNewPrivs"] == "1"
    mounts = pathlib.Path(f"/proc/{installed.agent.pid}/mountinfo").read_text().splitlines()
    rights = {line.split()[4]: line.split()[5].split(",")[0] for line in mounts}
    assert rights["/"] == "ro" and "/opt/cni/bin" not in rights
    assert installed.kubelet.probe("manx", "livenessProbe") == 200


def test_pods_and_policies(installed, pods):
    web, client = pods
    lab, node = installed.lab, installed.node
    assert (node.cni_bin_dir / "manx").read_bytes()[:4] == b"\x7fELF"
    conflist = json.loads((node.cni_conf_dir / "10-manx.conflist").read_text())
    assert conflist["plugins"][0]["socket"] == "/run/manx/cni.sock"
    wait_for(lambda: tcp(client, web.v4, 80), 5, "the pods to be known")
    policy = lab.policy("default", "closed", ingress=[], types=["Ingress"])
    wait_for(lambda: not tcp(client, web.v4, 80), 5, "isolation")
    shown = installed.agent.run("/usr/sbin/manx", "status")
    assert shown.returncode == 0 and "default/closed" in shown.stdout
    lab.remove(policy)
    wait_for(lambda: tcp(client, web.v4, 80), 5, "the policy's end")


def test_its_memory_is_within_the_request(installed, pods):
    assert pods
    request = installed.pod["spec"]["containers"][0]["resources"]["requests"]["memory"]
    resident = int(installed.agent.status()["VmRSS"].split()[0]) * 1024
    assert resident < int(request.removesuffix("Mi")) * MIB


# --- rights ---


def role_rights(site):
    """(verb, group, resource) of the ClusterRole."""
    role = site.control.admin.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/manx")
    return {right for rule in role["rules"] for right in itertools.product(
        rule["verbs"], rule["apiGroups"], rule["resources"])}


def all_resources(site):
    """(group, "resource" or "resource/sub") of everything that the server has."""
    admin = site.control.admin
    groups = [("", "/api/v1"), *((g["name"], f"/apis/{version['groupVersion']}")
                                 for g in admin.get("/apis")["groups"]
                                 for version in g["versions"])]
    return {(group, item["name"]) for group, path in groups
            for item in admin.get(path)["resources"]}


def allowed(site, account, right):
    verb, group, name = right
    resource, _, subresource = name.partition("/")
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
        "user": account, "groups": ["system:serviceaccounts", "system:authenticated",
                                    "system:serviceaccounts:kube-system"],
        "resourceAttributes": {"verb": verb, "group": group, "resource": resource,
                               "subresource": subresource}}}
    made = site.control.admin.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return made["status"]["allowed"]


def test_it_may_do_what_the_role_says_and_nothing_else(installed):
    """Every verb on every resource: beyond what any account may do, the role's rights exactly."""
    everything = {(verb, *of) for of in all_resources(installed) for verb in VERBS}
    assert len(everything) > 500
    anyone = "system:serviceaccount:kube-system:default"
    may = {right for right in everything if allowed(installed, ACCOUNT, right)}
    may -= {right for right in may if allowed(installed, anyone, right)}
    assert may == role_rights(installed)
    assert not [right for right in may if "pods" in right[2] and right[0] not in
                ("get", "list", "watch")]


def test_it_does_what_the_role_says_and_nothing_else(installed, pods):
    """With the server's own way to list and, after it, with pages as of older servers.  A pod that
    nobody has told of is asked for, and an event written about a policy with too many ports."""
    assert pods
    lab, control = installed.lab, installed.control
    ghost = lab.pod(installed.node, "default", "ghost", serve=())
    cni.call(ghost, "ADD")
    cni.call(ghost, "DEL")
    broken = lab.policy("default", "broken", ingress=[{"ports": [{"port": 80}] * 10001}])
    wait_for(lambda: control.admin.get(
        "/apis/events.k8s.io/v1/namespaces/default/events")["items"], 10, "the event")
    lab.remove(broken)
    installed.end_pod()
    control.server_flags.append("--feature-gates=WatchList=false")
    control.server.restart()
    installed.start_pod()
    installed.roll_out()
    requests = control.audit.requests(user=ACCOUNT)
    # 201: the event; 422: a list as a stream is not offered
    assert {r.code for r in requests} == {200, 201, 404, 422}
    assert {r.name for r in requests if r.code == 404} == {"ghost"}
    used = {(r.verb, r.resource) for r in requests}
    assert used == {(verb, name) for verb, _, name in role_rights(installed)}


# --- changes ---


def test_a_changed_configmap(installed):
    """It is taken without a restart; what is wrong in it changes nothing."""
    file = installed.deploy / "configmap.yaml"
    pid = installed.agent.pid
    file.write_text(file.read_text().replace("log-level: info", "log-level: debug"))
    assert installed.follow(CONFIGURE) == ["configmap/manx configured\n"]
    wait_for(lambda: 'msg="reloaded" keys="log-level"' in installed.node.log_text(), 5, "reload")
    file.write_text(file.read_text().replace("log-level: debug", "log-level: loud"))
    installed.follow(CONFIGURE)
    wait_for(lambda: "/etc/manx/manx.conf:" in installed.node.log_text(), 5, "the complaint")
    file.write_text(file.read_text().replace("log-level: loud", "log-level: info"))
    installed.follow(CONFIGURE)
    assert installed.agent.pid == pid


def test_upgraded_by_the_commands_of_the_readme(installed, pods):
    """The agent is another, an older plugin is exchanged; conflist, rules and pods stay."""
    web, client = pods
    node = installed.node
    conflist, plugin = node.cni_conf_dir / "10-manx.conflist", node.cni_bin_dir / "manx"
    ours = plugin.read_bytes()
    plugin.write_bytes(ours + b"older")
    before, pid = conflist.stat(), installed.agent.pid
    rules = re.sub(r"packets \d+ bytes \d+", "", node.ruleset())
    started = installed.start_pod
    seen = []

    def start_pod(wanted=None):
        """No agent runs at this moment."""
        seen.append(bool(tcp(client, web.v4, 80)))
        seen.append(conflist.exists())
        started(wanted)

    installed.start_pod = start_pod
    printed = installed.follow(UPGRADE)
    installed.start_pod = started
    assert seen == [True, True]
    assert "daemonset.apps/manx configured" in printed[0]
    assert installed.pod["spec"]["containers"][0]["image"] == "registry.example/manx:2"
    assert installed.pod["spec"]["initContainers"][0]["image"] == "registry.example/manx:2"
    assert installed.agent.pid not in (None, pid)
    assert plugin.read_bytes() == ours
    assert (conflist.stat().st_ino, conflist.stat().st_mtime_ns) == (before.st_ino,
                                                                     before.st_mtime_ns)
    assert re.sub(r"packets \d+ bytes \d+", "", node.ruleset()) == rules
    assert tcp(client, web.v4, 80)


def test_removed_by_the_command_of_the_readme(installed, pods):
    """Nothing is left at the server; on the node pods run on, and end, until `manx cleanup`."""
    web, client = pods
    names = objects_of(installed)
    printed = installed.follow(REMOVE)[0]
    assert printed.count(" deleted") == 5
    for name in names:
        with pytest.raises(RuntimeError, match="NotFound"):
            installed.kubectl("-n", "kube-system", "get", name)
    with pytest.raises(ApiError, match="notfound|not found"):
        installed.daemon_set()
    installed.end_pod()
    node = installed.node
    assert tcp(client, web.v4, 80)
    cni.call(client, "DEL")
    assert client.host_ifname not in node.links()
    done = Container(node.namespace, installed.image, ["/usr/sbin/manx", "cleanup"], node.log,
                     [(node.run_dir, "/run/manx", False), (node.state_dir, "/var/lib/manx", False),
                      (node.cni_conf_dir, "/etc/cni/net.d", False),
                      (node.cni_bin_dir, "/opt/cni/bin", False)], ["NET_ADMIN"])
    assert done.wait() == 0
    assert node.ruleset() == "" and web.host_ifname not in node.links()
    for folder in (node.run_dir, node.state_dir, node.cni_conf_dir, node.cni_bin_dir):
        assert list(folder.iterdir()) == []
