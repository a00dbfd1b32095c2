# SPDX-License-Identifier: GPL-2.0-or-later
"""Our table changed by nft: from the kernel's notification of that to that of the repair.

The folder of loading.py: 50,000 pods, 1,000 policies, sets of up to 5,000 pods.
"""

import os
import re
import socket
import struct
import subprocess
import time

from lab import Lab, bulk
from lab.cluster import wait_for

from . import notifications
from .figures import QUICK, rounds
from .loading import LOCAL, write_folder
from .start import PATIENCE, until_ready

PODS = 1000 if QUICK else 50000
ROUNDS = rounds(30)
NEWGEN = 10 << 8 | 15  # NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWGEN: the end of a transaction
PEACE = 0.3  # seconds: more than twice the pause after one repair


def listen_to_all(node):
    kernel = notifications.listen(node)
    kernel.setsockopt(socket.SOL_SOCKET, 33, 256 << 20)  # SO_RCVBUFFORCE
    kernel.settimeout(PEACE)
    return kernel


def transactions(kernel):
    """When the kernel told of one: that of others, ours, until nothing comes any more."""
    seen, patience = 0, time.monotonic() + PATIENCE
    while True:
        try:
            data = kernel.recv(1 << 16)
        except TimeoutError:
            if seen > 1:
                return
            if time.monotonic() > patience:
                raise
            continue
        now, at = time.monotonic(), 0
        while at + 16 <= len(data):
            length, kind = struct.unpack_from("=IH", data, at)
            if kind == NEWGEN:
                seen += 1
                yield now
            at += length + 3 & ~3


def measure_change(figures, node, kernel, name, command):
    """@command: of nft; it is undone each time."""
    values = []
    for _ in range(ROUNDS):
        operations = node.metrics()["manx_nft_operations_total"]
        with node.namespace, subprocess.Popen(["nft", command]):
            began, *repair = list(transactions(kernel))
        values.append((repair[-1] - began) * 1000)
    written = node.metrics()["manx_nft_operations_total"] - operations
    figures.samples(f"repair: {name}", "ms", values, pods=PODS, operations=written)


def measure(figures):
    with Lab(families=(4,)) as lab:
        node = lab.node("n1", start=True)
        for index in range(LOCAL):
            lab.run_pod(node, bulk.space(index), "local", {"tier": "backend"}, serve=())
        node.stop_agent()
        write_folder(lab, PODS)
        until_ready(node, 0.01)
        wait_for(lambda: not node.metrics()["manx_pending_operations"], 60)
        sizes = {name: body.count("10.") for name, body in re.findall(
            r"set (pods4_\w+) \{(.*?)\n\t\}", node.ruleset(), re.DOTALL)}
        large = max(sizes, key=sizes.get)
        element = re.search(r"10\.\d+\.\d+\.\d+", node.namespace.run(
            "nft", "list", "set", "inet", "manx", large).stdout).group()
        kernel = listen_to_all(node)
        # Woken before the agent, so that the time is that of the notification.
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(10))
        for name, command in (
                ("element deleted", f"delete element inet manx {large} {{ {element} }}"),
                ("element added", f"add element inet manx {large} {{ 192.0.2.1 }}"),
                ("rule added", "insert rule inet manx forward accept"),
                ("chain flushed", "flush chain inet manx forward"),
                (f"set of {sizes[large]} flushed", f"flush set inet manx {large}"),
                ("table deleted", "delete table inet manx")):
            measure_change(figures, node, kernel, name, command)
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        kernel.close()
