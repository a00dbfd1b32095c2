# SPDX-License-Identifier: GPL-2.0-or-later
"""Events about objects that are set aside: what real agents write to a real API server."""

import json
import socket
import time

import pytest

from lab import tcp
from lab.cluster import wait_for
from lab.faults import Refuser

from .lab import KubeLab
from .lab.kubelab import RULES

LIMIT = 10000  # entries of one list that Manx takes; the API server takes more
ENTRIES = {"ports": {"port": 80}, "from": {"podSelector": {}}}
NOTE = f"{LIMIT + 1} entries, at most {LIMIT} are supported"
ISOLATED = "; set aside: the pods it selects are isolated"
REFUSED = "203.0.113.77"  # whatever holds this address is refused, where a kernel refuses something
QUIET_SECONDS = 1.5  # longer than any node waits before it tells something


@pytest.fixture(scope="module")
def shared_lab():
    with KubeLab(families=(4,)) as lab:
        yield lab


@pytest.fixture
def lab(shared_lab):
    """One cluster for all tests; the agents of a test end with it."""
    shared_lab.control.audit.mark()
    yield shared_lab
    for node in shared_lab.nodes:
        node.stop_agent()


@pytest.fixture
def space(lab, request):
    """A Kubernetes namespace of the test's own, its name."""
    name = request.node.originalname.replace("_", "-")
    lab.namespace_object(name)
    yield name
    lab.remove_all("NetworkPolicy")
    lab.control.objects.delete_namespace(name)


def broken(field="ports", number=LIMIT + 1):
    """Rules with too many entries in a field."""
    return [{field: [ENTRIES[field]] * number}]


def events(lab, space, name=None):
    """Those of a namespace, about one object if it is named."""
    items = lab.client.get(f"/apis/events.k8s.io/v1/namespaces/{space}/events")["items"]
    return [i for i in items if name is None or i["regarding"]["name"] == name]


def wait_for_events(lab, space, name, number=1, seconds=10):
    wait_for(lambda: len(events(lab, space, name)) >= number, seconds, f"events of {name}")
    found = events(lab, space, name)
    assert len(found) == number
    return found


def counts(node):
    """How its attempts ended, those that happened."""
    return {name.split('"')[1]: value for name, value in node.metrics().items()
            if name.startswith("manx_api_events_total") and value}


def posts(lab, *nodes):
    """The answers that the server gave to attempts of these nodes."""
    users = {lab.user(node) for node in nodes}
    return sorted(request.code for request in lab.control.audit.requests(
        verb="create", resource="events") if request.user in users)


def set_aside(node, by="source"):
    return node.metrics()[f'manx_objects_set_aside{{by="{by}"}}']


def set_addresses(lab, node, addresses):
    lab.client.patch(f"/api/v1/nodes/{node.name}/status", {"status": {
        "addresses": [{"type": "InternalIP", "address": a} for a in addresses]}})


def switch(node, on):
    node.config_file.write_text(json.dumps({"events": on}))


def quiet(lab):
    """Everything is known, and whoever waits has told it."""
    lab.settle()
    time.sleep(QUIET_SECONDS)


def test_what_is_wrong_is_seen(lab, space):
    """By both APIs and by kubectl; what stays wrong is told once, whatever else changes of it."""
    node = lab.node("seen", start=True)
    policy = lab.policy(space, "web", ingress=broken())
    (event,) = wait_for_events(lab, space, "web")
    uid = lab.control.objects.get(policy)["metadata"]["uid"]
    assert event["regarding"] == {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "namespace": space,
        "name": "web", "uid": uid}
    note = f"spec.ingress[0].ports: {NOTE}{ISOLATED}"
    assert (event["type"], event["reason"], event["action"], event["note"]) == (
        "Warning", "InvalidNetworkPolicy", "SetAside", note)
    assert (event["reportingController"], event["reportingInstance"]) == ("manx.io/agent", "seen")
    (core,) = lab.client.get(f"/api/v1/namespaces/{space}/events", fieldSelector=",".join((
        "involvedObject.kind=NetworkPolicy", "involvedObject.name=web",
        f"involvedObject.namespace={space}", f"involvedObject.uid={uid}")))["items"]
    assert (core["reason"], core["message"]) == ("InvalidNetworkPolicy", note)
    shown = lab.control.kubectl("events", "-n", space, "--for", "networkpolicy/web").stdout
    assert "InvalidNetworkPolicy" in shown and note in shown

    lab.control.objects.label(policy, {"still": "broken"})
    quiet(lab)
    assert counts(node) == {"created": 1}
    node.restart_agent()
    wait_for(lambda: counts(node) == {"existed": 1}, 10, "the event to be there already")
    assert posts(lab, node) == [201, 409]
    assert len(events(lab, space)) == 1


