# SPDX-License-Identifier: GPL-2.0-or-later
"""The control plane with its controllers, and the nodes."""

import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import tempfile
import time

import yaml

from kube.lab import ApiError, Control, Daemon
from kube.lab.control import ROOT, WRITER, programs
from kube.lab.readme import INSTALL, UPGRADE, follow
from lab.cluster import wait_for
from lab.namespace import Namespace

from .images import make_images, pack_manx
from .node import ADDRESSES, Node
from .pod import Pod, manifest, named

TOKEN = "of-kubelets-and-controllers"  # whose requests are not in the audit log
GROUPS = {"Deployment": "/apis/apps/v1", "StatefulSet": "/apis/apps/v1", "Job": "/apis/batch/v1",
          "DaemonSet": "/apis/apps/v1", "NetworkPolicy": "/apis/networking.k8s.io/v1",
          "EndpointSlice": "/apis/discovery.k8s.io/v1"}
PLURALS = {"NetworkPolicy": "networkpolicies"}


class Cluster:
    """A context manager that leaves nothing behind.  nodes: how many."""

    def __init__(self, nodes=2):
        self.programs = programs()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"mxt{os.getpid()}-cluster-"))
        self.images = self.folder / "images"
        self.control = self.switch = None
        self.daemons, self.nodes = [], []
        self.size = nodes

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _start(self):
        self.images.mkdir()
        make_images(self.folder / "images", self.folder / "work")
        shutil.copytree(ROOT / "deploy", self.folder / "deploy")
        self.switch = Namespace("cluster")
        self.switch.ip("link", "add", "br0", "type", "bridge")
        self.switch.ip("addr", "add", f"{ADDRESSES.switch4}/24", "dev", "br0")
        self.switch.ip("addr", "add", f"{ADDRESSES.switch6}/64", "dev", "br0")
        self.switch.ip("link", "set", "br0", "up")
        self.control = Control(
            self.switch, [ADDRESSES.switch4, ADDRESSES.switch6],
            tokens={TOKEN: (WRITER, ["system:masters"])},
            server_flags=["--endpoint-reconciler-type=lease",
                          "--kubelet-preferred-address-types=InternalIP",
                          "--shutdown-watch-termination-grace-period=1s"])
        self.control.__enter__()
        self.kubeconfig = self.control.kubeconfig("cluster.conf", token=TOKEN)
        self._start_controllers()
        self._make_nodes()
        wait_for(lambda: self.exists("ServiceAccount", "default"), 60, "the controllers", 0.2)

    def _start_controllers(self):
        pki, shared = self.control.folder / "pki", ["--kubeconfig", self.kubeconfig,
                                                   "--leader-elect=false"]
        for name, flags in (
                ("kube-controller-manager", [
                    f"--root-ca-file={pki}/ca.crt",
                    f"--service-account-private-key-file={self.control.signer.path}",
                    "--node-monitor-period=1s", "--kube-api-qps=200", "--kube-api-burst=400"]),
                ("kube-scheduler", [])):
            daemon = Daemon(name, self.switch, self.folder / f"{name}.log",
                            lambda n=name, f=flags: [self.programs / n, *shared, *f], lambda: True)
            daemon.start()
            self.daemons.append(daemon)

    def _make_nodes(self):
        """Their objects come first: the podCIDRs are those that we want."""
        for number in range(1, self.size + 1):
            cidrs = ADDRESSES.pods_of(number)
            self.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"n{number}"},
                         "spec": {"podCIDR": cidrs[0], "podCIDRs": cidrs}})
            self.nodes.append(Node(self, number))
        together(Node.start, self.nodes)
        for node in self.nodes:
            wait_for(lambda n=node: self.node_ready(n.name) is False, 60, f"{node.name}", 0.2)

    def close(self):
        with contextlib.ExitStack() as steps:
            steps.callback(shutil.rmtree, self.folder, ignore_errors=True)
            if self.switch:
                steps.callback(self.switch.delete)
            if self.control:
                steps.callback(self.control.close)
            for one in [*self.daemons, *self.nodes]:
                steps.callback(one.kill if isinstance(one, Daemon) else one.close)

    def kubeconfig_of(self, _node):
        """Everything is in it: nodes do not see our files."""
        return self.control.kubeconfig("inline.conf", token=TOKEN, inline=True).read_text()

    # --- Manx ---

    def follow(self, lines):
        return follow(lines, self.folder, self.kubectl)

    def install(self):
        return self.follow(INSTALL)

    def publish(self, tag):
        """Make the image of Manx with a tag and bring it to every node: the registry's part."""
        pack_manx(self.folder / "work/manx", self.images, tag)
        together(Node.import_images, self.nodes)

    def upgrade(self):
        self.publish(2)
        return self.follow(UPGRADE)

    def agents(self, node):
        """The pods of agents on a node."""
        return [Pod(self, p) for p in self.list("Pod", "kube-system", f"spec.nodeName={node.name}",
                                                "app.kubernetes.io/name=manx")]

    def agent(self, node):
        """The agent's pod on a node, or None."""
        return next(iter(self.agents(node)), None)

    def agent_log(self, node):
        """What the agent has written, as the container runtime keeps it on the node."""
        files = sorted(node.disk.glob("var/log/pods/kube-system_manx-*/manx/*.log"),
                       key=lambda file: file.stat().st_mtime)
        return files[-1].read_text(errors="replace") if files else ""

    # --- objects ---

    def node(self, name):
        return next(n for n in self.nodes if n.name == name)

    def kubectl(self, *arguments, **options):
        """As README's administrator, in a folder with deploy/; returns what is printed."""
        options.setdefault("timeout", 300)
        return self.control.kubectl(*arguments, cwd=self.folder, **options).stdout

    @staticmethod
    def path(kind, namespace=None, name=None):
        path = GROUPS.get(kind, "/api/v1")
        if kind not in ("Node", "Namespace"):
            path += f"/namespaces/{namespace}"
        return f"{path}/{PLURALS.get(kind, kind.lower() + 's')}" + (f"/{name}" if name else "")

    def create(self, item):
        metadata = item["metadata"]
        return self.control.admin.post(self.path(item["kind"], metadata.get("namespace")), item)

    def get(self, kind, name, namespace="default"):
        return self.control.admin.get(self.path(kind, namespace, name))

    def exists(self, kind, name, namespace="default"):
        try:
            return self.get(kind, name, namespace)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def list(self, kind, namespace="default", fields="", labels=""):
        return self.control.admin.get(self.path(kind, namespace), fieldSelector=fields,
                                      labelSelector=labels)["items"]

    def patch(self, kind, name, patch, namespace="default"):
        return self.control.admin.patch(self.path(kind, namespace, name), patch)

    def delete(self, kind, name, namespace="default", **query):
        return self.control.admin.delete(self.path(kind, namespace, name), **query)

    def namespace(self, name):
        """A namespace in which pods can be made."""
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        wait_for(lambda: self.exists("ServiceAccount", "default", name), 30, f"{name}", 0.1)
        return name

    # --- pods ---

    def pod(self, namespace, name):
        return Pod(self, self.get("Pod", name, namespace))

    def pods(self, namespace, labels=""):
        """Those that are not on their way out."""
        return [Pod(self, p) for p in self.list("Pod", namespace, labels=labels)
                if "deletionTimestamp" not in p["metadata"]]

    def pods_on(self, node):
        """Those that Manx gives addresses to: on this node and not in its network."""
        return [Pod(self, p) for p in self.control.admin.get(
            "/api/v1/pods", fieldSelector=f"spec.nodeName={node.name}")["items"]
            if not p["spec"].get("hostNetwork")]

    def run(self, name, *arguments, **options):
        """Create a pod (see manifest) and wait until it is ready."""
        made = manifest(name, *arguments, **options)
        self.create(made)
        return self.wait_pod(made["metadata"]["namespace"], name)

    def wait_pod(self, namespace, name, seconds=90):
        self.wait(lambda: ready(self.exists("Pod", name, namespace)), seconds,
                  f"{name} to be ready", namespace)
        return self.pod(namespace, name)

    def wait_gone(self, kind, name, namespace, seconds=60):
        self.wait(lambda: not self.exists(kind, name, namespace), seconds, f"the end of {name}",
                  namespace)

    def wait(self, condition, seconds, what, namespace="default"):
        """Poll; a failure says what the namespace's pods and events say."""
        try:
            wait_for(condition, seconds, what, 0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.describe(namespace)}") from None

    def describe(self, namespace):
        lines = [f"{p['metadata']['name']}: {p['status'].get('phase')}, "
                 f"{p['spec'].get('nodeName')}, {p['status'].get('podIPs')}"
                 for p in self.list("Pod", namespace)]
        lines += [f"{e.get('lastTimestamp')} {e['involvedObject']['name']}: {e['message']}"[:600]
                  for e in self.control.admin.get(f"/api/v1/namespaces/{namespace}/events")["items"]
                  [-25:]]
        return "\n".join(lines)

    def apply(self, *items):
        """Objects as by `kubectl apply`."""
        text = yaml.safe_dump_all(items)
        return self.kubectl("apply", "-f", "-", input=text)

    def node_ready(self, name):
        """What the kubelet says; None while it has said nothing."""
        conditions = self.get("Node", name)["status"].get("conditions", [])
        return next((c["status"] == "True" for c in conditions if c["type"] == "Ready"), None)

    def policy(self, name, namespace, selector, **spec):
        """A NetworkPolicy; selector: labels."""
        spec.setdefault("policyTypes", ["Ingress", "Egress"])
        return self.create(named("NetworkPolicy", name, namespace, spec={
            "podSelector": {"matchLabels": selector}, **spec}))


def ready(pod):
    """Is a Pod object that of a pod that is ready?"""
    return pod and any(c["type"] == "Ready" and c["status"] == "True"
                       for c in pod["status"].get("conditions", []))


def together(function, items):
    """Call it for all items at the same time; return the results."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(items))) as pool:
        return list(pool.map(function, items))


def settle(condition, seconds, every=0.1):
    """Whether a condition holds for a while, looked at all the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not condition():
            return False
        time.sleep(every)
    return True
