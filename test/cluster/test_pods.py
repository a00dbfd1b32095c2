# SPDX-License-Identifier: GPL-2.0-or-later
"""Pods as users have them: alone, of a Deployment, a StatefulSet, a Job, and of the kubelet."""

import json

import pytest
import yaml

from lab import tcp, udp
from lab.cluster import wait_for

from .lab import Traffic, manifest, named


@pytest.fixture
def pair(cluster, space):
    """A server on one node, a client on the other."""
    first, second = cluster.nodes[:2]
    cluster.create(manifest("web", space, node=first.name))
    client = cluster.run("client", space, node=second.name)
    return cluster.wait_pod(space, "web"), client


def test_from_node_to_node(pair):
    """Both families, TCP and UDP; nobody's address is translated on the way."""
    web, client = pair
    for target, own in ((web.v4, client.v4), (web.v6, client.v6)):
        for probe in (tcp, udp):
            answer = probe(client, target, 80, wait=3)
            assert answer and (answer.name, answer.seen_as) == ("web", own)
    assert tcp(web, client.v4, 80, wait=3).name == "client"


def test_exec_and_logs(cluster, space, pair):
    web, _ = pair
    shown = cluster.kubectl("-n", space, "exec", "web", "--", "ip", "-4", "addr", "show", "eth0")
    assert web.v4 in shown
    assert cluster.kubectl("-n", space, "logs", "web") == "web is ready\n"
    through = cluster.kubectl("-n", space, "exec", "client", "--", "wget", "-q", "-O", "-",
                              f"http://{web.v4}:8080/")
    assert through.split()[0] == "web"


def template(name, **options):
    """The template of a pod and the selector that finds it."""
    made = manifest(name, None, **options)
    return {"selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": made["metadata"]["labels"]},
                         "spec": made["spec"]}}


def test_a_deployment_rolled_under_traffic(cluster, space):
    """Every pod is exchanged; of the connections to the Service none fails, and a policy holds for
    old and new pods alike."""
    cluster.apply(
        named("Deployment", "shop", space, spec={
            "replicas": 2, **template("shop", terminationGracePeriodSeconds=20, container={
                "readinessProbe": {"tcpSocket": {"port": 80}, "periodSeconds": 1},
                "lifecycle": {"preStop": {"sleep": {"seconds": 3}}}}),
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}}),
        named("Service", "shop", space, spec={"selector": {"app": "shop"},
                                              "ports": [{"port": 80}]}))
    cluster.policy("shop", space, {"app": "shop"}, policyTypes=["Ingress"], ingress=[
        {"from": [{"podSelector": {"matchLabels": {"app": "buyer"}}}]}])
    buyer = cluster.run("buyer", space, node="n1")
    thief = cluster.run("thief", space, node="n1")
    cluster.kubectl("-n", space, "rollout", "status", "deployment/shop", "--timeout=90s")
    service = cluster.get("Service", "shop", space)["spec"]["clusterIP"]
    before = {p.name for p in cluster.pods(space, "app=shop")}
    wait_for(lambda: tcp(buyer, service, 80), 20, "the Service")
    with Traffic(buyer, service, 80) as buying, Traffic(thief, service, 80, 1) as stealing:
        cluster.kubectl("-n", space, "rollout", "restart", "deployment/shop")
        cluster.kubectl("-n", space, "rollout", "status", "deployment/shop", "--timeout=120s")
        cluster.wait(lambda: len(cluster.list("Pod", space, labels="app=shop")) == 2, 60,
                     "the old pods' end", space)
    after = {p.name for p in cluster.pods(space, "app=shop")}
    assert len(after) == 2 and not before & after
    assert buying.count > 50 and buying.missed == 0, (buying.missed, buying.count)
    assert buying.seen >= after
    assert stealing.count > 1 and not stealing.seen


def test_a_stateful_set(cluster, space):
    """Names are stable, addresses follow: the name's endpoint and the policy on the name's label
    are those of the new pod."""
    cluster.apply(
        named("Service", "db", space, spec={"clusterIP": "None", "selector": {"app": "db"},
                                            "ports": [{"port": 80}]}),
        named("StatefulSet", "db", space, spec={
            "serviceName": "db", "replicas": 2, "podManagementPolicy": "Parallel",
            **template("db")}))
    cluster.policy("primary", space, {"statefulset.kubernetes.io/pod-name": "db-0"},
                   policyTypes=["Ingress"], ingress=[])
    client = cluster.run("client", space)
    old = cluster.wait_pod(space, "db-0")
    other = cluster.wait_pod(space, "db-1")
    assert tcp(client, other.v4, 80, wait=3).name == "db-1"
    assert not tcp(client, old.v4, 80)
    cluster.delete("Pod", "db-0", space)
    cluster.wait(lambda: (cluster.exists("Pod", "db-0", space) or old.object)["metadata"]["uid"]
                 != old.uid, 60, "another db-0", space)
    new = cluster.wait_pod(space, "db-0")
    assert not tcp(client, new.v4, 80) and not tcp(client, new.v6, 80)
    assert tcp(new, other.v4, 80, wait=3)

    def named_addresses():
        slices = cluster.list("EndpointSlice", space, labels="kubernetes.io/service-name=db")
        return {(e.get("hostname"), a) for s in slices for e in s["endpoints"]
                for a in e["addresses"]}

    wait_for(lambda: ("db-0", new.v4) in named_addresses(), 20, "the name's new address")
    assert old.v4 == new.v4 or ("db-0", old.v4) not in named_addresses()


