# SPDX-License-Identifier: GPL-2.0-or-later
"""Forward chains of other programs that drop packets of pods: found by reading them as the kernel
does, told with table, chain and command, and opened where forward-accept is set."""

import json
import re
import subprocess

import pytest

from lab import tcp
from lab.cluster import wait_for
from lab.probe import Refused

COMMENT = "manx: forward-accept"

# What others do, and whose chain it is: iptables-nft and ufw, docker, firewalld.
DROPS = {
    "policy": ("table ip filter { chain FORWARD { type filter hook forward priority 0;"
               " policy drop; } }", "ip filter", "the policy of chain FORWARD", [4]),
    "docker": ("table ip filter { chain DOCKER-USER { counter return; }\n"
               "chain DOCKER-FORWARD { ct state established,related oifname \"docker0\" accept\n"
               "iifname \"docker0\" counter accept }\n"
               "chain FORWARD { type filter hook forward priority 0; policy drop;\n"
               "counter jump DOCKER-USER\n counter jump DOCKER-FORWARD\n"
               "ip saddr 172.17.0.0/16 accept } }",
               "ip filter", "the policy of chain FORWARD", [4]),
    "firewalld": ("table inet firewalld { chain filter_FORWARD_POLICIES {\n"
                  "iifname vmap { \"virbr0\" : goto filter_FWD_libvirt }\n return }\n"
                  "chain filter_FWD_libvirt { accept }\n"
                  "chain filter_FORWARD { type filter hook forward priority filter + 10;\n"
                  "ct state { established, related } accept\n ct status dnat accept\n"
                  "iifname \"lo\" accept\n ct state invalid drop\n"
                  "ip6 daddr { ::/96, 2002:a00::/24 } log reject with icmpv6 addr-unreachable\n"
                  "jump filter_FORWARD_POLICIES\n reject with icmpx admin-prohibited } }",
                  "inet firewalld", "a rule of chain filter_FORWARD", [4, 6]),
    "jump": ("table ip6 fw { chain deny { counter log prefix \"no \" drop; }\n"
             "chain onward { type filter hook forward priority 5;\n"
             "ip6 saddr fd00::/8 ip6 daddr fd00::/8 meta l4proto tcp goto deny; } }",
             "ip6 fw", "a rule of chain deny", [6]),
}

# What lets pods pass, or what nobody can tell.
PASSES = {
    "accepts the pods": "table ip filter { chain FORWARD { type filter hook forward priority 0;"
                        " policy drop; ip saddr 10.201.0.0/16 accept; ip daddr 10.201.0.0/16"
                        " accept } }",
    "accepts in a set": "table inet fw { set pods { type ipv4_addr; flags interval; elements ="
                        " { 10.201.1.0/24 } }\n chain f { type filter hook forward priority 0;"
                        " policy drop; meta nfproto ipv6 accept; ip saddr @pods accept } }",
    "depends on a port": "table inet fw { chain f { type filter hook forward priority 0;"
                         " tcp dport 25 drop; } }",
    "of another hook": "table inet fw { chain f { type filter hook input priority 0;"
                       " ct state new tcp dport 9 drop; } }",
    "drops the invalid": "table inet fw { chain f { type filter hook forward priority 0;"
                         " ct state invalid drop; iifname \"docker0\" drop } }",
}


@pytest.fixture(scope="module")
def scene(request):
    lab = request.getfixturevalue("shared_lab")
    node = lab.node("n1", start=True)
    lab.namespace_object("default")
    lab.pair = [lab.run_pod(node, "default", f"p{i}") for i in range(2)]
    lab.settle()
    return lab


@pytest.fixture
def ruleset(scene):
    """Load rules of others; they are gone afterwards."""
    node, tables = scene.nodes[0], []

    def load(text):
        node.namespace.run("nft", "-f", "-", input=lines(text))
        tables.append(" ".join(text.split()[1:3]))
    yield load
    for table in tables:
        node.namespace.run("nft", "delete", "table", *table.split())
    wait_for(lambda: not problems(node), 5, "status to be well again")


