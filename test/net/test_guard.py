# SPDX-License-Identifier: GPL-2.0-or-later
"""Our table, changed by somebody else: noticed by the kernel's notification, named, repaired."""

import re
import time

import pytest

from lab import tcp
from lab.cluster import wait_for


@pytest.fixture(scope="module")
def scene(request):
    """One node, a web that only a friend may reach, and somebody who is none."""
    lab = request.getfixturevalue("shared_lab")
    node = lab.node("n1", start=True)
    lab.namespace_object("default")
    lab.web = lab.run_pod(node, "default", "web", {"app": "web"})
    lab.friend = lab.run_pod(node, "default", "friend", {"role": "friend"})
    lab.other = lab.run_pod(node, "default", "other")
    lab.policy("default", "web", {"matchLabels": {"app": "web"}}, ingress=[
        {"from": [{"podSelector": {"matchLabels": {"role": "friend"}}}]}])
    lab.settle()
    return lab


def rules(node):
    """The table as text, without what counters have counted and without the order of elements."""
    text = re.sub(r"packets \d+ bytes \d+", "", node.ruleset())
    return sorted(word for word in re.split(r"[\s,]+", text) if word)


def peer_set(scene):
    """The set of peers that the friend is in."""
    return re.search(r"set (pods4_\w+)", scene.node_.ruleset()).group(1)


def repairs(node):
    return node.metrics().get('manx_nft_foreign_changes_total{process="nft"}', 0)


CHANGES = {
    "element deleted": lambda lab: [f"delete element inet manx {peer_set(lab)} "
                                    f"{{ {lab.friend.v4} }}"],
    "element added": lambda lab: [f"add element inet manx {peer_set(lab)} "
                                  f"{{ {lab.other.v4} }}"],
    "set flushed": lambda lab: [f"flush set inet manx {peer_set(lab)}"],
    "rule added": lambda lab: ["insert rule inet manx forward accept"],
    "chain flushed": lambda lab: ["flush chain inet manx forward"],
    "chain added": lambda lab: ["add chain inet manx extra"],
    "table flushed": lambda lab: ["flush table inet manx"],
    "table deleted": lambda lab: ["delete table inet manx"],
    "ruleset flushed": lambda lab: ["flush ruleset"],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_undone(scene, change):
    node = scene.node_ = scene.nodes[0]
    before, count = rules(node), repairs(node)
    for command in CHANGES[change](scene):
        node.namespace.run("nft", command)
    wait_for(lambda: rules(node) == before, 2, f"the table to be as before: {change}")
    assert repairs(node) == count + 1
    assert tcp(scene.friend, scene.web.v4, 80)
    assert tcp(scene.other, scene.web.v4, 80, wait=0.1) is None
    assert re.search(r'somebody else changed our table.*process="nft" pid=\d+', node.log_text())
    time.sleep(0.3)  # nothing more happens: the repair was no change of somebody else
    assert repairs(node) == count + 1


def test_only_what_was_touched_is_written(scene):
    node = scene.node_ = scene.nodes[0]
    before = node.metrics()["manx_nft_operations_total"]
    node.namespace.run("nft", f"delete element inet manx {peer_set(scene)} {{ {scene.friend.v4} }}")
    wait_for(lambda: tcp(scene.friend, scene.web.v4, 80, wait=0.1), 2, "the friend to be let in")
    assert node.metrics()["manx_nft_operations_total"] == before + 1


def test_other_tables_are_not_our_business(scene):
    node = scene.nodes[0]
    before, count = node.metrics(), repairs(node)
    node.namespace.run("nft", "add table inet theirs")
    node.namespace.run("nft", "add chain inet theirs manx")
    node.namespace.run("nft", "add table ip manx")
    time.sleep(0.2)
    after = node.metrics()
    assert repairs(node) == count
    assert after["manx_nft_resyncs_total"] == before["manx_nft_resyncs_total"]
    node.namespace.run("nft", "delete table inet theirs")
    node.namespace.run("nft", "delete table ip manx")


def test_a_fight_costs_little(scene):
    """Somebody changes the table all the time: the pauses between repairs grow, and when it is over
    the table is as it should be."""
    node = scene.nodes[0]
    before, rounds = rules(node), 150
    reads = node.metrics()["manx_nft_resyncs_total"]
    for _ in range(rounds):
        node.namespace.run("nft", "insert rule inet manx forward accept")
    reads = node.metrics()["manx_nft_resyncs_total"] - reads
    assert 1 <= reads <= rounds / 4
    assert node.get("/livez")[0] == 200
    wait_for(lambda: rules(node) == before, 15, "the table to be as before")
