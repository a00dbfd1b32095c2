# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the tests against a real API server.  Names of what they make begin with
mxt<process id>-."""

import os
import signal

import pytest

from .lab import Control, KubeLab, sweep_servers


def pytest_configure(config):
    if os.geteuid() != 0:
        raise pytest.UsageError("test/kube makes network namespaces: run it as root")
    # A termination ends like an interrupt: fixtures are torn down.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sweep_servers()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the servers' last lines with a failure."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for value in {v for v in getattr(item, "funcargs", {}).values() if isinstance(v, Control)}:
            for daemon in (value.etcd, value.server):
                report.sections.append((daemon.name, daemon.tail(20)))


@pytest.fixture(scope="session")
def make_lab():
    """Makes a lab whose objects are in an API server."""
    return KubeLab


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
