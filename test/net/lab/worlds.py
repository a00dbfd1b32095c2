# SPDX-License-Identifier: GPL-2.0-or-later
"""Random worlds: what test/property/world drew, made real and asked by packets.

One node with the agent; its pods are namespaces plugged in by the real plugin with the addresses
that were drawn.  The lab's world, the node's gateway, owns every other address: pods elsewhere,
other nodes, everything outside.  A packet is told from others by its source port, which no packet
before it had: so conntrack knows none of them, and one look at all namespaces tells which arrived.
"""

import contextlib
import dataclasses
import errno
import itertools
import json
import operator
import os
import selectors
import socket
import struct
import subprocess
import time

from lab import cni
from lab.cluster import binary
from lab.namespace import Namespace
from lab.probe import _crc32c

FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
PROTOCOLS = {"TCP": 6, "UDP": 17, "SCTP": 132}
KINDS = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM, "SCTP": socket.SOCK_RAW}
# Level and number of IP_TRANSPARENT and IPV6_TRANSPARENT: bind to any address whatsoever.
TRANSPARENT = {4: (socket.IPPROTO_IP, 19), 6: (socket.IPPROTO_IPV6, 75)}
SO_RCVBUFFORCE = 33
HEAR_BUFFER = 4 << 20  # bytes
SOURCE_PORTS = range(10000, 60000)  # no rule speaks of these
GRACE = 0.08  # seconds until what has not arrived, and should not, is taken for dropped
PATIENCE = 3.0  # seconds until what should have arrived is


def program():
    """The program that draws worlds, of the same build as the agent."""
    places = [binary().parent / "asan/property/world", binary().parent / "property/world"]
    for place in places:
        if place.exists():
            return place
    raise AssertionError(f"neither {places[0]} nor {places[1]}: run make variants")


def draw(seed, steps, packets):
    """A world, as test/property/world.c says it."""
    command = [str(program()), "--seed", str(seed), "--steps", str(steps),
               "--packets", str(packets)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return json.loads(done.stdout)


NOTHING = "apiVersion: v1\nkind: List\nitems: []\n"  # a file that is empty is taken for damaged


class Sandbox:
    """What the runtime knows of a container: as much of a Pod as cni.call() asks for."""

    def __init__(self, node, change):
        self.node, self.container_id = node, change["attach"]
        self.kube_namespace, self.name = change["namespace"], change["pod"]
        self.uid, self.addresses = change["uid"], change["addresses"]
        self.namespace = Namespace(f"{node.name}-{self.container_id}")
        self.netns_path = self.namespace.path

    def _call(self, command, **options):
        told = {"IgnoreUnknown": "1", "K8S_POD_NAMESPACE": self.kube_namespace,
                "K8S_POD_NAME": self.name, "K8S_POD_INFRA_CONTAINER_ID": self.container_id,
                "K8S_POD_UID": self.uid}
        arguments = ";".join(f"{k}={v}" for k, v in told.items() if v)
        return cni.call(self, command, variables={"CNI_ARGS": arguments}, **options)

    def plug_in(self):
        result = self._call("ADD", runtime={"ips": self.addresses})
        given = [entry["address"].split("/")[0] for entry in result["ips"]]
        assert given == self.addresses, f"asked for {self.addresses}, got {given}"

    def plug_out(self):
        self._call("DEL")


# --- packets ---


def sctp_init(source_port, port):
    """An INIT chunk in a packet, RFC 9260, sections 3.1 and 3.3.2."""
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20, source_port, 65536, 1, 1, 1)
    ports = struct.pack("!HHI", source_port, port, 0)
    return ports + struct.pack("<I", _crc32c(ports + bytes(4) + chunk)) + chunk


