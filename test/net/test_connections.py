# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections that began before they were forbidden, by real packets (manx.conf: connections).

Node n1 has the pods web and client, n2 the pods far and serve; the agent under test is n1's.
Every cut is asked for in both directions, the server first: a packet in the middle of a stream
begins a new connection for the kernel, from server to client, which the policies may well allow.
"""

import time

import pytest

from lab import ping, tcp
from lab.cluster import wait_for
from lab.flow import Flow, Steady

INGRESS_FROM_ROLE = [{"from": [{"namespaceSelector": {"matchLabels": {"team": "one"}},
                                "podSelector": {"matchLabels": {"role": "friend"}}}]}]
KINDS = ("tcp", "udp")


class World:
    def __init__(self, lab, **config):
        self.lab = lab
        for name in ("here", "there"):
            lab.namespace_object(name, {"team": "one"})
        self.n1, self.n2 = lab.node("n1"), lab.node("n2")
        if config:
            self.n1.config_file.write_text("".join(f"{k}: {v}\n" for k, v in config.items()))
        self.n1.start_agent()
        self.n2.start_agent()
        self.web = lab.run_pod(self.n1, "here", "web", {"app": "web"})
        self.client = lab.run_pod(self.n1, "here", "client", {"app": "client"})
        self.far = lab.run_pod(self.n2, "there", "far", {"role": "friend"})
        self.serve = lab.run_pod(self.n2, "there", "serve", {"app": "serve"})
        lab.settle()

    def flow(self, kind, source, target, family="v4"):
        return Flow(kind, source.namespace, target.namespace, getattr(target, family))

    def allow_friends(self):
        self.lab.policy("here", "web", {"matchLabels": {"app": "web"}}, ingress=INGRESS_FROM_ROLE)
        self.lab.settle()

    def wait_cut(self, more=0):
        """Until a round has ended in which something was cut."""
        wait_for(lambda: self.cut() > more, 10, "a cut")

    def cut(self):
        return self.n1.metrics()["manx_connections_cut_total"]

    def quiet(self):
        """Long enough for rounds that should cut nothing."""
        self.lab.settle()
        time.sleep(0.7)


@pytest.fixture
def world(lab):
    return World(lab)


@pytest.mark.parametrize("family", ["v4", "v6"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_under_a_flow(world, kind, family):
    """From another node, and between two pods of one; the pods' egress is open."""
    with world.flow(kind, world.far, world.web, family) as far, \
            world.flow(kind, world.client, world.web, family) as near:
        assert far.lives() and near.lives()
        world.lab.policy("here", "deny", {"matchLabels": {"app": "web"}}, types=["Ingress"])
        world.lab.settle()
        world.wait_cut(1)
        assert far.is_dead()
        assert near.is_dead()
        assert tcp(world.web, getattr(world.far, family), 80), "what is allowed still begins"


@pytest.mark.parametrize("kind", KINDS)
def test_egress_under_a_flow(world, kind):
    """The server is elsewhere and may send to anybody: its packets must not bring it back."""
    with world.flow(kind, world.client, world.serve) as flow:
        assert flow.lives()
        world.lab.policy("here", "deny", {"matchLabels": {"app": "client"}}, types=["Egress"])
        world.lab.settle()
        world.wait_cut()
        assert flow.is_dead()
        assert tcp(world.serve, world.client.v4, 80), "ingress is open"


def end_by_removal(world):
    world.lab.remove(world.far.object())


def end_by_finishing(world):
    world.lab.write(world.far.object(phase="Succeeded"))


def end_by_label(world):
    world.far.labels["role"] = "stranger"
    world.lab.write(world.far.object())


def end_by_namespace(world):
    world.lab.namespace_object("there", {"team": "two"})


ENDS = [end_by_removal, end_by_finishing, end_by_label, end_by_namespace]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_remote_pod_is_no_friend_any_more(world, kind, end):
    """Whoever has its address next inherits nothing, not even with the same five-tuple."""
    world.allow_friends()
    with world.flow(kind, world.far, world.web) as flow:
        assert flow.lives()
        end(world)
        world.lab.settle()
        world.wait_cut()
        if end is end_by_removal:
            world.far.name, world.far.labels = "next", {"role": "stranger"}
            world.lab.write(world.far.object())
            world.lab.settle()
        assert flow.is_dead()


