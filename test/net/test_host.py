# SPDX-License-Identifier: GPL-2.0-or-later
"""The host is not ours: sysctls that forwarding needs, and what other programs do to them."""

import json
import re

import pytest

from lab import Lab, ping, tcp
from lab.cluster import wait_for

SWITCHES = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}
READ_ONLY_SYSCTLS = ["unshare", "-m", "sh", "-c", "mount --bind /proc/sys /proc/sys && "
                     "mount -o remount,ro,bind /proc/sys && exec \"$@\"", "sh"]


def read(node, name):
    return node.namespace.run("cat", "/proc/sys/" + name.replace(".", "/")).stdout.strip()


def problems(node):
    status = node.manx("status", "--json", "--run-dir", node.run_dir)
    return json.loads(status.stdout)["problems"]


@pytest.mark.parametrize("families", [(4,), (6,), (4, 6)])
def test_only_families_of_the_pods_are_switched_on(families):
    with Lab(families=families) as lab:
        node = lab.node("n1")
        for name in SWITCHES.values():
            node.namespace.sysctl(name, 0)
        node.start_agent()
        for family, name in SWITCHES.items():
            assert read(node, name) == ("1" if family in families else "0")
            assert (f'{name}=1' in node.log_text()) == (family in families)


@pytest.mark.parametrize("family", SWITCHES)
def test_forwarding_that_is_switched_off_comes_back(family):
    with Lab() as lab:
        node = lab.node("n1", start=True)
        lab.namespace_object("default")
        pods = [lab.run_pod(node, "default", f"p{i}") for i in range(2)]
        target = pods[1].v4 if family == 4 else pods[1].v6
        assert tcp(pods[0], target, 80)
        node.namespace.sysctl(SWITCHES[family], 0)
        wait_for(lambda: read(node, SWITCHES[family]) == "1", 3, "forwarding to come back")
        wait_for(lambda: tcp(pods[0], target, 80), 3, "packets to pass")
        assert f"somebody switched forwarding off\" family=IPv{family}" in node.log_text()


def test_a_route_that_was_advertised_survives():
    with Lab() as lab:
        node = lab.node("n1")
        node.namespace.sysctl(SWITCHES[6], 0)
        node.namespace.sysctl("net.ipv6.conf.eth0.accept_ra", 1)
        node.namespace.ip("-6", "route", "replace", "default", "via", "fe80::99", "dev", "eth0",
                          "proto", "ra", "expires", 600)
        node.start_agent()
        assert read(node, "net.ipv6.conf.eth0.accept_ra") == "2"
        assert read(node, SWITCHES[6]) == "1"
        log = re.search(r'switched on" sysctl="(.*)"', node.log_text()).group(1)
        assert log == "net.ipv6.conf.eth0.accept_ra=2 net.ipv6.conf.all.forwarding=1"


def test_what_cannot_be_switched_on_is_told():
    """In a container /proc/sys is read-only."""
    with Lab() as lab:
        node = lab.node("n1")
        node.launcher = READ_ONLY_SYSCTLS
        node.start_agent()
        node.namespace.sysctl(SWITCHES[4], 0)
        wait_for(lambda: node.get("/readyz")[0] == 503, 3, "it to be told")
        told = "net.ipv4.ip_forward=1 cannot be set: Read-only file system"
        assert told in node.get("/readyz")[1]
        assert told in problems(node)
        node.namespace.sysctl(SWITCHES[4], 1)
        wait_for(lambda: node.get("/readyz")[0] == 200, 3, "it to be well again")
        assert problems(node) == []


def test_forwarding_of_the_nodes_interface_is_told():
    with Lab() as lab:
        node = lab.node("n1", start=True)
        node.namespace.sysctl("net.ipv4.conf.eth0.forwarding", 0)
        wait_for(lambda: any("forwarding is 0" in p for p in problems(node)), 3, "it to be told")
        assert read(node, "net.ipv4.conf.eth0.forwarding") == "0"
        assert "net/ipv4/conf/eth0/forwarding=1" in node.log_text()
        node.namespace.sysctl("net.ipv4.conf.eth0.forwarding", 1)
        wait_for(lambda: not problems(node), 3, "it to be well again")