@dataclasses.dataclass
class Packet:
    """The first packet of a connection, and what became of it.

    heard: names of the places where it arrived; answered: its sender got the reset back
    """

    drawn: dict
    source_port: int
    client: socket.socket = None
    heard: set = dataclasses.field(default_factory=set)
    answered: bool = False

    @property
    def key(self):
        """What is seen of it where it arrives."""
        return PROTOCOLS[self.drawn["protocol"]], self.source_port, self.drawn["port"]

    def send(self):
        """Send it from the namespace that the calling thread is in."""
        protocol, version = self.drawn["protocol"], 6 if ":" in self.drawn["source"] else 4
        raw = protocol == "SCTP"
        self.client = socket.socket(FAMILIES[version], KINDS[protocol],
                                    PROTOCOLS[protocol] if raw else 0)
        self.client.setblocking(False)
        self.client.setsockopt(*TRANSPARENT[version], 1)
        self.client.bind((self.drawn["source"], 0 if raw else self.source_port))
        target = self.drawn["destination"], 0 if raw else self.drawn["port"]
        if protocol == "TCP":
            error = self.client.connect_ex(target)
            assert error in (errno.EINPROGRESS, errno.EPERM), f"{self}: {os.strerror(error)}"
            return
        with contextlib.suppress(PermissionError):  # a filter in the sender's own namespace
            self.client.sendto(sctp_init(self.source_port, self.drawn["port"]) if raw else b"1",
                               target)

    def look_for_answer(self):
        """Nobody listens anywhere, so the answer to a SYN is a reset."""
        if self.drawn["protocol"] == "TCP" and not self.answered:
            error = self.client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            self.answered = error == errno.ECONNREFUSED

    def is_as_expected(self):
        return (self.heard == ({self.drawn["to"]} if self.drawn["passes"] else set())
                and self.answered == self.drawn["answered"])

    def __str__(self):
        d = self.drawn
        happened = f"arrived in {', '.join(sorted(self.heard))}" if self.heard else "did not arrive"
        if d["protocol"] == "TCP":
            happened += f" and was {'' if self.answered else 'not '}answered"
        verdict = f"passes it to {d['to']}" if d["passes"] else "drops it"
        if d["answered"]:
            verdict += ", and the answer"
        return (f"{d['protocol']} {d['source']} port {self.source_port} -> {d['destination']} port"
                f" {d['port']} from {d['from']}{', who has another address' * d['spoofed']}:"
                f" {happened}; the reference {verdict}")


