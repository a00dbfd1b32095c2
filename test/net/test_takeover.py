# SPDX-License-Identifier: GPL-2.0-or-later
"""One agent takes the place of another on the same run folder: `manx agent --take-over`."""

import array
import concurrent.futures
import fcntl
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from lab import cni, tcp
from lab.arena import normal
from lab.cluster import wait_for
from lab.flow import Flow, Steady
from lab.monitor import nft_monitor, route_monitor


@pytest.fixture
def pods(lab, node):
    both = [lab.run_pod(node, "default", "server", {"role": "server"}, serve=(80, 81)),
            lab.run_pod(node, "default", "client")]
    lab.policy("default", "p", {"matchLabels": {"role": "server"}},
               ingress=[{"ports": [{"port": 80}, {"port": 7000, "protocol": "UDP"}]}])
    lab.settle()
    return both


class Prober:
    """As a kubelet's probe, without a pause; `failed` lists what was no answer of /livez."""

    def __init__(self, node):
        self.node, self.failed, self.answered, self.stopping = node, [], 0, False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        with self.node.namespace:
            while not self.stopping:
                connection = http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=10)
                try:
                    connection.request("GET", "/livez")
                    status = connection.getresponse().status
                    self.answered += 1
                    if status != 200:
                        self.failed.append(status)
                except OSError as e:
                    self.failed.append(repr(e))
                finally:
                    connection.close()
                time.sleep(0.002)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()


# --- one agent after the other ---


def test_nothing_is_written_and_nobody_notices(lab, node, pods):
    server, client = pods
    before = node.ruleset()
    with nft_monitor(node) as seen, route_monitor(node) as routes, Prober(node) as prober, \
            Flow("udp", client.namespace, server.namespace, server.v4, 7000) as flow, \
            Steady(flow) as steady:
        old = node.take_over()
        lab.settle()
        assert seen() == ""
        assert routes() == ""
        time.sleep(0.3)
    assert prober.failed == [] and prober.answered > 20
    time.sleep(0.2)
    assert steady.sent > 100 and steady.lost == 0
    assert normal(node.ruleset()) == normal(before)
    assert node.metrics()["manx_nft_operations_total"] == 0
    assert old.poll() is None, "it stands by"
    assert int(node.lock_text()) == node.process.pid
    assert tcp(client, server.v4, 80) and tcp(client, server.v4, 81, wait=0.1) is None


def test_no_add_fails(lab):
    """Pods come and go, by eight at a time, while agents change; no plugin tries twice."""
    node = lab.node("n1")
    node.flags = ["--status-grace", "0s"]
    node.start_agent()
    lab.namespace_object("default")
    done, failed, stopping = [], [], False

    def runtime(k):
        for i in range(1000):
            if stopping:
                return
            pod = lab.pod(node, "default", f"p{k}-{i}", serve=())
            try:
                lab.add(pod)
                cni.call(pod, "CHECK", prev=pod.result)
                if i % 2:
                    lab.delete(pod)
                    done.append(None)
                else:
                    done.append(pod)
            except Exception as e:  # of whatever kind: it is to be none
                failed.append(f"{pod.name}: {e!r}")
            finally:
                if i % 2:
                    pod.namespace.delete()
                    lab.pods.remove(pod)
                    node.pods.remove(pod)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(runtime, k) for k in range(8)]
        for _ in range(4):
            time.sleep(0.7)
            before = len(done)
            node.take_over()
            wait_for(lambda before=before: len(done) > before + 8, 20, "calls to go on")
            assert node.end_retired(signal.SIGTERM) == [0]
        stopping = True
        for call in calls:
            call.result(60)
    assert failed == []
    kept = [p for p in done if p]
    lab.settle()
    assert len({p.v4 for p in kept}) == len(kept) > 8
    assert node.metrics()["manx_attachments"] == len(kept)
    assert "took over from the agent that ran" in node.log_text()


def test_the_first_stands_by_for_the_second(lab, node, pods):
    server, client = pods
    old = node.take_over()
    node.stop_agent(signal.SIGKILL)
    node.process = node.retired.pop()
    wait_for(lambda: node.lock_text() == f"{old.pid}\n", 10, "the first to be the agent again")
    node.wait_ready()
    late = lab.run_pod(node, "default", "late")
    assert tcp(late, server.v4, 80) and tcp(client, server.v4, 81, wait=0.1) is None
    node.take_over()  # and it can be replaced once more
    assert node.end_retired(signal.SIGTERM) == [0]


def test_nobody_to_take_over_from(lab, node, pods):
    node.stop_agent(signal.SIGKILL)
    node.start_agent("--take-over")
    assert node.metrics()["manx_nft_operations_total"] == 0


def test_another_http_address(lab, node, pods):
    """The new one's configuration counts; the port that it does not want is closed."""
    node.port = 9110
    node.take_over()
    assert node.get("/readyz")[0] == 200
    node.port = 9109
    assert node.get("/readyz")[0] == 0


# --- agents that do not hand over, or do not take ---


def frame(message):
    text = json.dumps(message).encode()
    return struct.pack("<I", len(text)) + text


