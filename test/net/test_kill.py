# SPDX-License-Identifier: GPL-2.0-or-later
"""kill -9 of the agent, at random moments and at every system call that matters.

All the time pods come and go through the real plugin, manifests change, and lab/watcher.py sends
packets that must pass and packets that must not.  After the kills: no address is lost, leaked or
given twice, the kernel holds what a fresh start would give it, no flow lost a packet, nothing that
is forbidden ever passed (lab/arena.py).

`make soak` is this file with 20,000 kills: those that MANX_KILLS has more than the systematic ones
come at random moments.  The choices of one run again:

    MANX_KILLS=20000 MANX_SEED=7 /usr/bin/python3 -m pytest test/net/test_kill.py -s
"""

import itertools
import os
import random
import time

import pytest

from lab.arena import Arena
from lab.lethal import FirstStart, Rewrite, Work
from lab.runtimes import Load, Runtime, Writer

KILLS = int(os.environ.get("MANX_KILLS", 1000))
SEED = int(os.environ.get("MANX_SEED", 0)) or random.SystemRandom().randrange(1, 1 << 31)
EACH = 25  # kills between two reckonings
SOAK = KILLS > 1000
WORKERS = 4
count = {"at a system call": 0, "at random": 0}


@pytest.fixture(scope="module", autouse=True)
def say(request):
    """Print seed and number of kills, though pytest captures what is printed."""
    yield
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nkills: {count} seed: {SEED}", flush=True)


@pytest.fixture(scope="module")
def arena(make_lab):
    with make_lab() as lab:
        one = Arena(lab)
        try:
            yield one
        finally:
            one.close()


def worth_it(names, number, after):
    """Does a kill at this call find another state outside than one at the call before?

    A receive changes nothing: there is none after it, and of several in a row one will do, but in
    a soak.  names: of the calls when nobody is killed; another time their order may differ.
    """
    receives = [name.startswith("recv") for name in names[max(0, number - 2):number]]
    if after:
        return not receives or not receives[-1]
    return SOAK or len(receives) < 2 or not all(receives)


def at_every_call(scenario):
    """Before the first call, the second, ... until nothing is killed any more; then after each."""
    names = [line.split()[2] for line in scenario.run(0).splitlines()]
    assert len(names) > scenario.fewest, f"{names}: is this the scenario?"
    for after in (False, True):
        for number in itertools.count(1):
            if not worth_it(names, number, after):
                continue
            report = scenario.run(number, after)
            if not report:
                break
            count["at a system call"] += "passed" not in report


def test_at_every_call_of_a_first_start(make_lab):
    with make_lab() as lab:
        at_every_call(FirstStart(lab))


def test_at_every_call_of_a_start_that_rewrites_the_journal(arena):
    at_every_call(Rewrite(arena))


def test_at_every_call_of_work(arena):
    """A start that finds a torn journal and another policy; ADD, DEL, GC, a change of policy, the
    journal replaced; the end."""
    at_every_call(Work(arena))


def moment(rng, start):
    """Seconds from the start of an agent, which takes so long, to its end: in it, or at work."""
    return rng.uniform(0, start) if rng.random() < 0.4 else start + rng.uniform(0, 0.05 + 2 * start)


def time_of_a_start(arena):
    """Seconds; the machine may be busy."""
    arena.kill()
    before = time.monotonic()
    arena.node.start_agent()
    return min(time.monotonic() - before, 0.3)


def test_at_random_moments(arena):
    rng = random.Random(SEED)
    runtimes = [(Runtime(arena.lab, arena.ledger, rng.random()), arena.sandboxes[i::WORKERS])
                for i in range(WORKERS)]
    load = Load(runtimes, Writer(arena.lab, rng.random(), list(arena.steady.values())))
    start = time_of_a_start(arena)
    for turn in itertools.count(1):
        with load:
            for _ in range(EACH):
                time.sleep(moment(rng, start))
                arena.kill()
                count["at random"] += 1
                arena.node.start_agent(wait=False)
            arena.node.wait_ready()
        start = time_of_a_start(arena)
        arena.reckon(mirror=turn % 5 == 0)
        if sum(count.values()) >= KILLS:
            break
    did = arena.ledger.counts
    print(did, arena.watched())
    assert count["at random"] < 10 * EACH or all(did.values()), f"no load: {did}"
    assert load.writer.writes > turn
