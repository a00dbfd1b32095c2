# SPDX-License-Identifier: GPL-2.0-or-later
"""NetworkPolicy by real packets: every pair of nine pods on two nodes, two ports, both families.

Namespaces a, b, c hold the pods x, y, z each; label "pod" is the pod's name, label "ns" the
namespace's.  A test writes policies and says, as a plain function, who may reach whom.
`make_lab` decides where the objects come from: the same tests run on a folder and on an API server.
Source of every rule: Kubernetes API reference, NetworkPolicy networking.k8s.io/v1.
"""

import pytest

from lab import ping, sctp, tcp, tcp_many, udp
from lab.cluster import wait_for
from lab.flow import Flow

PORTS = (80, 81)


class World:
    """The nine pods and the questions asked of them."""

    def __init__(self, lab):
        self.lab = lab
        self.nodes = [lab.node("n1", start=True), lab.node("n2", start=True)]
        for name in "abc":
            lab.namespace_object(name, {"ns": name})
        self.pods = {}
        for index, key in enumerate(f"{n}/{p}" for n in "abc" for p in "xyz"):
            kube_namespace, name = key.split("/")
            # x calls port 80 "serve", the others port 81.
            ports = [{"name": "serve", "containerPort": 80 if name == "x" else 81}]
            self.pods[key] = lab.run_pod(self.nodes[index % 2], kube_namespace, name,
                                         {"pod": name, "tier": "odd" if name == "y" else "even"},
                                         ports=ports, serve=PORTS)

    def __getitem__(self, key):
        return self.pods[key]

    def check(self, allowed, ports=PORTS):
        """Does every connection agree with allowed(source, target, port)?  Keys are "a/x"."""
        self.lab.settle()
        cells = [(s, t, port, address) for s in self.pods for t in self.pods for port in ports
                 for address in self.pods[t].addresses]
        results = tcp_many([(self.pods[s], address, port) for s, t, port, address in cells])
        wrong = [f"{s} -> {t} {address}:{port} {'passes' if passes else 'is dropped'}"
                 for (s, t, port, address), passes in zip(cells, results, strict=True)
                 if passes != (s == t or bool(allowed(s, t, port)))]
        assert not wrong, f"{len(wrong)} of {len(cells)} differ:\n" + "\n".join(wrong[:20])


@pytest.fixture(scope="module")
def nine(make_lab):
    with make_lab() as lab:
        yield World(lab)


@pytest.fixture
def world(nine):
    """The nine pods, with no policy left over from another test."""
    yield nine
    nine.lab.remove_all("NetworkPolicy")
    nine.lab.settle()


def test_without_policy_everyone_reaches_everyone(world):
    world.check(lambda s, t, port: True)


def test_deny_ingress(world):
    world.lab.policy("a", "deny", types=["Ingress"])
    world.check(lambda s, t, port: t[0] != "a")


def test_deny_egress(world):
    world.lab.policy("a", "deny", types=["Egress"])
    world.check(lambda s, t, port: s[0] != "a")


@pytest.fixture
def annotate(world):
    """Give the Namespace "a" the annotation by which namespaces isolated their pods of old."""
    yield lambda text: world.lab.namespace_object(
        "a", {"ns": "a"}, {"net.beta.kubernetes.io/network-policy": text})
    world.lab.namespace_object("a", {"ns": "a"})


DEFAULT_DENY = '{"ingress": {"isolation": "DefaultDeny"}}'


def test_annotation_isolates_until_policies_allow(world, annotate):
    annotate(DEFAULT_DENY)
    world.check(lambda s, t, port: t[0] != "a")
    world.lab.policy("a", "p", {"matchLabels": {"pod": "x"}}, ingress=[
        {"from": [{"namespaceSelector": {"matchLabels": {"ns": "b"}}}]}])
    world.check(lambda s, t, port: t[0] != "a" or (t == "a/x" and s[0] == "b"))
    annotate("{}")
    world.check(lambda s, t, port: t != "a/x" or s[0] == "b")


