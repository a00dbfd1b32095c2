# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes on beside a test: connections, and a look at the nodes."""

import contextlib
import queue
import threading

from kube.lab import Ended
from lab import tcp


class Meanwhile:
    """step() again and again, in a thread, until the block ends."""

    def __init__(self):
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self.stop.is_set():
            self.step()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(10)


class Traffic(Meanwhile):
    """Connections to one address; `missed` is the number of those without an answer, `seen` who
    answered."""

    def __init__(self, source, address, port, wait=5):
        super().__init__()
        self.source, self.address, self.port, self.wait = source, address, port, wait
        self.count, self.missed, self.seen = 0, 0, set()

    def step(self):
        answer = tcp(self.source, self.address, self.port, wait=self.wait)
        self.count += 1
        if answer:
            self.seen.add(answer.name)
        else:
            self.missed += 1
        self.stop.wait(0.02)


class NodeWatch(Meanwhile):
    """`unready`: what the API server had of nodes that were not ready."""

    def __init__(self, cluster):
        super().__init__()
        self.watch, self.unready = cluster.control.admin.watch("/api/v1/nodes"), []

    def step(self):
        with contextlib.suppress(queue.Empty, Ended):
            node = self.watch.next(0.2)["object"]
            self.unready += [(node["metadata"]["name"], c["status"], c.get("message", ""))
                             for c in node["status"].get("conditions", [])
                             if c["type"] == "Ready" and c["status"] != "True"]

    def __exit__(self, *_):
        super().__exit__()
        self.watch.close()