def receive(connection, fds=None):
    """The next message, None at the end of the connection."""
    head, more, _, _ = connection.recvmsg(4, socket.CMSG_SPACE(16 * 4))
    for _, _, data in more:
        fds.extend(array.array("i", data))
    if not head:
        return None
    return json.loads(connection.recv(struct.unpack("<I", head)[0], socket.MSG_WAITALL))


def ask(node):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect(str(node.run_dir / "cni.sock"))
    connection.sendall(frame({"call": "take-over"}))
    return connection


def close(fds):
    for fd in fds:
        os.close(fd)


@pytest.mark.parametrize("confirm", [None, {"nonsense": 1}, "silence"])
def test_who_asks_and_does_not_take(lab, node, confirm):
    """The old one goes on: whoever asks can die, or hang, at every point."""
    fds, connection = [], ask(node)
    with connection:
        answer = receive(connection, fds)
        assert answer == {"do": "take-over",
                          "descriptors": ["lock", "cni", "http 127.0.0.1:9109"]}
        assert len(fds) == 3
        if confirm == "silence":
            assert receive(connection) is None  # after five seconds
        elif confirm:
            connection.sendall(frame(confirm))
            assert receive(connection) is None
    close(fds)
    lab.run_pod(node, "default", "p")
    assert node.get("/readyz")[0] == 200
    assert "going on" in node.log_text()
    node.take_over()
    assert node.metrics()["manx_nft_operations_total"] == 0


def test_two_ask_at_once(lab, node):
    fds = []
    with ask(node) as first:
        receive(first, fds)
        # The socket does not listen meanwhile: the second waits in the backlog until it does again.
        with ask(node) as second:
            first.close()
            assert receive(second, fds)["do"] == "take-over"
    close(fds)
    assert cni.status(node) is None


class OldVersion:
    """An agent without the call: it has the lock and the socket, and says so."""

    def __init__(self, node, answer):
        self.lock = (node.run_dir / "manx.lock").open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.socket = socket.socket(socket.AF_UNIX)
        path = node.run_dir / "cni.sock"
        path.unlink(missing_ok=True)
        self.socket.bind(str(path))
        self.socket.listen()
        self.answer, self.asked = answer, []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        connection, _ = self.socket.accept()
        with connection:
            self.asked.append(receive(connection, []))
            self.answer(connection)

    def close(self):
        self.socket.close()
        self.lock.close()


def does_not_know(connection):
    connection.sendall(frame({"result": "the agent does not know this call\n", "exit": 1}))


def dies(connection):
    pass


def dies_with_the_descriptors_sent(connection):
    names = {"do": "take-over", "descriptors": ["cni"]}
    with socket.socket(socket.AF_UNIX) as one:
        socket.send_fds(connection, [frame(names)], [one.fileno()])
    receive(connection, [])  # {"done": true}, and no confirmation


def confirms_without_a_lock(connection):
    dies_with_the_descriptors_sent(connection)
    connection.sendall(frame({"result": "", "exit": 0}))


@pytest.mark.parametrize("answer", [does_not_know, dies, dies_with_the_descriptors_sent])
def test_an_agent_that_does_not_hand_over(lab, node, pods, answer):
    """The new one says why, and waits for the lock: what takes longer is an agent that restarts."""
    node.stop_agent()
    old = OldVersion(node, answer)
    node.start_agent("--take-over", wait=False)
    wait_for(lambda: "does not hand over" in node.log_text(), what="the reason in the log")
    assert old.asked == [{"call": "take-over"}]
    if answer is does_not_know:
        assert "it says: the agent does not know this call" in node.log_text()
    time.sleep(0.5)
    assert node.process.poll() is None and node.get("/livez")[0] == 0
    old.close()
    node.wait_ready()
    assert node.metrics()["manx_nft_operations_total"] == 0


def test_an_agent_that_keeps_the_lock(lab, node):
    node.stop_agent()
    old = OldVersion(node, confirms_without_a_lock)
    node.start_agent("--take-over", wait=False)
    process, node.process = node.process, None
    assert process.wait(10) == 1
    assert "everything but the lock" in node.log_text()
    old.close()


def test_an_agent_that_hangs(lab, node, pods):
    """The new one waits for its end, which is somebody else's to bring about."""
    server, client = pods
    node.process.send_signal(signal.SIGSTOP)
    old = node.take_over(wait=False)
    wait_for(lambda: "does not hand over" in node.log_text(), 30, "the new one to give up")
    assert tcp(client, server.v4, 80)
    old.send_signal(signal.SIGKILL)
    node.wait_ready()
    assert node.metrics()["manx_nft_operations_total"] == 0
    assert [s for s in node.end_retired() if s != -signal.SIGKILL] == []


def test_standing_by(lab, node, pods):
    with node.namespace:
        second = subprocess.Popen(node.agent_command("--stand-by"), stderr=subprocess.PIPE,
                                  text=True)
    assert "standing by" in second.stderr.readline() + second.stderr.readline()
    second.send_signal(signal.SIGTERM)
    assert second.wait(5) == 0
    second.stderr.close()
    assert node.get("/readyz")[0] == 200
