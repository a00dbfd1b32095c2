# SPDX-License-Identifier: GPL-2.0-or-later
"""CNI ADD and DEL: whole processes, as a runtime starts them, beside Debian's bridge + host-local.

Both take the same pods in turn, one after the other and all at once (calls.c).  Beside them what
cannot be saved: starting a process, and what the kernel takes for the link (rawlink.c); and where
the time of one ADD goes (addsteps.c).  How long the agent's loop was held is measured with an agent
that other processes cannot push aside, or the scheduler would be measured.

The kernel's deletion of a link waits for what was freed before it, too: by the DEL just done, by
the process that was just started.  So some are measured by themselves, after a pause, as on a node
where pods rarely go; and beside the bare message stands a process that does nothing else.
"""

import json
import pathlib
import shutil
import socket
import struct
import subprocess
import time

from lab import Lab, cni

from .figures import ROOT, rounds

BRIDGE = pathlib.Path("/usr/lib/cni/bridge")
PODS = 100
ROUNDS = rounds(5)
RESTED, PAUSE = 20, 0.1  # pods in each round, seconds before each
REALTIME = ["chrt", "--fifo", "10"]


class Calls:
    """One plugin and its configuration; samples by verb."""

    def __init__(self, name, plugin, ifname, config):
        self.name, self.plugin, self.ifname, self.config = name, plugin, ifname, config
        self.alone, self.together, self.groups = ({"ADD": [], "DEL": []} for _ in range(3))
        self.rested = []

    def run(self, pods, verb, at_once):
        done = pods[0].node.namespace.run(ROOT / "build/bench/calls", self.plugin, verb,
                                          self.ifname, self.config, at_once, input=lines(pods))
        return json.loads(done.stdout)

    def round(self, pods):
        self.alone["ADD"] += self.run(pods, "ADD", 1)["ms"]
        for pod in pods[:RESTED]:
            time.sleep(PAUSE)
            self.rested += self.run([pod], "DEL", 1)["ms"]
        self.alone["DEL"] += self.run(pods[RESTED:], "DEL", 1)["ms"]
        for verb, values in self.together.items():
            told = self.run(pods, verb, len(pods))
            values += told["ms"]
            self.groups[verb] += told["groups"]

    def show(self, figures):
        for verb, values in self.alone.items():
            figures.samples(f"{self.name} {verb}", "ms", values, at_once=1)
        figures.samples(f"{self.name} DEL after a pause", "ms", self.rested, at_once=1)
        for verb, values in self.together.items():
            figures.samples(f"{self.name} {verb}", "ms", values, at_once=PODS)
        for verb, values in self.groups.items():
            figures.samples(f"all of them: {self.name} {verb}", "ms", values, at_once=PODS)


def lines(pods):
    """Standard input of calls and addsteps."""
    return "".join(f"{p.container_id} {p.netns_path} {cni.environment(p, '')['CNI_ARGS']}\n"
                   for p in pods)


def write_config(node, name, config):
    path = node.folder / name
    path.write_text(json.dumps(config))
    return path


def plugins(node):
    nothing = Calls("empty process", "/bin/true", "eth0", "/dev/null")
    manx = Calls("manx", node.plugin, "eth0",
                 write_config(node, "manx.json", cni.configuration(node)))
    shutil.copy(BRIDGE, node.cni_bin_dir / "bridge")
    shutil.copy(BRIDGE.with_name("host-local"), node.cni_bin_dir / "host-local")
    bridge = Calls("bridge + host-local", node.cni_bin_dir / "bridge", "eth1", write_config(
        node, "bridge.json", {
            "cniVersion": "1.0.0", "name": "bench", "type": "bridge", "bridge": "bench0",
            "isGateway": True, "ipam": {
                "type": "host-local", "dataDir": str(node.folder / "host-local"),
                "ranges": [[{"subnet": "10.55.0.0/16"}], [{"subnet": "fd00:55::/64"}]]}}))
    return nothing, manx, bridge


