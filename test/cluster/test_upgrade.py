# SPDX-License-Identifier: GPL-2.0-or-later
"""An upgrade of Manx while pods run.  It comes last: the agents are of the second image then."""

import concurrent.futures
import pathlib

from lab import tcp

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
