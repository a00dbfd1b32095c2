# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal's disk full, read-only, broken and slow: ADD says so, what runs goes on, and the
agent recovers when the disk does.

The state folder is a small file system in memory, seen by the agent alone.  A disk that turns
read-only under an open file, one that loses data and one that is slow are injected by strace.
"""

import contextlib
import errno
import os
import re
import threading

import pytest

from lab import cni, tcp
from lab.cluster import wait_for
from lab.faults import Faults, SmallDisk

NAMED = r"(writing|making) \S+/attachments.journal\b.*: "
BROKEN = {  # what fails, and how
    "read-only": (errno.EROFS, "pwrite64"),
    "losing data": (errno.EIO, "fdatasync,fsync"),
}


@pytest.fixture(name="node", scope="module")
def fixture_node(shared_lab):
    """A node whose journal is on a disk of its own, and two pods."""
    node = shared_lab.node("n1")
    with contextlib.closing(SmallDisk(node.state_dir, "256k")) as node.disk:
        node.launcher = node.disk.launcher
        node.start_agent()
        shared_lab.namespace_object("default")
        node.web = shared_lab.run_pod(node, "default", "web")
        node.client = shared_lab.run_pod(node, "default", "client")
        yield node


@pytest.fixture(autouse=True)
def pods_go_on(node):
    """Whatever happened to the disk, pods talk, and in the end the agent is well."""
    yield
    assert tcp(node.client, node.web.v4, 80)
    wait_for(lambda: writable(node) and node.get("/readyz")[0] == 200, 40, "the agent to recover")


def writable(node):
    return node.metrics()["manx_journal_writable"] == 1


def refused_add(lab, node, name, reason):
    """An ADD that fails with file and reason, and leaves nothing; return the pod."""
    pod = lab.pod(node, "default", name)
    lab.write(pod.object())
    with pytest.raises(cni.CniError) as e:
        for _ in range(40):  # the last page of the journal may have room for some
            cni.call(pod, "ADD")
            cni.call(pod, "DEL")
    assert e.value.code == 5
    assert re.search(NAMED + reason, e.value.msg), e.value.msg
    assert "eth0" not in pod.namespace.ip("-br", "link")
    return pod


def assert_shown(node, reason):
    """Status, /readyz, STATUS and the log name file and reason."""
    pattern = "journal: " + NAMED + reason
    for text in (node.manx("status", "--run-dir", node.run_dir).stdout, node.get("/readyz")[1]):
        assert re.search(pattern, text), text
    with pytest.raises(cni.CniError, match=reason) as e:
        cni.status(node)
    assert e.value.code == 50
    assert re.search(r"the journal cannot be written.*" + reason, node.log_text())
    assert not writable(node)


def assert_added_at_last(lab, pod):
    wait_for(lambda: writable(pod.node), 40, "the agent to recover")
    lab.add(pod)
    assert pod.v4 not in [p.v4 for p in lab.pods if p is not pod]
    assert tcp(pod, pod.node.web.v4, 80)


def test_a_full_disk(shared_lab, node):
    reason = os.strerror(errno.ENOSPC)
    ballast = node.disk.fill()
    pod = refused_add(shared_lab, node, "full", reason)
    assert_shown(node, reason)
    assert tcp(node.client, node.web.v4, 80)
    failures = node.metrics()["manx_journal_failures_total"]
    wait_for(lambda: node.metrics()["manx_journal_failures_total"] > failures, 40,
             "the disk to be tried again")
    ballast.unlink()
    assert_added_at_last(shared_lab, pod)
    assert "the journal can be written again" in node.log_text()


def test_a_pod_is_deleted_from_a_full_disk(shared_lab, node):
    """DEL succeeds, and when there is room the agent has it on the disk without being asked."""
    pod = shared_lab.run_pod(node, "default", "leaving")
    with Faults(node.process.pid, "pwrite64:error=ENOSPC"):
        cni.call(pod, "DEL")
        assert not writable(node)
    assert pod.host_ifname not in node.links()
    wait_for(lambda: writable(node), 40, "the removal to be on the disk")
    shared_lab.remove(pod.object())
    log = len(node.log_text())
    node.restart_agent()
    assert "damaged" not in node.log_text()
    assert pod.v4 not in node.manx("ipam", "show", "--run-dir", node.run_dir).stdout
    assert "the link is gone, releasing" not in node.log_text()[log:]


@pytest.mark.parametrize("how", BROKEN)
def test_a_disk_that_breaks_under_the_open_file(shared_lab, node, how):
    code, calls = BROKEN[how]
    with Faults(node.process.pid, f"{calls}:error={errno.errorcode[code]}"):
        pod = refused_add(shared_lab, node, how.replace(" ", "-"), os.strerror(code))
        assert_shown(node, os.strerror(code))
        assert tcp(node.client, node.web.v4, 80)
    assert_added_at_last(shared_lab, pod)


def test_a_disk_that_is_read_only_at_the_start(node):
    """The agent does not start, and says why; what is in the kernel stays in force."""
    node.stop_agent()
    node.disk.mount("ro")
    log = len(node.log_text())
    node.start_agent(wait=False)
    assert node.process.wait(10) == 1
    node.process = None
    assert re.search(r'cannot start" err="\S+ \S+: Read-only file system', node.log_text()[log:])
    assert tcp(node.client, node.web.v4, 80)
    node.disk.mount("rw")
    node.start_agent()
    assert node.metrics()["manx_nft_operations_total"] == 0


def test_a_slow_disk(shared_lab, node):
    """An ADD waits for the disk, and nothing else does: neither policies nor pages."""
    pod = shared_lab.pod(node, "default", "slow")
    shared_lab.write(pod.object())
    with Faults(node.process.pid, "fdatasync:delay_enter=20000000"):
        add = threading.Thread(target=lambda: pod.take_result(cni.call(pod, "ADD")))
        add.start()
        shared_lab.policy("default", "closed", {}, ingress=[])
        wait_for(lambda: tcp(node.client, node.web.v4, 80, wait=0.1) is None, 10,
                 "the policy to be in force")
        assert add.is_alive() and pod.v4 is None
        assert node.get("/readyz")[0] == 200
    add.join(30)
    assert pod.v4
    shared_lab.remove_all("NetworkPolicy")
    shared_lab.settle()


def test_a_full_disk_while_the_agent_starts(node):
    """A journal that is whole needs no room: the agent starts, and the pods are all there."""
    ballast = node.disk.fill()
    node.restart_agent()
    assert node.metrics()["manx_attachments"] >= 2
    ballast.unlink()
