# SPDX-License-Identifier: GPL-2.0-or-later
"""Pods on nodes: connectivity, anti-spoofing, isolation, host ports, masquerade, MTU."""

import json
import pathlib
import socket

import pytest

from lab import Lab, cni, ping, tcp, udp
from lab.cluster import wait_for

OUR_ROUTES = {"proto", "manx"}


@pytest.fixture
def pair(lab):
    """Two nodes, a pod each."""
    nodes = [lab.node("n1", start=True), lab.node("n2", start=True)]
    lab.namespace_object("default")
    pods = [lab.run_pod(node, "default", f"p{i}") for i, node in enumerate(nodes)]
    lab.settle()
    return nodes, pods


def test_pods_reach_each_other(lab, pair):
    nodes, (a, b) = pair
    c = lab.run_pod(nodes[0], "default", "same-node")
    lab.settle()
    for source, target in [(a, b), (b, a), (a, c), (c, a), (a, a), (c, b)]:
        for address in target.addresses:
            answer = tcp(source, address, 80)
            assert answer, f"{source.name} -> {target.name} {address}"
            assert answer.name == target.name
            assert answer.seen_as in source.addresses  # no address translation between pods
            assert udp(source, address, 80).name == target.name
            assert ping(source, address)


def test_node_and_pod_reach_each_other(lab, pair):
    nodes, pods = pair
    for node, pod in zip(nodes, pods, strict=True):
        lab.servers.tcp(node.namespace, node.name, 8080)
        for address in pod.addresses:
            assert tcp(node, address, 80).name == pod.name
        assert tcp(pod, node.v4, 8080).name == node.name
        assert tcp(pod, node.v6, 8080).name == node.name


@pytest.mark.parametrize("family", [4, 6])
def test_single_stack(family):
    with Lab(families=(family,)) as lab:
        nodes = [lab.node("n1", start=True), lab.node("n2", start=True)]
        lab.namespace_object("default")
        a, b = (lab.run_pod(n, "default", f"p{i}") for i, n in enumerate(nodes))
        lab.settle()
        assert len(a.addresses) == 1
        assert (":" in a.addresses[0]) == (family == 6)
        assert tcp(a, b.addresses[0], 80).seen_as == a.addresses[0]


def test_the_pods_end(pair):
    """/32 and /128 addresses, a default route through a link-local gateway, no subnet."""
    _, (pod, _) = pair
    addresses = json.loads(pod.namespace.ip("-j", "address", "show", "eth0"))[0]
    globals_ = {(a["local"], a["prefixlen"]) for a in addresses["addr_info"]
                if a["scope"] == "global"}
    assert globals_ == {(pod.v4, 32), (pod.v6, 128)}
    gateway = json.loads(pod.namespace.ip("-j", "route", "show", "default"))[0]["gateway"]
    assert gateway.startswith("169.254.")
    gateway = json.loads(pod.namespace.ip("-6", "-j", "route", "show", "default"))[0]["gateway"]
    assert gateway.startswith("fe80:")
    interface = next(i for i in pod.result["interfaces"] if i.get("sandbox"))
    assert interface["mac"] == addresses["address"]


def test_host_side_names_are_stable(pair):
    _, (pod, _) = pair
    first = pod.host_ifname
    assert first.startswith("mx")
    assert first in pod.node.links()
    cni.call(pod, "DEL")
    assert first not in pod.node.links()
    pod.take_result(cni.call(pod, "ADD"))
    assert pod.host_ifname == first


def test_routes_to_other_nodes(lab, pair):
    """Own protocol number; foreign routes stay; a node that goes takes its route along."""
    nodes, _ = pair
    nodes[0].namespace.ip("route", "add", "10.99.0.0/16", "via", "10.200.0.254", "proto", "static")

    def routes(family):
        return {r["dst"]: r for r in json.loads(nodes[0].namespace.ip(
            family, "-N", "-j", "route", "show"))}

    remote = routes("-4")["10.201.2.0/24"]
    assert remote["gateway"] == nodes[1].v4
    assert remote["protocol"] not in ("2", "3", "4")  # kernel, boot, static
    assert routes("-6")["fd00:201:2::/64"]["gateway"] == nodes[1].v6
    lab.remove(nodes[1].object())
    wait_for(lambda: "10.201.2.0/24" not in routes("-4"), what="the route to go")
    assert "fd00:201:2::/64" not in routes("-6")
    assert "10.99.0.0/16" in routes("-4")


