# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the network tests.  Names of what they make begin with mxt<process id>-."""

import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lab import Lab, sweep  # noqa: E402


def pytest_configure(config):
    if os.geteuid() != 0:
        raise pytest.UsageError("test/net makes network namespaces: run it as root")
    # A termination ends like an interrupt: fixtures are torn down.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sweep()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the agents' last lines with a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Lab):
                for node in value.nodes:
                    report.sections.append((f"agent of {node.name}", node.log_text()[-3000:]))


@pytest.fixture(scope="session")
def make_lab():
    """Makes a lab whose objects are in a folder; test/kube has one with an API server."""
    return Lab


@pytest.fixture
def lab():
    """An empty lab: both families, no node yet."""
    with Lab() as one:
        yield one


@pytest.fixture
def node(lab):
    """A node with an agent, and the namespace `default`."""
    one = lab.node("n1", start=True)
    lab.namespace_object("default")
    return one


@pytest.fixture(scope="module")
def shared_lab():
    """A lab for all tests of a file; each test uses Kubernetes namespaces of its own."""
    with Lab() as one:
        yield one
