# SPDX-License-Identifier: GPL-2.0-or-later
"""Start with a large folder: from the agent's start until everything is in force, and its memory.

1,000 namespaces with a policy each, a file each; 100 pods of this node in 100 of the namespaces.
Their policies select by namespaces, so that together they need all pods of the cluster as peers.
Beside it what cannot be saved, and where the time goes (load.c).
"""

import itertools
import json

import yaml

from lab import Lab, bulk

from .figures import QUICK, rounds
from .memory import resident
from .start import until_ready

SPACES, LOCAL = 1000, 100
SIZES = (1000, 10000) if QUICK else (1000, 10000, 25000, 50000)
ROUNDS = rounds(5)


def peers_of(index):
    """Of a namespace with pods of this node: a tenth of the cluster; of the others: its own."""
    backend = {"podSelector": {"matchLabels": {"tier": "backend"}}}
    if index >= LOCAL:
        return backend
    group = {"matchLabels": {"group": f"group-{index % 10}"}}
    return {"namespaceSelector": group, **backend}


def objects_of(index, pods):
    """One namespace, its policy and its share of the pods."""
    yield bulk.namespace(index)
    yield bulk.policy(index, peers_of(index))
    for i in range(index, pods, SPACES):
        yield bulk.pod(i, bulk.space(index))


def write_folder(lab, pods, kind="json"):
    for path in itertools.chain(*(lab.manifests.glob(f"space-*.{k}") for k in ("json", "yaml"))):
        path.unlink()
    for index in range(SPACES):
        items = bulk.listed(objects_of(index, pods))
        text = json.dumps(items) if kind == "json" else yaml.dump(
            items, Dumper=yaml.CSafeDumper, default_flow_style=False)
        lab.write_text(f"space-{index}.{kind}", text)


def start(node):
    """Seconds until ready, and the metrics then."""
    return until_ready(node, 0.002), node.metrics()


def measure_start(figures, node, pods, kind):
    """With nothing in the kernel before; then once more with everything there already."""
    seconds, processor, again, longest = [], [], [], []
    for _ in range(ROUNDS):
        node.stop_agent()
        node.namespace.run("nft", "delete", "table", "inet", "manx", check=False)
        took, metrics = start(node)
        seconds.append(took * 1000)
        processor.append(metrics["process_cpu_seconds_total"] * 1000)
        longest.append(metrics["manx_nft_longest_transaction_seconds"] * 1000)
        operations = metrics["manx_nft_operations_total"]
        transactions = metrics["manx_nft_transactions_total"]
        memory = resident(node.process.pid)
        node.stop_agent()
        took, metrics = start(node)
        again.append(took * 1000)
        if metrics["manx_nft_operations_total"]:
            raise RuntimeError("a restart with nothing changed wrote to the kernel")
    about = {"pods": pods, "format": kind}
    figures.samples("start to in force", "ms", seconds, **about)
    figures.samples("start to in force, processor time", "ms", processor, **about)
    figures.samples("longest transaction", "ms", longest, operations=operations,
                    transactions=transactions, **about)
    figures.samples("restart, nothing to write", "ms", again, **about)
    for part, size in memory.items():
        figures.value("memory after the start", "KiB", size, kind=part, **about)


def measure(figures):
    with Lab(families=(4,)) as lab:
        node = lab.node("n1", start=True)
        for index in range(LOCAL):
            lab.run_pod(node, bulk.space(index), "local", {"tier": "backend"}, serve=())
        memory = {}
        for pods in SIZES:
            write_folder(lab, pods)
            measure_start(figures, node, pods, "json")
            memory[pods] = resident(node.process.pid)["RssAnon"]
        first, last = SIZES[0], SIZES[-1]
        figures.value("memory of one more pod elsewhere", "bytes",
                      (memory[last] - memory[first]) * 1024 / (last - first))
        figures.program("load", lab.manifests, node.name, pods=SIZES[-1], format="json")
        write_folder(lab, SIZES[-1], "yaml")
        measure_start(figures, node, SIZES[-1], "yaml")
        figures.program("load", lab.manifests, node.name, pods=SIZES[-1], format="yaml")
