# SPDX-License-Identifier: GPL-2.0-or-later
"""Which interfaces are Manx's, and what comes through the others: an address of a local pod is
believed on its own interface only; an interface whose name merely looks like ours is the host's."""

import contextlib
import socket

import pytest

from lab import cni, ping, tcp
from lab.cluster import wait_for
from lab.namespace import Namespace
from lab.worlds import FAMILIES, TRANSPARENT

PORT = 7777
# The prefix alone, another letter, one digit more or less, capitals: none has "mx" and 12 digits.
OTHERS = ["mxlan0", "mx", "mx0123456789a", "mx0123456789abc", "mx0123456789ag", "mx0123456789AB"]


class Guest:
    """What a probe wants of a source."""

    def __init__(self, namespace):
        self.namespace = namespace


@pytest.fixture(scope="module")
def scene(request):
    """A web that a friend may reach, and any address of the pods' range."""
    lab = request.getfixturevalue("shared_lab")
    node = lab.node("n1", start=True)
    lab.namespace_object("default")
    lab.web = lab.run_pod(node, "default", "web", {"app": "web"})
    lab.friend = lab.run_pod(node, "default", "friend", {"role": "friend"})
    lab.policy("default", "web", {"matchLabels": {"app": "web"}}, ingress=[
        {"from": [{"podSelector": {"matchLabels": {"role": "friend"}}},
                  *({"ipBlock": {"cidr": c}} for c in node.pod_cidrs),
                  {"ipBlock": {"cidr": "198.51.100.0/24"}},
                  {"ipBlock": {"cidr": "2001:db8::/64"}}]}])
    lab.settle()
    for name in ("all", "default", "eth0"):
        node.namespace.sysctl(f"net.ipv4.conf.{name}.rp_filter", 0)
    for index, prefix in enumerate(node.pod_cidrs):
        lab.world.namespace.ip(("-4", "-6")[index], "route", "add", prefix,
                               "via", (node.v4, node.v6)[index])
    return lab


def arrives(lab, source, destination, holder=None):
    """Send a datagram from outside with any source address; was it taken?"""
    version = 6 if ":" in source else 4
    with contextlib.ExitStack() as open_sockets:
        with (holder or lab.web).namespace:
            ear = open_sockets.enter_context(socket.socket(FAMILIES[version], socket.SOCK_DGRAM))
            ear.bind((destination, PORT))
        with lab.world.namespace:
            mouth = open_sockets.enter_context(socket.socket(FAMILIES[version], socket.SOCK_DGRAM))
            mouth.setsockopt(*TRANSPARENT[version], 1)
            mouth.bind((source, 0))
        mouth.sendto(b"believe me", (destination, PORT))
        ear.settimeout(0.5)
        try:
            return ear.recv(64) == b"believe me"
        except TimeoutError:
            return False


def target(lab, version):
    return lab.web.v4 if version == 4 else lab.web.v6


@pytest.mark.parametrize("version", [4, 6])
def test_what_comes_from_outside_arrives(scene, version):
    source = {4: "198.51.100.7", 6: "2001:db8::7"}[version]
    assert arrives(scene, source, target(scene, version))


@pytest.mark.parametrize("version", [4, 6])
def test_a_pods_address_from_outside_is_not_believed(scene, version):
    friend = scene.friend.v4 if version == 4 else scene.friend.v6
    assert not arrives(scene, friend, target(scene, version))
    own = scene.nodes[0].internal_ips[version == 6]
    assert not arrives(scene, friend, own, holder=scene.nodes[0])


@pytest.mark.parametrize("version", [4, 6])
def test_an_address_of_the_range_without_a_pod_is_not_believed(scene, version):
    free = {4: "10.201.1.200", 6: "fd00:201:1::c8"}[version]
    assert not arrives(scene, free, target(scene, version))


def test_a_pod_whose_range_was_taken_out_keeps_its_address(scene):
    """An address that no range holds any more is still its pod's."""
    node = scene.nodes[0]
    node.config_file.write_text("ranges: [10.209.0.0/28]\n")
    node.restart_agent()
    pod = scene.pod(node, "default", "stray", {"role": "friend"})
    cni_args = {"runtime": {"ips": ["10.209.0.5", "fd00:201:1::55"]}}
    scene.add(pod, **cni_args)
    node.config_file.unlink()
    node.restart_agent()
    scene.settle()
    assert pod.v4 == "10.209.0.5"
    assert tcp(pod, scene.web.v4, 80)
    assert not arrives(scene, pod.v4, scene.web.v4)
    cni.call(pod, "DEL")
    scene.remove(pod.object())


def test_what_the_node_sends_to_itself_is_believed(scene):
    """A transparent proxy of the host speaks with a pod's address, through lo."""
    node = scene.nodes[0]
    with contextlib.ExitStack() as open_sockets:
        with node.namespace:
            ear = open_sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            mouth = open_sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        ear.bind((node.v4, PORT))
        mouth.setsockopt(*TRANSPARENT[4], 1)
        mouth.bind((scene.friend.v4, 0))
        mouth.sendto(b"x", (node.v4, PORT))
        ear.settimeout(0.5)
        assert ear.recv(8) == b"x"


@pytest.mark.parametrize("name", OTHERS)
def test_an_interface_of_a_similar_name_is_the_hosts(scene, name):
    """A guest of the host behind a veth: its packets pass, and the link survives a restart, as does
    what Manx is told to delete."""
    node = scene.nodes[0]
    guest = Namespace("guest")
    try:
        node.namespace.ip("link", "add", name, "type", "veth", "peer", "name", "eth0",
                          "netns", guest.name)
        node.namespace.ip("address", "add", "172.30.0.1/24", "dev", name)
        node.namespace.ip("link", "set", name, "up")
        guest.ip("address", "add", "172.30.0.2/24", "dev", "eth0")
        guest.ip("link", "set", "eth0", "up")
        wait_for(lambda: ping(Guest(guest), "172.30.0.1", wait=0.2), 3, "the guest's packets")
        node.restart_agent()
        assert name in node.links()
        assert ping(Guest(guest), "172.30.0.1")
        check = node.manx("ipam", "check", "--run-dir", node.run_dir, check=False)
        assert check.returncode == 0, check.stdout
    finally:
        guest.delete()


def test_a_link_of_our_name_that_no_pod_explains_is_held(scene):
    """As after an ADD whose plugin was killed: whatever it sends goes nowhere."""
    node = scene.nodes[0]
    guest = Namespace("guest")
    try:
        node.namespace.ip("link", "add", "mx0123456789ab", "type", "veth", "peer", "name", "eth0",
                          "netns", guest.name)
        node.namespace.ip("address", "add", "172.30.0.1/24", "dev", "mx0123456789ab")
        node.namespace.ip("link", "set", "mx0123456789ab", "up")
        guest.ip("address", "add", "172.30.0.2/24", "dev", "eth0")
        guest.ip("link", "set", "eth0", "up")
        wait_for(lambda: '"mx0123456789ab"' in node.ruleset(), 3, "the link to be held")
        assert not ping(Guest(guest), "172.30.0.1")
        node.namespace.ip("link", "delete", "mx0123456789ab")
        wait_for(lambda: '"mx0123456789ab"' not in node.ruleset(), 3, "the link to be forgotten")
    finally:
        guest.delete()
