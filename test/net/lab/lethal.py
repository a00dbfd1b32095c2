# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios in which the agent is killed at one system call (test/net/killer.c), and goes on.

A scenario brings everything into the same state, starts the agent under the killer and lets the
same things happen; whenever the agent is dead it is started again, without the killer, as its
supervisor would; runtimes try again.  Then it reckons.  run() returns the killer's report, "" when
there was no such call: the scenario has come to its end.  run(0) kills nothing and reports all.
"""

import concurrent.futures
import json
import shutil
import signal
import threading
import time

from lab import cni
from lab.arena import normal
from lab.cluster import ROOT, wait_for
from lab.runtimes import Runtime

KILLER = ROOT / "build/net/killer"
COMPACT_MIN = 65536  # bytes; JOURNAL_COMPACT_MIN, ipam/journal_internal.h
WHOLE_EVERY = 16  # kills between two whole reckonings


class Scenario:
    """The agent under the killer, and its supervisor.

    fewest: system calls that there must be at least, so that it is known to be what it says
    """

    fewest, flags = 1, ()

    def __init__(self, node):
        assert KILLER.exists(), f"{KILLER} is missing: make killer"
        self.node, self.lock = node, threading.Lock()
        self.report = node.folder / "killed"
        node.flags = ["--status-grace", "0s"]  # who calls starts the next agent; it must not wait

    def start(self, number, after):
        self.report.unlink(missing_ok=True)
        self.node.launcher = [KILLER, "--at", number, *(["--after"] if after else []),
                              *self.flags, "--report", self.report]
        self.node.start_agent(wait=False)
        self.node.launcher = []

    def killed(self):
        """The report, when the agent is dead: collected, and nobody started in its place."""
        process = self.node.process
        if process and process.poll() is not None:
            assert process.returncode == -signal.SIGKILL and self.verdict(), \
                f"the agent ended with {process.returncode}:\n{self.node.log_text()[-3000:]}"
            self.node.process = None
        return not self.node.process

    def revive(self):
        """Start the agent again if it is dead."""
        with self.lock:
            if self.killed():
                self.node.start_agent(wait=False)
        time.sleep(0.005)

    def started(self):
        """Wait until the agent is ready, True, or dead, False."""
        wait_for(lambda: self.killed() or self.node.get("/readyz")[0] == 200, 20, "the agent",
                 step=0.003)
        return bool(self.node.process)

    def stop(self):
        """The end of a scenario is the agent's."""
        if self.killed():
            return
        status = self.node.stop_agent()
        assert status in (0, -signal.SIGKILL), f"the agent ended with {status}"

    def verdict(self):
        return self.report.read_text() if self.report.exists() else ""


class FirstStart(Scenario):
    """A start on a node that has nothing yet: folders, journal, table, plugin, configuration."""

    fewest = 50

    def __init__(self, lab):
        super().__init__(lab.node("first"))
        lab.namespace_object("default")
        lab.policy("default", "some", {}, ingress=[{"ports": [{"port": 80}]}])
        self.state = None

    def _state(self):
        """What there is in the kernel and in the folders."""
        node = self.node
        plugin = (node.cni_bin_dir / "manx").read_bytes()
        conflist = json.loads((node.cni_conf_dir / "10-manx.conflist").read_text())
        files = sorted(str(p.relative_to(node.folder))
                       for folder in (node.state_dir, node.cni_conf_dir, node.cni_bin_dir)
                       for p in folder.rglob("*"))
        return plugin, conflist, files, normal(node.ruleset())

    def run(self, number, after=False):
        node = self.node
        node.namespace.run("nft", "delete", "table", "inet", "manx", check=False)
        for folder in (node.state_dir, node.run_dir, node.cni_conf_dir, node.cni_bin_dir):
            shutil.rmtree(folder, ignore_errors=True)
        self.start(number, after)
        self.started()
        self.stop()
        node.start_agent()
        node.restart_agent(signal.SIGKILL)
        self.state = self.state or self._state()  # of run(0)
        assert self._state() == self.state, self.verdict()
        assert node.metrics()["manx_nft_operations_total"] == 0, self.verdict()
        node.stop_agent(signal.SIGKILL)
        return self.verdict()


