# SPDX-License-Identifier: GPL-2.0-or-later
"""systemd/manx.service: is it right, is it tight, and does an agent live under it?

systemd does not run here: the agent is started in a container with the unit's capabilities, system
calls, address families and write protection, in the image's root file system.  A call that the unit
refuses ends the agent.
"""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from lab import cni, tcp
from lab.cluster import ROOT, binary, wait_for
from lab.container import Container
from lab.service import Service

EXPOSURE = 30  # tenths


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    """The unit as `make install` leaves it."""
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run(["make", "install", f"PREFIX={prefix}", f"BUILD={binary().parent}"], cwd=ROOT,
                   check=True, capture_output=True)
    return prefix / "lib/systemd/system/manx.service"


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True,
                          text=True, check=False)


def test_verify(unit, tmp_path):
    done = analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    wrong = tmp_path / "manx.service"
    wrong.write_text(unit.read_text().replace("Restart=always", "Restart=whenever"))
    assert "whenever" in analyze("verify", "--man=no", wrong).stderr


def test_exposure(unit, tmp_path):
    done = analyze("security", "--offline=true", f"--threshold={EXPOSURE}", unit)
    assert done.returncode == 0, done.stdout
    loose = tmp_path / "manx.service"
    loose.write_text(unit.read_text().replace("CapabilityBoundingSet=CAP_NET_ADMIN", ""))
    assert analyze("security", "--offline=true", f"--threshold={EXPOSURE}", loose).returncode != 0


def test_what_must_not_be_lost():
    service = Service()
    for name, value in {"Type": "notify", "WatchdogSec": "20s", "NoNewPrivileges": "yes",
                        "CapabilityBoundingSet": "CAP_NET_ADMIN", "LimitCORE": "0",
                        "ProtectSystem": "strict", "MemoryDenyWriteExecute": "yes",
                        "Restart": "always"}.items():
        assert service.get(name) == [value]
    refused = {"io_setup", "setns", "mount", "bpf", "ptrace", "init_module", "keyctl", "chroot",
               "setuid", "reboot", "chown", "mlock"} & service.calls()
    assert refused == {"setns"}  # part of @process; RestrictNamespaces refuses it
    assert service.get("RestrictNamespaces") == ["yes"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("image") / "rootfs"
    subprocess.run([ROOT / "deploy/rootfs", folder, binary().parent], check=True,
                   capture_output=True)
    return folder


class Manager:
    """What systemd hears of a service: messages at NOTIFY_SOCKET, read all the time from listen()
    on; before, nobody has room for one."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.seen = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other, \
                contextlib.suppress(BlockingIOError):
            while True:
                other.sendto(b"old", socket.MSG_DONTWAIT, str(path))

    def listen(self):
        self.thread.start()
        return self

    def _read(self):
        while message := self.socket.recv(4096):
            self.seen += message.decode().split()

    def heard(self, word):
        return word in self.seen

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


@pytest.fixture
def node(lab):
    node = lab.node("node-a")
    node.run_dir.mkdir()
    node.state_dir.mkdir()
    (node.folder / "conf").mkdir()
    (node.folder / "conf/manx.conf").write_text("address-cooldown: 0s\n")
    return node


@pytest.fixture
def start(lab, node, root):
    """A function that starts the agent under the unit; service: another one."""
    started = []

    def function(service=None, **options):
        service = service or Service()
        started.append(Container(
            node.namespace, root, ["/usr/sbin/manx", "agent", "--config", "/etc/manx/manx.conf",
                                   "--node", node.name, "--manifests", "/run/manifests"], node.log,
            mounts=[(node.folder / "conf", "/etc/manx", True),
                    (lab.manifests, "/run/manifests", True),
                    (node.run_dir, "/run/manx", False), (node.state_dir, "/var/lib/manx", False),
                    (node.cni_conf_dir, "/etc/cni/net.d", False),
                    (node.cni_bin_dir, "/opt/cni/bin", False)],
            capabilities=service.capabilities(), service=service, **options))
        return started[-1]

    yield function
    for container in started:
        container.stop(signal.SIGKILL)


def test_an_agent_under_the_unit(lab, node, start):
    """Started, watched, reloaded, asked for everything, stopped, with pods and policies."""
    config = node.folder / "conf/manx.conf"
    manager = Manager(node.run_dir / "notify").listen()
    agent = start(environment={"NOTIFY_SOCKET": "/run/manx/notify", "WATCHDOG_USEC": "400000"})
    wait_for(lambda: manager.heard("READY=1"), 10, f"READY=1\n{node.log_text()}")
    wait_for(lambda: manager.heard("WATCHDOG=1"), 5, "WATCHDOG=1")
    wait_for(lambda: node.get("/readyz")[0] == 200, 5, "readiness")
    web, client = (lab.run_pod(node, "default", name) for name in ("web", "client"))
    assert tcp(client, web.v4, 80)
    lab.policy("default", "closed", ingress=[], types=["Ingress"])
    wait_for(lambda: not tcp(client, web.v4, 80), 5, "isolation")
    cni.call(web, "CHECK", prev=web.result)
    config.write_text("log-level: debug\n")
    wait_for(lambda: 'msg="reloaded"' in node.log_text(), 5, "reload")
    os.kill(agent.pid, signal.SIGHUP)
    for command in (["status"], ["status", "--json"], ["ipam", "show"], ["ipam", "check"]):
        assert node.manx(*command, "--run-dir", node.run_dir).returncode == 0
    assert node.metrics()["process_open_fds"] > 5
    assert node.namespace.run("nft", "flush", "ruleset").returncode == 0
    lab.delete(client)  # the refusal tells the agent of it
    wait_for(lambda: "closed" in node.ruleset(), 10, "the rules to be back")
    before = manager.seen.count("WATCHDOG=1")
    time.sleep(0.5)
    assert manager.seen.count("WATCHDOG=1") > before
    assert agent.stop() == 0, node.log_text()[-2000:]
    wait_for(lambda: manager.heard("STOPPING=1"), 1, "STOPPING=1")
    manager.close()
    with (node.state_dir / "attachments.journal").open("ab") as journal:
        journal.write(b"half a record")  # cut off at the next start
    again = start()
    wait_for(lambda: node.get("/readyz")[0] == 200, 5, "readiness again")
    assert "the journal was damaged, what holds of it is used" in node.log_text()
    lab.delete(web)
    assert again.stop() == 0


def test_a_manager_that_does_not_read(lab, node, start):
    """As systemd while it executes itself anew: the agent works all the same, and tells later."""
    manager = Manager(node.run_dir / "notify")
    agent = start(environment={"NOTIFY_SOCKET": "/run/manx/notify", "WATCHDOG_USEC": "400000"})
    wait_for(lambda: node.get("/readyz")[0] == 200, 10, "readiness")
    web, client = (lab.run_pod(node, "default", name) for name in ("web", "client"))
    time.sleep(0.5)  # the watchdog's time
    assert tcp(client, web.v4, 80)
    manager.listen()
    wait_for(lambda: manager.heard("READY=1") and manager.heard("WATCHDOG=1"), 5, "what it missed")
    for pod in (web, client):
        lab.delete(pod)
    assert agent.stop() == 0
    manager.close()


def test_the_filter_is_real(start):
    """Without one call that the agent needs, it is killed."""
    service = Service()
    calls = service.calls() - {"epoll_wait", "epoll_pwait", "epoll_pwait2"}
    service.calls = lambda: calls
    agent = start(service)
    assert agent.wait() == -signal.SIGSYS
