# SPDX-License-Identifier: GPL-2.0-or-later
"""From a policy file to packets: renamed into the folder until a fresh connection is dropped."""

import json
import time

from lab import Lab, tcp_many

from .figures import rounds

ROUNDS = rounds(100)


def forbid(lab):
    """Rename a policy that forbids everything to app=server into the folder; return when."""
    item = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"namespace": "default", "name": "bench"},
            "spec": {"podSelector": {"matchLabels": {"app": "server"}},
                     "policyTypes": ["Ingress"]}}
    path = lab.path_of(item)
    temporary = path.with_name(".bench.tmp")
    temporary.write_text(json.dumps(item))
    began = time.monotonic()
    temporary.rename(path)
    return began, item


def observed(node):
    """The agent's own histogram: seconds and number of changes so far."""
    metrics = node.metrics()
    return (metrics["manx_event_to_kernel_seconds_sum"],
            metrics["manx_event_to_kernel_seconds_count"])


def measure(figures):
    """Alternate a policy that forbids and none; fresh connections tell when it holds."""
    values, inside = [], []
    with Lab() as lab:
        node = lab.node("n1", start=True)
        lab.namespace_object("default")
        server = lab.run_pod(node, "default", "server", {"app": "server"})
        client = lab.run_pod(node, "default", "client", {"app": "client"}, serve=())
        for _ in range(ROUNDS):
            seconds, changes = observed(node)
            began, item = forbid(lab)
            tried = time.monotonic()
            while all(tcp_many([(client, server.v4, 80)], wait=0.05)):
                tried = time.monotonic()
            values.append((tried - began) * 1000)
            after, changes_after = observed(node)
            inside.append((after - seconds) * 1000 / (changes_after - changes))
            lab.remove(item)
            while not all(tcp_many([(client, server.v4, 80)], wait=0.05)):
                pass
            lab.settle()
    figures.samples("file renamed to the first dropped connection attempt", "ms", values)
    figures.samples("agent: change seen to kernel acknowledged", "ms", inside)
