# SPDX-License-Identifier: GPL-2.0-or-later
"""ADD while the kernel's table is loaded: a policy whose peers are 100,000 pods comes into force.

Pods are added one after the other, from before the load to its end.  What counts is the time from
the request to its answer, as the agent logs it, of those that were answered during the load.
"""

import json
import re
import time

from lab import Lab, bulk
from lab.cluster import wait_for

from .figures import QUICK, rounds

PEERS = 10000 if QUICK else 100000
SPACES = 10
ROUNDS = rounds(5)
ADDED = re.compile(r'msg="pod attached.* us=(\d+)')


def write_peers(lab):
    for space in range(SPACES):
        items = [bulk.namespace(space),
                 *(bulk.pod(i, bulk.space(space)) for i in range(space, PEERS, SPACES))]
        lab.write_text(f"peers-{space}.json", json.dumps(bulk.listed(items)))


def operations(node):
    return node.metrics()["manx_nft_operations_total"]


def load(lab, node, name):
    """Bring a policy with all peers into force, pods beside it; microseconds of each ADD."""
    before, began = operations(node), len(node.log_text())
    pods = []
    policy = lab.policy("default", name, {"matchLabels": {"app": "web"}}, ingress=[
        {"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"tier": "backend"}}}]}])
    started = time.monotonic()
    while operations(node) - before < PEERS:
        pods.append(lab.run_pod(node, "default", f"{name}-{len(pods)}", {"app": "other"}, serve=()))
    took = (time.monotonic() - started) * 1000
    times = [int(m[1]) / 1000 for m in ADDED.finditer(node.log_text()[began:])]
    for pod in pods:
        lab.delete(pod)
    lab.remove(policy)
    wait_for(lambda: node.metrics()["manx_peer_sets"] == 0, 60, "the load to go")
    return took, times


def measure(figures):
    """One load after the other; each goes before the next."""
    loads, adds = [], []
    with Lab() as lab:
        node = lab.node("n1")
        write_peers(lab)
        node.start_agent()
        lab.namespace_object("default")
        lab.run_pod(node, "default", "web", {"app": "web"})
        for i in range(ROUNDS):
            took, times = load(lab, node, f"load-{i}")
            loads.append(took)
            adds += times
    figures.samples("peers into force, pods added meanwhile", "ms", loads, peers=PEERS)
    figures.samples("ADD meanwhile, request to answer", "ms", adds, peers=PEERS)