def delete_links(pods, pause=0):
    """One bare RTM_DELLINK for each link that Manx made, in the node itself: milliseconds."""
    values = []
    with pods[0].node.namespace:
        kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    with kernel:
        for pod in pods:
            name = pod.host_ifname.encode() + b"\0"
            body = struct.pack("=16xHH", 4 + len(name), 3) + name.ljust(-len(name) // 4 * -4, b"\0")
            request = struct.pack("=IHHII", 16 + len(body), 17, 5, 1, 0) + body
            time.sleep(pause)
            start = time.monotonic()
            kernel.send(request)  # RTM_DELLINK by IFLA_IFNAME, with acknowledgement
            answer = kernel.recv(4096)
            values.append((time.monotonic() - start) * 1000)
            if struct.unpack_from("=i", answer, 16)[0] != 0:
                raise RuntimeError(f"RTM_DELLINK of {pod.host_ifname}: {answer}")
    return values


def delete_by_processes(pods, pause):
    """As delete_links(), by ip."""
    values = []
    for pod in pods:
        time.sleep(pause)
        with pod.node.namespace:
            start = time.monotonic()
            subprocess.run(["ip", "link", "delete", pod.host_ifname], check=True, close_fds=False)
            values.append((time.monotonic() - start) * 1000)
    return values


def measure_bare_delete(pods):
    for pod in pods:
        pod.take_result(cni.call(pod, "ADD"))
    values = (delete_links(pods[:RESTED], PAUSE),
              delete_by_processes(pods[RESTED:2 * RESTED], PAUSE), delete_links(pods[2 * RESTED:]))
    for pod in pods:
        cni.call(pod, "DEL")
    return values


def measure_steps(figures, node, pods):
    done = node.namespace.run(ROOT / "build/bench/addsteps", node.run_dir / "cni.sock",
                              node.state_dir, "eth0", input=lines(pods))
    for line in done.stdout.splitlines():
        figures.add(json.loads(line))
    figures.value("ADD: nftables transaction, the last one", "ms",
                  node.metrics()["manx_nft_last_transaction_seconds"] * 1000)
    for pod in pods:
        cni.call(pod, "DEL")


def start(lab, launcher=()):
    """A node whose addresses come again at once, or they would run out; its pods' objects."""
    node = lab.node(f"n{len(lab.nodes) + 1}")
    node.launcher = list(launcher)
    node.start_agent("--address-cooldown", "0s")
    pods = [lab.pod(node, "default", f"{node.name}-p{i}", {"app": f"app{i}"}, serve=())
            for i in range(PODS)]
    lab.write(*(pod.object() for pod in pods))
    lab.settle()
    return node, pods


def measure_calls(figures, lab):
    node, pods = start(lab)
    every = plugins(node)
    bare, rested, processes = [], [], []
    for _ in range(ROUNDS):
        for calls in every:
            calls.round(pods)
        for values, more in zip((rested, processes, bare), measure_bare_delete(pods), strict=True):
            values += more
    for calls in every:
        calls.show(figures)
    figures.samples("kernel: RTM_DELLINK of the same links", "ms", bare, at_once=1)
    figures.samples("kernel: RTM_DELLINK of the same links after a pause", "ms", rested, at_once=1)
    figures.samples("ip link delete of the same links after a pause", "ms", processes, at_once=1)
    measure_steps(figures, node, pods)


def holds(node):
    """How often the loop was held up to so many seconds."""
    name = 'manx_loop_hold_seconds_bucket{le="'
    return {float(key.removeprefix(name).rstrip('"}').replace("+Inf", "inf")): value
            for key, value in node.metrics().items() if key.startswith(name)}


def measure_holds(figures, lab):
    node, pods = start(lab, REALTIME)
    manx = plugins(node)[1]
    for at_once in (1, PODS):
        before = holds(node)
        for verb in ("ADD", "DEL"):
            manx.run(pods, verb, at_once)
        since = {bound: number - before[bound] for bound, number in holds(node).items()}
        total = since[float("inf")]
        for bound in (0.0005, 0.001, 0.005):
            figures.value(f"loop held longer than {bound * 1000:g} ms", "times",
                          total - since[bound], at_once=at_once, calls=2 * PODS, holds=total)


def measure(figures):
    with Lab() as lab:
        lab.namespace_object("default")
        measure_calls(figures, lab)
        measure_holds(figures, lab)
    figures.program("rawlink")
