# SPDX-License-Identifier: GPL-2.0-or-later
"""containerd 1.7, and 1.6 of Debian 12: their libcni, 1.1.2, and what they pass to plugins, on a
node whose agent runs under a kubelet.  oldcni/main.go makes the calls that containerd makes."""

import contextlib
import uuid

import pytest

from lab import tcp
from lab.cluster import wait_for
from lab.probe import Refused
from lab.server import Servers

from .lab import NetworkAt, manifest
from .test_services import Outside


class Sandbox:
    """A pod's sandbox that no kubelet knows: its object is at the API server."""

    def __init__(self, cluster, space, name, node):
        self.space, self.name, self.node = space, name, node
        item = manifest(name, space)
        item["spec"]["nodeName"] = node.name
        self.uid = cluster.create(item)["metadata"]["uid"]
        self.id, self.netns = uuid.uuid4().hex * 2, f"/run/netns/{name}"
        node.run("ip", "netns", "add", name)
        node.run("ip", "-n", name, "link", "set", "lo", "up")
        self.namespace = NetworkAt(node.path(self.netns))

    def call(self, command, *ports):
        """ADD or DEL; return what it printed, the addresses."""
        return self.node.run("oldcni", command, self.id, self.netns, self.space, self.name,
                             self.uid, *ports).stdout.split()


@pytest.fixture(scope="module")
def node(cluster):
    """A node whose kubelet is away, so that pods are ours; its agent runs on."""
    one = cluster.nodes[1]
    one.kubelet.stop()
    yield one
    one.kubelet.start()
    cluster.wait(lambda: cluster.node_ready(one.name), 60, "the node to be ready")


@pytest.fixture
def sandbox(cluster, space, node):
    """Makes a sandbox whose server answers on port 80."""
    servers = Servers()
    with contextlib.ExitStack() as undo:
        undo.callback(servers.close)

        def make(name):
            one = Sandbox(cluster, space, name, node)
            undo.callback(node.run, "ip", "netns", "delete", name, check=False)
            undo.callback(cluster.delete, "Pod", name, space, gracePeriodSeconds=0)
            servers.tcp(one.namespace, name, 80)
            return one

        yield make


def test_the_node_is_ready_for_it(node):
    """It takes the list that the agent wrote: otherwise the node would be NotReady."""
    assert node.run("oldcni", "ready").stdout == ""


def test_a_pod(cluster, space, sandbox):
    client = cluster.run("client", space, node="n1")
    one = sandbox("aged")
    addresses = one.call("add")
    assert len(addresses) == 2
    for address in addresses:
        assert tcp(client, address, 80, wait=2).name == "aged"
    one.call("del")
    wait_for(lambda: not set(addresses) & set(one.node.addresses_given()), 10, "the addresses")


def test_host_ports(cluster, sandbox):
    """Their mappings' keys begin with capitals, and so do the names of protocols."""
    one = sandbox("ported")
    one.call("add", "32080:80/TCP", f"32081:80/TCP@{one.node.v4}")
    outside = Outside(cluster)
    for address, port in ((one.node.v4, 32080), (one.node.v6, 32080), (one.node.v4, 32081)):
        answer = tcp(outside, address, port, wait=2)
        assert answer and answer.name == "ported", (address, port)
    one.call("del")
    with pytest.raises(Refused):  # by the node itself
        tcp(outside, one.node.v4, 32080)