def test_annotation_that_cannot_be_read_isolates(world, annotate):
    annotate("DefaultDeny")
    world.lab.policy("b", "p", ingress=[
        {"from": [{"namespaceSelector": {"matchLabels": {"ns": "a"}}}]}])
    world.check(lambda s, t, port: t[0] == "c" or (t[0] == "b" and s[0] == "a"))
    assert any("its pods are isolated" in problem for node in world.nodes
               for problem in [node.manx("status", "--run-dir", node.run_dir, check=False).stdout])


def test_selected_pods_only(world):
    world.lab.policy("a", "deny", {"matchLabels": {"pod": "x"}}, types=["Ingress", "Egress"])
    world.check(lambda s, t, port: s != "a/x" and t != "a/x")


def test_pod_selector_means_own_namespace(world):
    world.lab.policy("a", "p", ingress=[{"from": [{"podSelector": {"matchLabels": {"pod": "y"}}}]}])
    world.check(lambda s, t, port: t[0] != "a" or s == "a/y")


def test_empty_pod_selector_means_whole_namespace(world):
    world.lab.policy("a", "p", ingress=[{"from": [{"podSelector": {}}]}])
    world.check(lambda s, t, port: t[0] != "a" or s[0] == "a")


def test_namespace_selector(world):
    world.lab.policy("a", "p", ingress=[
        {"from": [{"namespaceSelector": {"matchLabels": {"ns": "b"}}}]}])
    world.check(lambda s, t, port: t[0] != "a" or s[0] == "b")


def test_namespace_by_its_name_label(world):
    world.lab.policy("a", "p", ingress=[{"from": [{"namespaceSelector": {
        "matchLabels": {"kubernetes.io/metadata.name": "c"}}}]}])
    world.check(lambda s, t, port: t[0] != "a" or s[0] == "c")


def test_both_selectors_in_one_peer_are_anded(world):
    world.lab.policy("a", "p", ingress=[{"from": [
        {"namespaceSelector": {"matchLabels": {"ns": "b"}},
         "podSelector": {"matchLabels": {"pod": "y"}}}]}])
    world.check(lambda s, t, port: t[0] != "a" or s == "b/y")


def test_two_peers_are_ored(world):
    world.lab.policy("a", "p", ingress=[{"from": [
        {"namespaceSelector": {"matchLabels": {"ns": "b"}}},
        {"podSelector": {"matchLabels": {"pod": "y"}}}]}])
    world.check(lambda s, t, port: t[0] != "a" or s[0] == "b" or s == "a/y")


@pytest.mark.parametrize(("expression", "matches"), [
    ({"key": "pod", "operator": "In", "values": ["x", "z"]}, lambda p: p in "xz"),
    ({"key": "pod", "operator": "NotIn", "values": ["x", "z"]}, lambda p: p == "y"),
    ({"key": "absent", "operator": "NotIn", "values": ["x"]}, lambda p: True),
    ({"key": "pod", "operator": "Exists"}, lambda p: True),
    ({"key": "absent", "operator": "Exists"}, lambda p: False),
    ({"key": "absent", "operator": "DoesNotExist"}, lambda p: True),
    ({"key": "pod", "operator": "DoesNotExist"}, lambda p: False),
], ids=lambda v: f"{v['key']}-{v['operator']}" if isinstance(v, dict) else "")
def test_match_expressions(world, expression, matches):
    world.lab.policy("a", "p", ingress=[{"from": [
        {"namespaceSelector": {}, "podSelector": {"matchExpressions": [expression]}}]}])
    world.check(lambda s, t, port: t[0] != "a" or matches(s[2]))


def test_expressions_and_labels_are_anded(world):
    world.lab.policy("a", "p", {"matchLabels": {"tier": "even"}, "matchExpressions": [
        {"key": "pod", "operator": "NotIn", "values": ["z"]}]}, types=["Ingress"])
    world.check(lambda s, t, port: t != "a/x")


def test_ports_by_number(world):
    world.lab.policy("a", "p", ingress=[{"ports": [{"port": 80}]}])
    world.check(lambda s, t, port: t[0] != "a" or port == 80)


def test_ports_by_name_are_resolved_per_pod(world):
    world.lab.policy("a", "p", ingress=[{"ports": [{"port": "serve"}]}])
    world.check(lambda s, t, port: t[0] != "a" or port == (80 if t[2] == "x" else 81))


