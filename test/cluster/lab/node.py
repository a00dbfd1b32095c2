# SPDX-License-Identifier: GPL-2.0-or-later
"""A node: namespaces and a cgroup of its own, containerd, kubelet and kube-proxy.

It can be cut off as by a power failure and started again: what is in `disk` stays, processes, /run
and the network's namespace do not.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from kube.lab import Daemon, sweep_servers
from lab.cluster import wait_for
from lab.namespace import Namespace

from . import settings
from .cgroup import NodeCgroup, sweep_cgroups

HERE = pathlib.Path(__file__).resolve().parent
VARIABLES = ["HOME=/root", f"TERM={os.environ.get('TERM', 'dumb')}", "PATH=/opt/cluster:"
             "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
SOCKET = "/run/containerd/containerd.sock"


@dataclasses.dataclass(frozen=True)
class Addresses:
    """Of the cluster: node number n has the addresses and pods of .n."""

    switch4: str = "10.200.0.1"
    switch6: str = "fd00:200::1"
    pods: str = "10.201.0.0/16,fd00:201::/48"
    services: str = "10.96.0.0/16,fd00:96::/112"

    @staticmethod
    def node(number):
        return [f"10.200.0.{10 + number}", f"fd00:200::{10 + number}"]

    @staticmethod
    def pods_of(number):
        return [f"10.201.{number}.0/24", f"fd00:201:0:{number}::/64"]


ADDRESSES = Addresses()


def joining(cgroups):
    """The beginning of a command line whose process enters cgroups before it goes on."""
    return ["sh", "-ec", 'while [ "$1" != -- ]; do echo 0 >"$1/cgroup.procs"; shift; done; '
            'shift; exec "$@"', "sh", *cgroups, "--"]


class InNode(Daemon):
    """A daemon in a node.  Signals are for the program, not for the nsenter that is its parent."""

    def __init__(self, node, name, command, ready):
        super().__init__(name, contextlib.nullcontext(), node.folder / f"{name}.log",
                         lambda: node.command(*command), ready)

    def stop(self, sig=signal.SIGTERM, seconds=20):
        if self.running:
            with contextlib.suppress(OSError):
                pid = self.process.pid
                for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
                    subprocess.run(["kill", f"-{int(sig)}", child], check=False)
                self.process.wait(seconds)
        return super().stop(signal.SIGKILL if self.running else sig, seconds)


class Node:
    """cluster: where it belongs; number: from 1."""

    def __init__(self, cluster, number):
        self.cluster, self.number, self.name = cluster, number, f"n{number}"
        self.v4, self.v6 = ADDRESSES.node(number)
        self.folder = cluster.folder / self.name
        self.disk = self.folder / "disk"
        for name in ("var", "net.d", "bin", "manifests"):
            (self.disk / name).mkdir(parents=True)
        (self.folder / "root").mkdir()
        # What packages named kubernetes-cni or containernetworking-plugins bring to every node.
        shutil.copy("/usr/lib/cni/loopback", self.disk / "bin")
        self.cgroup = NodeCgroup(self.name)
        self.first = self.namespace = None
        self.containerd = InNode(self, "containerd", ["containerd", "-c", "/run/containerd.toml"],
                                 self._containerd_ready)
        self.kubelet = InNode(self, "kubelet", [
            "kubelet", "--config=/run/kubelet.yaml", "--kubeconfig=/run/kubeconfig",
            f"--hostname-override={self.name}", f"--node-ip={self.v4},{self.v6}", "--v=2"],
            lambda: True)
        self.proxy = InNode(self, "kube-proxy", ["kube-proxy", "--config=/run/kube-proxy.yaml"],
                            lambda: True)

    # --- power ---

    def start(self):
        """Everything but the agent, which is the DaemonSet's."""
        self._plug_in()
        self.cgroup.make()
        # The cgroup namespace begins at the node's own cgroup, of which `joins` may be a child.
        command = [*joining(self.cgroup.folders), "unshare", "--cgroup",
                   *joining(self.cgroup.joins), "unshare", "--mount", "--uts", "--ipc", "--pid",
                   "--fork", "--kill-child", HERE / "boot", self.folder / "root", self.disk,
                   self.cluster.programs, self.cluster.images, self.name, ADDRESSES.switch4,
                   *self.cgroup.controllers]
        with self.namespace, (self.folder / "boot.log").open("ab") as log:
            self.first = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log)
        wait_for(lambda: self.pid and self.path("/run/booted").exists(), 20, f"{self.name} to boot")
        self.cgroup.delegate()
        self._write_settings()
        self.containerd.start()
        self.import_images()
        self.kubelet.start()
        self.proxy.start()

    def power_off(self):
        """All processes end at once, and the network with all that is in it."""
        if self.first:
            if self.pid:
                subprocess.run(["kill", "-KILL", str(self.pid)], check=False)
            self.first.wait(20)
        for daemon in (self.containerd, self.kubelet, self.proxy):
            daemon.stop()
        self.first = None
        self.cgroup.delete()
        if self.namespace:
            self.namespace.delete()
            self.namespace = None
            self.cluster.switch.ip("link", "delete", f"to-{self.name}", check=False)

    def close(self):
        self.power_off()

    def _plug_in(self):
        self.namespace = Namespace(f"cluster-{self.name}")
        self.cluster.switch.ip("link", "add", f"to-{self.name}", "type", "veth", "peer", "name",
                               "eth0", "address", f"02:00:00:00:00:{self.number:02x}", "netns",
                               self.namespace.name)
        self.cluster.switch.ip("link", "set", f"to-{self.name}", "master", "br0", "up")
        self.namespace.ip("addr", "add", f"{self.v4}/24", "dev", "eth0")
        self.namespace.ip("addr", "add", f"{self.v6}/64", "dev", "eth0")
        self.namespace.ip("link", "set", "eth0", "up")
        self.namespace.ip("route", "add", "default", "via", ADDRESSES.switch4)
        self.namespace.ip("-6", "route", "add", "default", "via", ADDRESSES.switch6)

    def _write_settings(self):
        proxy = settings.PROXY % {"name": self.name, "pods": ADDRESSES.pods}
        for name, text in (("containerd.toml", settings.CONTAINERD),
                           ("kubelet.yaml", settings.KUBELET), ("kube-proxy.yaml", proxy),
                           ("kubeconfig", self.cluster.kubeconfig_of(self))):
            self.path(f"/run/{name}").write_text(text)

    def import_images(self):
        """All images of the cluster that it does not have yet."""
        done = self.folder / "imported"
        done.mkdir(exist_ok=True)
        for image in sorted(self.cluster.images.glob("*.tar")):
            if not (done / image.name).exists():
                self.run("ctr", "--address", SOCKET, "--namespace", "k8s.io", "images", "import",
                         f"/opt/images/{image.name}")
                (done / image.name).touch()

    # --- inside ---

    @property
    def pid(self):
        """Its first process, as seen from outside; None while there is none."""
        try:
            parent = self.first.pid
            children = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
            name = pathlib.Path(f"/proc/{children[0]}/comm").read_text().strip()
        except (OSError, IndexError, AttributeError):
            return None
        return int(children[0]) if name == "boot" else None

    def path(self, inside):
        """A path of the node, as this process reaches it."""
        return pathlib.Path(f"/proc/{self.pid}/root{inside}")

    def command(self, *command):
        """A command line that runs a command in the node."""
        return [str(part) for part in (
            *joining(self.cgroup.joins), "nsenter", f"--target={self.pid}", "--mount", "--uts",
            "--ipc", "--net", "--pid", "--cgroup", "env", "-i", *VARIABLES, *command)]

    def run(self, *command, check=True, seconds=60):
        done = subprocess.run(self.command(*command), capture_output=True, text=True, check=False,
                              timeout=seconds)
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(map(str, command))}: exit "
                               f"{done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
        return done

    def manx(self, *arguments, check=True):
        """The program manx of this build, beside the agent."""
        return self.run("/opt/images/manx", *arguments, check=check)

    def addresses_given(self):
        """{address: "namespace/name"} of what the agent has given to pods."""
        shown = json.loads(self.manx("ipam", "show", "--json").stdout)["attachments"]
        return {a: f"{p['namespace']}/{p['pod']}" for p in shown for a in p["addresses"]}

    def _containerd_ready(self):
        done = self.run("ctr", "--address", SOCKET, "version", check=False)
        return done.returncode == 0 or done.stderr

    def processes_of(self, uid):
        """Process ids, as seen from outside, of the pod with this UID: the oldest first."""
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"pod{uid}" in (process / "cgroup").read_text():
                    found.append(int(process.name))
        return sorted(found)

    def agent_pid(self, pod):
        """The process of the agent in its pod, as seen from outside; None while there is none."""
        for pid in self.processes_of(pod.uid):
            with contextlib.suppress(OSError):
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "manx":
                    return pid
        return None


def sweep_nodes():
    """Undo what a killed run left: processes and folders (its daemons and nodes name them), network
    namespaces, cgroups."""
    sweep_servers()
    time.sleep(0.1)
    sweep_cgroups()
