# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces: made with ip-netns, entered by one thread of this process with setns."""

import ctypes
import os
import pathlib
import re
import subprocess
import threading

NETNS_FOLDER = pathlib.Path("/run/netns")
PREFIX = "mxt"
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def ip(*arguments, check=True):
    """Run ip(8); return its output."""
    done = subprocess.run(["ip", *map(str, arguments)], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(map(str, arguments))}: "
                           f"{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def setns(descriptor):
    if LIBC.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    """One network namespace.  `with namespace:` moves the calling thread into it: sockets opened
    and programs started in the block belong to it; sockets keep belonging to it afterwards."""

    def __init__(self, label):
        self.name = f"{PREFIX}{os.getpid()}-{label}"
        self.path = NETNS_FOLDER / self.name
        self.outside = threading.local()
        ip("netns", "add", self.name)
        try:
            self.ip("link", "set", "lo", "up")
            with self:
                # Addresses are usable at once; no wait for duplicate address detection.
                for scope in ("all", "default"):
                    pathlib.Path(f"/proc/sys/net/ipv6/conf/{scope}/accept_dad").write_text("0")
        except BaseException:
            self.delete()
            raise

    def __enter__(self):
        stack = self.outside.__dict__.setdefault("stack", [])
        stack.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        inside = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            setns(inside)
        finally:
            os.close(inside)
        return self

    def __exit__(self, *_):
        outside = self.outside.stack.pop()
        setns(outside)
        os.close(outside)

    def ip(self, *arguments, check=True):
        return ip("-n", self.name, *arguments, check=check)

    def run(self, *command, check=True, **options):
        """Run a program inside; return what subprocess.run returns, text captured."""
        with self:
            done = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                                  check=False, **options)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: exit {done.returncode}: "
                               f"{done.stderr.strip() or done.stdout.strip()}")
        return done

    def sysctl(self, name, value):
        with self:
            pathlib.Path("/proc/sys/" + name.replace(".", "/")).write_text(str(value))

    def exists(self):
        return self.path.exists()

    def delete(self):
        ip("netns", "delete", self.name, check=False)


def sweep():
    """Delete namespaces that a killed run left: those of a process id that is gone."""
    for path in sorted(NETNS_FOLDER.glob(PREFIX + "*")):
        found = re.fullmatch(PREFIX + r"(\d+)-.*", path.name)
        if found and not pathlib.Path("/proc", found.group(1)).exists():
            ip("netns", "delete", path.name, check=False)