def lines(text):
    """nft wants a line end behind a rule and a block."""
    text = re.sub(r"(;|accept|drop|return|prohibited|\"theirs\") (?=\})", r"\1\n", text)
    return re.sub(r"\} (?=\})", "}\n", text) + "\n"


def problems(node):
    status = node.manx("status", "--json", "--run-dir", node.run_dir)
    return json.loads(status.stdout)["problems"]


def passes(scene, version):
    source, target = scene.pair
    try:
        return bool(tcp(source, target.v4 if version == 4 else target.v6, 80, wait=0.3))
    except Refused:  # by a rule that rejects
        return False


@pytest.mark.parametrize("what", DROPS)
def test_what_drops_packets_of_pods_is_told(scene, ruleset, what):
    node = scene.nodes[0]
    text, table, where, versions = DROPS[what]
    ruleset(text)
    wait_for(lambda: problems(node), 5, "it to be told")
    for version in (4, 6):
        assert passes(scene, version) == (version not in versions)
    told = "\n".join(problems(node))
    assert f"table {table} drops packets between pods" in told
    assert where in told
    assert f"table {table} drops packets" in node.log_text()
    # The command that is named mends it.
    command = problems(node)[0].split("or: ")[1]
    subprocess.run(["nsenter", f"--net={node.namespace.path}", "sh", "-ec", command], check=True)
    wait_for(lambda: not problems(node), 5, "it to be mended")
    for version in versions:
        assert passes(scene, version)


@pytest.mark.parametrize("what", PASSES)
def test_what_lets_pods_pass_is_not_told(scene, ruleset, what):
    node = scene.nodes[0]
    looks = node.log_text().count("the rules of others")
    ruleset(PASSES[what])
    with pytest.raises(AssertionError):
        wait_for(lambda: problems(node), 1.5)
    assert node.log_text().count("the rules of others") == looks


def test_nothing_is_touched_unasked(scene, ruleset):
    node = scene.nodes[0]
    ruleset(DROPS["policy"][0])
    wait_for(lambda: problems(node), 5, "it to be told")
    assert COMMENT not in node.namespace.run("nft", "list", "ruleset").stdout


@pytest.mark.parametrize("what", DROPS)
def test_forward_accept_opens_it_and_keeps_it_open(scene, ruleset, what):
    node = scene.nodes[0]
    text, table, _, versions = DROPS[what]

    def rules():
        return node.namespace.run("nft", "list", "table", *table.split()).stdout.count(COMMENT)

    def is_open():
        return rules() and all(passes(scene, v) for v in versions)

    node.config_file.write_text("forward-accept: true\n")
    node.restart_agent()
    ruleset(text)
    wait_for(is_open, 5, "packets to pass")
    assert not problems(node)
    count = rules()
    assert count == 2 * len(versions)
    node.namespace.run("nft", "flush", "table", *table.split())
    node.namespace.run("nft", "delete", "table", *table.split())
    node.namespace.run("nft", "-f", "-", input=lines(text))  # as at the restart of a firewall
    wait_for(is_open, 5, "packets to pass again")
    node.config_file.write_text("forward-accept: false\n")
    wait_for(lambda: rules() == 0, 5, "our rules to go")
    wait_for(lambda: problems(node), 5, "it to be told")
    assert not passes(scene, versions[0])


def iptables(node, *arguments):
    return node.namespace.run("iptables-nft", *arguments).stdout


