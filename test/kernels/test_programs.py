# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs in the emulated machine, beside tests of test/net: the unit programs that talk to the
kernel, and the demo.  Each is one test; what it printed is shown when it fails."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = sorted(p for p in (ROOT / "build/unit").glob("test_*_kernel"))


def run(*command, **variables):
    done = subprocess.run(list(map(str, command)), cwd=ROOT, env={**os.environ, **variables},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_programs_exist():
    assert len(PROGRAMS) >= 5


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_unit(program):
    shown = run(program, CMOCKA_MESSAGE_OUTPUT="TAP")
    assert "\nok " in shown and "# SKIP" not in shown


def test_files_that_change():
    """What the kernel tells of a file that is written in place differs from one to the other."""
    run(ROOT / "build/unit/test_kube_credentials")


def test_demo():
    assert "reaches" in run(ROOT / "scripts/demo")
