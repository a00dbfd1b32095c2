# SPDX-License-Identifier: GPL-2.0-or-later
"""A program that watches by packets, all the time, what must hold at every moment.

Takes: an argument of JSON, the places and addresses (lab/arena.py writes it); then a byte on
standard input for each report that is wanted.  Gives: a line of JSON, what was seen so far.  In a
process of its own, so that nothing of the test delays it.

- Established: a UDP flow of numbered datagrams with their echoes, and a TCP flow of numbered
  words, both of each family, from client to server.
- Allowed: new TCP connections from client to server.
- Forbidden: the client sends datagrams and SYNs to every address of the pods' range, whoever has
  it; the closed places send to the sink, which is open.  Whatever arrives in a closed place, or
  comes from one, is a breach.  Open places answer: so connections exist that must not outlive
  the pod whose address they have.

A breach of a single packet is seen.  A new allowed connection may lose its SYN in the moment in
which the program of its server is exchanged, and comes about a second later: so has it patience.
Limits: of a forbidden TCP connection only the complete
handshake is seen, its SYN passes as the datagram of the same moment does.
"""

import contextlib
import errno
import itertools
import json
import os
import selectors
import socket
import struct
import sys
import time

from lab.namespace import setns

TICK = 0.005  # seconds
SWEEP = 12  # addresses asked in one tick
CONNECT_EVERY = 4  # ticks between allowed connections
CLEAN_EVERY = 16  # ticks between two looks at connections that are given up
PATIENCE = 10.0  # seconds that an allowed connection may take
FLOW, STREAM, PORT = 7000, 7001, 80  # ports: numbered datagrams, numbered words, everything else
FAMILIES = (socket.AF_INET, socket.AF_INET6)
WORD = struct.Struct("!Q")


def open_socket(place, family, kind):
    """A socket inside of a network namespace."""
    before, inside = (os.open(p, os.O_RDONLY | os.O_CLOEXEC)
                      for p in ("/proc/self/ns/net", place))
    try:
        setns(inside)
        one = socket.socket(family, kind)
        setns(before)
    finally:
        os.close(before)
        os.close(inside)
    one.setblocking(False)
    return one


def listen(place, kind, port):
    """A socket for both families; TCP listens."""
    one = open_socket(place, socket.AF_INET6, kind)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    one.bind(("::", port))
    if kind == socket.SOCK_STREAM:
        one.listen(512)
    return one


class Attempts:
    """TCP connections from one place on their way, given up after a time."""

    def __init__(self, place, patience):
        self.place, self.patience = place, patience
        self.open = []

    def begin(self, address):
        family = FAMILIES[":" in address]
        one = open_socket(self.place, family, socket.SOCK_STREAM)
        error = one.connect_ex((address, PORT))
        if error == errno.EINPROGRESS:
            self.open.append((time.monotonic(), one))
        else:
            one.close()  # no address yet, no route

    def look(self):
        """Yield (error or 0, seconds) of those that have ended; None: not within the patience."""
        now, left = time.monotonic(), []
        for since, one in self.open:
            error = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            done = not error and _is_connected(one)
            if error or done or now - since > self.patience:
                one.close()
                yield (error if error or done else None), now - since
            else:
                left.append((since, one))
        self.open = left


def _is_connected(one):
    try:
        one.getpeername()
    except OSError:
        return False
    return True


class Numbered:
    """The receiving side of numbers that come in order and without a gap."""

    def __init__(self, name, breach):
        self.name, self.breach = name, breach
        self.expected, self.last, self.longest = 0, None, 0.0

    def take(self, number):
        now = time.monotonic()
        if self.last:
            self.longest = max(self.longest, now - self.last)
        self.last = now
        if number != self.expected:
            self.breach(f"{self.name}: number {number} came, {self.expected} was due")
        self.expected = number + 1


class DatagramFlow:
    """Numbered datagrams from client to server, and their echoes."""

    def __init__(self, watcher, version, address):
        self.client = open_socket(watcher.config["client"], FAMILIES[version == 6],
                                  socket.SOCK_DGRAM)
        self.client.connect((address, FLOW))
        self.sent = 0
        self.there, self.back = (Numbered(f"udp{version} {way}", watcher.breach)
                                 for way in ("there", "back"))
        watcher.selector.register(self.client, selectors.EVENT_READ, self.on_echo)
        self.name = f"udp{version}"

    def send(self):
        with contextlib.suppress(BlockingIOError):
            self.client.send(WORD.pack(self.sent))
            self.sent += 1

    def on_echo(self, one):
        self.back.take(WORD.unpack(one.recv(64))[0])

    def result(self):
        return {"sent": self.sent, "there": self.there.expected, "back": self.back.expected,
                "longest": max(self.there.longest, self.back.longest)}


class StreamFlow:
    """Numbered words through one TCP connection."""

    def __init__(self, watcher, version, address):
        self.name = f"tcp{version}"
        self.client = open_socket(watcher.config["client"], FAMILIES[version == 6],
                                  socket.SOCK_STREAM)
        self.client.setblocking(True)
        self.client.settimeout(PATIENCE)
        self.client.connect((address, STREAM))
        self.client.setblocking(False)
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        watcher.stream_listener.setblocking(True)
        self.server, _ = watcher.stream_listener.accept()
        self.server.setblocking(False)
        self.sent, self.rest = 0, b""
        self.there = Numbered(self.name, watcher.breach)
        watcher.selector.register(self.server, selectors.EVENT_READ, self.on_words)
        self.breach = watcher.breach

    def send(self):
        try:
            if self.client.send(WORD.pack(self.sent)) == WORD.size:
                self.sent += 1
        except BlockingIOError:
            pass
        except OSError as e:
            self.breach(f"{self.name}: {e}")

    def on_words(self, one):
        self.rest += one.recv(65536)
        whole = len(self.rest) // WORD.size * WORD.size
        for (number,) in WORD.iter_unpack(self.rest[:whole]):
            self.there.take(number)
        self.rest = self.rest[whole:]

    def result(self):
        # tcpi_total_retrans, linux/tcp.h: the 24th of the 32-bit words behind 8 bytes
        info = self.client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        return {"sent": self.sent, "there": self.there.expected, "longest": self.there.longest,
                "sent_again": struct.unpack_from("=I", info, 100)[0]}


