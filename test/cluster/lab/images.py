# SPDX-License-Identifier: GPL-2.0-or-later
"""Images, assembled from files of this machine as archives that containerd imports: pause, one for
test pods (busybox and a server), and Manx's own."""

import hashlib
import io
import json
import pathlib
import shutil
import subprocess
import tarfile

from . import settings

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TEST = "local/test:1"
MANX = "registry.example/manx:%s"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def pack(root, archive, name, entry):
    """Make an archive of one image of one layer: a folder's files, as root's."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(root, ".", filter=_as_root)
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    machine = subprocess.run(["uname", "-m"], stdout=subprocess.PIPE, text=True, check=True)
    config = {"architecture": ARCHITECTURES[machine.stdout.strip()], "os": "linux",
              "config": {"Entrypoint": entry, "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]},
              "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    partial = archive.with_suffix(".new")
    with tarfile.open(partial, mode="w") as tar:
        for file, data in (("manifest.json", json.dumps(manifest).encode()),
                           ("config.json", json.dumps(config).encode()),
                           ("layer.tar", layer.getvalue())):
            head = tarfile.TarInfo(file)
            head.size = len(data)
            tar.addfile(head, io.BytesIO(data))
    partial.rename(archive)


def _as_root(entry):
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def _compile(name, target):
    subprocess.run(["gcc", "-static", "-Os", "-s", "-Wall", "-Werror", "-D_GNU_SOURCE", "-o",
                    target, HERE / f"{name}.c"], check=True)


def make_images(folder, work):
    """All of them, in a folder; and the program manx beside them, for commands on nodes."""
    pause, test, manx = (work / name for name in ("pause", "test", "manx"))
    pause.mkdir(parents=True)
    _compile("pause", pause / "pause")
    pack(pause, folder / "pause.tar", settings.PAUSE, ["/pause"])
    for name in ("bin", "etc", "proc", "sys", "dev", "tmp"):
        (test / name).mkdir(parents=True)
    _compile("answer", test / "bin/answer")
    shutil.copy(shutil.which("busybox"), test / "bin/busybox")
    listed = subprocess.run([test / "bin/busybox", "--list"], stdout=subprocess.PIPE, text=True,
                            check=True).stdout.split()
    for applet in set(listed) - {"busybox"}:
        (test / "bin" / applet).symlink_to("busybox")
    (test / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
    pack(test, folder / "test.tar", TEST, ["/bin/answer"])
    subprocess.run([ROOT / "deploy/rootfs", manx], stdout=subprocess.DEVNULL, check=True)
    pack_manx(manx, folder, 1)
    shutil.copy(ROOT / "build/manx", folder / "manx")


def pack_manx(root, folder, tag):
    """What deploy/Containerfile makes, with a tag; a file in it says which."""
    (root / "usr/share/doc/manx-image").write_text(f"{tag}\n")
    pack(root, folder / f"manx-{tag}.tar", MANX % tag, ["/usr/sbin/manx"])
