# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the tests on a whole cluster.  One cluster is for all of them; each test uses
Kubernetes namespaces of its own and leaves nodes and agents as it found them."""

import itertools
import os
import signal

import pytest

from lab import tcp

from .lab import Cluster, manifest, sweep_nodes, why_not

NUMBERS = itertools.count(1)


def pytest_configure(config):
    if os.geteuid() != 0:
        raise pytest.UsageError("test/cluster makes namespaces and cgroups: run it as root")
    # A termination ends like an interrupt: fixtures are torn down.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sweep_nodes()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the last lines of the daemons and agents with a failure."""
    outcome = yield
    report = outcome.get_result()
    cluster = getattr(item, "funcargs", {}).get("cluster")
    if report.failed and cluster:
        for node in cluster.nodes:
            report.sections.append((f"agent of {node.name}", cluster.agent_log(node)[-3000:]))
            for daemon in (node.containerd, node.kubelet):
                report.sections.append((f"{daemon.name} of {node.name}", daemon.tail(15)))


@pytest.fixture(scope="session")
def bare_cluster():
    """A cluster without Manx."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with Cluster() as one:
        yield one


@pytest.fixture(scope="session")
def cluster(bare_cluster):
    """A cluster with Manx, by README's words; `printed` is what the commands printed."""
    bare_cluster.printed = bare_cluster.install()
    for node in bare_cluster.nodes:
        bare_cluster.wait(lambda n=node: bare_cluster.node_ready(n.name), 60, f"{node.name}",
                          "kube-system")
    return bare_cluster


@pytest.fixture
def space(cluster):
    """A namespace for one test; its pods are gone when the test ends."""
    name = cluster.namespace(f"t{next(NUMBERS)}")
    yield name
    cluster.delete("Namespace", name)


@pytest.fixture
def scene(cluster, space):
    """Two servers, one of them shut by a policy, and a client on the other node."""
    cluster.policy("shut", space, {"app": "shut"}, policyTypes=["Ingress"], ingress=[])
    for name, node in (("open", "n1"), ("shut", "n1"), ("client", "n2")):
        cluster.create(manifest(name, space, node=node))
    server, shut, client = [cluster.wait_pod(space, name) for name in ("open", "shut", "client")]
    assert tcp(client, server.v4, 80, wait=5) and not tcp(client, shut.v4, 80)
    return server, shut, client