def test_a_range_of_pods_moves_to_another_node_object(lab, pair):
    """A Node renamed in its file: the new one is known before the old one goes."""
    nodes, (a, b) = pair
    renamed = nodes[1].object()
    renamed["metadata"]["name"] = "n2-again"
    lab.write_text(lab.path_of(nodes[1].object()).name, json.dumps(renamed))
    lab.settle()
    for address in b.addresses:
        assert tcp(a, address, 80), address


def test_two_nodes_with_one_range_of_pods(lab, pair):
    """The older one is routed to; the other is named, and takes over when the older one goes."""
    nodes, (a, b) = pair
    def status():
        return nodes[0].manx("status", "--run-dir", nodes[0].run_dir).stdout

    stranger = nodes[1].object()
    stranger["metadata"].update(name="a-stranger", creationTimestamp="2026-11-30T12:00:00Z")
    stranger["status"]["addresses"] = [{"type": "InternalIP", "address": "10.200.0.250"}]
    known = nodes[1].object()
    known["metadata"]["creationTimestamp"] = "2026-11-29T12:00:00Z"
    lab.write(known, stranger)
    lab.settle()
    assert tcp(a, b.v4, 80)
    assert "Node a-stranger: spec.podCIDRs: 10.201.2.0/24 belongs to Node n2 too" in status()
    stranger["metadata"]["creationTimestamp"] = "2026-11-28T12:00:00Z"
    lab.write(stranger)
    lab.settle()
    assert "Node n2: spec.podCIDRs: 10.201.2.0/24 belongs to Node a-stranger too" in status()
    lab.remove(stranger)
    lab.settle()
    assert tcp(a, b.v4, 80)
    assert "belongs to Node" not in status()


def test_two_pods_with_one_address(lab, pair):
    """An object of a node that is gone lends its labels to nobody who has its address now."""
    nodes, (a, b) = pair
    ghost = b.object()
    ghost["metadata"].update(name="ghost", uid="ghost-uid", labels={"role": "client"})
    ghost["spec"]["nodeName"] = "gone"
    lab.write(ghost)
    lab.policy("default", "clients", {"matchLabels": {}}, ingress=[
        {"from": [{"podSelector": {"matchLabels": {"role": "client"}}}]}])
    lab.settle()
    assert tcp(b, a.v4, 80) is None
    assert "pods default/" in nodes[0].manx("status", "--run-dir", nodes[0].run_dir).stdout
    lab.remove(ghost)
    b.labels = {"role": "client"}
    lab.write(b.object())
    lab.settle()
    assert tcp(b, a.v4, 80)


# --- anti-spoofing ---


@pytest.mark.parametrize("address", ["10.201.2.77", "10.200.0.1", "192.0.2.9", "fd00:201:2::77"])
def test_a_pod_cannot_send_from_another_address(lab, pair, address):
    nodes, (a, b) = pair
    length = 128 if ":" in address else 32
    a.namespace.ip("address", "add", f"{address}/{length}", "dev", "eth0", *(
        ["nodad"] if length == 128 else []))
    target = b.v6 if ":" in address else b.v4
    lab.servers.udp(b.namespace, "log", 9999)
    before = received(b)
    udp(a, target, 9999, from_address=address, wait=0.2)
    assert received(b) == before, "the packet arrived"
    own = a.v6 if ":" in address else a.v4
    assert udp(a, target, 80, from_address=own), "its own address works still"


def received(pod):
    """UDP datagrams that reached a socket of the pod, both families."""
    with pod.namespace:
        text = pathlib.Path("/proc/thread-self/net/snmp").read_text()
        text6 = pathlib.Path("/proc/thread-self/net/snmp6").read_text()
    v4 = next(line for line in text.splitlines() if line.startswith("Udp: ") and line[5].isdigit())
    v6 = next(line for line in text6.splitlines() if line.startswith("Udp6InDatagrams"))
    return int(v4.split()[1]) + int(v6.split()[1])


