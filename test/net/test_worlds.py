# SPDX-License-Identifier: GPL-2.0-or-later
"""Random worlds by real packets: the agent against the reference evaluator of test/property.

A few seeds are part of every run.  More of them, or one again:

    MANX_WORLDS=500 MANX_SEED=1000 /usr/bin/python3 -m pytest test/net/test_worlds.py
"""

import os

import pytest

from lab.worlds import RandomWorld, draw, program

SEED = int(os.environ.get("MANX_SEED", 1))
WORLDS = int(os.environ.get("MANX_WORLDS", 12))
STEPS = int(os.environ.get("MANX_STEPS", 24))
PACKETS = int(os.environ.get("MANX_PACKETS", 400))  # of each round
SHOWN = 20  # packets, when many differ


def report(drawn, number, wrong):
    """What somebody needs who was not there."""
    turn = drawn["rounds"][number]
    return "\n".join([
        f"seed {drawn['seed']}, round {number}: {len(wrong)} of {len(turn['packets'])} differ",
        *[str(packet) for packet in wrong[:SHOWN]],
        f"replay: MANX_SEED={drawn['seed']} MANX_WORLDS=1 MANX_STEPS={STEPS}"
        f" MANX_PACKETS={PACKETS} /usr/bin/python3 -m pytest test/net/test_worlds.py",
        f"drawn by: {program()} --seed {drawn['seed']} --steps {STEPS} --packets {PACKETS}",
        "the last changes:",
        *[str({k: v for k, v in c.items() if k != "manifest"}) for c in turn["changes"][-8:]],
        "the world:", turn["world"]])


@pytest.mark.parametrize("seed", range(SEED, SEED + WORLDS))
def test_world(lab, seed):
    drawn = draw(seed, STEPS, PACKETS)
    with RandomWorld(lab, drawn) as world:
        for number, turn in enumerate(drawn["rounds"]):
            world.apply(turn["changes"])
            wrong = world.ask(turn["packets"])
            if wrong:
                pytest.fail(report(drawn, number, wrong), pytrace=False)
