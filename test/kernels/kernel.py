# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels: found by package name among what this machine's apt knows, fetched and unpacked
once into ~/.cache/manx/kernels, never installed; and the initial RAM disk that belongs to each."""

import gzip
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "manx"
PACKAGE = re.compile(r"linux-image-((\d+\.\d+)\.\S*?)-unsigned")
MODULES = ["virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_rng"]
TOOLS = ["qemu-system-x86_64", "busybox", "depmod", "modprobe", "cpio", "zstd", "apt-get",
         "dpkg-deb", "setpriv"]


class Unavailable(Exception):
    """Why this machine cannot run it."""


def run(*command, **options):
    """Run a program; its output, or an exception with what it said."""
    done = subprocess.run(list(map(str, command)), capture_output=True, check=False, **options)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise Unavailable(f"{' '.join(map(str, command[:3]))}: {said[-500:]}")
    return done.stdout


def check_machine():
    """Raise Unavailable where no machine can be emulated."""
    if os.uname().machine != "x86_64":
        raise Unavailable(f"the kernels are amd64's, this machine is {os.uname().machine}")
    if os.geteuid() != 0:
        raise Unavailable("the emulated machine reads root's files: needs root")
    for tool in TOOLS:
        if shutil.which(tool) is None:
            raise Unavailable(f"no {tool}; run scripts/install-packages test")


def _version(text):
    return [int(n) for n in re.findall(r"\d+", text)]


def newest(names, series):
    """The newest release of a series, as 6.1.0-57-amd64, among lines of `apt-cache search`; or
    None.  Of the flavours the plain one: `cloud` has no 9p."""
    found = [m.group(1) for m in map(PACKAGE.match, names) if m and m.group(2) == series
             and not re.search(r"-(cloud|rt)-", m.group(1))]
    return max(found, key=_version, default=None)


class Kernel:
    """One kernel, unpacked: its release, the folder, kernel and initial RAM disk."""

    def __init__(self, release):
        self.release = release
        self.tree = CACHE / "kernels" / release
        self.image = self.tree / "boot" / f"vmlinuz-{release}"
        self.initrd = self.tree / "initrd.gz"

    @staticmethod
    def of_series(series):
        """The newest kernel of a series that apt knows, else one that was unpacked before."""
        names = run("apt-cache", "search", "--names-only", r"^linux-image-.*-amd64-unsigned$")
        release = newest(names.decode().splitlines(), series)
        if release is None:
            kept = [f"linux-image-{p.name}-unsigned" for p in (CACHE / "kernels").glob("*-amd64")]
            release = newest(kept, series)
        if release is None:
            raise Unavailable(f"this Debian's apt has no package linux-image-{series}.*-unsigned")
        kernel = Kernel(release)
        if not kernel.tree.is_dir():
            kernel.fetch()
        return kernel

    def fetch(self):
        self.tree.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.tree.parent) as folder:
            work = pathlib.Path(folder)
            package = f"linux-image-{self.release}-unsigned"
            run(ROOT / "scripts/again", "apt-get", "-o", "APT::Sandbox::User=root", "download",
                package, cwd=work)
            run("dpkg-deb", "-x", next(work.glob("*.deb")), work / "tree")
            run("depmod", "-b", work / "tree", self.release)
            self._make_initrd(work / "tree", work / "initrd")
            (work / "tree").rename(self.tree)

    def _make_initrd(self, tree, work):
        """busybox, and the modules that lead to the host's root; what to do is added later."""
        for name in ("bin", "modules", "host", "memory", "root"):
            (work / name).mkdir(parents=True)
        shutil.copy(shutil.which("busybox"), work / "bin/busybox")
        order = []
        for module in MODULES:
            shown = run("modprobe", "-d", tree, "-S", self.release, "--show-depends", module)
            for line in shown.decode().splitlines():
                path = pathlib.Path(line.split()[1]) if line.startswith("insmod") else None
                if path and _stem(path) not in order:
                    order.append(_stem(path))
                    (work / "modules" / _stem(path)).write_bytes(_unpack(path))
        (work / "modules/order").write_text("\n".join(order) + "\n")
        (tree / "initrd.gz").write_bytes(gzip.compress(archive(work), 1))


def _stem(path):
    return path.name[:path.name.index(".ko") + 3]


def _unpack(path):
    data = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(data)
    return run("zstd", "-qdc", path) if path.suffix == ".zst" else data


def archive(folder):
    """A folder as an archive that the kernel unpacks; several may stand one behind the other."""
    names = "\n".join(str(p.relative_to(folder)) for p in sorted(folder.rglob("*")))
    return run("cpio", "-o", "-H", "newc", "--quiet", cwd=folder, input=names.encode())
