# SPDX-License-Identifier: GPL-2.0-or-later
"""Our table, routes and interfaces, changed by somebody else: noticed by the kernel's notification,
named, repaired."""

import json
import re
import time

import pytest

from lab import cni, tcp
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


def repairs_at_most(seconds):
    """How many repairs a fight of so many seconds may cost (agent/repair.h): the pauses between
    them are 20 ms, then twice the one before, in the end a second."""
    doubling = [0.02 * 2 ** n for n in range(6)]
    early = sum(sum(doubling[:n]) <= seconds for n in range(len(doubling) + 1))
    return 1 + early + max(0, seconds - sum(doubling))


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
    reads, start = node.metrics()["manx_nft_resyncs_total"], time.monotonic()
    for _ in range(rounds):
        node.namespace.run("nft", "insert rule inet manx forward accept")
    reads = node.metrics()["manx_nft_resyncs_total"] - reads
    assert 1 <= reads <= min(rounds, repairs_at_most(time.monotonic() - start))
    assert node.get("/livez")[0] == 200
    wait_for(lambda: rules(node) == before, 15, "the table to be as before")


# --- routes and interfaces ---


def routes(node, pod):
    """The routes to a pod's addresses, of both families."""
    return "".join(node.namespace.ip(family, "route", "show", address, check=False)
                   for family, address in (("-4", pod.v4), ("-6", pod.v6)))


def changes(node, what):
    """How often others changed what; who it was is known only while the process runs."""
    return sum(value for name, value in node.metrics().items()
               if name.startswith(f"manx_{what}_foreign_changes_total{{"))


def delete_routes(node, pod):
    node.namespace.ip("-4", "route", "delete", f"{pod.v4}/32")
    node.namespace.ip("-6", "route", "delete", f"{pod.v6}/128")


def test_routes_that_somebody_deleted_come_back(scene):
    node = scene.nodes[0]
    before, count, log = routes(node, scene.web), changes(node, "route"), len(node.log_text())
    delete_routes(node, scene.web)
    wait_for(lambda: routes(node, scene.web) == before, 5, "the routes to come back")
    assert changes(node, "route") == count + 2
    assert tcp(scene.friend, scene.web.v4, 80) and tcp(scene.friend, scene.web.v6, 80)
    assert re.search(rf'somebody else changed our routes.*first={scene.web.v4}/32 '
                     r'process="\S+" port=\d+', node.log_text()[log:])


def test_a_fight_for_a_route_costs_little(scene):
    node, rounds = scene.nodes[0], 120
    before, count = routes(node, scene.web), changes(node, "route")
    start = time.monotonic()
    for _ in range(rounds):
        node.namespace.ip("route", "delete", f"{scene.web.v4}/32", check=False)
    # Each but the last was repaired: there was a route to delete again.
    repaired = changes(node, "route") - count - 1
    assert 0 <= repaired <= min(rounds - 1, repairs_at_most(time.monotonic() - start))
    wait_for(lambda: routes(node, scene.web) == before, 15, "the route to come back")


def test_an_interface_set_down_is_set_up(scene):
    """The kernel drops the IPv4 routes with it, and tells nobody."""
    node = scene.nodes[0]
    before, count, log = routes(node, scene.web), changes(node, "interface"), len(node.log_text())
    node.namespace.ip("link", "set", scene.web.host_ifname, "down")
    wait_for(lambda: routes(node, scene.web) == before, 5, "the routes to come back")
    assert changes(node, "interface") == count + 1
    assert tcp(scene.friend, scene.web.v4, 80) and tcp(scene.friend, scene.web.v6, 80)
    assert "somebody set a pod's interface down, it is up again" in node.log_text()[log:]
    assert cni.call(scene.web, "CHECK", prev=scene.web.result) is None


