# SPDX-License-Identifier: GPL-2.0-or-later
"""Netlink that fails: every kind of call of a running agent, with the errors that the kernel knows
there, and notifications that really overrun their socket.

Which socket a call is about follows from the thread (the one that decides has nftables and the
listeners, the waiter has rtnetlink and conntrack) and from the call: transactions are answered by
recvfrom, dumps and notifications by recvmsg.
"""

import errno
import itertools
import json
import os
import re
import signal

import pytest

from lab import cni, tcp
from lab.cluster import wait_for
from lab.faults import Faults, threads

LOOP, WAITER = 0, 2  # threads of the agent, in the order of their start; 1 is the disk's
ERRORS = {"sendto": ["ENOBUFS", "EBUSY", "EINTR", "ENOMEM"],
          "recvfrom": ["ENOBUFS", "EINTR", "ENOMEM"], "recvmsg": ["ENOBUFS", "EINTR", "ENOMEM"]}
KINDS = {
    "transactions sent": (LOOP, "sendto"),
    "transactions answered": (LOOP, "recvfrom"),
    "dumps and notifications": (LOOP, "recvmsg"),
    "requests of the waiter": (WAITER, "sendto"),
    "answers to the waiter": (WAITER, "recvmsg"),
}
NTH = {"sendto": range(1, 6), "recvfrom": range(1, 5), "recvmsg": [1, 2, 3, 4, *range(8, 48, 6)]}
RETRYABLE = (5, 11, 101)
MANY = 1000
COUNTER = itertools.count()


@pytest.fixture(name="node", scope="module")
def fixture_node(shared_lab):
    """A node, a web, a client."""
    node = shared_lab.node("n1", start=True)
    shared_lab.node("n2")
    shared_lab.namespace_object("default")
    node.web = shared_lab.run_pod(node, "default", "web", {"app": "web"})
    node.client = shared_lab.run_pod(node, "default", "client")
    shared_lab.policy("default", "web", {"matchLabels": {"app": "web"}}, ingress=[
        {"from": [{"podSelector": {}}, *blocks()]}])
    shared_lab.write_text("nodes.yaml", "\n---\n".join(map(json.dumps, far_nodes())))
    shared_lab.settle()
    wait_for(lambda: len(routes(node)) > 2 * MANY, 20, "all routes")
    return node


def blocks():
    """So many that a dump of their set takes several answers."""
    return [{"ipBlock": {"cidr": f"10.{n // 100}.{n % 100}.0/25"}} for n in range(2 * MANY)]


def far_nodes():
    """So many that a list of the routes to them does."""
    for n in range(MANY):
        yield {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"far-{n}"},
               "spec": {"podCIDRs": [f"10.{210 + n // 200}.{n % 200}.0/24",
                                     f"fd00:210:{n:x}::/64"]},
               "status": {"addresses": [{"type": "InternalIP", "address": a}
                                        for a in ("10.200.0.77", "fd00:200::77")]}}


def rules(node):
    """The table without counters and without the order of elements."""
    text = re.sub(r"packets \d+ bytes \d+", "", node.ruleset())
    return sorted(word for word in re.split(r"[\s,]+", text) if word)


def routes(node):
    """Our routes, both families."""
    return sorted(
        json.dumps(route, sort_keys=True) for family in ("-4", "-6")
        for route in json.loads(node.namespace.ip("-j", family, "route", "show", "proto", "109")))


def disturb(node):
    """Have the agent read table and routes, which somebody changed."""
    chain = re.search(r"chain (\S+)", node.ruleset()).group(1)
    node.namespace.run("nft", "insert", "rule", "inet", "manx", chain, "counter")
    node.namespace.ip("route", "delete", f"{node.web.v4}/32", "proto", "109")
    node.namespace.ip("address", "add", "192.0.2.1/32", "dev", "lo")
    node.namespace.ip("address", "delete", "192.0.2.1/32", "dev", "lo")


def call(pod, verb):
    """A call that succeeds, or tells the runtime to come again; True if it succeeded."""
    try:
        cni.call(pod, verb)
    except cni.CniError as e:
        assert e.code in RETRYABLE, e
        return False
    return True


def live(lab, node, pod, peers):
    """A pod comes and goes, a policy changes, and somebody disturbs; all under faults."""
    lab.policy("default", "flip", {"matchLabels": {"app": "web"}}, ingress=[{"from": [
        {"podSelector": {"matchLabels": {"peers": str(peers)}}}]}])
    disturb(node)
    call(pod, "ADD")
    call(pod, "DEL")