class OnJournal(Scenario):
    """In an arena, whose agent is alive before and after, with a journal that was prepared."""

    def __init__(self, arena):
        super().__init__(arena.node)
        self.arena, self.kills = arena, 0
        self.runtime = Runtime(arena.lab, arena.ledger, 1, dies=0, revive=self.revive)
        for sandbox in arena.sandboxes:
            if sandbox.result:
                self.runtime.delete(sandbox)
        self.template = self._prepare()

    def _fill(self, enough):
        """Records that do not count any more, by ADDs that fail, until enough(size, last growth)"""
        sandbox, journal = self.arena.sandboxes[0], self.arena.journal
        before, size = 0, journal.stat().st_size
        while before >= size or not enough(size, size - before):
            sandbox.renew()
            try:
                cni.call(sandbox, "ADD", variables={"CNI_NETNS": "/nowhere"})
                raise AssertionError("an ADD to no network namespace succeeded")
            except cni.CniError:
                before, size = size, journal.stat().st_size

    def _prepare(self):
        raise NotImplementedError

    def reckon(self):
        self.kills += 1
        self.revive()
        self.started()
        try:
            self.arena.reckon(whole=self.kills % WHOLE_EVERY == 0)
        except AssertionError as e:
            raise AssertionError(f"killed at {self.verdict() or 'no call'}: {e}") from e

    def begin(self, number, after):
        self.arena.kill()
        self.arena.journal.write_bytes(self.template)
        self.start(number, after)


class Rewrite(OnJournal):
    """A start whose journal is mostly history: it is written anew.  Kills at changes of files."""

    fewest, flags = 10, ("--files",)

    def _prepare(self):
        new = self.arena.journal.with_name(self.arena.journal.name + ".new")
        new.mkdir()  # the agent cannot replace its journal: so it grows
        self._fill(lambda size, _: size > COMPACT_MIN)
        new.rmdir()
        return self.arena.journal.read_bytes()

    def run(self, number, after=False):
        self.begin(number, after)
        self.started()
        self.stop()  # an agent that lives on changes files, too: last-ready, each second
        self.reckon()
        assert self.arena.journal.stat().st_size < COMPACT_MIN / 4, "it was not written anew"
        return self.verdict()


class Work(OnJournal):
    """Everything that an agent does for pods and policies, once."""

    fewest = 180

    def _prepare(self):
        """The next ADD and DEL make the journal worth replacing; its last record is torn."""
        self._fill(lambda size, growth: size <= COMPACT_MIN < size + growth)
        whole = self.arena.journal.read_bytes()
        return whole + whole[:20]

    def _policy(self, number):
        self.arena.lab.policy("steady", "extra-work", {}, types=["Ingress"], ingress=[
            {"ports": [{"port": 1000 + number, "endPort": 3000 + number}]}])

    def _one_pod(self, sandbox):
        self.runtime.add_until_answered(sandbox)
        self.runtime.delete(sandbox)

    def _pods(self):
        """One comes and goes, by DEL; beside it another one, by GC."""
        arena = self.arena
        one, two = (next(s for s in arena.sandboxes if s.kube_namespace == kind)
                    for kind in ("locked", "open"))
        one.renew()
        with concurrent.futures.ThreadPoolExecutor(1) as other:
            done = other.submit(self._one_pod, one)
            self.runtime.add_until_answered(two)
            self.runtime.collect(two, [*arena.steady.values(), one])
            done.result()

    def run(self, number, after=False):
        self._policy(2 * number)
        self.begin(number, after)
        if self.started():
            self._policy(2 * number + 1)
            self._pods()
        if number == 0 or not self.verdict():
            assert self.arena.journal.stat().st_size < COMPACT_MIN / 4, "it was not replaced"
        self.stop()
        self.reckon()
        return self.verdict()
