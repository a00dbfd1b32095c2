# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the tests against a real API server.  Names of what they make begin with
mxt<process id>-."""

import os
import signal

import pytest

from .lab import Control, KubeLab, sweep_servers
from .lab.shop import Shop


def pytest_configure(config):
    if os.geteuid() != 0:
        raise pytest.UsageError("test/kube makes network namespaces: run it as root")
    # A termination ends like an interrupt: fixtures are torn down.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sweep_servers()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the last lines of servers and agents with a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        values = getattr(item, "funcargs", {}).values()
        labs = {v.lab for v in values if isinstance(v, Shop)} | {
            v for v in values if isinstance(v, KubeLab)}
        for one in {v for v in values if isinstance(v, Control)} | {v.control for v in labs}:
            for daemon in (one.etcd, one.server):
                report.sections.append((daemon.name, daemon.tail(20)))
        for node in [n for one in labs for n in one.nodes]:
            report.sections.append((f"agent of {node.name}", node.log_text()[-3000:]))


@pytest.fixture(scope="session")
def make_lab():
    """Makes a lab whose objects are in an API server."""
    return KubeLab


@pytest.fixture(scope="module")
def shop():
    """A scene in a cluster of its own; tests leave it as they found it."""
    with KubeLab() as lab:
        yield Shop(lab, lab.node("n1", start=True))


@pytest.fixture(scope="session")
def shared_control():
    """One control plane for all tests; each uses Kubernetes namespaces and users of its own.
    A test may restart the servers, and leaves them running."""
    with Control(tokens={"static-token": ("robot", ["machines"])}) as one:
        yield one


@pytest.fixture
def control(shared_control):
    """The shared control plane, with an audit log that begins at this test."""
    shared_control.audit.mark()
    return shared_control