def test_two_nodes_make_one_event(lab, space):
    nodes = [lab.node(name, start=True) for name in ("one", "two")]
    lab.policy(space, "web", ingress=broken())
    wait_for(lambda: len(posts(lab, *nodes)) == 2, 10, "both to tell it")
    assert posts(lab, *nodes) == [201, 409]
    (event,) = events(lab, space)
    assert event["reportingInstance"] in ("one", "two")
    quiet(lab)
    assert sorted(map(list, map(counts, nodes))) == [["created"], ["existed"]]


def test_a_namespace_whose_annotation_cannot_be_read(lab, space):
    """All nodes see it, one reports it; of what has no namespace the event is in `default`."""
    nodes = [lab.node(name, start=True) for name in ("north", "south")]
    lab.namespace_object(space, annotations={"net.beta.kubernetes.io/network-policy": "{\"a\": 1}"})
    (event,) = wait_for_events(lab, "default", space)
    assert (event["reason"], event["regarding"]["kind"]) == ("InvalidNamespace", "Namespace")
    assert event["note"] == ("metadata.annotations.net.beta.kubernetes.io/network-policy: "
                             "a: unknown field; its pods are isolated")
    wait_for(lambda: len(posts(lab, *nodes)) == 2, 10, "both to report it")
    assert len(events(lab, "default", space)) == 1
    lab.namespace_object(space)


def test_repaired_and_broken_again(lab, space):
    """In another way it is told, in the same way it was told already."""
    node = lab.node("again", start=True)
    lab.policy(space, "web", ingress=broken())
    wait_for_events(lab, space, "web")
    lab.policy(space, "web", ingress=broken(number=1))
    quiet(lab)
    assert set_aside(node) == 0
    assert len(events(lab, space)) == 1
    lab.policy(space, "web", ingress=broken("from"))
    notes = {event["note"] for event in wait_for_events(lab, space, "web", 2)}
    assert notes == {f"spec.ingress[0].{field}: {NOTE}{ISOLATED}" for field in ENTRIES}
    lab.policy(space, "web", ingress=broken(number=1))
    lab.settle()
    lab.policy(space, "web", ingress=broken("from"))
    quiet(lab)
    assert set_aside(node) == 1
    assert posts(lab, node) == [201, 201]
    assert counts(node) == {"created": 2}


def test_a_policy_made_anew_is_another(lab, space):
    """The same name and the same mistake, but nobody who looks at it finds the old event."""
    node = lab.node("anew", start=True)
    policy = lab.policy(space, "web", ingress=broken())
    wait_for_events(lab, space, "web")
    lab.remove(policy)
    lab.settle()
    lab.policy(space, "web", ingress=broken())
    first, second = wait_for_events(lab, space, "web", 2)
    assert first["regarding"]["uid"] != second["regarding"]["uid"]
    assert counts(node) == {"created": 2}


