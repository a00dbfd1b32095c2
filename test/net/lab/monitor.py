# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel tells of changes in a node, as `nft monitor` and `ip monitor` print it."""

import contextlib
import os
import subprocess
import time


@contextlib.contextmanager
def nft_monitor(node):
    """Yield a function that returns what nft monitor has seen so far in the node."""
    with node.namespace:
        monitor = subprocess.Popen(["nft", "monitor"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
    seen = bytearray()

    def read():
        """Everything up to a marker of our own, in a table that is not Manx's."""
        name = f"marker{time.monotonic_ns()}"
        node.namespace.run("nft", "add", "table", "ip", name)
        node.namespace.run("nft", "delete", "table", "ip", name)
        ends = f"delete table ip {name}\n".encode()
        deadline = time.monotonic() + 5
        while ends not in seen and time.monotonic() < deadline:
            seen.extend(os.read(monitor.stdout.fileno(), 65536))
        return "\n".join(line for line in seen.decode().splitlines()
                         if "marker" not in line and not line.startswith("# new generation"))

    try:
        time.sleep(0.2)  # until it listens
        yield read
    finally:
        monitor.kill()
        monitor.wait()
        monitor.stdout.close()


@contextlib.contextmanager
def route_monitor(node):
    """Yield a function that returns what `ip monitor` has seen of routes."""
    with node.namespace:
        monitor = subprocess.Popen(["ip", "monitor", "route"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.2)

        def read():
            time.sleep(0.2)
            monitor.terminate()
            return monitor.stdout.read().decode()
        yield read
    finally:
        monitor.kill()
        monitor.wait()
        monitor.stdout.close()
