# SPDX-License-Identifier: GPL-2.0-or-later
"""Services, by kube-proxy, and host ports, by Manx."""

import contextlib

import pytest

from lab import tcp, udp
from lab.cluster import wait_for
from lab.probe import Refused

from .lab import ADDRESSES, manifest, named

PORTS = [{"name": "tcp", "port": 80, "protocol": "TCP"},
         {"name": "udp", "port": 80, "protocol": "UDP"}]


class Outside:
    """A machine on the nodes' network that is no node: the one with the control plane."""

    def __init__(self, cluster):
        self.namespace = cluster.switch


@pytest.fixture
def service(cluster, space):
    """A Service of both families with a node port; its server on n1, a client on each node."""
    cluster.create(named("Service", "web", space, spec={
        "type": "NodePort", "selector": {"app": "web"}, "ports": PORTS,
        "ipFamilyPolicy": "RequireDualStack"}))
    for name, node in (("web", "n1"), ("client-1", "n1"), ("client-2", "n2")):
        cluster.create(manifest(name, space, node=node))
    pods = [cluster.wait_pod(space, n) for n in ("web", "client-1", "client-2")]
    return cluster.get("Service", "web", space)["spec"], pods


def answers(source, address, port=80, probes=(tcp, udp)):
    """Wait until all protocols are answered there; return by whom."""
    found = set()

    def ask():
        found.clear()
        with contextlib.suppress(Refused):  # kube-proxy has not heard of it yet
            found.update(a and a.name for a in [p(source, address, port, wait=2) for p in probes])
        return found and None not in found

    wait_for(ask, 20, f"answers of {address}:{port}")
    return found


def test_cluster_addresses(service):
    """From a pod of each node, and from the server to itself."""
    spec, (web, *clients) = service
    assert len(spec["clusterIPs"]) == 2
    for address in spec["clusterIPs"]:
        for source in (*clients, web):
            assert answers(source, address) == {"web"}


def test_node_ports(cluster, service):
    spec, (_, client, _) = service
    outside = Outside(cluster)
    for node in cluster.nodes:
        for address in (node.v4, node.v6):
            for port in spec["ports"]:
                probe = tcp if port["protocol"] == "TCP" else udp
                for source in (outside, client):
                    assert answers(source, address, port["nodePort"], [probe]) == {"web"}


def test_policies_hold_behind_services(cluster, space, service):
    """What is forbidden by the pod's address is so by the Service's."""
    spec, (_, allowed, other) = service
    address = spec["clusterIPs"][0]
    assert answers(other, address) == {"web"}
    cluster.policy("web", space, {"app": "web"}, policyTypes=["Ingress"], ingress=[
        {"from": [{"podSelector": {"matchLabels": {"app": allowed.name}}}]}])
    wait_for(lambda: not tcp(other, address, 80), 15, "the policy")
    assert not udp(other, address, 80)
    assert answers(allowed, address) == {"web"}


# --- host ports ---


def host_port(number, protocol="TCP", host_ip=None):
    return {"containerPort": 80, "hostPort": number, "protocol": protocol,
            **({"hostIP": host_ip} if host_ip else {})}


def test_host_ports(cluster, space):
    """TCP and UDP of one number are two ports; from outside, from a pod of the other node, and not
    at the other node's address.  They go with the pod."""
    first, second = cluster.nodes[:2]
    ported = cluster.run("ported", space, node=first.name,
                         ports=[host_port(31080), host_port(31080, "UDP")])
    client = cluster.run("client", space, node=second.name)
    for source in (Outside(cluster), client):
        for address in (first.v4, first.v6):
            assert answers(source, address, 31080) == {"ported"}
        assert not udp(source, second.v4, 31080)
    cluster.delete("Pod", ported.name, space)
    cluster.wait_gone("Pod", ported.name, space)
    again = cluster.run("again", space, node=first.name, ports=[host_port(31080)])
    assert answers(client, first.v4, 31080, [tcp]) == {again.name}
    assert not udp(client, first.v4, 31080)


def test_a_host_address(cluster, space):
    """hostIP: at that address of the node and at no other."""
    node = cluster.nodes[0]
    cluster.run("picky", space, node=node.name,
                ports=[host_port(31081, host_ip=node.v4), host_port(31081, "UDP", node.v4)])
    outside = Outside(cluster)
    assert answers(outside, node.v4, 31081) == {"picky"}
    assert not udp(outside, node.v6, 31081)


def test_policies_hold_for_host_ports(cluster, space):
    node = cluster.nodes[0]
    cluster.policy("closed", space, {"app": "closed"}, policyTypes=["Ingress"], ingress=[
        {"from": [{"ipBlock": {"cidr": f"{ADDRESSES.switch4}/32"}}]}])
    cluster.run("closed", space, node=node.name, ports=[host_port(31082),
                                                        host_port(31082, "UDP")])
    other = cluster.run("other", space, node="n2")
    assert answers(Outside(cluster), node.v4, 31082) == {"closed"}
    assert not tcp(other, node.v4, 31082) and not udp(other, node.v4, 31082)