def test_egress_ports_by_name_are_those_of_the_target(world):
    world.lab.policy("a", "p", egress=[{"ports": [{"port": "serve"}], "to": [
        {"namespaceSelector": {}}]}], types=["Egress"])
    world.check(lambda s, t, port: s[0] != "a" or port == (80 if t[2] == "x" else 81))


def test_end_port(world):
    world.lab.policy("a", "p", ingress=[{"ports": [{"port": 1, "endPort": 80}]}])
    world.check(lambda s, t, port: t[0] != "a" or port <= 80)


def test_ports_and_peers_are_anded_within_a_rule(world):
    world.lab.policy("a", "p", ingress=[
        {"ports": [{"port": 80}], "from": [{"namespaceSelector": {"matchLabels": {"ns": "b"}}}]},
        {"ports": [{"port": 81}], "from": [{"podSelector": {}}]}])
    world.check(lambda s, t, port: t[0] != "a" or (port == 80 and s[0] == "b")
                or (port == 81 and s[0] == "a"))


def test_policies_add_up(world):
    for name, port in (("p1", 80), ("p2", 81)):
        world.lab.policy("a", name, ingress=[{"ports": [{"port": port}], "from": [
            {"namespaceSelector": {"matchLabels": {"ns": "b" if port == 80 else "c"}}}]}])
    world.lab.policy("a", "deny", types=["Ingress"])
    world.check(lambda s, t, port: t[0] != "a" or (s[0], port) in (("b", 80), ("c", 81)))


@pytest.mark.parametrize(("rules", "open_to_all"), [
    ([], False), ([{}], True), ([{"from": []}], True), ([{"ports": []}], True),
    ([{"from": [], "ports": []}], True)])
def test_empty_and_missing_differ(world, rules, open_to_all):
    world.lab.policy("a", "p", ingress=rules)
    world.check(lambda s, t, port: t[0] != "a" or open_to_all)


def test_policy_types_default_to_ingress_and_egress_where_egress_is_given(world):
    world.lab.policy("a", "p", egress=[{"to": [{"podSelector": {}}]}])
    world.check(lambda s, t, port: t[0] != "a" and (s[0] != "a" or t[0] == "a"))


def test_rules_of_a_type_that_is_not_listed_do_not_count(world):
    world.lab.policy("a", "p", egress=[{}], ingress=[], types=["Egress"])
    world.check(lambda s, t, port: True)


def test_egress_to_pods(world):
    world.lab.policy("a", "p", egress=[{"to": [
        {"namespaceSelector": {"matchLabels": {"ns": "b"}},
         "podSelector": {"matchLabels": {"pod": "z"}}}], "ports": [{"port": 81}]}],
        types=["Egress"])
    world.check(lambda s, t, port: s[0] != "a" or (t == "b/z" and port == 81))


def test_egress_and_ingress_must_both_agree(world):
    world.lab.policy("a", "out", egress=[{"to": [{"namespaceSelector": {"matchLabels": {
        "ns": "b"}}}]}], types=["Egress"])
    world.lab.policy("b", "in", ingress=[{"from": [{"namespaceSelector": {"matchLabels": {
        "ns": "a"}}}], "ports": [{"port": 80}]}])
    world.check(lambda s, t, port: (s[0] != "a" or t[0] == "b")
                and (t[0] != "b" or (s[0] == "a" and port == 80)))


def test_ip_block_with_except(world):
    excepted = world["b/y"]
    world.lab.policy("a", "p", ingress=[{"from": [
        {"ipBlock": {"cidr": "10.201.0.0/16", "except": [f"{excepted.v4}/32"]}},
        {"ipBlock": {"cidr": "fd00:201::/32", "except": [f"{excepted.v6}/128"]}}]}])
    world.check(lambda s, t, port: t[0] != "a" or s != "b/y")


def test_overlapping_blocks_of_two_rules(world):
    """What one rule excepts another may allow."""
    pod = world["b/y"]
    world.lab.policy("a", "p", ingress=[
        {"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.201.0.0/16"]}},
                  {"ipBlock": {"cidr": f"{pod.v4}/32"}}]},
        {"from": [{"ipBlock": {"cidr": f"{pod.v6}/128"}}]}])
    world.check(lambda s, t, port: t[0] != "a" or s == "b/y")