def test_a_pod_cannot_send_from_another_mac(pair):
    _, (a, b) = pair
    assert tcp(a, b.v4, 80)
    a.namespace.ip("link", "set", "eth0", "address", "02:11:22:33:44:55")
    assert tcp(a, b.v4, 80) is None
    assert tcp(a, b.v6, 80) is None


# --- isolation at the start ---


def test_a_pod_without_object_is_isolated_until_it_comes(lab, pair):
    nodes, (other, _) = pair
    pod = lab.pod(nodes[0], "default", "late")
    pod.take_result(cni.call(pod, "ADD"))
    for address in pod.addresses:
        assert tcp(other, address, 80) is None
    assert tcp(pod, other.v4, 80) is None
    lab.write(pod.object())
    lab.settle()
    for address in pod.addresses:
        assert tcp(other, address, 80)
    assert tcp(pod, other.v4, 80)


def test_policies_hold_when_add_returns(lab, pair):
    """The first packet after ADD meets the policy: ten times, no waiting in between."""
    nodes, (other, _) = pair
    lab.policy("default", "deny", {"matchLabels": {"app": "closed"}}, types=["Ingress"])
    lab.settle()
    for index in range(10):
        pod = lab.pod(nodes[0], "default", f"closed{index}", {"app": "closed"})
        lab.write(pod.object())
        lab.settle()
        pod.take_result(cni.call(pod, "ADD"))
        assert tcp(other, pod.v4, 80, wait=0.1) is None
        assert tcp(nodes[0], pod.v4, 80)


# --- host ports and masquerade ---


def mapping(protocol, host_port, container_port, host_ip=None):
    entry = {"protocol": protocol, "hostPort": host_port, "containerPort": container_port}
    return {**entry, "hostIP": host_ip} if host_ip else entry


def test_host_ports(lab, pair):
    nodes, (other, _) = pair
    pod = lab.pod(nodes[0], "default", "server", serve=(80, 81))
    lab.write(pod.object())
    pod.take_result(cni.call(pod, "ADD", runtime={"portMappings": [
        mapping("tcp", 8080, 80), mapping("udp", 8080, 80),
        mapping("tcp", 8081, 81, nodes[0].v4)]}))
    lab.write(pod.object())
    lab.settle()
    for source in (lab.world, other, nodes[1], nodes[0], pod):
        assert tcp(source, nodes[0].v4, 8080).name == "server", source.name
    for source in (lab.world, other, nodes[1]):
        assert tcp(source, nodes[0].v6, 8080).name == "server", source.name
        assert udp(source, nodes[0].v4, 8080).name == "server", source.name
    assert tcp(lab.world, nodes[0].v4, 8081).name == "server"
    cni.call(pod, "DEL")
    lab.settle()
    assert not answers(lab.world, nodes[0].v4, 8080)


def inner_link(node, name):
    """A dummy interface, or lo where the kernel is built without them."""
    try:
        node.ip("link", "add", name, "type", "dummy")
        node.ip("link", "set", name, "up")
    except RuntimeError:
        return "lo"
    return name


def test_host_ports_are_on_the_nodes_own_addresses(lab, pair):
    """What is local for another reason keeps its daemons: Services, a node-local DNS, loopback."""
    nodes, (other, _) = pair
    node = nodes[0].namespace
    node.ip("link", "set", "lo", "up")
    node.ip("address", "add", "10.96.0.10/32", "dev", inner_link(node, "kube-ipvs0"))
    node.ip("address", "add", "169.254.20.10/32", "dev", inner_link(node, "nodelocaldns"))
    lab.servers.tcp(node, "daemon", 53)
    lab.servers.udp(node, "daemon", 53)
    pod = lab.pod(nodes[0], "default", "server", serve=(53,))
    lab.write(pod.object())
    pod.take_result(cni.call(pod, "ADD", runtime={"portMappings": [
        mapping("tcp", 53, 53), mapping("udp", 53, 53)]}))
    lab.write(pod.object())
    lab.settle()
    for address in ("10.96.0.10", "169.254.20.10", "127.0.0.1", "::1"):
        assert tcp(nodes[0], address, 53).name == "daemon", address
        assert udp(nodes[0], address, 53).name == "daemon", address
    for source in (other, lab.world, nodes[1], nodes[0]):
        assert tcp(source, nodes[0].v4, 53).name == "server", source.name
    assert tcp(other, "10.96.0.10", 53).name == "daemon"
    assert tcp(lab.world, nodes[0].v6, 53).name == "server"


