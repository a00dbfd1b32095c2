# SPDX-License-Identifier: GPL-2.0-or-later
"""A cluster whose objects change for ever, beside one real agent.

Owns a fixed number of places for objects (namespaces, nodes, pods elsewhere, policies) in a few
files, and some pods that are plugged in.  A round changes many places by chance, writes each file
that it touched once, and plugs pods out and in; then the agent has to settle, so that every version
that was written is one that it read.  A change is one object that came, changed or went, or one pod
plugged in or out.

judge() asks a second agent, which knows only the files and the journal, what it would have to
write: nothing.  sample() is what the agent and the kernel hold; check_growth() judges those of a
run.
"""

import copy
import dataclasses
import difflib
import json
import os
import random
import shutil
import uuid

from lab import cni
from lab.cluster import wait_for

SECOND_PORT = 9110
SETTLE_SECONDS = 60
LABELS = {"app": ["web", "db", "dns", None], "tier": ["a", "b", None], "zone": ["x", "y", None]}
PORTS = [53, 80, 443, 8080, 9090]
NAMESPACES, NODES, PODS, POLICIES = 12, 30, 1200, 80
PODS_A_FILE, POLICIES_A_FILE = 150, 40
LOCAL_PODS = 6
RSS_SHARE, RSS_SLACK = 1.10, 1024  # growth behind the warm-up that is none; KiB
WARM_UP = 0.5  # of the changes: a larger burst than all before still comes after a quarter


def a_list(items):
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, separators=(",", ":"))


def namespace_name(chance):
    return f"n{chance.randrange(NAMESPACES)}"


def labels(chance):
    drawn = {key: chance.choice(values) for key, values in LABELS.items()}
    return {key: value for key, value in drawn.items() if value}


def selector(chance):
    keys = chance.sample(sorted(LABELS), chance.randrange(3))
    return {"matchExpressions": [
        {"key": k, "operator": "In", "values": chance.sample(LABELS[k][:-1], 1)}
        if chance.random() < 0.7 else {"key": k, "operator": chance.choice(["Exists",
                                                                            "DoesNotExist"])}
        for k in sorted(keys)]}


# --- objects: what stands in place @i ---


def a_namespace(chance, i):
    name = f"n{i}"
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": name, "labels": {**labels(chance), "kubernetes.io/metadata.name": name}}}


def a_node(chance, i):
    third = chance.randrange(4) * NODES + i  # no two nodes draw the same
    return {"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": f"other-{i}", "labels": labels(chance)},
            "spec": {"podCIDR": f"10.210.{third}.0/24",
                     "podCIDRs": [f"10.210.{third}.0/24", f"fd00:210:{third}::/64"]},
            "status": {"addresses": [
                {"type": "InternalIP", "address": f"10.200.0.{100 + i}"},
                {"type": "InternalIP", "address": f"fd00:200::{100 + i}"}]}}


def a_pod(chance, i):
    host = chance.randrange(4) * PODS + i
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": f"p{i}", "namespace": f"n{i % NAMESPACES}", "uid": f"uid-{i}",
                         "labels": labels(chance)},
            "spec": {"nodeName": f"other-{i % NODES}", "hostNetwork": chance.random() < 0.05,
                     "containers": [{"name": "c", "ports": [
                         {"name": "http", "containerPort": chance.choice(PORTS)}]}]},
            "status": {"phase": chance.choice(["Running"] * 9 + ["Succeeded"]),
                       "podIPs": [{"ip": f"10.211.{host >> 8}.{host & 255}"},
                                  {"ip": f"fd00:211::{host:x}"}]}}


def a_peer(chance):
    if chance.random() < 0.3:
        third = chance.randrange(8) * 32
        return {"ipBlock": {"cidr": f"10.{chance.choice([210, 211])}.{third}.0/19",
                            "except": [f"10.{chance.choice([210, 211])}.{third + 1}.0/24"]}}
    peer = {"podSelector": selector(chance)}
    if chance.random() < 0.5:
        peer["namespaceSelector"] = selector(chance)
    return peer


