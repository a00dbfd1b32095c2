# SPDX-License-Identifier: GPL-2.0-or-later
"""Upgrades of Manx while pods run.  They come last: the agents are of another image then."""

import concurrent.futures
import pathlib
import re
import time

from lab import tcp
from lab.cluster import wait_for

from .lab import NodeWatch, Traffic


def test_upgraded_by_the_commands_of_the_readme(cluster, space, scene):
    """Every agent is exchanged for one of the second image; pods run on under their policies, pods
    that start meanwhile start, and no node is ever NotReady."""
    open_, shut, client = scene
    with NodeWatch(cluster) as nodes, Traffic(client, open_.v4, 80) as wanted, \
            Traffic(client, shut.v4, 80, 1) as unwanted, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        late = pool.submit(lambda: [cluster.run(f"late-{n}", space) for n in range(4)])
        printed = cluster.upgrade()
        pods = late.result()
    assert "daemonset.apps/manx configured" in printed[0]
    for node in cluster.nodes:
        agent = cluster.agent(node)
        images = {c["image"] for c in agent.object["spec"]["containers"]}
        assert images == {"registry.example/manx:2"}
        file = f"/proc/{node.agent_pid(agent)}/root/usr/share/doc/manx-image"
        assert pathlib.Path(file).read_text() == "2\n"
    assert wanted.count > 20 and wanted.missed == 0 and not unwanted.seen
    for pod in pods:
        assert tcp(client, pod.v4, 80, wait=2).name == pod.name
    assert not nodes.unready


def test_an_image_that_comes_late(cluster, space, scene):
    """The agent of a node goes on until the image of the next one has come."""
    open_, shut, client = scene
    file = cluster.folder / "deploy/daemonset.yaml"
    file.write_text(re.sub("image: .*", "image: registry.example/manx:3", file.read_text()))

    def waiting():
        """The node whose next agent has no image, or None."""
        return next((n for n in cluster.nodes for p in cluster.agents(n)
                     if waits_for_image(p.object)), None)

    with NodeWatch(cluster) as nodes, Traffic(client, open_.v4, 80) as wanted, \
            Traffic(client, shut.v4, 80, 1) as unwanted:
        cluster.kubectl("apply", "-f", "deploy/")
        wait_for(waiting, 60, "an agent without an image", 0.1)
        time.sleep(15)
        assert waiting() and waiting().path("/run/manx/cni.sock").exists()
        early = cluster.run("early", space)
        assert tcp(client, early.v4, 80, wait=2).name == "early"
        cluster.publish(3)
        cluster.kubectl("-n", "kube-system", "rollout", "status", "daemonset/manx")
    assert wanted.count > 20 and wanted.missed == 0 and not unwanted.seen
    assert not nodes.unready
    late = cluster.run("late", space)
    assert tcp(client, late.v4, 80, wait=2).name == "late"


def waits_for_image(pod):
    states = pod["status"].get("initContainerStatuses", [])
    return any("Image" in s["state"].get("waiting", {}).get("reason", "") for s in states)
