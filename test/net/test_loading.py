# SPDX-License-Identifier: GPL-2.0-or-later
"""A large folder comes into force: packets sent all the while are judged by the old or the new.

Two clients send datagrams to a server, each a connection of its own, from before the change until
it is in force.  One client is allowed before and afterwards, the other never: so none of the first
may be lost and none of the second may arrive, whatever the agent has written so far.  The change is
too large for one transaction, so the peers come in parts.
"""

import contextlib
import json
import socket
import struct
import threading
import time

import pytest

from lab import bulk
from lab.cluster import wait_for
from lab.probe import ping, tcp

PODS = 10000  # elsewhere; as many elements, more than the agent gives the kernel at once
PORT = 8080
PAUSE = 0.0005  # seconds between two datagrams of a client
SO_RCVBUFFORCE = 33


class Stream:
    """Datagrams from one pod to another, each from a socket, and so a port, of its own."""

    def __init__(self, client, server):
        self.client, self.server = client, server
        self.sent, self.arrived = 0, set()
        self.stopping = False
        with server.namespace:
            self.ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ear.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.ear.bind((server.v4, PORT))
        self.thread = threading.Thread(target=self._send)

    def _send(self):
        with self.client.namespace:
            while not self.stopping:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                    one.sendto(struct.pack("!I", self.sent), (self.server.v4, PORT))
                self.sent += 1
                time.sleep(PAUSE)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()
        self.ear.setblocking(False)
        with self.ear, contextlib.suppress(BlockingIOError):
            while True:
                self.arrived.add(struct.unpack("!I", self.ear.recv(16))[0])

    @property
    def lost(self):
        return sorted(set(range(self.sent)) - self.arrived)


def write_peers(lab, peers, pods=PODS):
    """One file with everything but this node's pods, and who may reach the servers."""
    policy = bulk.policy(0, peers)
    policy["spec"]["podSelector"] = {"matchLabels": {"role": "server"}}
    policy["spec"]["ingress"][0]["ports"][0]["protocol"] = "UDP"
    items = [bulk.namespace(0), bulk.namespace(1), policy,
             *(bulk.pod(i, bulk.space(1)) for i in range(pods))]
    lab.write_text("cluster.json", json.dumps(bulk.listed(items)))


def by_role(role):
    return {"podSelector": {"matchLabels": {"role": role}}}


# Of the same client, but with all pods of the cluster: the set is another and a large one.
BACKENDS = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"tier": "backend"}}}


@pytest.fixture
def node(make_lab):
    with make_lab(families=(4,)) as lab:
        node = lab.node("n1", start=True)
        write_peers(lab, by_role("client"), pods=0)
        yield node


@pytest.fixture
def streams(node):
    """What is allowed, and what is not: to two servers, each with an ear for one client."""
    lab, where = node.lab, bulk.space(0)
    good = lab.run_pod(node, where, "good", {"role": "client", "tier": "backend"}, serve=())
    bad = lab.run_pod(node, where, "bad", {"role": "other"}, serve=())
    servers = [lab.run_pod(node, where, f"server-{i}", {"role": "server"}, serve=())
               for i in range(2)]
    wait_known(node, 4)
    return Stream(good, servers[0]), Stream(bad, servers[1])


def wait_known(node, pods):
    """Every pod is known, and the turn that took it in is over."""
    wait_for(lambda: node.get("/readyz")[0] == 200 and
             node.metrics()['manx_objects{kind="Pod"}'] == pods and
             node.metrics()["manx_pending_operations"] == 0, 60, f"{pods} pods", step=0.02)


def split(node):
    """The change went to the kernel in more than one transaction."""
    metrics = node.metrics()
    return (metrics["manx_nft_transactions_total"] > 1 and
            metrics["manx_nft_last_transaction_operations"] < PODS <
            metrics["manx_nft_operations_total"])


def judge(good, bad):
    assert good.sent > 20 and bad.sent > 20
    assert not good.lost, f"{len(good.lost)} of {good.sent} dropped, from number {good.lost[0]} on"
    assert not bad.arrived, f"{len(bad.arrived)} of {bad.sent} let through: {min(bad.arrived)}..."


