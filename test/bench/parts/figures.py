# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures: shown while they are measured, and kept in build/bench.json for docs and plots.

    {"machine": ..., "parts": {"change": {"commit": ..., "date": ..., "figures": [
        {"name": "pod added", "unit": "us", "min": 3.5, "median": 3.7, "p99": 9.1, "max": 30,
         "n": 300, "pods": 1000, "policies": 10, "prepared": 0}, ...]}}}

A figure has a "value", or "min", "median", "p99", "max" and "n"; what else is in it are its
parameters.  A run of some parts leaves the others as they are in the file.
"""

import json
import os
import pathlib
import platform
import statistics
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
FILE = ROOT / "build/bench.json"
QUICK = "BENCH_QUICK" in os.environ  # fewer rounds, to see that everything works
NUMBERS = ("value", "min", "median", "p99", "max", "n")


def rounds(number):
    """How many rounds to measure; the programs in C take the same part in a quick run."""
    return max(number // 10, 3) if QUICK else number


def read():
    return json.loads(FILE.read_text()) if FILE.exists() else {"parts": {}}


def _commit():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"],
                          capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _machine():
    models = [line.split(":")[1].strip() for line in
              pathlib.Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    system = platform.freedesktop_os_release()
    return {"processor": models[0] if models else platform.machine(), "cores": os.cpu_count(),
            "memory_bytes": memory, "kernel": platform.release(), "system": system["PRETTY_NAME"]}


class Figures:
    """Those of one part."""

    def __init__(self, part):
        self.part, self.figures = part, []
        self.began, self.load = time.monotonic(), os.getloadavg()[0]
        print(f"\n== {part} ==", flush=True)

    def add(self, figure):
        self.figures.append(figure)
        given = ", ".join(f"{key} {value}" for key, value in figure.items()
                          if key not in (*NUMBERS, "name", "unit"))
        name = f"{figure['name']} ({given})" if given else figure["name"]
        shown = " ".join(f"{figure[key]:10.3f}" for key in NUMBERS[:-1] if key in figure)
        print(f"{name:76} {shown} {figure['unit']}", flush=True)

    def value(self, name, unit, value, **parameters):
        self.add({"name": name, "unit": unit, "value": round(value, 6), **parameters})

    def samples(self, name, unit, values, **parameters):
        values = sorted(values)
        self.add({"name": name, "unit": unit, "min": round(values[0], 6),
                  "median": round(statistics.median(values), 6),
                  "p99": round(values[int((len(values) - 1) * 0.99)], 6),
                  "max": round(values[-1], 6), "n": len(values), **parameters})

    def program(self, name, *arguments, **parameters):
        """Take the figures that one of our programs prints."""
        command = [ROOT / "build/bench" / name, *map(str, arguments)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              stdin=subprocess.DEVNULL) as process:
            errors = _drain(process)
            for line in process.stdout:
                self.add({**json.loads(line), **parameters})
        if process.returncode != 0:
            raise RuntimeError(f"{name}: exit {process.returncode}: {''.join(errors)[-2000:]}")

    def keep(self):
        seconds = time.monotonic() - self.began
        kept = read()
        kept["machine"] = _machine()
        kept["parts"][self.part] = {
            "commit": _commit(), "date": time.strftime("%Y-%m-%d"), "quick": QUICK,
            "seconds": round(seconds, 1), "load_average": [self.load, os.getloadavg()[0]],
            "figures": self.figures}
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(json.dumps(kept, indent=1))
        print(f"   {self.part}: {seconds:.0f} s", flush=True)


def _drain(process):
    """Read standard error in a thread, so that neither pipe fills."""
    lines = []
    threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True).start()
    return lines
