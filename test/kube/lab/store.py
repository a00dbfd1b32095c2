# SPDX-License-Identifier: GPL-2.0-or-later
"""The store behind the API server: etcd, spoken to by its JSON gateway."""

import base64
import contextlib
import http.client
import itertools
import json

HOST, PORT = "127.0.0.1", 2379


def _base64(text):
    return base64.b64encode(text.encode()).decode()


def _request(connection, name, body):
    connection.request("POST", f"/v3/{name}", json.dumps(body))
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"etcd: {name}: {answer.status} {answer.read().decode()}")
    return answer


class Store:
    """Calls of etcd's v3 API, from inside its network namespace."""

    def __init__(self, namespace):
        self.namespace = namespace

    def connect(self):
        with self.namespace:
            connection = http.client.HTTPConnection(HOST, PORT, timeout=60)
            connection.connect()
        return connection

    def call(self, name, body):
        with contextlib.closing(self.connect()) as connection:
            return json.loads(_request(connection, name, body).read())

    def revision(self):
        """The newest revision, which is the newest resourceVersion."""
        return int(self.call("maintenance/status", {})["header"]["revision"])

    def compact(self):
        """Drop all history.  The API server keeps its own of some minutes."""
        self.call("kv/compaction", {"revision": self.revision(), "physical": True})

    def snapshot(self, path):
        """Save what it holds, as `etcdctl snapshot save` does."""
        with contextlib.closing(self.connect()) as connection, path.open("wb") as file:
            for line in _request(connection, "maintenance/snapshot", {}):
                file.write(base64.b64decode(json.loads(line)["result"].get("blob", "")))

    def write(self, objects):
        """Write (key, object) pairs past the API server, which learns of them as of any other
        server's writes.  A hundred are one transaction and share a resourceVersion."""
        objects = iter(objects)
        with contextlib.closing(self.connect()) as connection:
            while batch := list(itertools.islice(objects, 100)):
                writes = [{"requestPut": {"key": _base64(key), "value": _base64(json.dumps(item))}}
                          for key, item in batch]
                _request(connection, "kv/txn", {"success": writes}).read()
