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
        wait_for(lambda: "chain antispoof" in node.ruleset(), 5, "its table")
        assert ping(lab.world, node.v4)
        assert ping(node, "10.200.0.254")
