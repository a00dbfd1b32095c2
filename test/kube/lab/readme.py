# SPDX-License-Identifier: GPL-2.0-or-later
"""README's section "On a cluster": its commands, and an administrator who follows them."""

import re
import shlex
import subprocess

from lab.cluster import ROOT


def _blocks():
    """The blocks of commands in the section, lists of lines."""
    section = re.search(r"^## On a cluster\n(.*?)^## ", (ROOT / "README.md").read_text(),
                        re.M | re.S).group(1)
    return [block.strip().splitlines() for block in re.findall(r"```\n(.*?)```", section, re.S)]


INSTALL, CONFIGURE, UPGRADE, REMOVE = _blocks()


def follow(lines, folder, kubectl):
    """Run commands in a folder that holds deploy/; return what each kubectl printed.  Images are
    there already: what makes and stores them is passed over.  kubectl: called with arguments."""
    printed = []
    for line in lines:
        program, *arguments = shlex.split(line)
        if program == "kubectl":
            printed.append(kubectl(*arguments))
        elif program == "sed":
            subprocess.run([program, *arguments], cwd=folder, check=True)
        else:
            assert program == "podman", line
    return printed
