# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory of the agent, its processor time while nothing happens, and what is installed.

How the memory grows with pods of other nodes is in loading.py.
"""

import io
import pathlib
import subprocess
import tarfile
import tempfile
import time

from lab import Lab

from .figures import QUICK, ROOT

PODS = 100
IDLE_SECONDS = 6 if QUICK else 60


def resident(pid):
    """KiB: VmRSS, RssAnon, and of the file-backed part the shared libraries and manx itself."""
    status = {key: value.split()[0] for key, _, value in (
        text.partition(":") for text in
        pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()) if value.strip()}
    libraries, own, name = 0, 0, ""
    for text in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = text.split()
        if not words[0].endswith(":"):
            name = words[5] if len(words) > 5 else ""
        elif words[0] == "Rss:" and ".so" in name:
            libraries += int(words[1])
        elif words[0] == "Rss:" and name.endswith("/manx"):
            own += int(words[1])
    return {"VmRSS": int(status["VmRSS"]), "RssAnon": int(status["RssAnon"]),
            "shared libraries": libraries, "program": own}


def write_policies(lab):
    for i in range(PODS):
        lab.policy("default", f"policy{i}", {"matchLabels": {"app": f"app{i}"}}, ingress=[
            {"from": [{"podSelector": {"matchLabels": {"app": f"app{(i + 1) % PODS}"}}}],
             "ports": [{"port": 80}]}])


def processor_ns(pid):
    """Of all threads: /proc/PID/task/*/schedstat counts nanoseconds."""
    return sum(int(path.read_text().split()[0])
               for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))


def measure_idle(figures, node):
    before, began = processor_ns(node.process.pid), time.monotonic()
    time.sleep(IDLE_SECONDS)
    spent, seconds = processor_ns(node.process.pid) - before, time.monotonic() - began
    figures.value("processor time while nothing happens", "mCPU", spent / 1e6 / seconds,
                  seconds=round(seconds), pods=PODS)


def measure_agent(figures):
    with Lab() as lab:
        node = lab.node("n1", start=True)
        lab.namespace_object("default")

        def show(what):
            lab.settle()
            for kind, size in resident(node.process.pid).items():
                figures.value(f"memory: {what}", "KiB", size, kind=kind)

        show("empty")
        for i in range(PODS):
            lab.run_pod(node, "default", f"p{i}", {"app": f"app{i}"}, serve=())
        show(f"{PODS} pods")
        write_policies(lab)
        show(f"{PODS} pods, {PODS} policies")
        measure_idle(figures, node)


def measure_size(figures):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("manx", "manx-cni"):
            stripped = pathlib.Path(folder, name)
            subprocess.run(["strip", "-o", stripped, ROOT / "build" / name], check=True)
            figures.value(f"size of {name}, stripped", "KiB", stripped.stat().st_size / 1024)
        root = pathlib.Path(folder, "root")
        subprocess.run([ROOT / "deploy/rootfs", root, ROOT / "build"], check=True,
                       stdout=subprocess.DEVNULL)
        files = [path.lstat().st_size for path in root.rglob("*")
                 if path.is_file() and not path.is_symlink()]
        figures.value("size of the image, files", "KiB", sum(files) / 1024, files=len(files))
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w:gz") as archive:
            archive.add(root, ".")
        figures.value("size of the image, as a registry sends it", "KiB",
                      layer.tell() / 1024)


def measure(figures):
    measure_agent(figures)
    measure_size(figures)