def test_a_job_gives_its_address_back(cluster, space):
    """When it has finished, not when its object goes."""
    cluster.apply(named("Job", "once", space, spec={"backoffLimit": 0, "template": {
        "metadata": {"labels": {"app": "once"}},
        "spec": {**manifest("once", command=["sh", "-c", "hostname -i"])["spec"],
                 "restartPolicy": "Never"}}}))
    cluster.wait(lambda: cluster.get("Job", "once", space)["status"].get("succeeded") == 1, 90,
                 "the job", space)
    pod = cluster.pods(space, "app=once")[0]
    address = cluster.kubectl("-n", space, "logs", pod.name).split()[0]
    node = pod.node
    wait_for(lambda: address not in node.addresses_given(), 30, "the address to be free")
    assert cluster.pod(space, pod.name).object["status"]["phase"] == "Succeeded"


def test_probes_under_a_default_deny(cluster, space):
    """The kubelet's probes by HTTP, TCP and a command go on while nobody else comes in or out."""
    cluster.policy("nothing", space, {})
    check = {"periodSeconds": 1, "failureThreshold": 2, "timeoutSeconds": 5}
    shut = cluster.run("shut", space, node="n1", container={
        "startupProbe": {"exec": {"command": ["true"]}, **check, "failureThreshold": 20},
        "livenessProbe": {"tcpSocket": {"port": 80}, **check},
        "readinessProbe": {"httpGet": {"port": 8080, "path": "/"}, **check}})
    peer = cluster.run("peer", space, node="n2", container={
        "readinessProbe": {"exec": {"command": ["true"]}, **check}})
    for source, target in ((peer, shut), (shut, peer)):
        assert not tcp(source, target.v4, 80) and not tcp(source, target.v6, 80)
    assert not tcp(shut, "10.200.0.1", 6443)
    for pod in (shut, peer):  # some ten probes of each kind have been by now
        now = cluster.pod(space, pod.name).object["status"]
        assert [c["restartCount"] for c in now["containerStatuses"]] == [0]
        assert {c["status"] for c in now["conditions"] if c["type"] == "Ready"} == {"True"}


def test_a_static_pod(cluster, space):
    """The kubelet's own, whose UID at the API server is another than the one on the node."""
    node = cluster.nodes[0]
    file = node.disk / "manifests/static.yaml"
    try:
        file.write_text(yaml.safe_dump(manifest("static", space)))
        static = cluster.wait_pod(space, f"static-{node.name}")
        client = cluster.run("client", space, node="n2")
        assert tcp(client, static.v4, 80, wait=3).name == static.name
        cluster.policy("static", space, {"app": "static"}, policyTypes=["Ingress"], ingress=[])
        wait_for(lambda: not tcp(client, static.v4, 80), 10, "isolation")
    finally:
        file.unlink(missing_ok=True)
    cluster.wait_gone("Pod", static.name, space)
    wait_for(lambda: static.v4 not in node.addresses_given(), 30, "the address to be free")


def test_many_at_once(cluster, space):
    """Thirty pods start and end together; no two have one address, and none is left."""
    cluster.apply(named("Deployment", "many", space, spec={"replicas": 30, **template("many")}))
    cluster.kubectl("-n", space, "rollout", "status", "deployment/many", "--timeout=180s")
    pods = cluster.pods(space, "app=many")
    addresses = [a for p in pods for a in p.ips]
    assert len(set(addresses)) == len(addresses) == 60
    given = {a: who for n in cluster.nodes for a, who in n.addresses_given().items()}
    assert {given[a] for p in pods for a in p.ips} == {f"{space}/{p.name}" for p in pods}
    cluster.delete("Deployment", "many", space, propagationPolicy="Foreground")
    cluster.wait(lambda: not cluster.list("Pod", space, labels="app=many"), 90, "their end", space)
    wait_for(lambda: not any(f"{space}/" in json.dumps(n.addresses_given())
                             for n in cluster.nodes), 30, "all addresses to be free")
