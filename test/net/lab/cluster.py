# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: nodes on one layer 2, each with an agent; pods; the folder of manifests.

            switch (a bridge)
      .1 |        .2 |          .254 |
     node-a       node-b         world           10.200.0.0/24  fd00:200::/64
       |  |         |              198.51.100.1  2001:db8::1
     pods            pods          10.201.N.0/24  fd00:201:N::/64

Node addresses and pod ranges are chosen here and written as Node objects, as a cluster would.
"""

import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

from lab import cni
from lab.namespace import Namespace
from lab.server import Servers

ROOT = pathlib.Path(__file__).resolve().parents[3]
HTTP_PORT = 9109
READY_SECONDS = 20


def binary():
    return pathlib.Path(os.environ.get("MANX_BINARY", ROOT / "build/manx")).resolve()


def lasting(ruleset):
    """A table as text, without what its counters have counted and what was cut meanwhile."""
    text = re.sub(r"packets \d+ bytes \d+", "", ruleset)
    return re.sub(r"(set cut[46] \{[^{}]*?)\n\t\telements = \{[^{}]*\}", r"\1", text)


def wait_for(condition, seconds=5.0, what="it", step=0.01):
    """Poll until a condition holds; return how long it took, or fail."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(step)
    return time.monotonic() - start


class Pod:
    """A pod's namespace and identity; addresses once it is plugged in."""

    def __init__(self, node, kube_namespace, name, labels):
        self.node, self.kube_namespace, self.name = node, kube_namespace, name
        self.labels = dict(labels or {})
        self.uid = str(uuid.uuid4())
        self.container_id = hashlib.sha256(self.uid.encode()).hexdigest()
        self.namespace = Namespace(f"{node.name}-{kube_namespace}-{name}")
        self.netns_path = self.namespace.path
        self.result, self.v4, self.v6 = None, None, None
        self.ports, self.more = [], {}

    def take_result(self, result):
        """Note the addresses of a CNI result."""
        self.result = result
        for entry in result["ips"]:
            address = entry["address"].split("/")[0]
            if ":" in address:
                self.v6 = address
            else:
                self.v4 = address

    @property
    def addresses(self):
        return [a for a in (self.v4, self.v6) if a]

    @property
    def host_ifname(self):
        """Name of the end in the node: the interface of the result without a sandbox."""
        return next(i["name"] for i in self.result["interfaces"] if not i.get("sandbox"))

    def object(self, **status):
        """The Pod object, as the API server would hold it now."""
        return {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": self.name, "namespace": self.kube_namespace, "uid": self.uid,
                             "labels": self.labels},
                "spec": {"nodeName": self.node.name,
                         "containers": [{"name": "main", "ports": self.ports}], **self.more},
                "status": {"phase": "Running" if self.addresses else "Pending",
                           "podIPs": [{"ip": a} for a in self.addresses], **status}}


