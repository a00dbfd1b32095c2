# SPDX-License-Identifier: GPL-2.0-or-later
"""A journal that is damaged or gone while pods run: what it does not explain is isolated."""

import pytest

from lab import cni, tcp


@pytest.fixture
def pods(lab, node):
    """Eight that run, of which the last has the last record."""
    all_of_them = [lab.run_pod(node, "default", f"p{i}") for i in range(8)]
    lab.settle()
    return all_of_them


def journal(node):
    return node.state_dir / "attachments.journal"


def status(node):
    return node.manx("status", "--run-dir", node.run_dir).stdout


def reaches(a, b):
    return all(tcp(a, address, 80) for address in b.addresses)


def damage(content, what, at):
    """The journal with damage inside a record, @at being in its middle."""
    if what == "flipped bit":
        return content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]
    if what == "zeros":
        return content[:at] + bytes(40) + content[at + 40:]
    return content[:at] + content[at + 40:]  # lost


@pytest.mark.parametrize("hit", [0, 3, 7])
@pytest.mark.parametrize("what", ["flipped bit", "zeros", "lost"])
def test_damage_costs_one_pod_its_network_and_no_more(lab, node, pods, what, hit):
    node.stop_agent()
    content = journal(node).read_bytes()
    at = content.index(pods[hit].container_id.encode()) + 10
    journal(node).write_bytes(damage(content, what, at))
    node.start_agent()
    victim, rest = pods[hit], [p for i, p in enumerate(pods) if i != hit]
    for a, b in zip(rest, rest[1:] + rest[:1], strict=True):
        assert reaches(a, b)
    assert victim.host_ifname in node.links()
    assert tcp(rest[0], victim.v4, 80) is None
    assert tcp(victim, rest[0].v4, 80) is None
    assert f"the journal lost the record of interface {victim.host_ifname}" in status(node)
    for restart in range(2):
        new = lab.run_pod(node, "default", f"new{restart}")
        lab.settle()
        assert not set(new.addresses) & set(victim.addresses)
        assert reaches(rest[0], new)
        node.restart_agent()  # now the journal is whole, and the interface stays all the same
        assert victim.host_ifname in node.links()
    lab.delete(victim)
    assert victim.host_ifname not in node.links()
    assert "lost the record" not in status(node)
    assert reaches(rest[0], rest[1])


@pytest.mark.parametrize("content", [None, b"", bytes(4096)], ids=["gone", "empty", "zeros"])
def test_a_journal_that_is_gone_deletes_nothing(lab, node, pods, content):
    node.stop_agent()
    links = {p.host_ifname for p in pods}
    if content is None:
        journal(node).unlink()
    else:
        journal(node).write_bytes(content)
    node.start_agent()
    assert links <= set(node.links())
    new = lab.run_pod(node, "default", "new")
    lab.settle()
    assert not set(new.addresses) & {a for p in pods for a in p.addresses}
    assert tcp(new, pods[0].v4, 80) is None
    cni.gc(node, [*pods, new])
    assert links <= set(node.links())
    for pod in pods:
        cni.call(pod, "DEL")
    assert {name for name in node.links() if name.startswith("mx")} == {new.host_ifname}
    assert "lost the record" not in status(node)


def test_a_damaged_head_costs_nothing(node, pods):
    node.stop_agent()
    content = journal(node).read_bytes()
    journal(node).write_bytes(damage(content, "flipped bit", 20))
    node.start_agent()
    for a, b in zip(pods, pods[1:] + pods[:1], strict=True):
        assert reaches(a, b)
