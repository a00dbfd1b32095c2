# SPDX-License-Identifier: GPL-2.0-or-later
"""SCTP by real associations.  They need a kernel that has SCTP: `make test-kernels` runs this file
on Debian's kernels (other tests send INIT packets, for which no kernel needs it)."""

import functools
import socket

import pytest

import lab.probe
from lab import cni, tcp
from lab.probe import Refused
from lab.server import SCTP

PORTS = (9000, 9001)
# An emulated machine takes its time, and loads modules for the first one.
sctp = functools.partial(tcp, protocol=SCTP, wait=20)


def kernel_has_sctp():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, SCTP).close()
    except OSError:
        return False
    return True


pytestmark = pytest.mark.skipif(not kernel_has_sctp(), reason="this machine's kernel has no SCTP")


@pytest.fixture(scope="module")
def scene(shared_lab):
    """Two nodes; a server on the first, listening on both ports of SCTP, and a client on each."""
    one = shared_lab
    one.nodes_of_test = [one.node("n1", start=True), one.node("n2", start=True)]
    one.namespace_object("default")
    near, far = one.nodes_of_test
    one.server = one.pod(near, "default", "server", {"app": "server"}, serve=())
    one.write(one.server.object())
    one.server.take_result(cni.call(one.server, "ADD", runtime={"portMappings": [
        {"protocol": "sctp", "hostPort": 8080, "containerPort": 9000},
        {"protocol": "tcp", "hostPort": 8080, "containerPort": 80}]}))
    one.write(one.server.object())
    for address in one.server.addresses:
        for port in PORTS:
            # One address each: an association must not go on by the pod's other one.
            one.servers.tcp(one.server.namespace, "server", port, address, SCTP)
    one.servers.tcp(one.server.namespace, "tcp", 80)
    one.clients = [one.run_pod(node, "default", f"client-{node.name}", {"app": node.name})
                   for node in (near, far)]
    one.settle()
    return one


def drops(source, address, port):
    """Nothing came back: no answer, and no refusal either."""
    return sctp(source, address, port, wait=3 * lab.probe.WAIT) is None


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_pods_reach_each_other(scene, family):
    target = getattr(scene.server, family)
    for client in scene.clients:
        for port in PORTS:
            answer = sctp(client, target, port)
            assert answer and answer.seen_as == getattr(client, family), client.name
        with pytest.raises(Refused):
            sctp(client, target, 9999)


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_policy(scene, family):
    """A rule for SCTP is none for TCP, and one for TCP none for SCTP; and peers count."""
    target, (near, far) = getattr(scene.server, family), scene.clients
    selected = {"matchLabels": {"app": "server"}}
    try:
        scene.policy("default", "p", selected, ingress=[
            {"ports": [{"protocol": "SCTP", "port": 9000}],
             "from": [{"podSelector": {"matchLabels": {"app": "n2"}}}]}])
        scene.settle()
        assert sctp(far, target, 9000)
        assert drops(far, target, 9001) and drops(near, target, 9000)
        assert tcp(far, target, 80) is None
        scene.policy("default", "p", selected, ingress=[{"ports": [{"port": 9000}, {"port": 80}]}])
        scene.settle()
        assert drops(far, target, 9000) and tcp(far, target, 80)
        scene.policy("default", "p", selected, ingress=[
            {"ports": [{"protocol": "SCTP", "port": 9000, "endPort": 9001}]}])
        scene.settle()
        assert sctp(near, target, 9000) and sctp(near, target, 9001)
    finally:
        scene.remove_all("NetworkPolicy")
        scene.settle()
    assert sctp(near, target, 9001)


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_host_port(scene, family):
    """From outside, from a pod of the other node and from that node; TCP of the same number goes
    to another port of the pod."""
    near, far = scene.nodes_of_test
    address = getattr(near, family)
    for source in (scene.world, scene.clients[1], far):
        answer = sctp(source, address, 8080)
        assert answer and answer.name == "server", source.name
        assert tcp(source, address, 8080).name == "tcp", source.name
    with pytest.raises(Refused):
        sctp(scene.world, address, 9000)  # the node itself serves nothing there


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_policy_holds_for_host_ports(scene, family):
    """The rule speaks of the pod's port and the client's address."""
    address = getattr(scene.nodes_of_test[0], family)
    outside = {"v4": "10.200.0.254/32", "v6": "fd00:200::254/128"}[family]
    try:
        scene.policy("default", "p", {"matchLabels": {"app": "server"}}, ingress=[
            {"ports": [{"protocol": "SCTP", "port": 9000}],
             "from": [{"ipBlock": {"cidr": outside}}]}])
        scene.settle()
        assert sctp(scene.world, address, 8080, from_address=outside.partition("/")[0])
        assert drops(scene.clients[1], address, 8080)
    finally:
        scene.remove_all("NetworkPolicy")
        scene.settle()


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_masquerade(scene, family):
    world, client = getattr(scene.world, family), scene.clients[0]
    scene.servers.tcp(scene.world.namespace, "world", 9100 + int(family[1]), world, SCTP)
    answer = sctp(client, world, 9100 + int(family[1]))
    assert answer and answer.seen_as == getattr(scene.nodes_of_test[0], family)
