# SPDX-License-Identifier: GPL-2.0-or-later
"""deploy/ on kubelets that have no network yet, by the commands of README."""

import json
import pathlib
import re

from lab.cluster import wait_for


def test_installed_by_the_commands_of_the_readme(cluster):
    applied, rolled_out, nodes = cluster.printed
    assert [line.rsplit(" ", 1)[1] for line in applied.splitlines()] == ["created"] * 5
    assert 'daemon set "manx" successfully rolled out' in rolled_out
    assert set(re.findall(r"^(n\d+) +(?:Not)?Ready ", nodes, re.M)) == {
        node.name for node in cluster.nodes}


def test_the_agents_make_the_nodes_ready(cluster):
    """Each node's agent is a container with CAP_NET_ADMIN alone, under the runtime's filter of
    system calls."""
    for node in cluster.nodes:
        assert cluster.node_ready(node.name)
        pod = cluster.agent(node)
        assert pod.object["status"]["containerStatuses"][0]["restartCount"] == 0
        text = pathlib.Path(f"/proc/{node.agent_pid(pod)}/status").read_text()
        status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        assert status["CapEff"].strip() == f"{1 << 12:016x}"
        assert status["Seccomp"].strip() == "2"
        assert json.loads(node.manx("status", "--json").stdout)["problems"] == []


def test_pods_have_addresses_of_their_node(cluster, space):
    for node in cluster.nodes:
        pod = cluster.run(f"on-{node.name}", space, node=node.name)
        assert pod.v4.startswith(f"10.201.{node.number}.")
        assert pod.v6.startswith(f"fd00:201:0:{node.number}:")
        given = node.addresses_given()
        assert given[pod.v4] == given[pod.v6] == f"{space}/{pod.name}"
    wait_for(lambda: all(n.manx("ipam", "check", check=False).returncode == 0
                         for n in cluster.nodes), 10, "journals that agree with interfaces")
