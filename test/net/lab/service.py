# SPDX-License-Identifier: GPL-2.0-or-later
"""systemd/manx.service.in: its settings, and the system calls that it lets through."""

import functools
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]


@functools.cache
def group(name):
    """The system calls of a group as @file-system, those of its own groups too."""
    shown = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True,
                           text=True, check=True).stdout
    words = {line.strip() for line in shown.splitlines()[1:]} - {""}
    return frozenset().union(*(group(w) if w.startswith("@") else {w} for w in words
                               if not w.startswith("#")))


class Service:
    """The unit."""

    def __init__(self):
        lines = (ROOT / "systemd/manx.service.in").read_text().splitlines()
        self.settings = [line.split("=", 1) for line in lines
                         if "=" in line and not line.startswith("#")]

    def get(self, name):
        """The values of a setting, one for each line."""
        return [value for key, value in self.settings if key == name]

    def calls(self):
        """Names of the system calls that are let through: systemd.exec(5), SystemCallFilter."""
        allowed = set(group("@default"))
        for value in self.get("SystemCallFilter"):
            names = [group(w) if w.startswith("@") else {w} for w in value.lstrip("~").split()]
            for one in names:
                allowed = allowed - one if value.startswith("~") else allowed | one
        return allowed

    def families(self):
        return self.get("RestrictAddressFamilies")[0].split()

    def capabilities(self):
        return [c.removeprefix("CAP_") for c in self.get("CapabilityBoundingSet")[0].split()]
