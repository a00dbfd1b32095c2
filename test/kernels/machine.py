# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine with one of Debian's kernels, emulated by QEMU without KVM.

Its root is the host's own, or a folder of it, read-only below an overlay in memory: all programs
and builds of the host are there, and nothing that it does reaches the host but what it writes to
its two serial lines: the console, and the result.
"""

import gzip
import pathlib
import shutil
import subprocess
import tempfile

from kernel import HERE, ROOT, archive

MEMORY = 2048  # MiB
APPEND = ("console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off random.trust_cpu=on "
          "tsc=reliable no_timer_check systemd.show_status=false")


def _addition(folder, kernel, job, root, systemd):
    """What is added to the initial RAM disk for one run."""
    shutil.copy(HERE / "init", folder / "init")  # its mode, too
    (folder / "job").write_text(job)
    (folder / "settings").write_text(
        f"TREE='{kernel.tree}'\nROOT='{root or ''}'\nREPO='{ROOT}'\nSYSTEMD={int(systemd)}\n")
    return gzip.compress(archive(folder), 1)


def run(kernel, job, log, seconds, root=None, systemd=False):
    """Start a machine that runs a shell script; its console goes into a log.

    The machine is stopped after so many seconds.  Return the exit status of the script (None: it
    did not come to its end) and what it wrote to /dev/ttyS1.
    """
    with tempfile.TemporaryDirectory(prefix="manx-kernels-") as name:
        work = pathlib.Path(name)
        (work / "addition").mkdir()
        (work / "initrd").write_bytes(kernel.initrd.read_bytes() + _addition(
            work / "addition", kernel, job, root, systemd))
        command = [
            "setpriv", "--pdeathsig", "KILL", "nice", "-n", "10",  # it ends when we do
            "qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max",
            "-smp", "2", "-m", str(MEMORY), "-nodefaults", "-no-reboot",
            "-display", "none", "-kernel", kernel.image, "-initrd", work / "initrd",
            "-append", APPEND, "-serial", f"file:{log}", "-serial", f"file:{work}/result",
            "-fsdev", "local,id=host,path=/,security_model=none,multidevs=remap,readonly=on",
            "-device", "virtio-9p-pci,fsdev=host,mount_tag=host", "-device", "virtio-rng-pci"]
        with subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as machine:
            try:
                _, said = machine.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                machine.kill()
                _, said = machine.communicate()
                said += f"\nstopped after {seconds} s\n".encode()
        with log.open("ab") as console:
            console.write(said)
        text = log.read_text(errors="replace")
        status = text.rpartition("guest: status ")[2].split(" ")[0]
        return int(status) if status.isdigit() else None, (work / "result").read_bytes()
