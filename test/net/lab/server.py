# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers inside pods: one thread answers for all of them with the name of who was reached.

TCP: accepts, sends the name and the address that it saw the client come from, closes.
UDP: answers each datagram with the same.
SCTP: as TCP where the kernel has it.  Those of test machines often have not: there a raw socket
takes INIT chunks and notes the verification tag that a probe put into them.
"""

import selectors
import socket
import struct
import threading

SCTP = 132


class Servers:
    """All servers of one lab."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.wake_read, self.wake_write = socket.socketpair()
        self.selector.register(self.wake_read, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.lock = threading.Lock()
        self.new, self.stopping = [], False
        self.sctp_seen = set()
        self.thread.start()

    def _add(self, listener, handler, name):
        listener.setblocking(False)
        with self.lock:
            self.new.append((listener, (handler, name)))
        self.wake_write.send(b"x")

    def tcp(self, namespace, name, port, host="::", protocol=0):
        self._add(_listen(namespace, socket.SOCK_STREAM, host, port, protocol), self._on_tcp, name)

    def udp(self, namespace, name, port, host="::"):
        self._add(_listen(namespace, socket.SOCK_DGRAM, host, port), self._on_udp, name)

    def sctp(self, namespace, name):
        """Take every SCTP packet of a namespace, whatever its port."""
        for family in (socket.AF_INET, socket.AF_INET6):
            with namespace:
                raw = socket.socket(family, socket.SOCK_RAW, SCTP)
            self._add(raw, self._on_sctp, name)

    def close(self):
        self.stopping = True
        self.wake_write.send(b"x")
        self.thread.join(5)
        self.wake_read.close()
        self.wake_write.close()

    def _serve(self):
        while not self.stopping:
            for key, _ in self.selector.select():
                if key.data is None:
                    self.wake_read.recv(64)
                    self._register_new()
                else:
                    handler, name = key.data
                    handler(key.fileobj, name)
        for key in list(self.selector.get_map().values()):
            if key.fileobj is not self.wake_read:
                key.fileobj.close()

    def _register_new(self):
        with self.lock:
            for listener, data in self.new:
                self.selector.register(listener, selectors.EVENT_READ, data)
            self.new.clear()

    @staticmethod
    def _on_tcp(listener, name):
        try:
            connection, peer = listener.accept()
        except OSError:
            return  # the client gave up
        with connection:
            connection.settimeout(1)
            try:
                connection.sendall(_answer(name, peer))
            except OSError:
                return

    @staticmethod
    def _on_udp(listener, name):
        try:
            _, peer = listener.recvfrom(2048)
            listener.sendto(_answer(name, peer), peer)
        except OSError:
            return

    def _on_sctp(self, raw, _name):
        packet = raw.recv(2048)
        if raw.family == socket.AF_INET:
            packet = packet[(packet[0] & 15) * 4:]  # a raw IPv4 socket sees the header too
        if len(packet) >= 20 and packet[12] == 1:  # INIT; its initiate tag names the probe
            self.sctp_seen.add(struct.unpack("!I", packet[16:20])[0])


def _listen(namespace, kind, host, port, protocol=0):
    """A listening socket in a namespace; "::" takes both families."""
    with namespace:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if host == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind((host, port))
        if kind == socket.SOCK_STREAM:
            listener.listen(256)
    return listener


def _answer(name, peer):
    return f"{name} {peer[0].removeprefix('::ffff:')}".encode()