def test_what_stays_allowed_loses_nothing(world):
    """A steady flow while everything around it changes: not one datagram is lost."""
    world.allow_friends()
    other = world.lab.run_pod(world.n2, "there", "other", {"role": "friend"})
    world.lab.settle()
    with world.flow("udp", world.far, world.web) as flow, \
            world.flow("tcp", other, world.web) as doomed, Steady(flow) as steady:
        for number in range(5):
            world.lab.policy("here", "more", {"matchLabels": {"app": "web"}}, ingress=[
                {"ports": [{"port": 9000 + number}]}])
            world.lab.policy("here", "web", {"matchLabels": {"app": "web"}}, ingress=[
                *INGRESS_FROM_ROLE, {"from": [{"ipBlock": {"cidr": f"192.0.2.{number}/32"}}]}])
            world.lab.settle()
        world.lab.write(other.object(phase="Failed"))
        world.wait_cut()
        world.lab.remove({"kind": "NetworkPolicy",
                          "metadata": {"namespace": "here", "name": "more"}})
        world.quiet()
        assert doomed.is_dead()
    assert steady.lost == 0 and steady.sent > 500
    assert world.cut() == 1


def test_an_address_passes_on_to_another_friend(world):
    """The one who has it now is allowed the same: nothing is cut."""
    world.allow_friends()
    with world.flow("tcp", world.far, world.web) as flow:
        world.lab.remove(world.far.object())
        world.far.name = "next"
        world.lab.write(world.far.object())
        world.quiet()
        assert flow.lives()


@pytest.mark.parametrize("kind", KINDS)
def test_through_a_service(world, kind):
    """As kube-proxy does it: the destination is translated before it meets the policies."""
    world.n1.namespace.run("nft", "add table ip proxy; add chain ip proxy pre { type nat hook "
                           "prerouting priority -100; }; add rule ip proxy pre ip daddr 10.96.0.1 "
                           f"{kind} dport 6999 dnat to {world.serve.v4}:6998")
    with Flow(kind, world.client.namespace, world.serve.namespace, world.serve.v4, 6998,
              ("10.96.0.1", 6999)) as flow:
        assert flow.lives()
        world.lab.policy("here", "deny", {"matchLabels": {"app": "client"}}, egress=[
            {"to": [{"ipBlock": {"cidr": "10.96.0.0/12"}}]}])
        world.lab.settle()
        world.wait_cut()
        assert flow.is_dead()


@pytest.mark.parametrize("kind", KINDS)
def test_through_a_host_port(lab, kind):
    world = World(lab)
    host = lab.pod(world.n1, "here", "host", {"app": "host"})
    lab.add(host, runtime={"portMappings": [
        {"hostPort": 8999, "containerPort": 8998, "protocol": kind}]})
    lab.settle()
    with Flow(kind, world.n2.namespace, host.namespace, host.v4, 8998,
              (world.n1.v4, 8999)) as flow:
        assert flow.lives()
        lab.policy("here", "deny", {"matchLabels": {"app": "host"}}, types=["Ingress"])
        lab.settle()
        world.wait_cut()
        assert flow.is_dead()


@pytest.mark.parametrize("kind", KINDS)
def test_the_node_and_its_pods(world, kind):
    """What the node began is never cut; what a pod began towards the node is, when forbidden."""
    node = world.n1.namespace
    with Flow(kind, node, world.web.namespace, world.web.v4) as probe, \
            Flow(kind, world.web.namespace, node, world.n1.v4) as up:
        assert probe.lives() and up.lives()
        world.lab.policy("here", "deny", {}, types=["Ingress", "Egress"])
        world.lab.settle()
        world.wait_cut()
        assert up.is_dead()
        assert probe.lives()
        assert tcp(world.n1, world.web.v4, 80) and ping(world.n1, world.web.v4)


@pytest.mark.parametrize("kind", KINDS)
def test_while_the_agent_was_away(world, kind):
    """A policy of that time is carried out at the start; what was cut stays so over a restart."""
    with world.flow(kind, world.far, world.web) as flow:
        world.n1.stop_agent()
        world.lab.policy("here", "deny", {"matchLabels": {"app": "web"}}, types=["Ingress"])
        assert flow.lives()
        world.n1.start_agent()
        world.wait_cut()
        assert flow.is_dead()
        world.n1.restart_agent()
        world.quiet()
        assert flow.is_dead()