class Watcher:
    """All sockets, one loop."""

    def __init__(self, config):
        self.config, self.selector = config, selectors.DefaultSelector()
        self.breaches, self.count = [], {"forbidden": 0, "allowed": 0, "answered": 0}
        self.slowest, self.pause, self.ticks = 0.0, 0.0, 0
        self._open_receivers()
        self.flows = [kind(self, 6 if ":" in a else 4, a)
                      for kind in (DatagramFlow, StreamFlow) for a in config["server_addresses"]]
        self.by_family = {f.name: f for f in self.flows}
        self.allowed = Attempts(config["client"], PATIENCE)
        self.swept = Attempts(config["client"], 0.3)
        self.sweepers = self._senders(config["client"])
        self.leavers = [(place, *self._senders(place)) for place in config["closed"]]
        self.escapes = Attempts(config["closed"][0], 0.3)

    def breach(self, what):
        self.breaches.append(f"{time.strftime('%H:%M:%S')} {what}")
        del self.breaches[100:]

    @staticmethod
    def _senders(place):
        return [open_socket(place, f, socket.SOCK_DGRAM) for f in FAMILIES]

    def _open_receivers(self):
        c = self.config
        self.stream_listener = listen(c["server"], socket.SOCK_STREAM, STREAM)
        self._hear(c["server"], socket.SOCK_DGRAM, FLOW, self._on_flow)
        for place in [c["server"], *c["open"]]:
            self._hear(place, socket.SOCK_STREAM, PORT, self._on_connection)
        for place in c["open"]:
            self._hear(place, socket.SOCK_DGRAM, PORT, self._on_datagram)
        for place in [*c["closed"], c["sink"]]:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                self._hear(place, kind, PORT, self._on_breach(place))

    def _hear(self, place, kind, port, handler):
        self.selector.register(listen(place, kind, port), selectors.EVENT_READ, handler)

    # --- what comes ---

    def _on_flow(self, one):
        data, peer = one.recvfrom(64)
        self.by_family["udp4" if "." in peer[0] else "udp6"].there.take(WORD.unpack(data)[0])
        one.sendto(data, peer)

    @staticmethod
    def _on_connection(one):
        connection, _ = one.accept()
        connection.close()

    def _on_datagram(self, one):
        data, peer = one.recvfrom(64)
        self.count["answered"] += 1
        with contextlib.suppress(OSError):
            one.sendto(data, peer)

    def _on_breach(self, place):
        def heard(one):
            if one.type == socket.SOCK_STREAM:
                connection, peer = one.accept()
                connection.close()
            else:
                _, peer = one.recvfrom(64)
            kind = {socket.SOCK_STREAM: "connection", socket.SOCK_DGRAM: "datagram"}[one.type]
            self.breach(f"a {kind} from {peer[0]} arrived in {os.path.basename(place)}")
        return heard

    # --- what goes out ---

    def _send(self, one, address):
        with contextlib.suppress(OSError):
            one.sendto(b"x", (address, PORT))
            self.count["forbidden"] += 1

    def _sweep(self):
        everybody = self.config["sweep"]
        for i in range(SWEEP):
            address = everybody[(self.ticks * SWEEP + i) % len(everybody)]
            self._send(self.sweepers[":" in address], address)
        self.swept.begin(everybody[self.ticks % len(everybody)])

    def _leave(self):
        sink = self.config["sink_addresses"][self.ticks % 2]
        for _, *senders in self.leavers:
            self._send(senders[":" in sink], sink)
        if self.ticks % CONNECT_EVERY == 0:
            self.escapes.begin(sink)

    def tick(self):
        for flow in self.flows:
            flow.send()
        self._sweep()
        self._leave()
        if self.ticks % CONNECT_EVERY == 0:
            addresses = self.config["server_addresses"]
            self.allowed.begin(addresses[self.ticks // CONNECT_EVERY % len(addresses)])
        for error, seconds in self.allowed.look():
            self.count["allowed"] += 1
            self.slowest = max(self.slowest, seconds)
            if error is None or error:
                self.breach("an allowed connection: "
                            + (os.strerror(error) if error else f"not within {seconds:.1f} s"))
        if self.ticks % CLEAN_EVERY == 0:
            for _ in itertools.chain(self.swept.look(), self.escapes.look()):
                pass  # what of them must not succeed shows where they arrive
        self.ticks += 1

    def report(self):
        print(json.dumps({"breaches": self.breaches, **self.count, "slowest": self.slowest,
                          "pause": self.pause,
                          "flows": {f.name: f.result() for f in self.flows}}), flush=True)

    def run(self):
        """Until standard input ends."""
        self.selector.register(0, selectors.EVENT_READ, None)
        due = before = time.monotonic()
        while True:
            for key, _ in self.selector.select(max(0.0, due - time.monotonic())):
                if key.data:
                    with contextlib.suppress(BlockingIOError, ConnectionError):
                        key.data(key.fileobj)
                elif not os.read(0, 1):
                    return
                else:
                    self.report()
            now = time.monotonic()
            if now >= due:
                self.pause, before = max(self.pause, now - before), now
                self.tick()
                due = now + TICK


if __name__ == "__main__":
    Watcher(json.loads(sys.argv[1])).run()
