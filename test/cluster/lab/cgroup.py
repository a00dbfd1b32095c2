# SPDX-License-Identifier: GPL-2.0-or-later
"""Cgroups for nodes, of version 1 and 2, and whether this machine lets us make any.

Version 1: in each hierarchy a cgroup below the one that we are in.  Version 2: below the topmost
that we see, since a cgroup that has controllers for its children may hold no process itself; a
node's own daemons are in its child `node`.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import time

WANTED = {"cpu", "memory", "pids"}  # what a kubelet cannot do without
V2 = pathlib.Path("/sys/fs/cgroup")
LEAF = "node"
PREFIX = "mxt"


def is_v2():
    return (V2 / "cgroup.controllers").exists()


def own_cgroups():
    """{controllers, as "cpu,cpuacct" or "name=systemd": the folder of our cgroup}, version 1."""
    mounted = {}
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ")
        kind, _, options = after.split()[:3]
        if kind == "cgroup":
            root, place = before.split()[3:5]
            mounted[frozenset(options.split(","))] = (root, place)
    found = {}
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        for options, (root, place) in mounted.items():
            if names and set(names.split(",")) <= options:
                found[names] = pathlib.Path(place, os.path.relpath(path, root))
    return found


class NodeCgroup:
    """The cgroups of one node.

    controllers  version 1: the hierarchies, to be mounted in the node
    joins        folders whose cgroups a process that belongs to the node enters
    """

    def __init__(self, label):
        self.name = f"{PREFIX}{os.getpid()}-{label}"
        if is_v2():
            self.controllers, self.folders = [], [V2 / self.name]
            self.joins = [V2 / self.name / LEAF]
        else:
            own = own_cgroups()
            self.controllers = sorted(own)
            self.folders = self.joins = [own[c] / self.name for c in self.controllers]

    def make(self):
        for folder in self.folders:
            folder.mkdir(exist_ok=True)
            if (folder / "cpuset.cpus").exists() and not is_v2():
                for file in ("cpuset.cpus", "cpuset.mems"):
                    (folder / file).write_text((folder.parent / file).read_text())
                (folder / "cgroup.clone_children").write_text("1")
        if is_v2():
            enable_controllers(V2)
            self.joins[0].mkdir(exist_ok=True)

    def delegate(self):
        """Once all processes of the node are in `joins`: its pods may have controllers."""
        if is_v2():
            enable_controllers(self.folders[0])

    def missing(self):
        """Controllers that the node would lack."""
        if is_v2():
            return WANTED - set((self.folders[0] / "cgroup.subtree_control").read_text().split())
        return WANTED - {c for names in self.controllers for c in names.split(",")}

    def delete(self):
        for folder in self.folders:
            remove(folder)


def enable_controllers(folder):
    """Give the children of a cgroup all controllers that it has."""
    for name in (folder / "cgroup.controllers").read_text().split():
        with contextlib.suppress(OSError):
            (folder / "cgroup.subtree_control").write_text(f"+{name}")


def remove(folder, seconds=5):
    """Remove a cgroup and those below it, once their processes have come to their end."""
    deadline = time.monotonic() + seconds
    while folder.exists():
        for path, _, _ in os.walk(folder, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(path)
        if time.monotonic() > deadline:
            return
        time.sleep(0.02)


def sweep_cgroups():
    """Remove the cgroups of runs that are gone."""
    for parent in {V2} if is_v2() else set(own_cgroups().values()):
        for folder in parent.glob(f"{PREFIX}*-*"):
            found = re.match(rf"{PREFIX}(\d+)-", folder.name)
            if found and not pathlib.Path("/proc", found.group(1)).exists():
                remove(folder)


def why_not():
    """Why no cluster can run on this machine, or None."""
    if os.geteuid() != 0:
        return "it needs root"
    done = subprocess.run(
        ["unshare", "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--net", "--fork", "sh", "-c",
         "mount --make-rprivate / && mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w /mnt/m &&"
         "mount -t proc proc /proc && mount -t sysfs none /sys &&"
         "mount -t overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w none /mnt/m"],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"no namespaces and mounts are to be had here: {done.stderr.strip()}"
    cgroup = NodeCgroup("try")
    try:
        cgroup.make()
        cgroup.delegate()
        missing = cgroup.missing()
    except OSError as error:
        return f"no cgroup is to be had here: {error}"
    finally:
        cgroup.delete()
    return f"cgroups here lack {', '.join(sorted(missing))}" if missing else None
