# SPDX-License-Identifier: GPL-2.0-or-later
"""`manx install` and the agent's own installation: the plugin's program, the conflist."""

import json
import os
import subprocess

import pytest

from lab import cni
from lab.cluster import binary

PLUGIN = binary().with_name("manx-cni")


@pytest.fixture
def node(lab):
    return lab.node("node-a")


def install(node, check=True):
    return node.manx("install", "--cni-bin-dir", node.cni_bin_dir, check=check)


def test_the_plugin_needs_libc_and_libmnl_alone():
    """It runs on the host, whatever that is; a build with sanitizers has their libraries too."""
    shown = subprocess.run(["objdump", "-p", PLUGIN], capture_output=True, text=True, check=True)
    needed = {line.split()[1] for line in shown.stdout.splitlines() if "NEEDED" in line}
    ours = {name for name in needed if not name.startswith(("libasan", "libubsan"))}
    assert ours == {"libc.so.6", "libmnl.so.0"}


def test_install_before_any_agent(node):
    """The plugin is there and speaks; the conflist, which makes a node ready, is not."""
    installed = node.cni_bin_dir / "manx"
    assert install(node).stdout == f"{installed} installed\n"
    assert installed.read_bytes() == PLUGIN.read_bytes() and os.access(installed, os.X_OK)
    assert list(node.cni_conf_dir.iterdir()) == []
    versions = cni.result_of(cni.call_raw(node, {"CNI_COMMAND": "VERSION"},
                                          '{"cniVersion": "1.1.0"}'))
    assert "1.1.0" in versions["supportedVersions"]
    before = installed.stat()
    assert install(node).stdout == f"{installed} is there already\n"
    assert installed.stat().st_ino == before.st_ino


def test_an_upgrade_disturbs_no_running_plugin(node):
    """An older plugin is in the middle of a call and the older conflist is in force."""
    installed, conflist = node.cni_bin_dir / "manx", node.cni_conf_dir / "10-manx.conflist"
    installed.write_bytes(PLUGIN.read_bytes() + b"older")
    installed.chmod(0o755)
    conflist.write_text("older")
    with node.namespace, subprocess.Popen(
            [installed], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={"CNI_COMMAND": "VERSION"}) as running:
        assert install(node).stdout == f"{installed} installed\n"
        assert installed.read_bytes() == PLUGIN.read_bytes()
        text, _ = running.communicate('{"cniVersion": "1.0.0"}', timeout=10)
    assert running.returncode == 0 and json.loads(text)["cniVersion"] == "1.0.0"
    assert conflist.read_text() == "older"
    assert [f.name for f in node.cni_bin_dir.iterdir()] == ["manx"]
    node.start_agent()
    assert json.loads(conflist.read_text())["name"] == "manx"


def test_install_that_cannot(node):
    node.cni_bin_dir.rmdir()
    node.cni_bin_dir.write_text("no folder")
    done = install(node, check=False)
    assert done.returncode == 1
    assert done.stderr == f"manx install: {node.cni_bin_dir}: exists and is not a folder\n"
    assert node.manx("install", "--cni-bin-dir", "", check=False).returncode == 1


def test_an_agent_that_leaves_the_plugin_to_others(lab, node):
    """With an empty cni-bin-dir the agent writes the conflist alone; `manx install` does the
    rest, and pods are served."""
    node.config_file.write_text("cni-bin-dir: ''\n")
    command = node.agent_command()
    where = command.index("--cni-bin-dir")
    node.agent_command = lambda *_: command[:where] + command[where + 2:]
    node.start_agent()
    assert (node.cni_conf_dir / "10-manx.conflist").exists()
    assert list(node.cni_bin_dir.iterdir()) == []
    install(node)
    pod = lab.run_pod(node, "default", "web")
    assert pod.v4
    lab.delete(pod)