def test_host_ports_follow_the_nodes_addresses(lab, pair):
    """An address that comes has the host ports, one that goes has them no more."""
    nodes, _ = pair
    pod = lab.pod(nodes[0], "default", "server")
    lab.write(pod.object())
    pod.take_result(cni.call(pod, "ADD", runtime={"portMappings": [mapping("tcp", 8080, 80)]}))
    lab.write(pod.object())
    lab.settle()
    nodes[0].namespace.ip("address", "add", "10.200.0.77/24", "dev", "eth0")
    wait_for(lambda: answers(lab.world, "10.200.0.77", 8080), what="the new address")
    nodes[0].namespace.ip("address", "del", "10.200.0.77/24", "dev", "eth0")
    wait_for(lambda: "10.200.0.77" not in nodes[0].ruleset(), what="the address to go")
    nodes[0].restart_agent()
    assert answers(lab.world, nodes[0].v4, 8080)


@pytest.mark.parametrize("host_ip", ["pod", "127.0.0.1", "192.0.2.77", "10.200.0.2", "::1"])
def test_host_ip_must_be_an_address_of_the_node(lab, pair, host_ip):
    """Any other destination would have its traffic taken: another pod, another node."""
    nodes, (other, _) = pair
    address = other.v4 if host_ip == "pod" else host_ip
    pod = lab.pod(nodes[0], "default", "server")
    lab.write(pod.object())
    with pytest.raises(cni.CniError, match=f"hostIP {address} is no address of this node") as e:
        cni.call(pod, "ADD", runtime={"portMappings": [mapping("tcp", 80, 80, address)]})
    assert e.value.code == 7
    assert nodes[0].v4 in str(e.value)
    assert tcp(nodes[0], other.v4, 80).name == other.name


def test_udp_host_port_reaches_a_client_that_was_there_before(lab, pair):
    """One socket that goes on sending: before the pod, while it runs, and over a rolling update."""
    nodes, _ = pair
    with lab.world.namespace:
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(0.2)
    client.connect((nodes[0].v4, 5353))

    def answer():
        try:
            client.send(b"x")
            return client.recv(1000).decode().split()[0]
        except OSError:
            return None

    assert not any(answer() for _ in range(3))
    for name in ("first", "second"):
        pod = lab.pod(nodes[0], "default", name, serve=(53,))
        lab.write(pod.object())
        pod.take_result(cni.call(pod, "ADD", runtime={"portMappings": [mapping("udp", 5353, 53)]}))
        lab.write(pod.object())
        wait_for(lambda wanted=name: answer() == wanted, what=f"an answer of {name}")
        lab.delete(pod)
        assert not any(answer() for _ in range(3))


def answers(source, address, port):
    try:
        return tcp(source, address, port) is not None
    except Exception:  # noqa: BLE001 - a refusal is no answer either
        return False


def test_policy_holds_for_host_ports(lab, pair):
    """The rule speaks of the pod's port and the client's address."""
    nodes, (other, _) = pair
    pod = lab.pod(nodes[0], "default", "server", {"app": "server"}, serve=(80, 81))
    lab.write(pod.object())
    pod.take_result(cni.call(pod, "ADD", runtime={"portMappings": [
        mapping("tcp", 8080, 80), mapping("tcp", 8081, 81)]}))
    lab.write(pod.object())
    lab.policy("default", "p", {"matchLabels": {"app": "server"}}, ingress=[
        {"ports": [{"port": 80}], "from": [{"ipBlock": {"cidr": "10.200.0.254/32"}}]}])
    lab.settle()
    assert tcp(lab.world, nodes[0].v4, 8080, from_address="10.200.0.254")
    assert tcp(lab.world, nodes[0].v4, 8081, from_address="10.200.0.254") is None
    assert tcp(other, nodes[0].v4, 8080) is None


