# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent beside a real API server with many pods.

  start     50,000 pods, 1,000 namespaces and as many policies in the server: from the start of
            the agent's process until all is in force, once with policies that need 1,000 of the
            pods and once with one that needs all
  change    one at a time, with 5,000 and with 50,000 pods in the server: from the arrival of the
            packet with the event, and from the server's answer to the writer, to the kernel's
            notification
"""

import contextlib
import json
import pathlib
import re
import select
import socket
import threading
import time
import uuid

from kube.lab import KubeLab, path_of, pod_status, sweep_servers

from . import notifications
from .figures import QUICK, rounds
from .start import until_ready

SPACES, PODS, SMALL = (100, 5000, 500) if QUICK else (1000, 50000, 5000)
LOCAL = 20
CHANGES = rounds(300)
STARTS = 1 if QUICK else 3


# --- the cluster ---

def space(index):
    return f"space-{index}"


def address(index):
    return f"10.202.{index // 250}.{index % 250 + 1}", f"fd00:202::{index:x}"


class Cluster:
    """Objects written past the API server, by copying one of each kind that it made."""

    def __init__(self, lab):
        self.lab, self.objects, self.store = lab, lab.control.objects, lab.control.store
        self.pods = 0

    def make_spaces(self):
        model = self.objects.namespace(space(0), {"index": "0"})
        self.store.write((f"/registry/namespaces/{space(i)}", self.copy(
            model, space(i), {"index": str(i), "kubernetes.io/metadata.name": space(i)}))
            for i in range(1, SPACES))
        for i in range(LOCAL):
            self.objects.account(space(i), "default")

    def make_policies(self):
        """One in each namespace: its pods are reached by each other only, at one port."""
        model = self.objects.policy(space(0), "own", {}, ingress=[
            {"from": [{"podSelector": {}}], "ports": [{"port": 80}]}])
        self.store.write((f"/registry/networkpolicies/{space(i)}/own",
                          self.copy(model, "own", {}, space(i))) for i in range(1, SPACES))

    def make_pods(self, number):
        """Pods of other nodes, spread over all namespaces."""
        if not self.pods:
            self.model = self.objects.pod(space(0), "model", node="elsewhere", ips=["10.202.255.1"],
                                          labels={"app": "model"})
            self.objects.delete(self.model)
        first, self.pods = self.pods, number
        self.store.write(self.pod(i) for i in range(first, number))
        self.objects.touch()
        self.lab.control.admin.get(f"/api/v1/namespaces/{space(0)}/pods", limit=1)

    def pod(self, index):
        where, name = space(index % SPACES), f"pod-{index}"
        item = self.copy(self.model, name, {"app": f"app-{index % 7}", "role": "some"}, where)
        item["spec"] = {**item["spec"], "nodeName": f"node-{index % 500}"}
        item["status"] = {**item["status"], **pod_status(address(index))["status"]}
        return f"/registry/pods/{where}/{name}", item

    @staticmethod
    def copy(model, name, labels, where=None):
        metadata = {k: v for k, v in model["metadata"].items() if k != "resourceVersion"}
        metadata.update(name=name, uid=str(uuid.uuid4()), labels=labels)
        if where:
            metadata["namespace"] = where
        return {**model, "metadata": metadata}


# --- start ---

def of_process(pid, key):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{key}:\s*(\d+)", text, re.M).group(1))


def received(node):
    """Bytes that came to the node by its interface."""
    (link,) = json.loads(node.namespace.ip("-j", "-s", "link", "show", "eth0"))
    return link["stats64"]["rx"]["bytes"]


def start_once(node):
    """With nothing in the kernel before: what it took, by name and unit."""
    node.stop_agent()
    node.namespace.run("nft", "delete", "table", "inet", "manx", check=False)
    wire = received(node)
    seconds = until_ready(node, 0.005)
    wire = received(node) - wire
    metrics, pid = node.metrics(), node.process.pid
    return {("until in force", "s"): seconds,
            ("processor time", "s"): metrics["process_cpu_seconds_total"],
            ("pods known", "pods"): metrics['manx_objects{kind="Pod"}'],
            ("nftables operations", "operations"): metrics["manx_nft_operations_total"],
            ("longest transaction", "ms"): metrics["manx_nft_longest_transaction_seconds"] * 1000,
            ("received", "MB"): wire / 1e6,
            ("peak memory, VmHWM", "MiB"): of_process(pid, "VmHWM") / 1024,
            ("memory, VmRSS", "MiB"): of_process(pid, "VmRSS") / 1024,
            ("memory, RssAnon", "MiB"): of_process(pid, "RssAnon") / 1024}


def measure_start(figures, node, needed):
    runs = [start_once(node) for _ in range(STARTS)]
    for name, unit in runs[0]:
        figures.samples(f"start: {name}", unit, [run[name, unit] for run in runs],
                        pods=PODS, needed=needed)


# --- change ---

class Monitor:
    """Notes when packets of the API server and notifications of the kernel came, in a thread."""

    def __init__(self, node):
        self.kernel = notifications.listen(node)
        with node.namespace:
            self.packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
            self.packets.bind(("eth0", 0x0800))
        self.packet = self.commit = 0.0
        self.came, self.stopping = threading.Event(), False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        last = 0.0
        while not self.stopping:
            ready, _, _ = select.select([self.packets, self.kernel], [], [], 0.2)
            now = time.monotonic()
            if self.packets in ready:
                packet = self.packets.recv(2048)
                if len(packet) > 24 and packet[9] == 6 and packet[20:22] == b"\x19\x2b":  # 6443
                    last = now
            if self.kernel in ready:
                self.kernel.recv(65536)
                if not self.came.is_set():
                    self.packet, self.commit = last, now
                    self.came.set()

    def close(self):
        self.stopping = True
        self.thread.join()
        self.packets.close()
        self.kernel.close()


def measure_change(figures, node, pods, name, write):
    """write(number): one change; times in milliseconds."""
    wire, acknowledged, sent = [], [], []
    with contextlib.closing(Monitor(node)) as monitor:
        for number in range(CHANGES):
            monitor.came.clear()
            began = time.monotonic()
            write(number)
            answered = time.monotonic()
            if not monitor.came.wait(10):
                raise RuntimeError(f"{name}: change {number} did not reach the kernel")
            wire.append((monitor.commit - monitor.packet) * 1000)
            acknowledged.append((monitor.commit - answered) * 1000)
            sent.append((monitor.commit - began) * 1000)
            time.sleep(0.01)
    for way, values in (("packet with the event", wire), ("write answered", acknowledged),
                        ("write sent", sent)):
        figures.samples(f"{name}: {way} to kernel", "ms", values, pods=pods)


def measure_changes(figures, lab, node, pods):
    client = lab.control.admin
    near = lab.control.objects.get({"apiVersion": "v1", "kind": "Pod", "metadata": {
        "name": "pod-0", "namespace": space(0)}})
    own = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
           "metadata": {"name": "own", "namespace": space(0)}}
    lab.policy(space(0), "role", {}, ingress=[
        {"from": [{"podSelector": {"matchLabels": {"role": "chosen"}}}]}])
    lab.settle()
    measure_change(figures, node, pods, "pod relabelled", lambda n: client.patch(
        path_of(near), {"metadata": {"labels": {"role": ("chosen", "some")[n % 2]}}}))
    measure_change(figures, node, pods, "policy changed, another port", lambda n: client.patch(
        path_of(own), {"spec": {"ingress": [{"from": [{"podSelector": {}}],
                                             "ports": [{"protocol": "TCP", "port": 81 + n}]}]}}))
    lab.remove({"kind": "NetworkPolicy", "metadata": {"namespace": space(0), "name": "role"}})
    lab.settle()


def measure(figures):
    sweep_servers()
    with KubeLab() as lab:
        node = lab.node("n1", start=True)
        cluster = Cluster(lab)
        cluster.make_spaces()
        cluster.make_policies()
        cluster.make_pods(SMALL)
        for index in range(LOCAL):
            lab.run_pod(node, space(index), "local", {"app": "local"}, serve=())
        measure_changes(figures, lab, node, SMALL)
        cluster.make_pods(PODS)
        lab.settle()
        measure_changes(figures, lab, node, PODS)
        measure_start(figures, node, PODS // SPACES * LOCAL)
        lab.policy(space(0), "all", {}, ingress=[{"from": [{"namespaceSelector": {}}]}])
        measure_start(figures, node, PODS)
