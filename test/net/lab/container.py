# SPDX-License-Identifier: GPL-2.0-or-later
"""A container: a root file system, mounts and the rights that a manifest or a unit gives, as a
container runtime makes it.  Its namespaces are those of mounts and process ids; the network is the
caller's.

What a runtime adds by itself is here too: /proc with /proc/sys read-only, a small /dev.
"""

import ctypes
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
SCMP_ACT_KILL_PROCESS, SCMP_ACT_ALLOW, SCMP_CMP_EQ = 0x80000000, 0x7FFF0000, 4  # <seccomp.h>
# Those that a manifest of ours may ask for; <linux/capability.h>.
CAPABILITIES = {"NET_ADMIN": 12}
DEVICES = ("null", "zero", "urandom")


class Container:
    """A program that was started in a container; log: a file for what it prints.

    root         folder; writable only if read_only is false
    mounts       (folder of the host, place in the container, read-only?)
    capabilities names of those that are kept
    service      a Service whose filter of system calls and address families applies; what it does
                 not let through is the program's end, so that nothing passes unseen
    """

    def __init__(self, network, root, command, log, mounts=(), capabilities=(),
                 environment=None, read_only=True, no_new_privileges=True, service=None):
        spec = {"root": str(root), "command": list(command), "read_only": read_only,
                "mounts": [[str(source), place, bool(ro)] for source, place, ro in mounts],
                "capabilities": [CAPABILITIES[name] for name in capabilities],
                "environment": environment or {}, "no_new_privileges": no_new_privileges,
                "filter": service and {"calls": sorted(service.calls()),
                                       "families": service.families()}}
        self.log = log
        with network, log.open("ab") as out:
            # unshare stays, as the parent of the process that is 1 in there; both end with us.
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation",
                 "private", "--pid", "--fork", "--kill-child", sys.executable, __file__,
                 json.dumps(spec)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    @property
    def running(self):
        return self.process.poll() is None

    @property
    def pid(self):
        """The program's process id outside, None before it is started and after its end."""
        parent = self.process.pid
        try:
            children = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        except OSError:
            return None
        return int(children[0]) if children else None

    def status(self):
        """/proc/<pid>/status: {"CapEff": "0000000000001000", ...}."""
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)

    def run(self, *command):
        """Run another program inside, as `kubectl exec` does; return what subprocess.run does."""
        return subprocess.run(["nsenter", "--target", str(self.pid), "--mount", "--pid", "--net",
                               "--root", "--wd=/", *map(str, command)], capture_output=True,
                              text=True, check=False, timeout=30)

    def wait(self, seconds=10):
        """Its exit status, once it has ended."""
        return self.process.wait(seconds)

    def stop(self, sig=signal.SIGTERM, seconds=10):
        """Stop it; return its exit status."""
        if self.running and self.pid:
            os.kill(self.pid, sig)
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()  # takes the child with it
            self.process.wait()
            raise AssertionError("the container did not stop:\n" + self.log.read_text()) from None


# --- inside ---


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


def place_of(root, place):
    """Where a path of the container is, links followed as inside it."""
    resolved = pathlib.Path(root)
    for part in pathlib.Path(place).parts[1:]:
        resolved /= part
        if resolved.is_symlink():
            target = os.readlink(resolved)
            resolved = (pathlib.Path(root) / target.lstrip("/") if target.startswith("/")
                        else resolved.parent / target)
    return resolved


def make_mounts(spec):
    root = pathlib.Path(spec["root"])
    mount("--bind", root, root)
    mount("-t", "proc", "proc", root / "proc")
    mount("--bind", "-o", "ro", root / "proc/sys", root / "proc/sys")
    mount("-t", "tmpfs", "-o", "mode=755,size=64k", "tmpfs", root / "dev")
    for name in DEVICES:
        (root / "dev" / name).touch()
        mount("--bind", f"/dev/{name}", root / "dev" / name)
    for source, place, read_only in spec["mounts"]:
        inside = place_of(root, place)
        inside.mkdir(parents=True, exist_ok=True)
        mount("--bind", *(["-o", "ro"] if read_only else []), source, inside)
    if spec["read_only"]:
        mount("-o", "remount,bind,ro", root)


def restrict(spec, seccomp):
    last = int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in set(range(last + 1)) - set(spec["capabilities"]):
        if LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "PR_CAPBSET_DROP")
    if spec["no_new_privileges"] and LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
    if spec["filter"]:
        if LIBC.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "PR_SET_MDWE")
        load_filter(seccomp, **spec["filter"])


class Comparison(ctypes.Structure):
    """struct scmp_arg_cmp of libseccomp."""

    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64),
                ("b", ctypes.c_uint64)]


def load_filter(seccomp, calls, families):
    """Let through these system calls, and socket() for these families; kill for the rest."""
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint(SCMP_ACT_KILL_PROCESS)))
    rules = [(call, []) for call in calls if call not in ("socket", "socketpair")]
    rules += [(call, [Comparison(0, SCMP_CMP_EQ, getattr(socket, family), 0)])
              for call in {"socket", "socketpair"} & set(calls) for family in families]
    for call, comparisons in rules:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number < 0:  # another architecture's
            continue
        r = seccomp.seccomp_rule_add_array(
            context, ctypes.c_uint(SCMP_ACT_ALLOW), number, len(comparisons),
            (Comparison * len(comparisons))(*comparisons))
        if r != 0:
            raise OSError(-r, call)
    if seccomp.seccomp_load(context) != 0:
        raise OSError("seccomp_load")


def main():
    spec = json.loads(sys.argv[1])
    seccomp = spec["filter"] and ctypes.CDLL("libseccomp.so.2")
    make_mounts(spec)
    os.chroot(spec["root"])
    os.chdir("/")
    os.umask(0o022)
    restrict(spec, seccomp)
    os.execve(spec["command"][0], spec["command"], spec["environment"])


if __name__ == "__main__":
    main()
