# SPDX-License-Identifier: GPL-2.0-or-later
"""NetworkPolicies on pods of kubelets, judged by packets: both directions, both families, within a
node and from node to node.  Who may talk to whom in every case is test/net's part (test_worlds)."""

import pytest

from lab import tcp, udp
from lab.cluster import wait_for

from .lab import manifest

CLIENTS = ("friend", "stranger")


@pytest.fixture
def shop(cluster, space):
    """A server, and a friend and a stranger on each node: {name: Pod}."""
    first, second = cluster.nodes[:2]
    wanted = [("server", first), *((f"{kind}-{n.name}", n) for kind in CLIENTS
                                   for n in (first, second))]
    for name, node in wanted:
        cluster.create(manifest(name, space, node=node.name,
                                labels={"kind": name.split("-")[0]}))
    return {name: cluster.wait_pod(space, name) for name, _ in wanted}


def reached(source, target):
    """How a pod reaches another: of (probe, family) those that are answered."""
    return {(probe.__name__, family) for probe in (tcp, udp)
            for family, address in (("v4", target.v4), ("v6", target.v6))
            if probe(source, address, 80)}


EVERYTHING = {(p, f) for p in ("tcp", "udp") for f in ("v4", "v6")}


def expect(pairs, wanted, seconds=15):
    """wait_for all of them, which gives agents time to hear of a change."""
    wait_for(lambda: all(reached(*pair) == wanted for pair in pairs), seconds, "the verdict")


def split(shop):
    """(friends, strangers)."""
    return [[p for name, p in shop.items() if name.startswith(kind)] for kind in CLIENTS]


def test_ingress(cluster, space, shop):
    server, (friends, strangers) = shop["server"], split(shop)
    expect([(c, server) for c in friends + strangers], EVERYTHING)
    cluster.policy("in", space, {"kind": "server"}, policyTypes=["Ingress"], ingress=[
        {"from": [{"podSelector": {"matchLabels": {"kind": "friend"}}}],
         "ports": [{"port": 80, "protocol": "TCP"}]}])
    expect([(c, server) for c in strangers], set())
    expect([(c, server) for c in friends], {("tcp", "v4"), ("tcp", "v6")})
    expect([(server, c) for c in strangers], EVERYTHING)
    # a friend becomes a stranger while it runs
    cluster.patch("Pod", friends[1].name, {"metadata": {"labels": {"kind": "no-more"}}}, space)
    expect([(friends[1], server)], set())
    cluster.delete("NetworkPolicy", "in", space)
    expect([(c, server) for c in friends + strangers], EVERYTHING)


def test_egress(cluster, space, shop):
    server, (friends, strangers) = shop["server"], split(shop)
    cluster.policy("out", space, {"kind": "server"}, policyTypes=["Egress"], egress=[
        {"to": [{"podSelector": {"matchLabels": {"kind": "friend"}}}]}])
    expect([(server, c) for c in strangers], set())
    expect([(server, c) for c in friends], EVERYTHING)
    expect([(c, server) for c in strangers], EVERYTHING)
    assert not tcp(server, "10.200.0.1", 6443)


def test_other_namespaces(cluster, space, shop):
    """A namespace selector, by the label that every namespace has; and a pod that starts under a
    policy is never reached by others, not in its first moment either."""
    server, (friends, _) = shop["server"], split(shop)
    there = cluster.namespace(f"{space}-there")
    try:
        guest = cluster.run("guest", there, node="n2")
        cluster.policy("in", space, {}, policyTypes=["Ingress"], ingress=[{"from": [
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": there}}}]}])
        expect([(c, server) for c in friends], set())
        expect([(guest, server)], EVERYTHING)
        late = cluster.run("late", space, node="n1")
        assert reached(friends[1], late) == set()
        expect([(guest, late)], EVERYTHING)
    finally:
        cluster.delete("Namespace", there)