class Node:
    """A node's namespace and its agent."""

    def __init__(self, lab, name, index):
        self.lab, self.name, self.index = lab, name, index
        self.namespace = Namespace(name)
        self.folder = lab.folder / name
        self.state_dir, self.run_dir = self.folder / "state", self.folder / "run"
        self.cni_conf_dir, self.cni_bin_dir = self.folder / "net.d", self.folder / "bin"
        for folder in (self.folder, self.cni_conf_dir, self.cni_bin_dir):
            folder.mkdir()
        self.log = self.folder / "agent.log"
        self.config_file = self.folder / "manx.conf"
        self.launcher = []  # a command line that the agent's is put behind
        self.flags = []  # of every agent here
        self.process = None
        self.retired = []  # agents that were replaced and stand by
        self.port = HTTP_PORT
        self.pods = []
        self.v4, self.v6 = f"10.200.0.{index}", f"fd00:200::{index}"

    @property
    def plugin(self):
        """What the runtime starts: the agent's installation, or the build while there is none."""
        installed = self.cni_bin_dir / "manx"
        return installed if installed.exists() else binary()

    @property
    def internal_ips(self):
        return [a for a, f in ((self.v4, 4), (self.v6, 6)) if f in self.lab.families]

    @property
    def pod_cidrs(self):
        return [c for c, f in ((f"10.201.{self.index}.0/24", 4),
                               (f"fd00:201:{self.index}::/64", 6)) if f in self.lab.families]

    def object(self, **spec):
        return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name, "labels": {}},
                "spec": {"podCIDR": self.pod_cidrs[0], "podCIDRs": self.pod_cidrs, **spec},
                "status": {"addresses": [{"type": "InternalIP", "address": a}
                                         for a in self.internal_ips]}}

    def agent_command(self, *more):
        config = ["--config", self.config_file] if self.config_file.exists() else []
        return [str(x) for x in [
            *self.launcher, binary(), "agent", "--node", self.name, *self.lab.source_flags(self),
            "--state-dir", self.state_dir, "--run-dir", self.run_dir,
            "--cni-conf-dir", self.cni_conf_dir, "--cni-bin-dir", self.cni_bin_dir,
            "--http-address", f"127.0.0.1:{self.port}", *config, *self.flags, *more]]

    def start_agent(self, *more, wait=True):
        assert self.process is None
        with self.namespace, self.log.open("ab") as log:
            self.process = subprocess.Popen(self.agent_command(*more), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        if wait:
            self.wait_ready()

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name}: the agent ended with {self.process.returncode}:"
                                     f"\n{self.log_text()[-4000:]}")
            return self.get("/readyz")[0] == 200
        try:
            wait_for(ready, READY_SECONDS, f"{self.name} to be ready")
        except AssertionError as e:
            raise AssertionError(f"{e}\n{self.log_text()[-4000:]}") from e

    def stop_agent(self, sig=signal.SIGTERM):
        """Stop the agent; return its exit status."""
        process, self.process = self.process, None
        if process is None:
            return None
        process.send_signal(sig)
        try:
            return process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{self.name}: the agent did not stop within 10 s") from None

    def restart_agent(self, sig=signal.SIGTERM, *more):
        self.stop_agent(sig)
        self.start_agent(*more)

    def take_over(self, *more, wait=True):
        """Replace the agent by a new one; return the process that was replaced."""
        old, self.process = self.process, None
        self.retired.append(old)
        self.start_agent("--take-over", *more, wait=False)
        if wait:
            wait_for(lambda: f"{old.pid}" not in self.lock_text(), READY_SECONDS, "the take-over")
            self.wait_ready()
        return old

    def lock_text(self):
        """What the lock says: the process id of the agent."""
        return (self.run_dir / "manx.lock").read_text()

    def end_retired(self, sig=signal.SIGKILL):
        """End agents that stand by; return their exit status."""
        retired, self.retired = self.retired, []
        for process in retired:
            process.send_signal(sig)
        return [process.wait(10) for process in retired]

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def get(self, page):
        """GET a page of the agent; return (status, text), (0, "") while nobody listens."""
        with self.namespace:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", page)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except OSError:
                return 0, ""
            finally:
                connection.close()

    def metrics(self):
        """All values: {'name{label="x"}': number}."""
        status, text = self.get("/metrics")
        assert status == 200, f"/metrics answered {status}"
        values = (line.rsplit(" ", 1) for line in text.splitlines()
                  if line and not line.startswith("#"))
        return {name: float(value) for name, value in values}

    def wait_settled(self, wanted, seconds, **how):
        """Wait until metrics have the wanted values, and what they count is in force.

        What was read is counted before the turn that passes it on, and a page may be answered in
        between; the next page comes from a later turn.
        """
        def settled():
            metrics = self.metrics()
            return all(metrics.get(name) == value for name, value in wanted.items())
        for _ in range(2):
            wait_for(settled, seconds, f"{self.name} to settle at {wanted}", **how)

    def manx(self, *arguments, check=True, **options):
        """Run another subcommand of manx in this node."""
        return self.namespace.run(binary(), *arguments, check=check, **options)

    def ruleset(self):
        return self.namespace.run("nft", "list", "table", "inet", "manx", check=False).stdout

    def links(self):
        return {link["ifname"]: link for link in json.loads(self.namespace.ip("-j", "link"))}


class World:
    """A host outside the cluster, on the same layer 2; the nodes' default gateway."""

    name = "world"
    v4, v6 = "198.51.100.1", "2001:db8::1"

    def __init__(self):
        self.namespace = Namespace("world")


