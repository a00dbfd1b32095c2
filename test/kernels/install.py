# SPDX-License-Identifier: GPL-2.0-or-later
"""README's own installation on a bare Debian, under its systemd, on one of its kernels.

The Debian is what mmdebstrap makes of this machine's apt sources: nothing but systemd and the
packages that scripts/packages.txt names for a build.  It is kept in
~/.cache/manx/debian-<codename>."""

import pathlib
import re
import shlex
import tempfile

import machine
from kernel import CACHE, ROOT
from kernel import run as start

# kmod: what a kernel's package depends on.
PACKAGES = ["systemd-sysv", "kmod", "iproute2", "nftables"]


def codename():
    text = pathlib.Path("/etc/os-release").read_text()
    return re.search(r"^VERSION_CODENAME=(\w+)$", text, re.M).group(1)


def sources():
    """The files that say where this machine's apt has its packages from."""
    apt = pathlib.Path("/etc/apt")
    found = [apt / "sources.list", *apt.glob("sources.list.d/*.list"),
             *apt.glob("sources.list.d/*.sources")]
    return [f for f in found if f.is_file() and "debian" in f.read_text()]


def debian():
    """The folder of a bare Debian, made once."""
    listed = start(ROOT / "scripts/install-packages", "--list", "build")
    packages = PACKAGES + listed.decode().split()
    folder = CACHE / f"debian-{codename()}"
    stamp = folder / "packages"
    if stamp.exists() and stamp.read_text() == " ".join(packages):
        return folder
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        made = pathlib.Path(work) / "debian"
        # What it mounts meanwhile goes with its namespace.
        start("unshare", "--mount", "mmdebstrap", "--quiet", "--variant=minbase",
              "--include=" + ",".join(packages), codename(), made, *sources())
        (made / "packages").write_text(" ".join(packages))
        start("rm", "-rf", folder)
        made.rename(folder)
    return folder


def commands():
    """The commands that README's section "Install" has, for root."""
    section = (ROOT / "README.md").read_text().partition("\n## Install\n")[2].partition("\n## ")[0]
    text = section.split("```\n")[1]
    return re.sub(r"^sudo ", "", text, flags=re.M)


def run(kernel, log, seconds):
    """Install there, use, restart, remove; return "" or what failed; Unavailable: no Debian."""
    root = debian()
    job = f"cd {shlex.quote(str(ROOT))} || exit\n" + (
        ROOT / "test/kernels/install-job").read_text().replace("@INSTALL@", commands())
    status, _ = machine.run(kernel, job, log, seconds, root=root, systemd=True)
    return "" if status == 0 else (
        f"the machine's status is {status}; its console ends with\n"
        + log.read_text(errors="replace")[-8000:])