def assert_well(node):
    """The agent goes on, and agrees with the kernel."""
    assert node.process.poll() is None, node.log_text()[-3000:]
    wait_for(lambda: node.get("/readyz")[0] == 200, 35, "the agent to be ready")
    wait_for(lambda: node.metrics()["manx_pending_operations"] == 0, 35, "nothing to be pending")


def assert_as_before(lab, node, before):
    """The kernel holds what it held."""
    lab.settle()
    assert_well(node)
    wait_for(lambda: (rules(node), routes(node)) == before, 15, "table and routes to be as before")


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_that_fails(shared_lab, node, kind):
    """The first, second, ... call of a kind fails, and then every second one."""
    before, injected = (rules(node), routes(node)), 0
    thread, name = KINDS[kind]
    target = [threads(node.process.pid)[thread]]
    plan = [f"error={ERRORS[name][n % len(ERRORS[name])]}:when={n}" for n in NTH[name]]
    log = len(node.log_text())
    pod = shared_lab.pod(node, "default", f"pod-{thread}-{name}", serve=())
    shared_lab.write(pod.object())
    for fault in [*plan, "error=ENOBUFS:when=2+2"]:
        with Faults(node.process.pid, f"{name}:{fault}", only=target) as faults:
            live(shared_lab, node, pod, next(COUNTER))
        injected += faults.injected
        assert_well(node)
        assert call(pod, "ADD") and call(pod, "DEL"), fault
    assert injected >= len(NTH[name]) / 2, "too few of these faults happened"
    shared_lab.remove(pod.object(), shared_lab.policy("default", "flip"))
    assert "policy set aside" not in node.log_text()[log:]
    if name != "sendto":  # no list was begun while the one before it was still going on
        assert os.strerror(errno.EBUSY) not in node.log_text()[log:]
    assert_as_before(shared_lab, node, before)
    node.restart_agent()
    assert node.metrics()["manx_nft_operations_total"] == 0
    assert routes(node) == before[1]
    assert tcp(node.client, node.web.v4, 80)


def stopped(node):
    """A context in which the agent does not run, so that notifications pile up."""
    class Stopped:
        def __enter__(self):
            node.process.send_signal(signal.SIGSTOP)

        def __exit__(self, *_):
            node.process.send_signal(signal.SIGCONT)
    return Stopped()


def test_route_notifications_that_got_lost(shared_lab, node):
    """A flood of routes of others overruns the socket; what went behind it is noticed."""
    before = rules(node), routes(node)
    robbed = shared_lab.run_pod(node, "default", "robbed", serve=())
    flood = "".join(f"route {{}} 10.{100 + n // 65536}.{n // 256 % 256}.{n % 256}/32 dev lo\n"
                    for n in range(30000))
    with stopped(node):
        node.namespace.run("ip", "-batch", "-", input=flood.replace("{}", "add"))
        node.namespace.ip("route", "delete", f"{node.web.v4}/32", "proto", "109")
        node.namespace.ip("link", "delete", robbed.host_ifname)
    wait_for(lambda: routes(node) == before[1], 15, "the route to come back, the pod's to go")
    wait_for(lambda: node.metrics()["manx_interfaces_gone"] == 1, 15, "the loss to be seen")
    shared_lab.delete(robbed)
    node.namespace.run("ip", "-batch", "-", input=flood.replace("{}", "delete"))
    assert_as_before(shared_lab, node, before)
    assert tcp(node.client, node.web.v4, 80)


def test_table_notifications_that_got_lost(shared_lab, node):
    """The same for nftables: the culprit cannot be named any more."""
    before = rules(node), routes(node)
    unknown = 'manx_nft_foreign_changes_total{process="unknown"}'
    count = node.metrics().get(unknown, 0)
    flood = shared_lab.folder / "flood.nft"
    elements = ",".join(str(n) for n in range(60000))
    flood.write_text("add table inet theirs\nadd set inet theirs s { type mark; }\n"
                     f"add element inet theirs s {{ {elements} }}\n")
    with stopped(node):
        for _ in range(3):
            node.namespace.run("nft", "-f", flood)
            node.namespace.run("nft", "delete", "table", "inet", "theirs")
        node.namespace.run("nft", "flush", "chain", "inet", "manx", "forward")
    wait_for(lambda: rules(node) == before[0], 15, "the chain to come back")
    assert node.metrics()[unknown] > count
    assert_as_before(shared_lab, node, before)