class Lab:
    """Everything of one test or one demo; a context manager that leaves nothing behind."""

    def __init__(self, families=(4, 6), node_mtu=1500):
        self.families, self.node_mtu = families, node_mtu
        self.nodes, self.pods = [], []
        self.marker = 0
        self.switch = self.world = self.servers = None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"mxt{os.getpid()}-"))
        self.manifests = self.folder / "manifests"
        self.manifests.mkdir()

    def __enter__(self):
        try:
            self.servers = Servers()
            self.switch = Namespace("switch")
            self.switch.ip("link", "add", "bridge", "type", "bridge")
            self.switch.ip("link", "set", "bridge", "up")
            self.world = World()
            self._plug_into_switch(self.world.namespace, 254)
            self.world.namespace.ip("address", "add", f"{World.v4}/32", "dev", "lo")
            self.world.namespace.ip("-6", "address", "add", f"{World.v6}/128", "dev", "lo")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Undo everything; every step is tried, whatever happened before."""
        with contextlib.ExitStack() as steps:
            steps.callback(shutil.rmtree, self.folder, ignore_errors=True)
            for holder in (self.switch, self.world and self.world.namespace):
                if holder:
                    steps.callback(holder.delete)
            for owner in [*self.nodes, *self.pods]:
                steps.callback(owner.namespace.delete)
            for node in self.nodes:
                steps.callback(node.stop_agent, signal.SIGKILL)
                steps.callback(node.end_retired)
            if self.servers:
                steps.callback(self.servers.close)
        self.nodes, self.pods, self.switch, self.world, self.servers = [], [], None, None, None

    def _plug_into_switch(self, namespace, index):
        port = f"port{index}"
        self.switch.ip("link", "add", port, "type", "veth", "peer", "name", "eth0",
                       "netns", namespace.name)
        self.switch.ip("link", "set", port, "master", "bridge", "up")
        namespace.ip("link", "set", "eth0", "mtu", self.node_mtu, "up")
        if 4 in self.families:
            namespace.ip("address", "add", f"10.200.0.{index}/24", "dev", "eth0")
        if 6 in self.families:
            namespace.ip("-6", "address", "add", f"fd00:200::{index}/64", "dev", "eth0", "nodad")

    def node(self, name, start=False, **spec):
        """A new node; its object is in the manifests before its agent starts."""
        index = len(self.nodes) + 1
        node = Node(self, name, index)
        self.nodes.append(node)
        self._plug_into_switch(node.namespace, index)
        if 4 in self.families:
            node.namespace.sysctl("net.ipv4.ip_forward", 1)
            node.namespace.ip("route", "add", "default", "via", "10.200.0.254")
        if 6 in self.families:
            node.namespace.sysctl("net.ipv6.conf.all.forwarding", 1)
            node.namespace.ip("-6", "route", "add", "default", "via", "fd00:200::254")
        self.write(node.object(**spec))
        if start:
            node.start_agent()
        return node

    def pod(self, node, kube_namespace, name, labels=None, ports=None, serve=(80,), **spec):
        """A pod's namespace with servers in it; not plugged in yet, not in the manifests."""
        pod = Pod(node, kube_namespace, name, labels)
        self.pods.append(pod)
        node.pods.append(pod)
        pod.ports, pod.more = ports or [], spec
        for port in serve:
            self.servers.tcp(pod.namespace, name, port)
            self.servers.udp(pod.namespace, name, port)
        return pod

    def add(self, pod, **options):
        """What a cluster does: object, CNI ADD, object with addresses."""
        self.write(pod.object())
        pod.take_result(cni.call(pod, "ADD", **options))
        self.write(pod.object())
        return pod

    def run_pod(self, node, kube_namespace, name, labels=None, **options):
        return self.add(self.pod(node, kube_namespace, name, labels, **options))

    def delete(self, pod):
        """CNI DEL, then the object goes."""
        cni.call(pod, "DEL")
        self.remove(pod.object())

    # --- the folder of manifests ---

    def source_flags(self, _node):
        """The flags that name the source of objects to a node's agent."""
        return ["--manifests", self.manifests]

    def path_of(self, item):
        metadata = item["metadata"]
        return self.manifests / "-".join(filter(None, [
            item["kind"].lower(), metadata.get("namespace"), metadata["name"] + ".json"]))

    def write(self, *items):
        """Write objects, one file each, complete at once (by rename, as editors do)."""
        for item in items:
            self.write_text(self.path_of(item).name, json.dumps(item, indent=1))

    def write_text(self, name, text):
        temporary = self.manifests / f".{name}.tmp"
        if isinstance(text, str):
            text = text.encode()
        temporary.write_bytes(text)
        temporary.rename(self.manifests / name)

    def remove(self, *items):
        for item in items:
            self.path_of(item).unlink(missing_ok=True)

    def remove_all(self, kind):
        for path in self.manifests.glob(f"{kind.lower()}-*"):
            path.unlink()

    def settle(self):
        """Wait until every running agent has taken in all that was written so far.

        A marker is written last.  A file that was removed keeps its objects a while (editors
        rename): it is gone when the agent does not count it any more.
        """
        self.marker += 1
        self.namespace_object(f"marker-{self.marker}")
        wanted = {'manx_objects{kind="Namespace"}': len(
                      list(self.manifests.glob("namespace-*.json"))),
                  "manx_source_files": len(list(self.manifests.glob("[!.]*")))}
        for node in self.nodes:
            if node.process:
                node.wait_settled(wanted, 10)

    def namespace_object(self, name, labels=None, annotations=None):
        item = {"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": name,
                             "labels": {"kubernetes.io/metadata.name": name, **(labels or {})},
                             "annotations": annotations or {}}}
        self.write(item)
        return item

    def policy(self, kube_namespace, name, selector=None, ingress=None, egress=None, types=None):
        """Write a NetworkPolicy; None leaves a field out."""
        spec = {"podSelector": selector if selector is not None else {}}
        for key, value in (("ingress", ingress), ("egress", egress), ("policyTypes", types)):
            if value is not None:
                spec[key] = value
        item = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                "metadata": {"name": name, "namespace": kube_namespace}, "spec": spec}
        self.write(item)
        return item