def a_policy(chance, i):
    """Now and then one that is set aside: its exceptions lie outside of its block."""
    def rules(key):
        return [{key: [a_peer(chance) for _ in range(1 + chance.randrange(3))],
                 "ports": [{"protocol": chance.choice(["TCP", "UDP"]),
                            "port": chance.choice([*PORTS, "http"])}
                           for _ in range(chance.randrange(3))]}
                for _ in range(chance.randrange(3))]
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": f"q{i}", "namespace": namespace_name(chance)},
            "spec": {"podSelector": selector(chance),
                     "policyTypes": chance.choice([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
                     "ingress": rules("from"), "egress": rules("to")}}


@dataclasses.dataclass
class File:
    """Places for objects of one kind: @make(chance, i) draws what stands in the i-th."""

    name: str
    make: object
    places: list
    present: float  # share of places that hold an object

    def change(self, chance, count):
        """Draw @count places anew; return how many are not as before."""
        changed = 0
        for at in chance.sample(range(len(self.places)), min(count, len(self.places))):
            i, before = self.places[at]
            after = self.make(chance, i) if chance.random() < self.present else None
            self.places[at] = (i, after)
            changed += before != after
        return changed

    def text(self):
        return a_list([o for _, o in self.places if o])


@dataclasses.dataclass
class Sample:
    """What agent and kernel hold at a moment when all is settled."""

    changes: int
    rss: int  # KiB, anonymous
    fds: int
    kernel: dict


def files():
    def cut(prefix, make, n, each, present):
        return [File(f"{prefix}-{first // each}.json", make,
                     [(i, None) for i in range(first, min(first + each, n))], present)
                for first in range(0, n, each)]
    return [*cut("many-namespaces", a_namespace, NAMESPACES, NAMESPACES, 0.9),
            *cut("many-nodes", a_node, NODES, NODES, 0.9),
            *cut("many-pods", a_pod, PODS, PODS_A_FILE, 0.8),
            *cut("many-policies", a_policy, POLICIES, POLICIES_A_FILE, 0.7)]


class Churn:
    """A node's agent among objects that change."""

    def __init__(self, lab, seed):
        self.lab, self.chance = lab, random.Random(seed)
        self.node = lab.node("node")
        # Addresses come again at once; pods whose object nobody writes are not waited for.
        self.node.config_file.write_text("address-cooldown: 0s\npod-wait: 0s\n")
        self.files, self.markers, self.changes = files(), 1, 0
        self._write_markers()
        self.node.start_agent()
        self.pods = [lab.pod(self.node, f"n{i}", f"local-{i}", serve=()) for i in range(LOCAL_PODS)]
        self.samples = []

    # --- changes ---

    def _write_markers(self):
        """Namespaces that nobody selects, by whose number the agent shows how far it is."""
        items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"marker-{i}"}}
                 for i in range(self.markers)]
        self.lab.write_text("~markers.json", a_list(items))

    def settle(self):
        """Wait until the kernel has what was written; cf. Lab.settle()."""
        # More of them than the others' number can make up for.
        self.markers = 1 if self.markers > 1 else 2 * NAMESPACES
        self._write_markers()
        wanted = self.markers + sum(o is not None for _, o in self.files[0].places)
        self.node.wait_settled({'manx_objects{kind="Namespace"}': wanted,
                                "manx_pending_operations": 0}, SETTLE_SECONDS, step=0.002)

    def _change_files(self):
        for file in self.chance.sample(self.files, 1 + self.chance.randrange(len(self.files))):
            size = self.chance.choice([1, 30, PODS_A_FILE, PODS_A_FILE])
            self.changes += file.change(self.chance, 1 + self.chance.randrange(size))
            self.lab.write_text(file.name, file.text())

    def _change_pod(self):
        """A pod of this node is plugged in or out, or its labels change."""
        pod = self.chance.choice(self.pods)
        self.changes += 1
        if pod.result and self.chance.random() < 0.5:
            pod.labels = labels(self.chance)
            self.lab.write(pod.object())
        elif pod.result:
            cni.call(pod, "DEL")
            # Without an object rather than removed: a file that goes keeps its objects for a while.
            self.lab.write_text(self.lab.path_of(pod.object()).name, a_list([]))
            pod.result = pod.v4 = pod.v6 = None
        else:
            pod.uid, pod.container_id = str(uuid.uuid4()), uuid.uuid4().hex
            self.lab.add(pod)

    def round(self):
        """Many changes, of which the agent has to see every one."""
        self._change_files()
        if self.chance.random() < 0.3:
            self._change_pod()
        self.settle()

    def remove_everything(self):
        for file in self.files:
            file.places = [(i, None) for i, _ in file.places]
            self.lab.write_text(file.name, file.text())
        for pod in self.pods:
            if pod.result:
                cni.call(pod, "DEL")
                pod.result = pod.v4 = pod.v6 = None
        self.lab.remove_all("pod")
        wait_for(lambda: self.node.metrics()['manx_objects{kind="Pod"}'] == 0, SETTLE_SECONDS,
                 "all pods to go")
        self.settle()

    # --- judgement ---

    def _routes(self):
        return sorted(line for version in ("-4", "-6") for line in self.node.namespace.ip(
            version, "route", "show", "proto", "109").splitlines())

    def judge(self):
        """A second agent that begins here has nothing to write, neither rules nor routes."""
        second, routes, rules = copy.copy(self.node), self._routes(), self.node.ruleset()
        folder = self.node.folder / "second"
        shutil.copytree(self.node.state_dir, folder / "state")
        (folder / "net.d").mkdir()
        second.process, second.port, second.log = None, SECOND_PORT, folder / "agent.log"
        second.state_dir, second.run_dir = folder / "state", folder / "run"
        second.cni_conf_dir, second.cni_bin_dir = folder / "net.d", folder / "bin"
        second.cni_bin_dir.mkdir()
        try:
            second.start_agent()
            metrics = second.metrics()
            wrote = metrics["manx_nft_operations_total"], metrics["manx_pending_operations"]
            assert wrote == (0, 0), f"a second agent wrote {wrote[0]:.0f} operations:\n" + \
                "\n".join(difflib.unified_diff(rules.splitlines(),
                                               self.node.ruleset().splitlines(), lineterm=""))
        finally:
            second.stop_agent()
        after = self._routes()
        assert after == routes, f"a second agent changed routes: {set(after) ^ set(routes)}"
        shutil.rmtree(folder)

    def sample(self):
        proc = f"/proc/{self.node.process.pid}"
        with open(f"{proc}/status", encoding="ascii") as status:
            rss = next(int(line.split()[1]) for line in status if line.startswith("RssAnon:"))
        listing = json.loads(self.node.namespace.run("nft", "-j", "list", "table", "inet",
                                                     "manx").stdout)["nftables"]
        kernel = {kind: sum(kind in item for item in listing)
                  for kind in ("set", "map", "chain", "rule")}
        kernel["elements"] = sum(len(item[kind].get("elem", [])) for item in listing
                                 for kind in ("set", "map") if kind in item)
        kernel["routes"] = len(self._routes())
        kernel["links"] = len(self.node.links())
        self.samples.append(Sample(self.changes, rss, self._descriptors(), kernel))
        return self.samples[-1]

    def _descriptors(self):
        return len(os.listdir(f"/proc/{self.node.process.pid}/fd"))

    def check_growth(self):
        """Memory and descriptors behind the warm-up against those within it."""
        border = self.changes * WARM_UP
        early = [s for s in self.samples if s.changes <= border]
        late = [s for s in self.samples if s.changes > border]
        assert early and late, "too few samples"
        rss = max(s.rss for s in early), max(s.rss for s in late)
        assert rss[1] <= rss[0] * RSS_SHARE + RSS_SLACK, f"RSS grew from {rss[0]} to {rss[1]} KiB"
        fds = max(s.fds for s in early), max(s.fds for s in late)
        assert fds[1] <= fds[0], f"descriptors grew from {fds[0]} to {fds[1]}"

    def run(self, changes, points, told=lambda sample: None):
        """Make @changes changes, judged at about @points points by chance and at the end."""
        empty = self.sample()
        share = points / changes
        while self.changes < changes:
            before = self.changes
            self.round()
            if self.chance.random() < share * (self.changes - before):
                self.judge()
                told(self.sample())
        self.judge()
        told(self.sample())
        self.remove_everything()
        self.judge()
        left = self.sample()
        told(left)
        assert left.kernel == empty.kernel, f"all is gone, and {left.kernel} is left"
        assert left.fds <= empty.fds, f"all is gone, and {left.fds} descriptors are open"
        self.check_growth()
