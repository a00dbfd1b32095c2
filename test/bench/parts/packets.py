# SPDX-License-Identifier: GPL-2.0-or-later
"""What packets pay: the first of a connection under many policies, and throughput.

Four pods of one node are under 1, 10, 100 and 1,000 policies; a client that the last of them
allows sends each of them first packets (packets.c).  Beside it a node without agent, its links made
by hand: with the smallest ruleset that says the same, with one that does an agent's other jobs too,
with none at all; and, for throughput, with one that accepts what is established and nothing else.
All variants in turn, round after round.
"""

import json
import pathlib
import socket
import subprocess

from lab import Lab
from lab.cluster import wait_for

from .figures import QUICK, ROOT, rounds

COUNTS = (1, 10, 100, 1000)
PORT = 8080
PACKETS = 20000
FIRST_PORT = 20000
ROUNDS = rounds(30)
STREAM_ROUNDS = rounds(10)
STREAM_SECONDS = 1 if QUICK else 4
GATEWAY, GATEWAY_MAC = "169.254.1.1", "02:00:00:00:00:fe"

MINIMAL = """
table inet by_hand {
  set clients { type ipv4_addr; elements = { %(client)s } }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    ip daddr %(server)s jump server
  }
  chain server {
    ip saddr @clients udp dport %(port)d accept
    drop
  }
}
"""
# What else an agent's rules do for a packet: sources checked, host ports, masquerading.
SAME_JOBS = MINIMAL + """
table inet by_hand_too {
  set sources {
    type ifname . ether_addr . ipv4_addr
    elements = { "hand1" . %(client_mac)s . %(client)s, "hand2" . %(server_mac)s . %(server)s }
  }
  map hostports { type inet_proto . inet_service : ipv4_addr . inet_service; }
  chain prerouting {
    type filter hook prerouting priority raw; policy accept;
    iifname "hand*" iifname . ether saddr . ip saddr != @sources drop
  }
  chain hostports_in {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local dnat ip to meta l4proto . th dport map @hostports
  }
  chain outbound {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 10.201.0.0/16 ip daddr != 10.201.0.0/16 masquerade fully-random
  }
}
"""
ESTABLISHED = """
table inet by_hand {
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established accept
  }
}
"""
BY_HAND = {"by hand: policy alone": MINIMAL, "by hand: the same jobs": SAME_JOBS,
           "no ruleset": ""}


# --- variants: a client, a server, and the node between them ---

def write_policies(lab, count):
    """Of those on one pod each speaks of other peers and another port; one lets the client in."""
    for i in range(count):
        role, port = ("client", PORT) if i == count - 1 else (f"r{i % 20}", 10000 + i)
        lab.policy("default", f"under{count}-{i}", {"matchLabels": {"under": str(count)}}, ingress=[
            {"from": [{"podSelector": {"matchLabels": {"role": role}}}],
             "ports": [{"protocol": "UDP", "port": port}]}])


def plug_by_hand(node, pod, index):
    """The link that Manx makes, with ip(8)."""
    name, pod.v4 = f"hand{index}", f"10.201.{node.index}.{index}"
    node.namespace.ip("link", "add", name, "address", GATEWAY_MAC, "type", "veth",
                      "peer", "name", "eth0", "netns", pod.namespace.name)
    node.namespace.ip("link", "set", name, "up")
    inside = pod.namespace.ip
    inside("address", "add", f"{pod.v4}/32", "dev", "eth0")
    inside("link", "set", "eth0", "up")
    inside("neighbour", "add", GATEWAY, "lladdr", GATEWAY_MAC, "nud", "permanent", "dev", "eth0")
    inside("route", "add", GATEWAY, "dev", "eth0", "scope", "link")
    inside("route", "add", "default", "via", GATEWAY, "dev", "eth0")
    pod.mac = json.loads(inside("-j", "link", "show", "eth0"))[0]["address"]
    node.namespace.ip("neighbour", "add", pod.v4, "lladdr", pod.mac, "nud", "permanent",
                      "dev", name)
    node.namespace.ip("route", "add", pod.v4, "dev", name, "scope", "link")


def make_ear(pod):
    """A socket that takes packets and is never read: they are dropped behind everything."""
    with pod.namespace:
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    ear.bind(("0.0.0.0", PORT))
    return ear


def arrived(pod):
    """UDP packets that came to a socket of the pod so far, read or not."""
    with pod.namespace:
        text = pathlib.Path("/proc/thread-self/net/snmp").read_text()
    names, values = (line.split()[1:] for line in text.splitlines() if line.startswith("Udp:"))
    udp = dict(zip(names, map(int, values), strict=True))
    return udp["InDatagrams"] + udp["InErrors"]


