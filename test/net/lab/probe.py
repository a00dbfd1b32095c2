# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets from a pod: does something arrive, and who answers?

A source is anything with a `namespace`.  A probe returns an Answer, or None when nothing came
back in time; nothing can be told from a drop but silence, so a refusal costs the time limit.
"""

import dataclasses
import ipaddress
import itertools
import os
import selectors
import socket
import struct
import time

WAIT = 0.6  # seconds until silence counts as a drop; a SYN is sent again only after 1 s
TAGS = itertools.count(os.getpid() << 8)


@dataclasses.dataclass(frozen=True)
class Answer:
    """Who answered, and which address it saw the client come from."""

    name: str
    seen_as: str


class Refused(Exception):
    """The connection was refused by a reset, which is no drop and no answer."""


def _family(address):
    return socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET


def _parse(data):
    name, _, seen_as = data.decode().partition(" ")
    return Answer(name, seen_as)


def _open(source, kind, address, from_address=None, protocol=0):
    with source.namespace:
        client = socket.socket(_family(address), kind, protocol)
        if from_address:
            client.bind((from_address, 0))
    return client


def tcp(source, address, port, wait=WAIT, from_address=None, protocol=0):
    """Open a TCP connection, or by protocol an SCTP association, and read the answer."""
    with _open(source, socket.SOCK_STREAM, address, from_address, protocol) as client:
        client.settimeout(wait)
        try:
            client.connect((address, port))
            return _parse(client.recv(256))
        except ConnectionRefusedError as e:
            raise Refused(f"{address}:{port}") from e
        except (TimeoutError, OSError):
            return None


def tcp_many(attempts, wait=WAIT):
    """Open many connections at once; return whether each came about.

    attempts: list of (source, address, port).  Takes one `wait` for all of them together.
    """
    results = [False] * len(attempts)
    selector = selectors.DefaultSelector()
    for index, (source, address, port) in enumerate(attempts):
        client = _open(source, socket.SOCK_STREAM, address)
        client.setblocking(False)
        client.connect_ex((address, port))
        selector.register(client, selectors.EVENT_WRITE, index)
    deadline = time.monotonic() + wait
    while selector.get_map() and (left := deadline - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            results[key.data] = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
            selector.unregister(key.fileobj)
            key.fileobj.close()
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    selector.close()
    return results


def udp(source, address, port, wait=WAIT, from_address=None):
    """Send a datagram and read the answer."""
    with _open(source, socket.SOCK_DGRAM, address, from_address) as client:
        client.settimeout(wait)
        try:
            client.connect((address, port))
            client.send(b"probe")
            return _parse(client.recv(256))
        except OSError:
            return None


def ping(source, address, wait=WAIT, from_address=None):
    """One ICMP echo; return whether the reply came."""
    six = _family(address) == socket.AF_INET6
    protocol = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    with source.namespace:
        raw = socket.socket(_family(address), socket.SOCK_RAW, protocol)
        if from_address:
            raw.bind((from_address, 0))
    tag = next(TAGS) & 0xFFFFFFFF
    body = struct.pack("!HHI", tag & 0xFFFF, 1, tag)  # an identifier of its own: no old flow
    request = struct.pack("!BBH", 128 if six else 8, 0, 0) + body
    if not six:
        request = struct.pack("!BBH", 8, 0, _checksum(request)) + body
    with raw:
        deadline = time.monotonic() + wait
        try:
            raw.sendto(request, (address, 0))
            while (left := deadline - time.monotonic()) > 0:
                raw.settimeout(left)
                packet = raw.recv(2048)
                reply = packet if six else packet[(packet[0] & 15) * 4:]
                if reply[0] == (129 if six else 0) and reply[4:12] == body:
                    return True
        except OSError:
            pass
    return False


def sctp(source, servers, address, port, wait=WAIT):
    """Send an SCTP INIT; return whether it arrived at a raw socket of `servers`."""
    tag = next(TAGS) & 0xFFFFFFFF
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20, tag, 65536, 1, 1, 1)
    header = struct.pack("!HHII", 40000 + tag % 20000, port, 0, 0)
    crc = struct.pack("<I", _crc32c(header + chunk))
    with source.namespace:
        raw = socket.socket(_family(address), socket.SOCK_RAW, 132)
    with raw:
        try:
            raw.sendto(header[:8] + crc + chunk, (address, 0))
        except OSError:
            return False
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        if tag in servers.sctp_seen:
            return True
        time.sleep(0.005)
    return False


def _checksum(data):
    """Internet checksum, RFC 1071; data of an even length."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _crc32c(data):
    """CRC-32C, RFC 9260 appendix A, bit by bit: packets are short."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