def test_a_chain_of_iptables_stays_readable(scene):
    """iptables -P FORWARD DROP, with the rules that docker and kube-proxy have."""
    node = scene.nodes[0]
    node.config_file.write_text("forward-accept: true\n")
    node.restart_agent()
    try:
        iptables(node, "-P", "FORWARD", "DROP")
        iptables(node, "-A", "FORWARD", "-o", "docker0", "-j", "ACCEPT")
        wait_for(lambda: passes(scene, 4), 5, "packets to pass")
        rules = iptables(node, "-S", "FORWARD")
        assert rules.count(COMMENT) == 2, rules
        assert "-s 10.201.1.0/24" in rules
        assert "-d 10.201.1.0/24" in rules
    finally:
        node.config_file.unlink()
        node.namespace.run("nft", "delete", "table", "ip", "filter", check=False)
        node.restart_agent()


def test_the_states_of_iptables_are_understood(scene):
    """-m conntrack --ctstate ESTABLISHED accepts no first packet."""
    node = scene.nodes[0]
    try:
        iptables(node, "-P", "FORWARD", "DROP")
        iptables(node, "-A", "FORWARD", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED",
                 "-m", "comment", "--comment", "as all firewalls", "-j", "ACCEPT")
        wait_for(lambda: problems(node), 5, "it to be told")
        iptables(node, "-A", "FORWARD", "-m", "conntrack", "--ctstate", "NEW", "-j", "ACCEPT")
        wait_for(lambda: not problems(node), 5, "it to be well again")
    finally:
        node.namespace.run("nft", "delete", "table", "ip", "filter", check=False)


@pytest.mark.parametrize("version", [4, 6])
def test_iptables_legacy_is_told(scene, ruleset, version):
    """The kernel does not tell of its changes: they are seen with the next of another table."""
    node = scene.nodes[0]
    program = "iptables-legacy" if version == 4 else "ip6tables-legacy"

    def look():
        node.namespace.run("nft", "add table inet touch; delete table inet touch")
        return problems(node)

    def legacy(*arguments):
        node.namespace.run(program, *arguments)
    try:
        legacy("-P", "FORWARD", "DROP")
        legacy("-A", "FORWARD", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j",
               "ACCEPT")
        legacy("-A", "FORWARD", "-i", "docker0", "-j", "ACCEPT")
        wait_for(look, 5, "it to be told", step=0.3)
        assert not passes(scene, version)
        told = problems(node)[0]
        assert "of iptables-legacy drops packets between pods" in told
        command = told.split("opens it: ")[1]
        node.namespace.run("sh", "-ec", command)
        wait_for(lambda: not look(), 5, "it to be mended", step=0.3)
        assert passes(scene, version)
        legacy("-F", "FORWARD")
        legacy("-P", "FORWARD", "ACCEPT")
        legacy("-N", "deny")
        legacy("-A", "deny", "-j", "REJECT")
        legacy("-A", "FORWARD", "-p", "tcp", "-j", "deny")
        wait_for(look, 5, "it to be told", step=0.3)
        assert not passes(scene, version)
        legacy("-I", "FORWARD", "-p", "tcp", "--dport", "80", "-j", "ACCEPT")
        wait_for(lambda: not look(), 5, "a port to make it unsure", step=0.3)
    finally:
        legacy("-F")
        legacy("-X")
        legacy("-P", "FORWARD", "ACCEPT")
        look()


def test_cleanup_takes_our_rules_out(scene, ruleset):
    node = scene.nodes[0]
    node.config_file.write_text("forward-accept: true\n")
    node.restart_agent()
    ruleset("table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop;"
            " ip saddr 192.0.2.0/24 accept comment \"theirs\" } }")
    wait_for(lambda: passes(scene, 4), 5, "packets to pass")
    node.stop_agent()
    done = node.manx("cleanup", "--state-dir", node.state_dir, "--run-dir", node.run_dir,
                     "--cni-conf-dir", node.cni_conf_dir, "--cni-bin-dir", node.cni_bin_dir)
    assert f'removed rules "{COMMENT}" in other tables' in done.stdout
    left = node.namespace.run("nft", "list", "table", "ip", "filter").stdout
    assert COMMENT not in left
    assert "theirs" in left
    node.config_file.unlink()
    node.start_agent()  # for what removes the rules; the pods are gone