@pytest.fixture
def two_ways():
    """n1 has a second interface on the same layer 2, and its way to n2 may leave there; n2 sends to
    the address of n1, which is on eth0."""
    with Lab(families=(4,)) as lab:
        nodes = [lab.node(name) for name in ("n1", "n2")]
        space = nodes[0].namespace
        lab.switch.ip("link", "add", "second", "type", "veth", "peer", "name", "eth1",
                      "netns", space.name)
        lab.switch.ip("link", "set", "second", "master", "bridge", "up")
        for name in ("all", "eth0", "eth1"):
            space.sysctl(f"net.ipv4.conf.{name}.rp_filter", 0)
            space.sysctl(f"net.ipv4.conf.{name}.arp_ignore", 1)
        space.ip("link", "set", "eth1", "up")
        space.ip("address", "add", "10.200.9.1/24", "dev", "eth1")
        lab.namespace_object("default")
        yield lab


def start(lab):
    for node in lab.nodes:
        node.start_agent()
    lab.pair = [lab.run_pod(node, "default", f"p{i}") for i, node in enumerate(lab.nodes)]
    lab.settle()


@pytest.mark.parametrize("how", ["all", "eth0"])
@pytest.mark.parametrize("way", ["route", "rule"])
def test_a_strict_source_check_that_drops_other_nodes_packets_is_told(two_ways, way, how):
    node, other = two_ways.nodes
    if way == "route":
        node.namespace.ip("route", "add", f"{other.v4}/32", "dev", "eth1", "src", node.v4)
    else:
        node.namespace.ip("route", "add", "10.201.2.0/24", "via", other.v4, "dev", "eth1",
                          "onlink", "table", 100)
        node.namespace.ip("rule", "add", "to", "10.201.2.0/24", "lookup", 100)
    start(two_ways)
    source, target = two_ways.pair[1], two_ways.pair[0].v4
    assert tcp(source, target, 80)
    assert problems(node) == []
    node.namespace.sysctl(f"net.ipv4.conf.{how}.rp_filter", 1)
    told = ("rp_filter of interface eth0 is strict (1): packets of another node's pods"
            " (10.201.2.0/24)")
    wait_for(lambda: problems(node), 3, "it to be told")
    assert not tcp(source, target, 80, wait=0.3)
    assert told in problems(node)[0]
    assert "leaves through eth1" in problems(node)[0]
    assert node.log_text().count(told) == 1
    command = problems(node)[0].split("or: ")[1]
    node.namespace.run(*command.split())  # what is named mends it
    wait_for(lambda: not problems(node), 3, "it to be well again")
    assert tcp(source, target, 80)


@pytest.mark.parametrize("way", ["the same way", "several next hops", "loose"])
def test_a_source_check_that_harms_nobody_is_not_told(two_ways, way):
    node, other = two_ways.nodes
    if way == "several next hops":
        node.namespace.ip("route", "add", "10.201.2.0/24", "table", 100,
                          "nexthop", "via", other.v4, "dev", "eth1", "onlink",
                          "nexthop", "via", other.v4, "dev", "eth0")
        node.namespace.ip("rule", "add", "to", "10.201.2.0/24", "lookup", 100)
    elif way == "loose":
        node.namespace.ip("route", "add", f"{other.v4}/32", "dev", "eth1", "src", node.v4)
    start(two_ways)
    for name in ("all", "eth0", "eth1"):
        node.namespace.sysctl(f"net.ipv4.conf.{name}.rp_filter", 2 if way == "loose" else 1)
    with pytest.raises(AssertionError):
        wait_for(lambda: problems(node), 1.5)
    assert tcp(two_ways.pair[1], two_ways.pair[0].v4, 80)


@pytest.mark.parametrize("late", [False, True])
def test_a_strict_source_check_is_seen_when_a_node_comes(two_ways, late):
    node, other = two_ways.nodes
    node.namespace.sysctl("net.ipv4.conf.all.rp_filter", 1)
    node.namespace.ip("route", "add", f"{other.v4}/32", "dev", "eth1", "src", node.v4)
    if late:
        two_ways.remove(other.object())
    node.start_agent()
    if late:
        with pytest.raises(AssertionError):
            wait_for(lambda: problems(node), 1.5)
        two_ways.write(other.object())
    wait_for(lambda: any("rp_filter" in p for p in problems(node)), 3, "it to be told")