def assert_gone(node, pod, log):
    """An interface that is gone is told everywhere; its pod stays isolated and has no routes."""
    wait_for(lambda: node.metrics()["manx_interfaces_gone"] == 1, 5, "it to be noticed")
    wait_for(lambda: routes(node, pod) == "", 5, "the routes to go")
    wait_for(lambda: node.metrics()["manx_pending_operations"] == 0, 5, "nothing to be pending")
    assert node.get("/readyz")[0] == 200
    assert re.search(log + rf'.*pod="default/{pod.name}" ifname={pod.host_ifname}',
                     node.log_text())
    status = node.manx("status", "--run-dir", node.run_dir).stdout
    assert re.search(rf"default/{pod.name} .*\(its interface was deleted\)", status)
    assert f"pod default/{pod.name} (container {pod.container_id[:13]}): " in status
    with pytest.raises(cni.CniError, match="the interface was deleted") as e:
        cni.call(pod, "CHECK", prev=pod.result)
    assert e.value.code == 102
    assert pod.v4 in node.ruleset()  # its address lets nobody else in


def test_a_sandbox_whose_del_never_comes(scene):
    """As of containerd without the plugin loopback: what a restart would free, the agent frees."""
    node = scene.nodes[0]
    stale, robbed, orphan = (scene.run_pod(node, "default", name, {"app": "web"}, serve=())
                             for name in ("stale", "taken", "unwanted"))

    def problems():
        return json.loads(node.manx("status", "--run-dir", node.run_dir,
                                    "--json").stdout)["problems"]

    def told(pod, words):
        return any(f"pod default/{pod.name} (" in p and words in p for p in problems())

    def holds(pod):
        return pod.v4 in node.manx("ipam", "show", "--run-dir", node.run_dir).stdout
    stale.namespace.delete()
    for pod in (robbed, orphan):
        node.namespace.ip("link", "delete", pod.host_ifname)
    scene.remove(orphan.object())  # its sandbox is there, and nobody wants it any more
    wait_for(lambda: told(stale, "no DEL came yet"), 5, "status to name it")
    wait_for(lambda: told(robbed, "delete the pod"), 5, "status to name it")
    time.sleep(25)
    assert holds(stale) and holds(robbed) and holds(orphan)
    wait_for(lambda: not holds(stale) and not holds(orphan), 20, "the addresses to be freed")
    assert holds(robbed)  # its pod may run
    assert node.metrics()["manx_sandboxes_without_del_total"] == 2
    assert node.log_text().count("no DEL came for a sandbox that is gone") == 2
    assert stale.v4 not in node.ruleset() and robbed.v4 in node.ruleset()
    cni.call(stale, "DEL")  # late, and nothing to do
    node.restart_agent()  # which would have freed them, and frees nothing more of the two
    assert not holds(stale)
    cni.call(robbed, "DEL")
    cni.call(orphan, "DEL")
    scene.remove(stale.object(), robbed.object())
    assert node.metrics()["manx_interfaces_gone"] == 0


def test_an_interface_that_somebody_deleted(scene):
    node = scene.nodes[0]
    pod = scene.run_pod(node, "default", "robbed", {"app": "web"})
    before, count = routes(node, scene.web), changes(node, "interface")
    node.namespace.ip("link", "delete", pod.host_ifname)
    assert_gone(node, pod, "somebody deleted a pod's interface; only a new pod gets one")
    assert changes(node, "interface") == count + 1
    assert routes(node, scene.web) == before
    scene.delete(pod)
    assert node.metrics()["manx_interfaces_gone"] == 0
    assert pod.v4 not in node.manx("ipam", "show", "--run-dir", node.run_dir).stdout


def test_a_namespace_that_ends_before_its_pod_is_deleted(scene):
    """No program took the interface: it is no cause for a warning."""
    node = scene.nodes[0]
    pod = scene.pod(node, "default", "ended", {"app": "web"}, serve=())
    count, warnings = changes(node, "interface"), node.log_text().count("level=warn")
    scene.add(pod)
    pod.namespace.delete()
    assert_gone(node, pod, "a pod's interface is gone with its namespace")
    assert changes(node, "interface") == count
    assert node.log_text().count("level=warn") == warnings + 1  # the CHECK that failed
    scene.delete(pod)
    assert node.metrics()["manx_interfaces_gone"] == 0


def test_pods_that_come_and_go_are_no_cause_for_alarm(scene):
    node = scene.nodes[0]
    before = [changes(node, what) for what in ("route", "interface")]
    log = len(node.log_text())
    for n in range(5):
        scene.delete(scene.run_pod(node, "default", f"guest-{n}", serve=()))
    time.sleep(0.2)
    assert [changes(node, what) for what in ("route", "interface")] == before
    assert not re.search("level=(warn|error)", node.log_text()[log:])