def test_a_policy_that_the_kernel_refuses(lab, space):
    """It is told, and told no more when it is in force; nothing else suffers by it."""
    node = lab.node("refused")
    refuser = Refuser(node.folder)
    node.launcher = refuser.launcher
    node.start_agent()
    web, db, client = (lab.run_pod(node, space, name, {"app": name})
                       for name in ("web", "db", "client"))

    def allow(name, peer, *more):
        lab.policy(space, name, {"matchLabels": {"app": name}}, ingress=[
            {"from": [{"podSelector": {}}, {"ipBlock": {"cidr": f"{peer}/32"}}],
             "ports": [{"port": port} for port in (80, *more)]}])

    def expect(open_web, aside, told):
        lab.settle()
        assert set_aside(node, "kernel") == aside
        assert bool(tcp(client, web.v4, 80, wait=0.3)) == open_web
        assert tcp(client, db.v4, 80) and not tcp(client, db.v4, 81, wait=0.3)
        quiet(lab)
        assert posts(lab, node) == told

    refuser.refuse(socket.inet_aton(REFUSED))
    node.stop_agent()  # it meets all of them at once
    allow("web", REFUSED)
    allow("db", "192.0.2.1")
    node.start_agent()
    (event,) = wait_for_events(lab, space, "web")
    assert event["reason"] == "RefusedByKernel"
    assert event["note"].startswith("the kernel refused it: adding element of ")
    assert event["note"].endswith(f"Invalid argument{ISOLATED}")
    assert event["note"] in lab.control.kubectl("events", "-n", space, "--for",
                                                "networkpolicy/web").stdout
    expect(open_web=False, aside=1, told=[201])
    allow("db", "192.0.2.2")
    node.restart_agent()
    expect(open_web=False, aside=1, told=[201, 409])

    refuser.accept()  # what was refused is tried again half a minute later
    wait_for(lambda: tcp(client, web.v4, 80, wait=0.3), 45, "the policy in force")
    expect(open_web=True, aside=0, told=[201, 409])
    allow("web", REFUSED, 443)
    expect(open_web=True, aside=0, told=[201, 409])
    assert f" {REFUSED}" in node.ruleset()
    node.restart_agent()
    assert node.metrics()["manx_nft_operations_total"] == 0
    for pod in (web, db, client):
        lab.delete(pod)


def test_a_node_that_claims_the_range_of_another(lab):
    """All nodes see it, and agree who is older by creationTimestamp: one event, of the younger."""
    cidr = "10.203.0.0/24"
    nodes = [lab.node(name, podCIDR=cidr, podCIDRs=[cidr]) for name in ("range-a", "range-b")]
    watchers = [lab.node("range-watcher-1", start=True), lab.node("range-watcher-2", start=True)]
    (event,) = wait_for_events(lab, "default", "range-b")
    assert event["reason"] == "ConflictingNode"
    assert event["note"].startswith(f"spec.podCIDRs: {cidr} belongs to Node range-a too")
    assert event["note"] in lab.control.kubectl("describe", "node", "range-b").stdout
    quiet(lab)
    assert not events(lab, "default", "range-a")
    assert len(events(lab, "default", "range-b")) == 1
    for watcher in watchers:
        assert f"{cidr} via {nodes[0].v4}" in watcher.namespace.ip("route", "show")
    lab.client.delete("/api/v1/nodes/range-a")
    for watcher in watchers:
        wait_for(lambda w=watcher: f"{cidr} via {nodes[1].v4}" in w.namespace.ip("route", "show"),
                 what="the other to take over")
    for one in (nodes[1], *watchers):
        lab.client.delete(f"/api/v1/nodes/{one.name}")


def test_own_pods_and_own_node(lab, space):
    """Those of other nodes are for these to tell; a Node's event is where kubectl finds it."""
    node, other = lab.node("own"), lab.node("other")
    node.config_file.write_text(json.dumps({"all-pods": True}))  # it knows those of others
    node.start_agent()
    for where in (node, other):
        lab.control.objects.pod(space, f"on-{where.name}", node=where.name,
                                ports=[{"name": f"p{i}", "containerPort": i}
                                       for i in range(1, 1002)])
        set_addresses(lab, where, [f"10.9.0.{i}" for i in range(1, 66)])
    (event,) = wait_for_events(lab, space, "on-own")
    assert event["reason"] == "InvalidPod"
    assert event["note"] == ("spec.containers: 1001 named ports, at most 1000 are supported; "
                             "set aside: the pod is isolated")
    (event,) = wait_for_events(lab, "default", "own")
    assert event["reason"] == "InvalidNode" and "namespace" not in event["regarding"]
    assert event["note"] in lab.control.kubectl("describe", "node", "own").stdout
    assert event["note"] not in lab.control.kubectl("describe", "node", "other").stdout
    assert "InvalidPod" in lab.control.kubectl("describe", "pod", "-n", space, "on-own").stdout
    quiet(lab)
    assert set_aside(node) == 4
    assert len(events(lab, space)) == 1
    assert not events(lab, "default", "other")
    assert counts(node) == {"created": 2}
    for where in (node, other):
        set_addresses(lab, where, [where.v4])


