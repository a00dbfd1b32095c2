# SPDX-License-Identifier: GPL-2.0-or-later
"""What a pod leaves behind when it goes, and what it must not: moments and half-done calls."""

import concurrent.futures
import contextlib
import json
import signal
import socket
import threading
import time

import pytest

from lab import cni, udp

SMALL = ["10.201.1.0/29", "fd00:201:1::/125"]  # six addresses each: they come again soon


@pytest.fixture
def node(lab):
    """Addresses come again at once, and nobody waits for a pod's object."""
    one = lab.node("n1", podCIDR=SMALL[0], podCIDRs=SMALL)
    one.config_file.write_text("address-cooldown: 0s\npod-wait: 0s\n")
    one.start_agent()
    lab.namespace_object("default")
    lab.policy("default", "closed", {"matchLabels": {"role": "closed"}},
               types=["Ingress", "Egress"])
    return one


@contextlib.contextmanager
def datagrams(client, address):
    """Sent one after the other, as fast as it goes."""
    with client.namespace:
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    done = threading.Event()

    def send():
        while not done.is_set():
            with contextlib.suppress(OSError):
                sender.sendto(b"x", (address, 80))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        sender.close()


def count_datagrams(ear):
    number = 0
    with contextlib.suppress(BlockingIOError):
        while ear.recv(16):
            number += 1
    return number


def together(function, pods):
    """Call it for each pod, all at the same time; return the results."""
    with concurrent.futures.ThreadPoolExecutor(len(pods)) as pool:
        return list(pool.map(function, pods))


def attachments(node):
    return json.loads(node.manx("ipam", "show", "--json", "--run-dir",
                                node.run_dir).stdout)["attachments"]


def test_a_pod_that_goes_stays_isolated(lab, node):
    """Its rules are the last to go: while a packet can reach it, they hold.  Others go at the same
    time, so that the kernel is slow to take the route away."""
    client = lab.run_pod(node, "default", "client", serve=())
    for turn in range(5):
        pods = [lab.run_pod(node, "default", f"closed-{turn}-{i}", {"role": "closed"}, serve=())
                for i in range(4)]
        lab.settle()
        with pods[-1].namespace, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.bind(("0.0.0.0", 80))
            ear.setblocking(False)
            with datagrams(client, pods[-1].v4):
                together(lambda pod: cni.call(pod, "DEL"), pods)
            assert count_datagrams(ear) == 0


def test_an_address_is_given_away_without_its_connections(lab, node):
    """A pod went while no agent ran; who gets its address inherits nothing."""
    client = lab.run_pod(node, "default", "client", serve=())
    first = lab.run_pod(node, "default", "open")
    lab.settle()
    with client.namespace, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((first.v4, 80))
        sender.settimeout(2)
        for _ in range(2):
            sender.send(b"hello")
            assert sender.recv(64)
        node.stop_agent(signal.SIGKILL)
        cni.call(first, "DEL")
        lab.remove(first.object())
        node.start_agent()
        closed = []
        while not closed or closed[-1].v4 != first.v4:
            assert len(closed) < 6, "the address does not come again"
            closed.append(lab.run_pod(node, "default", f"c{len(closed)}", {"role": "closed"}))
        lab.settle()
        sender.settimeout(0.3)
        with pytest.raises(TimeoutError):
            for _ in range(3):
                sender.send(b"hello")
                sender.recv(64)
    assert udp(node, closed[-1].v4, 80), "it is there"


def test_pods_that_go_while_the_agent_starts(lab, node):
    """The plugin finds no agent, which has seen the link already: the address is freed all the
    same."""
    for turn in range(6):
        pods = [lab.run_pod(node, "default", f"p{turn}-{i}", serve=()) for i in range(6)]
        node.stop_agent(signal.SIGKILL)
        node.start_agent(wait=False)

        def delete_one(pod, pods=pods):
            time.sleep(pods.index(pod) * 0.007)
            cni.call(pod, "DEL")

        together(delete_one, pods)
        node.wait_ready()
        assert attachments(node) == []


def test_add_again_and_again(lab, node):
    """Each makes the link anew, and the route is not asked for while there is none.  Other pods
    come and go, so that the kernel is slow to answer."""
    pods = [lab.run_pod(node, "default", f"p{i}") for i in range(4)]

    def call_often(pod):
        for _ in range(25):
            if pod in pods[2:]:
                cni.call(pod, "DEL")
                cni.call(pod, "ADD")
            else:
                assert cni.call(pod, "ADD")["ips"] == pod.result["ips"]

    together(call_often, pods)
    assert all(udp(node, pod.v4, 80) for pod in pods[:2])
