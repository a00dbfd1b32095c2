# SPDX-License-Identifier: GPL-2.0-or-later
"""One connection that is held open, asked from both ends whether something still arrives."""

import itertools
import socket
import threading
import time

WAIT = 0.5  # seconds until silence counts as a drop
PORTS = itertools.count(7000)


def _family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Flow:
    """A connection between two namespaces: `kind` is "tcp" or "udp"; the server knows the client.

    `target`: what the client connects to, when that is translated to `address` on the way.
    """

    def __init__(self, kind, client, server, address, port=None, target=None):
        self.kind, self.tag = kind, 0
        number = socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM
        port = port or next(PORTS)
        with server:
            self.listener = socket.socket(_family(address), number)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((address, port))
        with client:
            self.client = socket.socket(_family(address), number)
        self.client.settimeout(3)
        self._connect(target or (address, port))

    def _connect(self, target):
        if self.kind == "tcp":
            self.listener.listen(1)
            self.client.connect(target)
            self.server, _ = self.listener.accept()
            self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return
        self.client.connect(target)
        self.client.send(b"hello")
        self.listener.settimeout(3)
        _, peer = self.listener.recvfrom(64)
        self.server = self.listener
        self.server.connect(peer)
        assert self.down(), "the flow never began"

    def _carries(self, sender, receiver, wait):
        self.tag += 1
        message, seen = f"<{self.tag}>".encode(), b""
        try:
            sender.send(message)
        except OSError:
            return False
        deadline = time.monotonic() + wait
        while message not in seen and (left := deadline - time.monotonic()) > 0:
            receiver.settimeout(left)
            try:
                data = receiver.recv(4096)
            except OSError:
                return False
            if not data:
                return False
            seen += data
        return message in seen

    def up(self, wait=WAIT):
        """Does what the client sends arrive?"""
        return self._carries(self.client, self.server, wait)

    def down(self, wait=WAIT):
        """Does what the server sends arrive?"""
        return self._carries(self.server, self.client, wait)

    def lives(self):
        return self.up(2) and self.down(2)

    def is_dead(self):
        """From the server first: its packets could make a cut connection again."""
        return not self.down() and not self.up() and not self.down()

    def close(self):
        for end in (self.client, self.server, self.listener):
            end.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Steady:
    """Datagrams to and fro, one every 2 ms, each answered: `lost` must stay 0.

    The client sends the next one whether or not the last was answered.
    """

    def __init__(self, flow):
        self.flow, self.stopping, self.sent, self.answered = flow, False, 0, 0
        self.threads = [threading.Thread(target=f, daemon=True)
                        for f in (self._send, self._receive, self._answer)]

    def _send(self):
        while not self.stopping:
            self.flow.client.send(b"x")
            self.sent += 1
            time.sleep(0.002)

    def _receive(self):
        self.flow.client.settimeout(1)
        while True:
            try:
                self.flow.client.recv(64)
            except TimeoutError:
                return
            self.answered += 1

    def _answer(self):
        self.flow.server.settimeout(1)
        while True:
            try:
                self.flow.server.recv(64)
            except TimeoutError:
                return
            self.flow.server.send(b"y")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self.threads:
            thread.join()

    @property
    def lost(self):
        return self.sent - self.answered