def test_egress_to_the_outside(world):
    lab = world.lab
    lab.servers.tcp(lab.world.namespace, "world", 80)
    x, y = world["a/x"], world["a/y"]
    lab.policy("a", "x", {"matchLabels": {"pod": "x"}}, types=["Egress"], egress=[
        {"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}, {"ipBlock": {"cidr": "2001:db8::/32"}}]}])
    lab.policy("a", "y", {"matchLabels": {"pod": "y"}}, types=["Egress"])
    lab.settle()
    for address in (lab.world.v4, lab.world.v6):
        assert tcp(x, address, 80)
        assert tcp(y, address, 80) is None
        assert tcp(world["b/x"], address, 80)
    world.check(lambda s, t, port: s not in ("a/x", "a/y"))


def test_egress_holds_towards_the_own_node(world):
    pod = world["a/x"]
    world.lab.servers.tcp(pod.node.namespace, "node", 8080)
    assert tcp(pod, pod.node.v4, 8080)
    world.lab.policy("a", "deny", types=["Egress"])
    world.lab.settle()
    assert tcp(pod, pod.node.v4, 8080) is None
    assert tcp(pod, pod.node.v6, 8080) is None


def test_the_own_node_always_reaches_its_pods(world):
    """Probes of the kubelet; another node is a stranger."""
    pod = world["a/x"]
    other = next(n for n in world.nodes if n is not pod.node)
    world.lab.policy("a", "deny", types=["Ingress", "Egress"])
    world.lab.settle()
    for address in pod.addresses:
        assert tcp(pod.node, address, 80)
        assert ping(pod.node, address)
        assert tcp(other, address, 80) is None


def test_icmp_is_isolated_too(world):
    x, y = world["a/x"], world["b/x"]
    assert ping(y, x.v4)
    assert ping(y, x.v6)
    world.lab.policy("a", "p", ingress=[{"ports": [{"port": 80}]}])
    world.lab.settle()
    assert not ping(y, x.v4)
    assert not ping(y, x.v6)
    world.lab.policy("a", "all", ingress=[{"from": [{"namespaceSelector": {}}]}])
    world.lab.settle()
    assert ping(y, x.v4)
    assert ping(y, x.v6)


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_udp_is_not_tcp(world, family):
    source, target = world["b/x"], getattr(world["a/x"], family)
    assert udp(source, target, 80)
    world.lab.policy("a", "p", ingress=[{"ports": [{"protocol": "UDP", "port": 80}]}])
    world.lab.settle()
    assert udp(source, target, 80)
    assert udp(source, target, 81) is None
    assert tcp(source, target, 80) is None


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_sctp(world, family):
    """INIT packets: the kernel has no SCTP sockets, and the rules do not ask for them."""
    lab, pod = world.lab, world["a/z"]
    lab.servers.sctp(pod.namespace, "a/z")
    source, target = world["b/x"], getattr(pod, family)
    assert sctp(source, lab.servers, target, 9000)
    lab.policy("a", "p", ingress=[{"ports": [{"protocol": "SCTP", "port": 9000}]}])
    lab.settle()
    assert sctp(source, lab.servers, target, 9000)
    assert not sctp(source, lab.servers, target, 9001)
    assert tcp(source, target, 80) is None


def test_established_connections(world):
    """What is forbidden now is cut, what is still allowed is not asked again (test_connections)."""
    ends = world["b/x"].namespace, world["a/x"].namespace, world["a/x"].v4
    with Flow("tcp", *ends, 7000) as flow, Flow("tcp", *ends, 7001) as other:
        world.lab.policy("a", "deny", ingress=[{"ports": [{"port": 7000}]}], types=["Ingress"])
        world.lab.settle()
        assert flow.lives()
        wait_for(lambda: not other.down(0.1), what="the connection to be cut")
        assert other.is_dead() and flow.lives()


def test_a_changed_policy(world):
    world.lab.policy("a", "p", ingress=[{"ports": [{"port": 80}]}])
    world.check(lambda s, t, port: t[0] != "a" or port == 80)
    world.lab.policy("a", "p", ingress=[{"ports": [{"port": 81}]}])
    world.check(lambda s, t, port: t[0] != "a" or port == 81)
    world.lab.remove({"kind": "NetworkPolicy", "metadata": {"namespace": "a", "name": "p"}})
    world.check(lambda s, t, port: True)


def test_a_changed_pod_label(world):
    pod = world["b/y"]
    world.lab.policy("a", "p", ingress=[{"from": [{"namespaceSelector": {}, "podSelector": {
        "matchLabels": {"role": "chosen"}}}]}])
    world.check(lambda s, t, port: t[0] != "a")
    pod.labels["role"] = "chosen"
    world.lab.write(pod.object())
    world.check(lambda s, t, port: t[0] != "a" or s == "b/y")
    del pod.labels["role"]
    world.lab.write(pod.object())
    world.check(lambda s, t, port: t[0] != "a")


def test_a_changed_namespace_label(world):
    world.lab.policy("a", "p", ingress=[{"from": [{"namespaceSelector": {
        "matchLabels": {"team": "red"}}}]}])
    world.check(lambda s, t, port: t[0] != "a")
    world.lab.namespace_object("c", {"ns": "c", "team": "red"})
    world.check(lambda s, t, port: t[0] != "a" or s[0] == "c")
    world.lab.namespace_object("c", {"ns": "c"})
    world.check(lambda s, t, port: t[0] != "a")


def test_host_network_pods_are_nobodys_peer_by_selector(world):
    """Their address is the node's: a podSelector must not open the pod to the whole node."""
    lab, pod = world.lab, world["a/x"]
    other = next(n for n in world.nodes if n is not pod.node)
    host_pod = {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": "host", "namespace": "a", "uid": "u-host", "labels": {}},
                "spec": {"nodeName": other.name, "hostNetwork": True,
                         "containers": [{"name": "main"}]},
                "status": {"phase": "Running",
                           "podIPs": [{"ip": other.v4}, {"ip": other.v6}]}}
    lab.write(host_pod)
    lab.policy("a", "p", ingress=[{"from": [{"podSelector": {}}]}])
    lab.settle()
    try:
        assert tcp(other, pod.v4, 80) is None
        assert tcp(other, pod.v6, 80) is None
        assert tcp(world["a/y"], pod.v4, 80)
    finally:
        lab.remove(host_pod)


def test_terminating_pods_keep_their_membership(world):
    pod = world["a/y"]
    world.lab.policy("a", "p", ingress=[{"from": [{"podSelector": {"matchLabels": {"pod": "y"}}}]}])
    item = pod.object()
    item["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    world.lab.write(item)
    world.check(lambda s, t, port: t[0] != "a" or s == "a/y")
    world.lab.write(pod.object())


def test_a_policy_set_aside_fails_closed(world):
    """One bad field: the pods selected are isolated, everything else stays in force."""
    world.lab.policy("b", "good", types=["Ingress"])
    world.lab.policy("a", "bad", {"matchLabels": {"pod": "x"}}, types=["Ingress"], ingress=[
        {"ports": [{"port": 80}]}, {"ports": [{"port": 80, "endPort": 70000}]}])
    world.check(lambda s, t, port: t != "a/x" and t[0] != "b")
    status = world.nodes[0].manx("status", "--run-dir", world.nodes[0].run_dir).stdout
    assert "spec.ingress[1].ports[0].endPort" in status
    assert any(name.startswith("manx_objects_set_aside") and value == 1
               for name, value in world.nodes[0].metrics().items())


def test_no_rule_names_a_remote_pod(world):
    """Pods elsewhere are elements of sets, never part of a rule."""
    world.lab.policy("a", "p", ingress=[{"from": [{"namespaceSelector": {}}]}])
    world.lab.settle()
    rules = world.nodes[0].namespace.run("nft", "-a", "list", "table", "inet", "manx").stdout
    chains = [line for line in rules.splitlines()
              if "# handle" in line and "elements" not in line]
    for pod in world.pods.values():
        for address in pod.addresses:
            assert not any(address + " " in line for line in chains)