def test_after_somebody_deleted_the_rules(world):
    """What slipped through before they were back does not stay, if anybody has tracked it."""
    world.n1.namespace.run("nft", "add table ip proxy; add chain ip proxy pre { type filter hook "
                           "prerouting priority 0; }; add rule ip proxy pre ct state invalid drop")
    world.lab.policy("here", "deny", {"matchLabels": {"app": "web"}}, types=["Ingress"])
    world.lab.settle()
    assert tcp(world.far, world.web.v4, 80) is None
    world.n1.namespace.run("sh", "-c", f"kill -STOP {world.n1.process.pid}")
    world.n1.namespace.run("nft", "delete", "table", "inet", "manx")
    try:
        flow = world.flow("tcp", world.far, world.web)
    finally:
        world.n1.namespace.run("sh", "-c", f"kill -CONT {world.n1.process.pid}")
    with flow:
        world.wait_cut()
        assert flow.is_dead()


def test_a_cut_connection_may_begin_again_when_allowed(world):
    """The rules that hold back its replies hold back no new connection."""
    with world.flow("tcp", world.far, world.web) as flow:
        world.lab.policy("here", "deny", {"matchLabels": {"app": "web"}}, types=["Ingress"])
        world.lab.settle()
        world.wait_cut()
        assert flow.is_dead()
    world.lab.remove_all("NetworkPolicy")
    world.lab.settle()
    with world.flow("tcp", world.far, world.web) as flow:
        assert flow.lives()


def test_thousands_of_clients(world):
    """More than are cut at once; those of the node itself stay, however many they are."""
    lines = [f"-I -p udp -s 192.0.{i // 250}.{i % 250 + 1} -d {world.web.v4} --sport 4000 "
             "--dport 53 --timeout 600" for i in range(4500)]
    lines += [f"-I -p udp -s {world.n1.v4} -d {world.web.v4} --sport 4000 --dport {i + 1} "
              "--timeout 600" for i in range(2500)]
    world.n1.namespace.run("conntrack", "-R", "-", input="\n".join(lines), check=False)

    def tracked(source=""):
        text = world.n1.namespace.run("conntrack", "-L", "-p", "udp", check=False).stdout
        return sum(f"src={source}" in line and f"dst={world.web.v4} sport=4000" in line
                   for line in text.splitlines())

    assert tracked() == 7000
    world.lab.policy("here", "deny", {"matchLabels": {"app": "web"}}, types=["Ingress"])
    wait_for(lambda: tracked() == 2500, 20, "the clients to be cut")
    world.quiet()
    assert tracked(world.n1.v4) == 2500 and world.cut() == 4500
    assert world.n1.ruleset().count("udp . 53") == 4500


def test_keep(lab):
    """Only who is gone takes its connections along."""
    world = World(lab, connections="keep")
    world.allow_friends()
    with world.flow("tcp", world.far, world.web) as far, \
            world.flow("tcp", world.web, world.client) as near:
        end_by_label(world)
        lab.policy("here", "deny", {"matchLabels": {"app": "client"}}, types=["Ingress"])
        world.quiet()
        assert far.lives() and near.lives()
        assert world.cut() == 0


@pytest.mark.parametrize("end", [end_by_removal, end_by_finishing])
def test_keep_and_an_address_that_goes(lab, end):
    world = World(lab, connections="keep")
    world.allow_friends()
    with world.flow("tcp", world.far, world.web) as flow:
        end(world)
        lab.settle()
        world.wait_cut()
        assert flow.is_dead()


def test_from_keep_to_recheck(lab):
    """A reload carries out what was left."""
    world = World(lab, connections="keep")
    with world.flow("tcp", world.far, world.web) as flow:
        lab.policy("here", "deny", {"matchLabels": {"app": "web"}}, types=["Ingress"])
        world.quiet()
        assert flow.lives()
        world.n1.config_file.write_text("connections: recheck\n")
        world.wait_cut()
        assert flow.is_dead()
