# SPDX-License-Identifier: GPL-2.0-or-later
"""The laboratory itself, with no agent: do probes tell the truth, is everything cleaned up?"""

import os
import subprocess
import sys

import pytest

from lab import Lab, Namespace, ping, sctp, tcp, tcp_many, udp
from lab.namespace import NETNS_FOLDER
from lab.probe import Refused, _crc32c


class Host:
    """Anything with a namespace can be the source of a probe."""

    def __init__(self, namespace):
        self.namespace = namespace


@pytest.fixture
def two(lab):
    """Two nodes without agents, servers on the second."""
    a, b = lab.node("a"), lab.node("b")
    lab.servers.tcp(b.namespace, "b", 80)
    lab.servers.udp(b.namespace, "b", 80)
    lab.servers.sctp(b.namespace, "b")
    return a, b


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_probes_reach(lab, two, family):
    a, b = two
    source, target = getattr(a, family), getattr(b, family)
    assert tcp(a, target, 80).name == "b"
    assert tcp(a, target, 80).seen_as == source
    assert udp(a, target, 80).seen_as == source
    assert ping(a, target)
    assert sctp(a, lab.servers, target, 9000)
    assert tcp_many([(a, target, 80)] * 20) == [True] * 20


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_probes_see_drops(lab, two, family):
    a, b = two
    target = getattr(b, family)
    b.namespace.run("nft", "add table inet t; add chain inet t c { type filter hook input priority"
                    " 0; policy drop; }; add rule inet t c icmpv6 type nd-neighbor-solicit accept;"
                    " add rule inet t c icmpv6 type nd-neighbor-advert accept")
    assert tcp(a, target, 80) is None
    assert udp(a, target, 80) is None
    assert not ping(a, target)
    assert tcp_many([(a, target, 80)]) == [False]


def test_sctp_drop_and_port(lab, two):
    a, b = two
    b.namespace.run("nft", "add table inet t; add chain inet t c { type filter hook prerouting"
                    " priority 0; }; add rule inet t c sctp dport 9001 drop")
    assert sctp(a, lab.servers, b.v4, 9000)
    assert not sctp(a, lab.servers, b.v4, 9001)


def test_refusal_is_not_silence(two):
    a, b = two
    with pytest.raises(Refused):
        tcp(a, b.v4, 81)
    assert tcp_many([(a, b.v4, 81)]) == [False]


def test_world_is_reachable(lab, two):
    a, _ = two
    lab.servers.tcp(lab.world.namespace, "world", 80)
    assert tcp(a, lab.world.v4, 80).seen_as == a.v4
    assert tcp(a, lab.world.v6, 80).seen_as == a.v6


def test_crc32c():
    assert _crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C


def test_namespaces_nest():
    """Entering is a stack, and the thread comes back to where it was."""
    before = os.readlink("/proc/thread-self/ns/net")
    outer, inner = Namespace("outer"), Namespace("inner")
    try:
        with outer:
            in_outer = os.readlink("/proc/thread-self/ns/net")
            with inner:
                assert os.readlink("/proc/thread-self/ns/net") not in (before, in_outer)
            assert os.readlink("/proc/thread-self/ns/net") == in_outer
        assert os.readlink("/proc/thread-self/ns/net") == before
    finally:
        outer.delete()
        inner.delete()


def ours():
    return sorted(p.name for p in NETNS_FOLDER.glob(f"mxt{os.getpid()}-*"))


def test_nothing_is_left_after_a_failure():
    before = ours()
    with pytest.raises(RuntimeError, match="on purpose"), Lab() as lab:
        node = lab.node("broken")
        lab.pod(node, "default", "pod")
        folder = lab.folder
        raise RuntimeError("on purpose")
    assert ours() == before
    assert not folder.exists()


def test_sweep_takes_what_a_killed_run_left():
    """A process makes a namespace and is killed; the next run deletes it."""
    script = ("import os, signal, sys; sys.path.insert(0, sys.argv[1])\n"
              "from lab import Namespace\n"
              "print(Namespace('left').name, flush=True); os.kill(os.getpid(), signal.SIGKILL)")
    left = subprocess.run([sys.executable, "-c", script, os.path.dirname(__file__)],
                          capture_output=True, text=True, check=False).stdout.strip()
    assert (NETNS_FOLDER / left).exists()
    subprocess.run([sys.executable, "-c",
                    "import sys; sys.path.insert(0, sys.argv[1]); import lab; lab.sweep()",
                    os.path.dirname(__file__)], check=True)
    assert not (NETNS_FOLDER / left).exists()
