# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent takes over the table of one from before there was one base chain a hook: what is allowed
goes on, what is forbidden stays so, at every moment."""

import contextlib
import socket
import struct
import threading
import time

import pytest
from test_away import KUBECONFIG

from lab import before_entries, tcp
from lab.arena import normal
from lab.cluster import wait_for

# So long is the kernel as one transaction has left it before the next one comes.
SLOW = ["strace", "-D", "-qq", "-o", "/dev/null", "-e", "trace=sendto", "-e",
        "inject=sendto:delay_exit=30000"]
OPEN, SHUT, HOST_PORT = 8080, 8081, 8088
PAUSE = 0.001  # seconds between two datagrams of a stream
SO_RCVBUFFORCE = 33
ENTERED = ["pre_raw", "pre_nat", "out_nat", "post_nat", "pol_input", "pol_forward"]


class Ear:
    """A UDP socket of a pod; who was heard, by what is in the datagrams."""

    def __init__(self, pod, port):
        with pod.namespace:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.socket.bind((pod.v4, port))

    def heard(self):
        """(stream, number) of all datagrams that have come."""
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                yield struct.unpack("!II", self.socket.recv(16))


class Streams:
    """Datagrams without pause, each the first of a connection: of a socket, and so a port, of its
    own.  streams: [(namespace, address that they come from or None, address, port)]"""

    def __init__(self, streams):
        self.streams, self.sent, self.stopping = streams, 0, False
        self.thread = threading.Thread(target=self._send)

    def _send(self):
        while not self.stopping:
            for index, (namespace, own, address, port) in enumerate(self.streams):
                with namespace, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                    if own:
                        one.bind((own, 0))
                    one.sendto(struct.pack("!II", index, self.sent), (address, port))
            self.sent += 1
            time.sleep(PAUSE)

    def __enter__(self):
        self.thread.start()
        wait_for(lambda: self.sent > 50, what="the streams to flow")
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()


@pytest.fixture
def scene(lab):
    """A web that a friend may reach on one port; a host port; the table is the one from before."""
    node = lab.node("n1", start=True)
    lab.namespace_object("default")
    lab.web = lab.pod(node, "default", "web", {"app": "web"})
    lab.add(lab.web, runtime={"portMappings": [
        {"hostPort": HOST_PORT, "containerPort": OPEN, "protocol": "udp"}]})
    lab.friend = lab.run_pod(node, "default", "friend", {"role": "friend"})
    lab.other = lab.run_pod(node, "default", "other", {"role": "other"})
    lab.policy("default", "web", {"matchLabels": {"app": "web"}}, ingress=[
        {"from": [{"podSelector": {"matchLabels": {"role": "friend"}}},
                  {"ipBlock": {"cidr": f"{lab.world.v4}/32"}}],
         "ports": [{"port": OPEN, "protocol": "UDP"}]}])
    lab.policy("default", "other", {"matchLabels": {"role": "other"}}, types=["Egress"], egress=[])
    lab.settle()
    lab.fresh = normal(node.ruleset())
    node.stop_agent()
    before_entries.put(node, ENTERED)
    node.launcher = SLOW
    assert chains(node) >= before_entries.NAMES and not chains(node) & set(ENTERED)
    # An address of another pod, as somebody in this one would take it.
    lab.friend.namespace.ip("address", "add", "203.0.113.9/32", "dev", "eth0")
    return lab


def chains(node):
    return {line.split()[1] for line in node.ruleset().splitlines() if line.startswith("\tchain ")}


ALLOWED, HOSTPORT, FORBIDDEN, OTHERS, SPOOFED, TO_NODE = range(6)


def streams(lab):
    friend, other, web = lab.friend.namespace, lab.other.namespace, lab.web.v4
    return Streams([(friend, lab.friend.v4, web, OPEN),
                    (lab.world.namespace, lab.world.v4, lab.nodes[0].v4, HOST_PORT),
                    (friend, lab.friend.v4, web, SHUT),
                    (other, None, web, OPEN),
                    (friend, "203.0.113.9", web, OPEN),
                    (other, None, lab.nodes[0].v4, OPEN)])


def takes_over(lab, start):
    """Start an agent while the streams flow; say what was lost and what has passed."""
    ears = [Ear(lab.web, OPEN), Ear(lab.web, SHUT), Ear(lab.nodes[0], OPEN)]
    with streams(lab) as flowing:
        start()
        at = flowing.sent
        wait_for(lambda: flowing.sent > at + 100, what="the streams to go on")
    heard = {pair for ear in ears for pair in ear.heard()}
    for ear in ears:
        ear.socket.close()
    lost = {index: [n for n in range(flowing.sent) if (index, n) not in heard]
            for index in (ALLOWED, HOSTPORT)}
    return lost, {index for index, _ in heard} - {ALLOWED, HOSTPORT}


def test_the_source_is_known(scene):
    node = scene.nodes[0]
    lost, passed = takes_over(scene, node.start_agent)
    assert lost == {ALLOWED: [], HOSTPORT: []}
    assert not passed
    scene.settle()
    assert chains(node) & before_entries.NAMES == {"input", "forward"}
    assert normal(node.ruleset()) == scene.fresh


def test_the_source_is_away(scene):
    """What the agent before allowed is all that there is to go by."""
    node, flags = scene.nodes[0], scene.source_flags
    kubeconfig = scene.folder / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    scene.source_flags = lambda _node: ["--kubeconfig", kubeconfig]

    def start():
        node.start_agent(wait=False)
        wait_for(lambda: chains(node) >= set(ENTERED), what="the new chains")

    lost, passed = takes_over(scene, start)
    assert lost == {ALLOWED: [], HOSTPORT: []}
    assert not passed
    scene.source_flags = flags
    lost, passed = takes_over(scene, node.restart_agent)
    assert lost == {ALLOWED: [], HOSTPORT: []}
    assert not passed
    scene.settle()
    assert normal(node.ruleset()) == scene.fresh
    assert tcp(scene.web, scene.friend.v4, 80)
