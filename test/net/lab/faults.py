# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults of the machine: system calls of a running process that fail or take long (strace), a
kernel that refuses what holds certain bytes, and a folder that is a small file system in memory, in
a mount namespace of its own.

Limits: strace sees system calls, not objects; which sockets a call is about follows from the thread
and the name of the call.
"""

import os
import pathlib
import signal
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
REFUSER = ROOT / "build/net/refuser.so"
MOUNT = 'mkdir -p "$1" && mount -t tmpfs -o size=$2,mode=0700 tmpfs "$1" && echo && exec sleep inf'


def threads(pid):
    """The threads of a process, the one that decides first."""
    return sorted(int(t) for t in os.listdir(f"/proc/{pid}/task"))


class Faults:
    """`with Faults(pid, "sendto:error=ENOMEM:when=3")`: in the block the calls of these threads
    fail.  Several expressions may be given; without threads those of the whole process."""

    def __init__(self, pid, *expressions, only=None):
        calls = ",".join(e.split(":")[0] for e in expressions)
        self.targets = only or threads(pid)
        descriptor, record = tempfile.mkstemp(prefix="mxt-strace-")
        os.close(descriptor)
        self.record = pathlib.Path(record)
        self.injected = 0  # faults that happened, when the block has ended
        self.command = ["strace", "-o", record, "-e", f"trace={calls}"]
        for expression in expressions:
            self.command += ["-e", f"inject={expression}"]
        for thread in self.targets:
            self.command += ["-p", str(thread)]
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True)
        for _ in self.targets:
            line = self.process.stderr.readline()
            assert "attached" in line, f"{' '.join(self.command)}: {line}"
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.stderr.read()
        self.process.stderr.close()
        self.process.wait(10)
        self.injected = self.record.read_text(errors="replace").count("(INJECTED)")
        self.record.unlink()


class Refuser:
    """The kernel refuses transactions for messages that hold certain bytes, of whoever is started
    behind `launcher` (test/net/refuser.c)."""

    def __init__(self, folder):
        assert REFUSER.exists(), f"{REFUSER} is missing: make refuser"
        self.file = folder / "refused"
        sanitizer = f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0"
        self.launcher = ["env", f"LD_PRELOAD={REFUSER}", f"MANX_REFUSE={self.file}",
                         f"ASAN_OPTIONS={sanitizer}"]

    def refuse(self, needle):
        self.file.write_bytes(needle)

    def accept(self):
        self.file.unlink()


class SmallDisk:
    """A folder that is a small disk, for whoever is started behind `launcher`."""

    def __init__(self, folder, size):
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", MOUNT, "sh", str(folder), size],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "\n", f"no file system at {folder}"
        self.launcher = ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt"]
        self.inside = pathlib.Path(f"/proc/{self.holder.pid}/root{folder}")

    def close(self):
        """The file system goes with the last process that sees it."""
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()

    def mount(self, options):
        """Mount it anew with other options: ro, rw."""
        subprocess.run([*self.launcher, "mount", "-o", f"remount,{options}",
                        str(self.inside).split("/root", 1)[1]], check=True, capture_output=True)

    def fill(self):
        """Take the last byte; return the file that holds the space."""
        ballast = self.inside / "ballast"
        with ballast.open("ab", buffering=0) as f:
            for size in (65536, 4096):
                try:
                    while True:
                        f.write(b"x" * size)
                except OSError:
                    pass
        return ballast