def test_a_change_while_the_agent_runs(node, streams):
    good, bad = streams
    transactions = node.metrics()["manx_nft_transactions_total"]
    with good, bad:
        time.sleep(0.05)
        write_peers(node.lab, BACKENDS)
        wait_known(node, PODS + 4)
    judge(good, bad)
    assert node.metrics()["manx_nft_transactions_total"] > transactions + 1
    assert split(node)


def holds_beyond(node, seconds):
    metrics = node.metrics()
    return (metrics["manx_loop_hold_seconds_count"] -
            metrics[f'manx_loop_hold_seconds_bucket{{le="{seconds:g}"}}'])


def write_many_selectors(lab, count):
    """One more policy for the servers: its selectors are compared with all pods, match none."""
    none = [{"namespaceSelector": {}, "podSelector": {"matchExpressions": [
        {"key": key, "operator": "DoesNotExist"} for key in ("role", f"r{i}", "tier")]}}
        for i in range(count)]
    lab.policy(bulk.space(0), "many", {"matchLabels": {"role": "server"}}, ingress=[
        {"from": none, "ports": [{"protocol": "UDP", "port": 8080}]}])


def test_many_selectors_do_not_hold_the_loop(node, streams):
    """The set is filled in pieces, and so is the new one that has the peers of the other policy."""
    good, bad = streams
    write_peers(node.lab, by_role("client"))
    wait_known(node, PODS + 4)
    held, turns = holds_beyond(node, 0.1), node.metrics()["manx_loop_turns_total"]
    with good, bad:
        time.sleep(0.05)
        write_many_selectors(node.lab, 2000)
        wait_for(lambda: node.metrics()['manx_objects{kind="NetworkPolicy"}'] == 2 and
                 node.metrics()["manx_pending_operations"] == 0, 60, "the policy")
    judge(good, bad)
    assert node.metrics()["manx_loop_turns_total"] > turns + 50
    assert holds_beyond(node, 0.1) == held


def test_nobody_waits_for_a_large_policy(node, streams):
    """While a policy is compiled, another tenant's pod starts and its policy takes effect."""
    good, bad = streams
    write_peers(node.lab, by_role("client"))
    wait_known(node, PODS + 4)
    policies = 'manx_objects{kind="NetworkPolicy"}'
    with good, bad:
        write_many_selectors(node.lab, 9000)
        wait_for(lambda: node.metrics()[policies] == 2, 60, "the policy to be read", step=0.002)
        other = node.lab.run_pod(node, "other", "web")
        assert node.metrics()["manx_pending_operations"], "the large policy was complete first"
        assert tcp(good.client, other.v4, 80)
        node.lab.policy("other", "closed", {}, types=["Egress"])
        wait_for(lambda: not ping(other, good.client.v4, wait=0.05), 5, "the other one's policy")
        assert node.metrics()["manx_pending_operations"], "the large policy was complete first"
        wait_for(lambda: node.metrics()["manx_pending_operations"] == 0, 60, "the large policy")
    judge(good, bad)


def test_a_restart_into_another_folder(node, streams):
    """The table of the agent before stays in force until the difference is written."""
    good, bad = streams
    node.stop_agent()
    write_peers(node.lab, BACKENDS)
    with good, bad:
        time.sleep(0.05)
        node.start_agent()
        wait_known(node, PODS + 4)
    judge(good, bad)
    assert split(node)


def test_a_restart_with_nothing_in_the_kernel(node, streams):
    """As after a flush while no agent ran: first everything passes, then what is allowed.

    Never less than what is allowed, and never again more once something was dropped.
    """
    good, bad = streams
    write_peers(node.lab, BACKENDS)
    wait_known(node, PODS + 4)
    node.stop_agent()
    node.namespace.run("nft", "delete", "table", "inet", "manx")
    with good, bad:
        time.sleep(0.05)
        node.start_agent()
        wait_known(node, PODS + 4)
    assert not good.lost
    assert split(node)
    assert bad.arrived and bad.lost
    assert max(bad.arrived) < min(bad.lost), "let through after others had been dropped"