class Ears:
    """Raw sockets in every place: they hear what has passed all filters on its way in."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.sockets = {}

    def listen(self, place, namespace):
        with namespace:
            self.sockets[place] = [socket.socket(family, socket.SOCK_RAW, protocol)
                                   for family in FAMILIES.values()
                                   for protocol in PROTOCOLS.values()]
        for ear in self.sockets[place]:
            ear.setblocking(False)
            ear.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, HEAR_BUFFER)
            self.selector.register(ear, selectors.EVENT_READ, place)

    def leave(self, place):
        for ear in self.sockets.pop(place):
            self.selector.unregister(ear)
            ear.close()

    def close(self):
        for place in list(self.sockets):
            self.leave(place)
        self.selector.close()

    def hear(self, seconds):
        """Yield (place, (protocol, source port, port)) of what arrives."""
        for key, _ in self.selector.select(seconds):
            ear = key.fileobj
            with contextlib.suppress(BlockingIOError):
                while True:
                    packet = ear.recv(2048)
                    if ear.family == socket.AF_INET:  # it hears the IP header, too
                        packet = packet[(packet[0] & 15) * 4:]
                    yield key.data, (ear.proto, *struct.unpack("!HH", packet[:4]))


# --- the world ---


class RandomWorld:
    """The cluster of a drawn world, in a lab that is empty yet."""

    def __init__(self, lab, drawn):
        assert sum(len(r["packets"]) for r in drawn["rounds"]) <= len(SOURCE_PORTS)
        self.lab, self.drawn = lab, drawn
        self.sandboxes, self.source_ports = {}, iter(SOURCE_PORTS)
        self.unsettled, self.markers = set(), 0
        self.node = lab.node("node", podCIDR=drawn["local"][0], podCIDRs=drawn["local"])
        self._lay_routes()
        lab.write({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "elsewhere"},
                   "spec": {"podCIDR": drawn["remote"][0], "podCIDRs": drawn["remote"]},
                   "status": {"addresses": [{"type": "InternalIP", "address": a} for a in
                                            ("10.200.0.254", "fd00:200::254")]}})
        # Addresses come again at once; pods whose object nobody writes are not waited for; source
        # ports stay as they are.
        self.node.config_file.write_text(
            "address-cooldown: 0s\npod-wait: 0s\nmasquerade: false\n")
        self.node.start_agent()
        self.ears = Ears()
        self.ears.listen("node", self.node.namespace)
        self.ears.listen("world", lab.world.namespace)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ears.close()

    def _lay_routes(self):
        """In the world every address is local but those of the node, its pods and the links."""
        world, node = self.lab.world.namespace, self.node
        # The kernel keeps the tables local and main as one until there is a rule.
        world.ip("rule", "add", "lookup", "main", "pref", 1)
        for version, gateway, links in ((4, node.v4, ["10.200.0.0/24"]),
                                        (6, node.v6, ["fd00:200::/64", "fe80::/10"])):
            six = version == 6
            family, address = f"-{version}", f"{self.drawn['node'][six]}/{128 if six else 32}"
            behind = [address, self.drawn["local"][six]]
            node.namespace.ip(family, "address", "add", address, "dev", "lo")
            for prefix in [*behind, *links]:
                world.ip(family, "route", "add", "throw", prefix, "table", "local")
            for prefix in behind:
                world.ip(family, "route", "add", prefix, "via", gateway)
            world.ip(family, "route", "add", "local", "default", "dev", "lo", "table", "local")
        # Packets from addresses of the node's own range come from outside, too.
        for name in ("all", "default", "eth0"):
            node.namespace.sysctl(f"net.ipv4.conf.{name}.rp_filter", 0)

    def _place(self, name):
        if name in self.sandboxes:
            return self.sandboxes[name].namespace
        return {"node": self.node, "world": self.lab.world}[name].namespace

    # --- changes ---

    def settle(self):
        """Wait until the agent has given the kernel what was written; cf. Lab.settle().

        Files never go here, so their number tells that the marker was read; that of Namespaces
        stays when one goes as the marker comes.
        """
        self.markers += 1
        self.lab.namespace_object(f"marker-{self.markers}")
        wanted = len(list(self.lab.manifests.glob("[!.]*")))
        self.node.wait_settled({"manx_source_files": wanted}, 10, step=0.002)
        self.unsettled.clear()

    def _write(self, file, manifest):
        # Without objects rather than removed: a file that goes keeps its objects for a while.
        self.lab.write_text(f"{file}.yaml", manifest or NOTHING)
        self.unsettled.add(file)

    def _attach(self, change):
        sandbox = Sandbox(self.node, change)
        self.lab.pods.append(sandbox)
        sandbox.plug_in()
        self.sandboxes[sandbox.container_id] = sandbox
        self.ears.listen(sandbox.container_id, sandbox.namespace)

    def _detach(self, name):
        sandbox = self.sandboxes.pop(name)
        self.ears.leave(name)
        sandbox.plug_out()
        self.lab.pods.remove(sandbox)
        sandbox.namespace.delete()

    def apply(self, changes):
        """Make changes in their order, and let them settle.

        They come as fast as they can, but where their order has a meaning: a pod's object is
        written, and the pod is plugged in or out, when the agent knows what was written before.
        """
        for change in changes:
            if change["file"] in self.unsettled:
                self.settle()
            if "attach" in change:
                self._attach(change)
            elif "detach" in change:
                self._detach(change["detach"])
            else:
                self._write(change["file"], change["manifest"])
        self.settle()

    # --- packets ---

    def ask(self, drawn):
        """Send all, wait once; return the packets that fared otherwise than they should."""
        packets = [Packet(p, next(self.source_ports)) for p in
                   sorted(drawn, key=operator.itemgetter("from"))]
        try:
            for name, group in itertools.groupby(packets, lambda p: p.drawn["from"]):
                with self._place(name):
                    for packet in group:
                        packet.send()
            self._wait(packets)
        finally:
            for packet in packets:
                if packet.client:
                    packet.client.close()
        return [p for p in packets if not p.is_as_expected()]

    def _wait(self, packets):
        by_key = {p.key: p for p in packets}
        last = time.monotonic()
        late = last + PATIENCE
        while (now := time.monotonic()) < late:
            for place, key in self.ears.hear(GRACE / 8):
                if key in by_key and place not in by_key[key].heard:
                    by_key[key].heard.add(place)
                    last = now
            for packet in packets:
                packet.look_for_answer()
            if now > last + GRACE and all(p.is_as_expected() for p in packets):
                break