def test_masquerade_to_the_outside_only(lab, pair):
    nodes, (a, b) = pair
    lab.servers.tcp(lab.world.namespace, "world", 80)
    assert tcp(a, lab.world.v4, 80).seen_as == nodes[0].v4
    assert tcp(a, lab.world.v6, 80).seen_as == nodes[0].v6
    assert tcp(a, b.v4, 80).seen_as == a.v4
    lab.servers.tcp(nodes[1].namespace, "n2", 8080)
    assert tcp(a, nodes[1].v4, 8080).seen_as == a.v4


def test_masquerade_exclusion_takes_effect_while_running(lab):
    node = lab.node("n1")
    node.config_file.write_text("masquerade-exclude: []\n")
    node.start_agent()
    lab.namespace_object("default")
    pod = lab.run_pod(node, "default", "p")
    lab.settle()
    lab.world.namespace.ip("route", "add", "10.201.1.0/24", "via", node.v4)
    lab.servers.tcp(lab.world.namespace, "world", 80)
    assert tcp(pod, lab.world.v4, 80).seen_as == node.v4
    node.config_file.write_text("masquerade-exclude: [198.51.100.0/24]\n")
    wait_for(lambda: tcp(pod, lab.world.v4, 80).seen_as == pod.v4, what="the exclusion")


def test_a_pod_outlives_its_range(lab):
    """A range is taken out: its pods keep what they had, the rest of it still leads nowhere."""
    node = lab.node("n1")
    node.config_file.write_text("ranges: [10.77.0.0/24]\n")
    lab.write(node.object(podCIDR="10.201.1.0/30", podCIDRs=["10.201.1.0/30"]))
    node.start_agent()
    lab.namespace_object("default")
    pods = [lab.run_pod(node, "default", f"p{i}") for i in range(4)]
    pod = next(p for p in pods if p.v4.startswith("10.77."))
    other = next(p for p in pods if not p.v4.startswith("10.77."))
    lab.settle()
    lab.servers.tcp(lab.world.namespace, "world", 80)
    assert tcp(pod, lab.world.v4, 80).seen_as == node.v4
    for restart in (False, True):
        node.config_file.write_text("ranges: []\n")
        wait_for(lambda: "not configured any more" in node.manx(
            "status", "--run-dir", node.run_dir).stdout, what="the range to be retired")
        if restart:
            node.restart_agent()
        assert tcp(pod, lab.world.v4, 80).seen_as == node.v4
        assert tcp(other, pod.v4, 80).seen_as == other.v4
        assert "unreachable 10.77.0.0/24" in node.namespace.ip("route", "show")
    for p in pods:
        if p.v4.startswith("10.77."):
            lab.delete(p)
    wait_for(lambda: "10.77." not in node.namespace.ip("route", "show"), what="the range to go")


# --- MTU ---


def test_mtu_follows_the_nodes_interface():
    with Lab(node_mtu=1450) as lab:
        node = lab.node("n1", start=True)
        lab.namespace_object("default")
        pod = lab.run_pod(node, "default", "p")

        def mtu():
            return json.loads(pod.namespace.ip("-j", "link", "show", "eth0"))[0]["mtu"]

        assert mtu() == 1450
        assert node.links()[pod.host_ifname]["mtu"] == 1450
        node.namespace.ip("link", "set", "eth0", "mtu", 1400)
        wait_for(lambda: node.links()[pod.host_ifname]["mtu"] == 1400, what="the host's end")
        later = lab.run_pod(node, "default", "later")
        assert node.links()[later.host_ifname]["mtu"] == 1400
        # What the route says is what the kernel sends: no larger packet leaves the pod.
        with pod.namespace:
            probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with probe:
            probe.connect((node.v4, 9))
        assert mtu() in (1400, 1450)


