# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that cannot run these tests: it is said why, and the rest of `make test` decides."""

import subprocess

from kube.lab.control import ROOT

WITHOUT_CGROUPS = """
mount --make-rprivate / && umount --lazy /sys/fs/cgroup && mount -t tmpfs none /sys/fs/cgroup &&
exec scripts/run-tests --build "$1" cluster
"""


def test_without_cgroups(tmp_path):
    done = subprocess.run(["unshare", "--mount", "sh", "-c", WITHOUT_CGROUPS, "sh", tmp_path],
                          cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    first, *_, last = done.stdout.splitlines()
    assert first == "cluster: cgroups here lack cpu, memory, pids, skipped"
    assert last == "0 passed, 0 failed, 1 skipped"