def test_switched_off_and_on(lab, space):
    node = lab.node("switched")
    switch(node, False)
    node.start_agent()
    lab.policy(space, "web", ingress=broken())
    wait_for(lambda: set_aside(node) == 1, 10, "the policy to be set aside")
    quiet(lab)
    assert posts(lab, node) == []
    switch(node, True)
    wait_for_events(lab, space, "web")
    switch(node, False)
    wait_for(lambda: node.log_text().count('msg="reloaded"') == 2, 10, "the reload")
    lab.policy(space, "db", ingress=broken())
    quiet(lab)
    assert set_aside(node) == 2
    assert posts(lab, node) == [201]


def test_without_the_right_to_write(lab, space):
    """The agent goes on, says so once, and writes when it may."""
    rules = [rule for rule in RULES if rule["resources"] != ["events"]]
    lab.control.objects.grant("reads-only", rules, groups=["readers"])
    node = lab.node("reader")
    certificate = lab.control.certificate(lab.user(node), ["readers"])
    kubeconfig = lab.control.kubeconfig("reader.conf", certificate=certificate)
    (node.folder / "kubeconfig").write_text(kubeconfig.read_text())
    node.start_agent()
    for name in ("one", "two"):
        lab.policy(space, name, ingress=broken())
    wait_for(lambda: counts(node) == {"forbidden": 2}, 10, "both to be forbidden")
    quiet(lab)
    assert posts(lab, node) == [403, 403]
    assert node.log_text().count("events are forbidden") == 1
    assert "cannot create resource" in node.log_text()
    assert node.get("/readyz")[0] == 200
    lab.control.objects.grant("writes-events", [r for r in RULES if r not in rules],
                              groups=["readers"])
    lab.policy(space, "three", ingress=broken())
    wait_for_events(lab, space, "three")


def test_a_server_that_wants_to_rest(lab, space):
    """429 is waited out; what failed comes later, if it is still wrong then."""
    node = lab.node("patient", start=True)
    lab.settle()
    with lab.control.objects.overload(lab.user(node)):
        for name in ("web", "db"):
            lab.policy(space, name, ingress=broken())
        wait_for(lambda: counts(node).get("failed", 0) >= 1, 10, "a refusal")
        lab.policy(space, "db", ingress=broken(number=1))
        wait_for(lambda: set_aside(node) == 1, 10, "the repair")
        assert not events(lab, space)
    wait_for_events(lab, space, "web", seconds=30)
    quiet(lab)
    assert len(events(lab, space)) == 1
    assert counts(node)["created"] == 1
    assert 429 in posts(lab, node)


def test_a_server_that_hangs(lab, space):
    """An event under way keeps nobody: not the agent's end, and not what comes after it."""
    nodes = [lab.node(name) for name in ("stays", "ends")]
    for node in nodes:
        switch(node, False)
        node.start_agent()
    lab.policy(space, "web", ingress=broken())
    lab.settle()
    lab.control.server.pause()
    try:
        requests = [node.metrics()["manx_api_requests_total"] for node in nodes]
        for node, before in zip(nodes, requests, strict=True):
            switch(node, True)
            wait_for(lambda n=node, b=before: n.metrics()["manx_api_requests_total"] > b, 10,
                     "the request")
        assert nodes[1].stop_agent() == 0
        wait_for(lambda: counts(nodes[0]) == {"failed": 1}, 15, "the first attempt to fail")
    finally:
        lab.control.server.resume()
    wait_for_events(lab, space, "web", seconds=30)
    wait_for(lambda: counts(nodes[0]).keys() & {"created", "existed"}, 10, "a second attempt")


def test_a_broken_cluster_is_told_slowly(lab, space):
    """A hundred broken policies: what one node sends is bounded, and can be stopped."""
    node = lab.node("bounded")
    switch(node, True)  # the folder of the file is watched from the start
    small = [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}]}]
    for i in range(100):
        lab.policy(space, f"p{i}", ingress=small)
    node.start_agent()
    lab.settle()
    assert set_aside(node) == 100
    began = time.monotonic()
    wait_for(lambda: len(posts(lab, node)) >= 20, 30, "the first twenty")
    time.sleep(QUIET_SECONDS)
    assert 20 <= len(posts(lab, node)) <= 20 + (time.monotonic() - began) / 5 + 1
    switch(node, False)
    wait_for(lambda: 'msg="reloaded"' in node.log_text(), 10, "the reload")
    before = len(posts(lab, node))
    time.sleep(6)
    assert len(posts(lab, node)) == before < 100
