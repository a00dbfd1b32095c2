# SPDX-License-Identifier: GPL-2.0-or-later
"""What one policy costs while connection tracking holds 100,000 connections of others."""

import subprocess
import time

from lab import Lab
from lab.cluster import wait_for
from lab.flow import Flow

from .figures import rounds

ENTRIES = 100_000
ROUNDS = rounds(10)


def fill(node):
    """Connections of 1,000 clients that are nobody's business here."""
    lines = (f"-I -p udp -s 192.0.{i % 1000 // 250}.{i % 250} -d 198.51.100.1 "
             f"--sport {i % 60000 + 1} --dport {53 + i // 60000} --timeout 6000"
             for i in range(ENTRIES))
    with node.namespace:
        subprocess.run(["conntrack", "-R", "-"], input="\n".join(lines), text=True, check=False,
                       capture_output=True)
    return int(node.namespace.run("conntrack", "-C").stdout)


def processor_ms(node):
    with open(f"/proc/{node.process.pid}/stat", encoding="utf-8") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 10


def change(figures, lab, node, client, server, family):
    address, waits, spent = getattr(server, family), [], 0
    for _ in range(ROUNDS):
        with Flow("tcp", client.namespace, server.namespace, address):
            before, cut = processor_ms(node), node.metrics()["manx_connections_cut_total"]
            began = time.monotonic()
            lab.policy("default", "bench", {"matchLabels": {"app": "server"}}, types=["Ingress"])
            wait_for(lambda cut=cut: node.metrics()["manx_connections_cut_total"] > cut, 30)
            waits.append((time.monotonic() - began) * 1000)
            spent += processor_ms(node) - before
            lab.remove_all("NetworkPolicy")
            lab.settle()
    figures.samples("file renamed to the connection cut", "ms", waits, family=family)
    figures.value("processor time of one such change", "ms", spent / ROUNDS,
                  family=family)


def measure(figures):
    with Lab() as lab:
        node = lab.node("n1", start=True)
        lab.namespace_object("default")
        server = lab.run_pod(node, "default", "server", {"app": "server"})
        client = lab.run_pod(node, "default", "client", {"app": "client"}, serve=())
        figures.value("connections tracked beside it", "", fill(node))
        for family in ("v4", "v6"):
            change(figures, lab, node, client, server, family)
