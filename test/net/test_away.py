# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent starts while the API server is away: what is known, from the journal and the kernel,
is in force at once, and nothing that was forbidden passes."""

import pytest

from lab import tcp
from lab.arena import normal
from lab.cluster import wait_for

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


@pytest.fixture
def scene(lab):
    """A web that only a friend may reach; all is in force, then the agent goes."""
    lab.node("n1", start=True)
    lab.namespace_object("default")
    lab.web = lab.run_pod(lab.nodes[0], "default", "web", {"app": "web"})
    lab.friend = lab.run_pod(lab.nodes[0], "default", "friend", {"role": "friend"})
    lab.other = lab.run_pod(lab.nodes[0], "default", "other")
    lab.policy("default", "web", {"matchLabels": {"app": "web"}}, ingress=[
        {"from": [{"podSelector": {"matchLabels": {"role": "friend"}}}]}])
    lab.settle()
    assert reach(lab.friend, lab.web) == {True}
    lab.nodes[0].stop_agent()
    return lab


def away(scene):
    """Start an agent that gets no answer from its API server; wait until it has looked around."""
    node, flags = scene.nodes[0], scene.source_flags
    kubeconfig = scene.folder / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    scene.source_flags = lambda _node: ["--kubeconfig", kubeconfig]
    node.start_agent(wait=False)
    scene.source_flags = flags
    wait_for(lambda: node.get("/livez")[0] == 200, what="the agent to live")
    assert node.get("/readyz")[0] == 503
    return node


def back(scene):
    """An agent that has all of its source; all is as at the beginning."""
    scene.nodes[0].restart_agent()
    assert reach(scene.friend, scene.web) == {True}
    assert reach(scene.other, scene.web) == {False}
    assert reach(scene.web, scene.other) == {True}


def reach(source, target):
    return {bool(tcp(source, address, 80)) for address in target.addresses}


def spoofs(scene):
    """Does a datagram of somebody else's address come out of a pod?"""
    pod, node = scene.other, scene.nodes[0]
    before = dropped(node)
    pod.namespace.ip("address", "add", "203.0.113.9/32", "dev", "eth0")
    tcp(pod, scene.friend.v4, 80, from_address="203.0.113.9")
    pod.namespace.ip("address", "delete", "203.0.113.9/32", "dev", "eth0")
    return dropped(node) == before


def dropped(node):
    return node.namespace.run("nft", "list", "chain", "inet", "manx", "from_pod").stdout


def test_a_whole_table_stays_as_it_is(scene):
    before = scene.nodes[0].ruleset()
    node = away(scene)
    assert normal(node.ruleset()) == normal(before)
    assert reach(scene.friend, scene.web) == {True}
    assert reach(scene.other, scene.web) == {False}
    assert reach(scene.web, scene.other) == {True}
    back(scene)


DAMAGES = {
    "no table": "delete table inet manx",
    "empty verdict map": "flush map inet manx ingress4; flush map inet manx ingress6",
    "no base chain": "flush chain inet manx forward; delete chain inet manx forward",
    "empty base chain": "flush chain inet manx forward",
    "no verdict": "flush table inet manx",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_missing_is_isolated(scene, damage):
    scene.nodes[0].namespace.run("nft", DAMAGES[damage])
    assert reach(scene.other, scene.web) == {True}
    node = away(scene)
    assert reach(scene.other, scene.web) == {False}
    assert not spoofs(scene)
    assert "isolated until the source is known" in node.log_text()
    back(scene)


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_same_while_the_agent_waits(scene, damage):
    node = away(scene)
    node.namespace.run("nft", DAMAGES[damage])
    wait_for(lambda: "isolated until the source is known" in node.log_text(), 3, "the repair")
    assert reach(scene.other, scene.web) == {False}
    assert not spoofs(scene)
    back(scene)


def test_anti_spoofing_comes_back(scene):
    scene.nodes[0].namespace.run(
        "nft", "flush set inet manx sources4; flush chain inet manx from_pod")
    assert spoofs(scene)
    away(scene)
    assert not spoofs(scene)
    assert reach(scene.friend, scene.web) == {True}
    back(scene)