class Variants:
    """Names of variants, each with client and server."""

    def __init__(self, lab):
        self.lab, self.pairs, self.ears = lab, {}, []
        self.node = lab.node("manx", start=True)
        self.plain = lab.node("plain")
        lab.namespace_object("default")
        self.client = self.run("client", role="client")
        for count in COUNTS:
            write_policies(lab, count)
            self.pairs[f"under {count}"] = self.client, self.run(f"under{count}", under=str(count))
        self.free = self.run("free", role="free")
        lab.settle()
        self.by_hand = [lab.pod(self.plain, "default", n, serve=()) for n in ("client", "server")]
        for index, pod in enumerate(self.by_hand, 1):
            plug_by_hand(self.plain, pod, index)
        self.pairs |= dict.fromkeys(BY_HAND, self.by_hand)
        self.ears = [make_ear(server) for _, server in self.pairs.values() if server not in
                     self.by_hand] + [make_ear(self.by_hand[1])]

    def run(self, name, **labels):
        return self.lab.run_pod(self.node, "default", name, labels, serve=())

    def rules_by_hand(self, text):
        self.plain.namespace.run("nft", "flush", "ruleset")
        client, server = self.by_hand
        self.plain.namespace.run("nft", "-f", "-", input=text % {
            "client": client.v4, "server": server.v4, "port": PORT,
            "client_mac": client.mac, "server_mac": server.mac})

    def close(self):
        for ear in self.ears:
            ear.close()


# --- first packets ---

def send(client, server):
    """Nanoseconds of a first packet; all of them must arrive, but those that a queue dropped."""
    client.node.namespace.run("conntrack", "--flush")
    before = arrived(server)
    done = client.namespace.run(ROOT / "build/bench/packets", server.v4, PORT, FIRST_PORT, PACKETS)
    wait_for(lambda: arrived(server) - before > PACKETS * 0.99, what=f"packets in {server.name}")
    return json.loads(done.stdout)["ns"]


def measure_first(figures, variants):
    values = {name: [] for name in variants.pairs}
    for _ in range(ROUNDS):
        for name, (client, server) in variants.pairs.items():
            if name in BY_HAND:
                variants.rules_by_hand(BY_HAND[name])
            values[name].append(send(client, server))
    for name, ns in values.items():
        policies = {"policies": int(name.split()[1])} if name.startswith("under") else {}
        figures.samples("first packet of a connection", "ns", ns, variant=name, **policies)


# --- throughput ---

def stream(client, server):
    """Gbit/s of one TCP connection, sender and receiver on processors of their own.

    Reno, which every kernel has, and which does not pace: the processors are the limit.
    """
    with server.namespace:
        ear = subprocess.Popen(["iperf3", "--server", "--one-off", "--port", str(PORT),
                                "--forceflush"], stdout=subprocess.PIPE, text=True)
    with ear:
        try:
            while "listening" not in (line := ear.stdout.readline()):
                if not line:
                    raise RuntimeError("iperf3 does not listen")
            done = client.namespace.run(
                "iperf3", "--client", server.v4, "--port", PORT, "--json", "--time",
                STREAM_SECONDS, "--affinity", "0,1", "--congestion", "reno",
                "--connect-timeout", 2000)
        finally:
            ear.kill()
    return json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"] / 1e9


def measure_throughput(figures, variants):
    variants.lab.policy("default", "stream", {"matchLabels": {"under": "1000"}}, ingress=[
        {"from": [{"podSelector": {"matchLabels": {"role": "client"}}}],
         "ports": [{"protocol": "TCP", "port": PORT}]}])
    variants.lab.settle()
    variants.rules_by_hand(ESTABLISHED)
    pairs = {"under 1001": variants.pairs["under 1000"], "no policy": (variants.client,
                                                                       variants.free),
             "established accepted": variants.by_hand}
    values = {name: [] for name in pairs}
    for _ in range(STREAM_ROUNDS):
        for name, pair in pairs.items():
            values[name].append(stream(*pair))
    for name, rates in values.items():
        figures.samples("throughput of a connection", "Gbit/s", rates, variant=name)


def measure(figures):
    with Lab(families=(4,)) as lab:
        variants = Variants(lab)
        try:
            measure_first(figures, variants)
        finally:
            variants.close()
        measure_throughput(figures, variants)
