# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes wrong with nodes and servers while pods run.  Each test ends with all well again."""

import os
import signal
import time

from lab import tcp
from lab.cluster import wait_for

from .lab import Traffic


def holds(server, shut, client):
    """The one server answers, the other does not."""
    wait_for(lambda: tcp(client, server.v4, 80, wait=2), 10, "the open server")
    assert not tcp(client, shut.v4, 80) and not tcp(client, shut.v6, 80)


def agent_ready(cluster, node):
    pod = cluster.agent(node)
    states = pod.object["status"].get("containerStatuses", []) if pod else []
    return bool(states) and all(c["ready"] for c in states)


def test_the_agent_crashes(cluster, space, scene):
    """The kubelet starts it again; meanwhile connections and policies go on, and the node is ready
    at the end."""
    open_, shut, client = scene
    node = cluster.nodes[0]
    before = node.agent_pid(cluster.agent(node))
    with Traffic(client, open_.v4, 80) as wanted, Traffic(client, shut.v4, 80, 1) as unwanted:
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: node.agent_pid(cluster.agent(node)) not in (None, before), 60,
                 "another agent", 0.1)
        wait_for(lambda: agent_ready(cluster, node), 60, "its readiness", 0.1)
        late = cluster.run("late", space, node=node.name)
    assert wanted.count > 20 and wanted.missed == 0 and not unwanted.seen
    assert tcp(client, late.v4, 80, wait=2).name == "late"
    wait_for(lambda: cluster.node_ready(node.name), 60, "the node")
    assert node.manx("ipam", "check", check=False).returncode == 0


def test_containerd_and_the_kubelet_start_again(cluster, space, scene):
    """Containers run on, the agent's too."""
    open_, shut, client = scene
    node = cluster.nodes[0]
    agent = node.agent_pid(cluster.agent(node))
    with Traffic(client, open_.v4, 80) as wanted, Traffic(client, shut.v4, 80, 1) as unwanted:
        node.containerd.restart()
        node.kubelet.restart()
        late = cluster.run("late", space, node=node.name)
    assert wanted.count > 20 and wanted.missed == 0 and not unwanted.seen
    assert tcp(client, late.v4, 80, wait=2).name == "late"
    assert node.agent_pid(cluster.agent(node)) == agent


def test_the_api_server_is_away(cluster, space, scene):
    """Pods go on and policies hold; after its return a policy that is made is in force, and a new
    pod starts, without anybody starting anything."""
    open_, shut, client = scene
    with Traffic(client, open_.v4, 80) as wanted, Traffic(client, shut.v4, 80, 1) as unwanted:
        cluster.control.server.kill()
        time.sleep(5)
        assert all(n.manx("status", check=False).returncode == 0 for n in cluster.nodes)
        cluster.control.server.start()
    assert wanted.count > 20 and wanted.missed == 0 and not unwanted.seen
    cluster.policy("late", space, {"app": "open"}, policyTypes=["Ingress"], ingress=[
        {"from": [{"podSelector": {"matchLabels": {"app": "late"}}}]}])
    wait_for(lambda: not tcp(client, open_.v4, 80), 60, "the policy")
    late = cluster.run("late", space, node="n2")
    assert tcp(late, open_.v4, 80, wait=2).name == "open"


def test_a_node_loses_its_power(cluster, space, scene):
    """All its processes end and its network is made again: its pods come back under the policies
    that they had, and no address is left behind."""
    open_, shut, client = scene
    node = cluster.nodes[0]
    node.power_off()
    node.start()
    cluster.wait(lambda: cluster.node_ready(node.name) and agent_ready(cluster, node), 120,
                 "the node", "kube-system")
    cluster.wait(lambda: all(restarted(cluster.pod(space, p.name)) for p in (open_, shut)), 90,
                 "the pods", space)
    pods = [cluster.pod(space, p.name) for p in (open_, shut)]
    holds(*pods, client)
    wait_for(lambda: set(node.addresses_given()) == {
        a for p in cluster.pods_on(node) for a in p.ips}, 60, "no address but those of pods")
    assert node.manx("ipam", "check", check=False).returncode == 0


def restarted(pod):
    states = pod.object["status"].get("containerStatuses", [])
    return bool(states) and all(c["ready"] and c["restartCount"] > 0 for c in states)