@pytest.mark.parametrize("carrier", ["lo", "dummy"])
def test_mtu_of_the_way_out_when_the_node_has_its_address_on_lo(carrier):
    """As routing daemons do it: the address is on lo (MTU 65536) or a dummy, the way out is not."""
    with Lab(node_mtu=1450) as lab:
        node = lab.node("n1")
        name = carrier
        if carrier == "dummy":
            name = "anycast0"
            node.namespace.ip("link", "add", name, "mtu", 9000, "type", "dummy", check=False)
            if name not in node.links():
                pytest.skip("this kernel has no dummy interfaces")
            node.namespace.ip("link", "set", name, "up")
        node.namespace.ip("address", "add", "203.0.113.5/32", "dev", name)
        item = node.object()
        item["status"]["addresses"] = [{"type": "InternalIP", "address": "203.0.113.5"}]
        lab.write(item)
        node.start_agent()
        lab.namespace_object("default")
        pod = lab.run_pod(node, "default", "pod")
        assert node.links()[pod.host_ifname]["mtu"] == 1450
        node.namespace.ip("link", "set", "eth0", "mtu", 1400)
        wait_for(lambda: node.links()[pod.host_ifname]["mtu"] == 1400, what="the host's end")
        node.namespace.ip("link", "add", "eth9", "mtu", 1380, "type", "veth",
                          "peer", "name", "eth10")
        node.namespace.ip("link", "set", "eth9", "up")
        node.namespace.ip("address", "add", "192.0.2.1/24", "dev", "eth9")
        node.namespace.ip("route", "replace", "default", "via", "192.0.2.254", "dev", "eth9",
                          "onlink")
        wait_for(lambda: node.links()[pod.host_ifname]["mtu"] == 1380, what="the new way out")


def test_mtu_that_no_pod_can_have():
    """An interface of the node with less than IPv6 needs."""
    with Lab(families=(4,)) as lab:
        node = lab.node("n1", podCIDRs=["10.201.1.0/24", "fd00:201:1::/64"])
        node.namespace.ip("link", "set", "eth0", "mtu", 1000)
        node.start_agent()
        lab.namespace_object("default")
        pod = lab.run_pod(node, "default", "pod")
        assert node.links()[pod.host_ifname]["mtu"] == 1280


def test_a_pods_own_mtu_stays():
    with Lab() as lab:
        node = lab.node("n1", start=True)
        lab.namespace_object("default")
        pod = lab.run_pod(node, "default", "pod")
        pod.namespace.ip("link", "set", "eth0", "mtu", 1300)
        node.namespace.ip("link", "set", "eth0", "mtu", 1450)
        wait_for(lambda: node.links()[pod.host_ifname]["mtu"] == 1450, what="the host's end")
        assert json.loads(pod.namespace.ip("-j", "link", "show", "eth0"))[0]["mtu"] == 1300


def test_mtu_without_the_right_to_enter_pods():
    """CAP_NET_ADMIN alone, as in a container: what runs keeps an MTU that works at both ends, and
    nothing is said about it while nothing changes."""
    with Lab() as lab:
        node = lab.node("n1")
        node.launcher = ["setpriv", "--bounding-set=-all,+net_admin,+dac_override",
                         "--inh-caps=-all"]
        node.start_agent()
        lab.namespace_object("default")
        pods = [lab.run_pod(node, "default", f"pod{i}") for i in range(3)]
        node.restart_agent()
        assert "level=warn" not in node.log_text(), node.log_text()
        node.namespace.ip("link", "set", "eth0", "mtu", 1400)
        wait_for(lambda: "running pods keep their MTU" in node.log_text(), what="the message")
        later = lab.run_pod(node, "default", "later")
        assert node.links()[later.host_ifname]["mtu"] == 1400
        for pod in pods:
            assert node.links()[pod.host_ifname]["mtu"] == 1500
            assert udp_fits(pods[0], pod, 1472)
        check = node.manx("ipam", "check", "--run-dir", node.run_dir, check=False)
        assert check.returncode == 0, check.stdout
        for pod in pods:
            cni.call(pod, "CHECK", prev=pod.result)


def udp_fits(source, pod, size):
    """Does a datagram of that size arrive in one piece?"""
    with pod.namespace:
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with source.namespace:
        mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with ear, mouth:
        ear.bind((pod.v4, 7777))
        ear.settimeout(1)
        mouth.sendto(bytes(size), (pod.v4, 7777))
        try:
            return len(ear.recv(65535)) == size
        except TimeoutError:
            return False