def test_an_address_on_lo_says_nothing_about_where_packets_come_in(two_ways):
    """With a routing daemon, they come in wherever it says."""
    node, other = two_ways.nodes
    node.namespace.ip("address", "add", f"{node.v4}/32", "dev", "lo")
    node.namespace.ip("address", "del", f"{node.v4}/24", "dev", "eth0")
    node.namespace.ip("address", "add", "10.200.0.101/24", "dev", "eth0")
    node.namespace.ip("route", "replace", "default", "via", "10.200.0.254")
    node.namespace.sysctl("net.ipv4.conf.all.rp_filter", 1)
    node.namespace.ip("route", "add", f"{other.v4}/32", "dev", "eth1")
    node.start_agent()
    wait_for(lambda: "10.201.2.0/24" in node.namespace.ip("route"), 3, "the route")
    with pytest.raises(AssertionError):
        wait_for(lambda: problems(node), 1.5)


def put_on_bridge(node, ports):
    """eth0 becomes a port of br0, which takes its address."""
    space = node.namespace
    space.ip("link", "add", "br0", "type", "bridge")
    space.ip("address", "flush", "dev", "eth0")
    space.ip("link", "set", "eth0", "master", "br0")
    for i in range(1, ports):
        space.ip("link", "add", f"tap{i}", "type", "veth", "peer", "name", f"guest{i}")
        space.ip("link", "set", f"tap{i}", "master", "br0")
    space.ip("link", "set", "br0", "up")
    space.ip("address", "add", f"{node.v4}/24", "dev", "br0")


SWITCH = "net.bridge.bridge-nf-call-iptables"


@pytest.mark.parametrize("which", ["all bridges", "this one", "both"])
def test_a_bridge_whose_packets_are_filtered_is_told(which):
    with Lab(families=(4,)) as lab:
        node = lab.node("n1")
        put_on_bridge(node, 2)
        try:
            node.namespace.sysctl(SWITCH, int(which != "this one"))
        except FileNotFoundError:
            pytest.skip("the kernel has no br_netfilter")
        if which != "all bridges":
            node.namespace.ip("link", "set", "br0", "type", "bridge", "nf_call_iptables", 1)
        node.start_agent()
        wait_for(lambda: problems(node), 3, "it to be told")
        assert len(problems(node)) == 1
        assert "bridge br0, and bridge-nf-call-iptables is on" in problems(node)[0]
        for command in problems(node)[0].split("ends it: ")[1].split(" && "):
            node.namespace.run(*command.split())
        assert read(node, SWITCH.replace("bridge.", "bridge/")) == "0"
        node.namespace.ip("link", "set", "br0", "mtu", 1400)  # no one reports that switch
        wait_for(lambda: not problems(node), 3, "it to be well again")


@pytest.mark.parametrize("ports", [0, 1])
def test_a_bridge_that_passes_nothing_on_is_not_told(ports):
    with Lab(families=(4,)) as lab:
        node = lab.node("n1")
        node.namespace.ip("link", "add", "docker0", "type", "bridge")
        if ports:
            put_on_bridge(node, ports)
        node.start_agent()
        with pytest.raises(AssertionError):
            wait_for(lambda: problems(node), 1.5)


def test_a_node_without_an_address_of_a_family_is_told():
    with Lab() as lab:
        node = lab.node("n1")
        item = node.object()
        item["status"]["addresses"] = item["status"]["addresses"][:1]
        lab.write(item)
        node.start_agent()
        told = "no InternalIP of IPv6: other nodes have no route to its pods of fd00:201:1::/64"
        assert any(told in p for p in problems(node))
        assert told in node.log_text()
        lab.write(node.object())
        wait_for(lambda: not problems(node), 3, "it to be well")


@pytest.mark.parametrize("known", [True, False])
def test_the_nodes_own_network_as_a_range_cuts_nobody_off(known):
    """A mistake in `ranges`, with the Node's object there or not."""
    with Lab(families=(4,)) as lab:
        node = lab.node("n1")
        if not known:
            lab.remove(node.object())
        node.config_file.write_text("ranges: [10.200.0.0/24]\n")
        node.start_agent(wait=False)
        wait_for(lambda: "source complete" in node.log_text(), 10, "the agent")
        wait_for(lambda: "chain pre_raw" in node.ruleset(), 5, "its table")
        assert ping(lab.world, node.v4)
        assert ping(node, "10.200.0.254")
