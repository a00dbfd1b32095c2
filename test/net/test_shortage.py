# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent without file descriptors, and one without memory: it says so, does not turn in circles,
loses no request and nothing in the kernel, and is well again when there is enough."""

import contextlib
import errno
import os
import pathlib
import re
import resource
import signal
import socket
import threading
import time

import pytest

from lab import cni, tcp
from lab.cluster import HTTP_PORT, binary, wait_for

WAITING = "connections have to wait, the system has no room for them"


@pytest.fixture(name="node", scope="module")
def fixture_node(shared_lab):
    """A node and two pods."""
    node = shared_lab.node("n1", start=True)
    shared_lab.namespace_object("default")
    node.web = shared_lab.run_pod(node, "default", "web")
    node.client = shared_lab.run_pod(node, "default", "client")
    shared_lab.settle()
    return node


@contextlib.contextmanager
def limited(node, what, value):
    """A limit of the running agent."""
    pid = node.process.pid
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (value, before[1]))
    try:
        yield
    finally:
        if node.process and node.process.poll() is None:
            resource.prlimit(pid, what, before)


def rules(node):
    """The table without what counters have counted."""
    return re.sub(r"packets \d+ bytes \d+", "", node.ruleset())


def descriptors(node):
    return len(os.listdir(f"/proc/{node.process.pid}/fd"))


def turns(node):
    return node.metrics()["manx_loop_turns_total"]


@contextlib.contextmanager
def callers(node, n):
    """Connections to both sockets of the agent, which say nothing."""
    with contextlib.ExitStack() as stack:
        for _ in range(n):
            s = stack.enter_context(socket.socket(socket.AF_UNIX))
            s.connect(str(node.run_dir / "cni.sock"))
            with node.namespace:
                s = stack.enter_context(socket.create_connection(("127.0.0.1", HTTP_PORT)))
        yield


def in_thread(function):
    """Run it beside; return a function that waits for its end and returns what it returned."""
    result = []
    thread = threading.Thread(target=lambda: result.append(function()))
    thread.start()

    def end():
        thread.join(60)
        return result[0]
    return end


def test_no_descriptors(shared_lab, node):
    """Callers wait, costing nothing, and are served when there is room."""
    pod = shared_lab.pod(node, "default", "waits")
    shared_lab.write(pod.object())
    log, before = len(node.log_text()), turns(node)
    with limited(node, resource.RLIMIT_NOFILE, descriptors(node) + 4), callers(node, 12):
        wait_for(lambda: WAITING in node.log_text()[log:], 10, "the agent to say so")
        add = in_thread(lambda: cni.call(pod, "ADD"))
        page = in_thread(lambda: node.get("/livez"))
        time.sleep(1)
        assert tcp(node.client, node.web.v4, 80)
    pod.take_result(add())
    assert turns(node) - before < 1000  # in circles it would be tens of thousands
    assert page() == (200, "ok\n") or node.get("/livez")[0] == 200
    assert tcp(node.client, pod.v4, 80)
    assert node.log_text()[log:].count(WAITING) <= 4
    assert "connections are served again" in node.log_text()[log:]
    wait_for(lambda: node.get("/readyz")[0] == 200, 35, "the agent to be ready")


def test_a_call_with_the_last_descriptor(shared_lab, node):
    """What needs another one fails with the reason, or succeeds without; and then all is well."""
    pod = shared_lab.pod(node, "default", "last")
    shared_lab.write(pod.object())
    shared_lab.settle()
    for free in (1, 2, 3):
        with limited(node, resource.RLIMIT_NOFILE, descriptors(node) + free):
            try:
                cni.call(pod, "ADD")
            except cni.CniError as e:
                assert e.code in (5, 11, 101)
                assert os.strerror(errno.EMFILE) in e.msg, e.msg
            with contextlib.suppress(cni.CniError):
                cni.call(pod, "DEL")
    wait_for(lambda: node.get("/readyz")[0] == 200, 35, "the agent to be ready")
    shared_lab.add(pod)
    assert tcp(node.client, pod.v4, 80)
    assert node.metrics()["manx_pending_operations"] == 0


@pytest.mark.skipif("asan" in str(binary()), reason="sanitizers need the address space themselves")
def test_no_memory(shared_lab, node):
    """The agent ends with a message; the kernel goes on, and the next agent finds all as it was."""
    before, log = rules(node), len(node.log_text())
    size = int(pathlib.Path(f"/proc/{node.process.pid}/statm").read_text().split()[0])
    big = shared_lab.manifests / "big.yaml"
    with limited(node, resource.RLIMIT_AS, size * resource.getpagesize() + (4 << 20)):
        shared_lab.write_text(big.name, "\n---\n".join(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n"
            f"  name: big-{n}\n  labels: {{a: {'x' * 60}, b: {'y' * 60}}}" for n in range(20000)))
        wait_for(lambda: node.process.poll() is not None, 30, "the agent to end")
    assert node.process.returncode == -signal.SIGABRT
    node.process = None
    assert "out of memory, aborting" in node.log_text()[log:]
    assert tcp(node.client, node.web.v4, 80)
    assert rules(node) == before
    node.start_agent()
    assert node.metrics()["manx_nft_operations_total"] == 0
    assert node.metrics()['manx_objects{kind="Namespace"}'] > 20000
    big.unlink()
    shared_lab.settle()
    shared_lab.run_pod(node, "default", "after")
