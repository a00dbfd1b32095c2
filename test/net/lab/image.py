# SPDX-License-Identifier: GPL-2.0-or-later
"""deploy/Containerfile, built without buildah: its steps are done in folders of this machine."""

import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]


def instructions():
    """(word, rest) of each line of the recipe."""
    for line in (ROOT / "deploy/Containerfile").read_text().splitlines():
        if line and not line.startswith("#"):
            yield tuple(line.split(" ", 1))


def build(folder):
    """Build the image's root file system in a folder; return where it is, and its ENTRYPOINT.

    Only what the recipe copies is there for its commands.  WORKDIR and /rootfs are folders of
    `folder`; the machine stands for the stage's base image.
    """
    work, image, entry, last = None, None, None, False
    for word, rest in instructions():
        if word == "FROM":
            last = rest == "scratch"
        elif word == "WORKDIR":
            work = folder / "src"
            work.mkdir()
        elif word == "COPY" and not last:
            source, target = rest.split()
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, work / target)
            else:
                shutil.copy(ROOT / source, work / target)
        elif word == "RUN" and not last:
            command = rest.replace(" /rootfs", f" {folder}/rootfs")
            done = subprocess.run(["sh", "-c", command], cwd=work, capture_output=True, text=True,
                                  check=False)
            assert done.returncode == 0, f"RUN {rest}: {done.stdout}{done.stderr}"
        elif word == "COPY" and last:
            assert rest == "--from=build /rootfs /", rest
            image = folder / "rootfs"
        elif word == "ENTRYPOINT" and last:
            entry = rest
        else:
            raise AssertionError(f"{word} {rest}: not known here")
    return image, entry
