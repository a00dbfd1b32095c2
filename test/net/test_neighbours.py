# SPDX-License-Identifier: GPL-2.0-or-later
"""What Manx sets on a pod's link beside its routes, when somebody else takes it away: neighbour
entries (without which an isolated pod must be reached all the same), MTU, forwarding."""

import json
import re
import signal

import pytest

from lab import ping, tcp
from lab.cluster import wait_for


@pytest.fixture(scope="module")
def scene(request):
    """A pod that is isolated in both directions but for one friend."""
    lab = request.getfixturevalue("shared_lab")
    node = lab.node("n1", start=True)
    lab.namespace_object("default")
    lab.closed = lab.run_pod(node, "default", "closed", {"app": "closed"})
    lab.friend = lab.run_pod(node, "default", "friend", {"role": "friend"})
    friend = [{"podSelector": {"matchLabels": {"role": "friend"}}}]
    lab.policy("default", "closed", {"matchLabels": {"app": "closed"}}, types=["Ingress", "Egress"],
               ingress=[{"from": friend}], egress=[{"to": friend}])
    lab.settle()
    return lab


@pytest.fixture
def unwatched(scene):
    """The agent stands still: what is lost stays lost."""
    node = scene.nodes[0]
    node.process.send_signal(signal.SIGSTOP)
    yield scene
    node.process.send_signal(signal.SIGCONT)


def neighbour(node, pod, version):
    """The node's entry for a pod's address."""
    address = pod.v6 if version == 6 else pod.v4
    entries = json.loads(node.namespace.ip(f"-{version}", "-j", "neigh", "show", "dev",
                                           pod.host_ifname))
    return next((e for e in entries if e["dst"] == address), None)


def is_whole(node, pod, version):
    entry = neighbour(node, pod, version)
    return entry and entry["state"] == ["PERMANENT"] and entry["lladdr"] == mac_of(pod)


def mac_of(pod):
    return json.loads(pod.namespace.ip("-j", "link", "show", "eth0"))[0]["address"]


@pytest.mark.parametrize("version", [4, 6])
def test_an_isolated_pod_is_reached_without_the_nodes_entry(unwatched, version):
    node, pod = unwatched.nodes[0], unwatched.closed
    address = pod.v6 if version == 6 else pod.v4
    assert tcp(node, address, 80)
    node.namespace.ip(f"-{version}", "neigh", "del", address, "dev", pod.host_ifname)
    assert tcp(node, address, 80, wait=3)
    assert tcp(unwatched.friend, address, 80, wait=3)


def test_an_isolated_pod_reaches_others_without_its_entry(unwatched):
    """IPv6: the node answers for the gateway that every pod has."""
    pod, friend = unwatched.closed, unwatched.friend
    pod.namespace.ip("-6", "neigh", "del", "fe80::1", "dev", "eth0")
    assert tcp(pod, friend.v6, 80, wait=3)
    assert not ping(pod, unwatched.nodes[0].v6)  # which its policy does not allow


def test_a_pod_is_no_router(scene):
    """Advertisements and redirects of a pod go nowhere, neighbour discovery for others neither."""
    rules = scene.nodes[0].ruleset()
    chain = re.search(r"chain neighbours \{.*?\}", rules, re.S).group(0)
    types = re.findall(r"icmpv6 type (\S+) accept", chain)
    assert types == ["nd-router-solicit", "nd-neighbor-solicit", "nd-neighbor-advert"]


def flush(namespace, pod):
    """Flush neighbours of an interface; ip gives up when the agent restores them too fast."""
    try:
        namespace.ip("neigh", "flush", "dev", pod.host_ifname, "nud", "all")
    except RuntimeError as why:
        assert "Flush not complete" in str(why)


CHANGES = {
    "neighbour deleted": lambda n, p: n.ip("neigh", "del", p.v4, "dev", p.host_ifname),
    "neighbour of IPv6 deleted": lambda n, p: n.ip("-6", "neigh", "del", p.v6, "dev",
                                                   p.host_ifname),
    "neighbour not permanent": lambda n, p: n.ip("neigh", "replace", p.v4, "lladdr", mac_of(p),
                                                 "nud", "stale", "dev", p.host_ifname),
    "another neighbour": lambda n, p: n.ip("-6", "neigh", "replace", p.v6, "lladdr",
                                           "02:00:00:00:00:99", "nud", "permanent", "dev",
                                           p.host_ifname),
    "all neighbours flushed": flush,
    "MTU": lambda n, p: n.ip("link", "set", p.host_ifname, "mtu", 1280),
    "forwarding": lambda n, p: n.sysctl(f"net.ipv4.conf.{p.host_ifname}.forwarding", 0),
}


def forwards(node, pod):
    return node.namespace.run("cat", f"/proc/sys/net/ipv4/conf/{pod.host_ifname}/forwarding"
                              ).stdout.strip() == "1"


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_undone(scene, change):
    node, pod = scene.nodes[0], scene.closed
    assert is_whole(node, pod, 4)
    CHANGES[change](node.namespace, pod)
    wait_for(lambda: is_whole(node, pod, 4) and is_whole(node, pod, 6)
             and node.links()[pod.host_ifname]["mtu"] == 1500 and forwards(node, pod), 3, change)
    assert tcp(scene.friend, pod.v4, 80)
    assert tcp(scene.friend, pod.v6, 80)
    assert re.search(r"somebody .*(changed|else)", node.log_text())
    check = node.manx("ipam", "check", "--run-dir", node.run_dir, check=False)
    assert check.returncode == 0, check.stdout


def test_what_was_lost_while_no_agent_ran_is_restored(scene):
    node, pod = scene.nodes[0], scene.closed
    node.stop_agent()
    node.namespace.ip("neigh", "del", pod.v4, "dev", pod.host_ifname)
    node.start_agent()
    wait_for(lambda: is_whole(node, pod, 4), 3, "a start to repair")
