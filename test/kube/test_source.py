# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent on a cluster: what it asks the API server for, what it does with what it is told, and
CNI while the two race.  Faults are in test_faults.py and test_credentials.py."""

import json
import re
import threading
import time

import pytest

from lab import cni, tcp
from lab.cluster import wait_for

from .lab.kubelab import RULES

SPACE = "shop"


def asked(lab, node):
    """(verb, resource) of every request that a node's agent has made since the mark."""
    return {(r.verb, r.resource) for r in lab.control.audit.requests(user=lab.user(node))}


def only_single_pods(rule):
    """A right on pods as one to get one."""
    return {**rule, "verbs": ["get"]} if rule["resources"] == ["pods"] else rule


def is_stream(request):
    return request.verb == "watch" and request.query.get("sendInitialEvents") == "true"


# --- what is asked ---


def test_a_start_asks_once_for_each_collection(shop):
    lab = shop.lab
    shop.node.stop_agent()
    time.sleep(0.3)  # until the ends of its watches are in the log
    lab.control.audit.mark()
    shop.node.start_agent()
    requests = lab.control.audit.requests(user=lab.user(shop.node))
    assert all(map(is_stream, requests))
    assert sorted((r.resource, r.query.get("fieldSelector", ""), r.namespace)
                  for r in requests) == sorted([
        ("namespaces", "", ""), ("networkpolicies", "", ""), ("services", "", ""),
        ("nodes", "", ""), ("nodes", f"metadata.name={shop.node.name}", ""),
        ("pods", f"spec.nodeName={shop.node.name}", ""),
        ("pods", f"spec.nodeName!={shop.node.name},spec.nodeName!=,status.phase!=Succeeded,"
                 "status.phase!=Failed", SPACE)])
    assert shop.node.metrics()["manx_api_connections_total"] == 1


def test_nothing_is_asked_while_nothing_happens(shop):
    shop.lab.settle()
    shop.lab.control.audit.mark()
    before = shop.node.metrics()
    time.sleep(3)
    assert not shop.lab.control.audit.requests(user=shop.lab.user(shop.node))
    after = shop.node.metrics()
    assert after["manx_nft_transactions_total"] == before["manx_nft_transactions_total"]


def test_a_change_costs_one_event_and_no_request(shop):
    lab = shop.lab
    lab.settle()
    lab.control.audit.mark()
    before = shop.node.metrics()
    shop.set_far("friend")
    shop.wait_known()
    after = shop.node.metrics()
    assert not lab.control.audit.requests(user=lab.user(shop.node))
    size = len(json.dumps(lab.client.get(f"/api/v1/namespaces/{SPACE}/pods/far")))
    received = after["manx_api_received_bytes_total"] - before["manx_api_received_bytes_total"]
    assert received < 2 * size
    # One address of one family, in one set.
    assert after["manx_nft_operations_total"] - before["manx_nft_operations_total"] == 1
    shop.set_far("stranger")


def test_the_rights_are_exactly_those_used(shop):
    """The agents' group has the verbs that are used here, and uses all that it has."""
    lab = shop.lab
    lab.control.audit.mark()
    shop.node.restart_agent()
    with lab.rights(only_single_pods):
        shop.cut()
        shop.wait_problem("pods is forbidden")
        late = lab.pod(shop.node, SPACE, "late-get")
        lab.write(late.object())
        late.take_result(cni.call(late, "ADD"))
        lab.delete(late)
    shop.prove(40)
    used = asked(lab, shop.node)
    may = {(verb, resource) for rule in RULES for resource in rule["resources"]
           for verb in rule["verbs"]}
    # Lists are for servers that do not stream; events are for objects that are set aside.
    assert used <= may
    assert may - used <= {("list", r) for r in ("nodes", "namespaces", "pods", "networkpolicies",
                                                "services")} | {("create", "events")}
    assert not any(verb not in ("get", "list", "watch") for verb, _ in used)


# --- only what is needed ---


def test_pods_elsewhere_are_fetched_when_a_policy_needs_them(shop):
    """And dropped some seconds after the last one goes."""
    lab, node = shop.lab, shop.node
    lab.namespace_object("depot", {"kind": "depot"})
    item = {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "crate", "namespace": "depot", "labels": {"role": "crate"}},
            "spec": {"nodeName": "elsewhere", "containers": [{"name": "main"}]},
            "status": {"phase": "Running", "podIPs": [{"ip": "10.201.78.1"}]}}
    lab.write(item)
    lab.settle()
    assert not any("depot" in c["of"] for c in lab.source(node)["collections"])
    lab.control.audit.mark()
    lab.policy(SPACE, "depot", {"matchLabels": {"app": "web"}}, ingress=[{"from": [
        {"namespaceSelector": {"matchLabels": {"kind": "depot"}}}]}])
    shop.wait_known("10.201.78.1")
    (request,) = lab.control.audit.requests(user=lab.user(node))
    assert (request.resource, request.namespace) == ("pods", "depot") and is_stream(request)
    # A label decides as well as a policy.
    lab.namespace_object("depot", {"kind": "ruin"})
    shop.wait_known("10.201.78.1", wanted=False)
    lab.namespace_object("depot", {"kind": "depot"})
    shop.wait_known("10.201.78.1")
    lab.remove({"kind": "NetworkPolicy", "metadata": {"namespace": SPACE, "name": "depot"}})
    shop.wait_known("10.201.78.1", wanted=False)
    wait_for(lambda: not any("depot" in c["of"] for c in lab.source(node)["collections"]), 15,
             "the pods of depot to be given up")
    assert node.metrics()['manx_objects{kind="Pod"}'] == 3  # web, client, far
    shop.prove_equal()


def test_pods_of_many_namespaces_become_one_collection(shop):
    """And no pod is missing on the way there and back."""
    lab, node, number = shop.lab, shop.node, 70
    for index in range(number):
        lab.namespace_object(f"many-{index}", {"group": "many"})
        lab.write({"apiVersion": "v1", "kind": "Pod",
                   "metadata": {"name": "one", "namespace": f"many-{index}", "labels": {}},
                   "spec": {"nodeName": "elsewhere", "containers": [{"name": "main"}]},
                   "status": {"phase": "Running", "podIPs": [{"ip": f"10.201.79.{index + 1}"}]}})
    addresses = [f"10.201.79.{index + 1}" for index in range(number)]
    shop.set_far("friend")
    shop.wait_known()
    lab.policy(SPACE, "many", {"matchLabels": {"app": "web"}}, ingress=[{"from": [
        {"namespaceSelector": {"matchLabels": {"group": "many"}}}]}])
    wait_for(lambda: all(map(shop.knows, addresses)), what="the pods of many namespaces")
    lab.settle()
    names = [c["of"] for c in lab.source(node)["collections"]]
    assert "pods of other nodes" in names and not any("namespace " in n for n in names)
    assert shop.knows()
    shop.prove_equal()
    lab.remove({"kind": "NetworkPolicy", "metadata": {"namespace": SPACE, "name": "many"}})
    wait_for(lambda: "pods of other nodes" not in
             [c["of"] for c in lab.source(node)["collections"]], 15, "one namespace again")
    lab.settle()
    shop.set_far("stranger")
    shop.wait_known(wanted=False)
    shop.prove_equal()


def test_all_pods_can_be_watched(shop):
    lab, node = shop.lab, shop.node
    node.config_file.write_text("all-pods: true\n")
    try:
        node.restart_agent()
        source = lab.source(node)
        assert source["all_pods"] and "pods of other nodes" in [c["of"] for c in
                                                                source["collections"]]
        shop.prove()
    finally:
        node.config_file.unlink()
        node.restart_agent()


# --- CNI ---


def test_add_before_the_object_is_known(shop):
    """The object comes while ADD waits: it is answered then, with the rules in force."""
    lab = shop.lab
    pod = lab.pod(shop.node, SPACE, "race", {"role": "friend"})
    answer = {}

    def add():
        began = time.monotonic()
        answer["result"] = cni.call(pod, "ADD", variables={"CNI_ARGS": ";".join((
            "IgnoreUnknown=1", f"K8S_POD_NAMESPACE={SPACE}", "K8S_POD_NAME=race",
            f"K8S_POD_INFRA_CONTAINER_ID={pod.container_id}"))})
        answer["seconds"] = time.monotonic() - began

    thread = threading.Thread(target=add)
    thread.start()
    time.sleep(0.3)
    assert not answer
    lab.write(pod.object())
    thread.join()
    pod.take_result(answer["result"])
    assert answer["seconds"] < 1.5
    assert "isolated until its object" not in shop.node.log_text()
    lab.write(pod.object())
    assert tcp(pod, shop.web.v4, 80)
    lab.delete(pod)


def test_add_asks_for_the_pod_when_the_watch_lags(shop):
    """The watch of this node's pods is refused: one GET brings the labels."""
    lab, node = shop.lab, shop.node
    with lab.rights(only_single_pods):
        shop.cut()
        shop.wait_problem("pods is forbidden")
        lab.control.audit.mark()
        pod = lab.pod(node, SPACE, "unseen", {"role": "friend"})
        lab.write(pod.object())
        began = time.monotonic()
        pod.take_result(cni.call(pod, "ADD"))
        assert time.monotonic() - began < 1
        assert tcp(pod, shop.web.v4, 80)
        (request,) = lab.control.audit.requests(user=lab.user(node), verb="get")
        assert (request.resource, request.name) == ("pods", "unseen")
    lab.write(pod.object())
    shop.prove(40)
    shop.prove_equal()
    lab.delete(pod)
    lab.settle()
    assert node.metrics()['manx_objects{kind="Pod"}'] == 3


def test_a_pod_that_nobody_knows_is_isolated(shop):
    """Until its object comes, late."""
    lab, node = shop.lab, shop.node
    node.config_file.write_text("pod-wait: 300ms\n")
    node.restart_agent()
    pod = lab.pod(node, SPACE, "stray", {"role": "friend"})
    began = time.monotonic()
    pod.take_result(cni.call(pod, "ADD", variables={"CNI_ARGS": ";".join((
        "IgnoreUnknown=1", f"K8S_POD_NAMESPACE={SPACE}", "K8S_POD_NAME=stray",
        f"K8S_POD_INFRA_CONTAINER_ID={pod.container_id}"))}))
    assert 0.25 < time.monotonic() - began < 1.5
    assert tcp(pod, shop.web.v4, 80, wait=0.2) is None
    assert tcp(shop.client, pod.v4, 80, wait=0.2) is None
    lab.write(pod.object())
    wait_for(lambda: tcp(pod, shop.web.v4, 80, wait=0.2), what="the stray pod to be let in")
    lab.delete(pod)
    node.config_file.unlink()
    node.restart_agent()


@pytest.mark.parametrize("resource", ["networkpolicies", "namespaces", "pods"])
def test_what_decides_cannot_be_read(shop, resource):
    """Beyond the limit no pod starts under policies that nobody can know; those that run keep
    their state; it ends by itself."""
    lab, node = shop.lab, shop.node
    node.config_file.write_text("stale-limit: 2s\n")
    node.restart_agent()
    before = shop.is_open()
    pod = lab.pod(node, SPACE, f"late-{resource}")
    with lab.rights(lambda r: {**r, "resources": left} if (
            left := [one for one in r["resources"] if one != resource]) else None):
        def is_beyond():
            code, page = node.get("/readyz")
            if "is forbidden" not in node.manx("status", "--run-dir", node.run_dir).stdout:
                shop.cut()  # watches last; until the server has heard of the rights they come back
            return code == 503 and "is forbidden" in page
        wait_for(is_beyond, 30, "the limit", step=1)
        _, why = node.get("/readyz")
        assert resource in why or (resource == "pods" and "pods of" in why)
        assert "forbidden" in why and re.search(r"for \d+ s", why)
        with pytest.raises(cni.CniError, match="not in step") as e:
            cni.call(pod, "ADD")
        assert e.value.code == 11
        with pytest.raises(cni.CniError, match="not in step") as e:
            cni.call(pod, "STATUS")
        assert e.value.code == 50
        assert why.strip() in node.manx("status", "--run-dir", node.run_dir).stdout or \
            "not in step" in node.manx("status", "--run-dir", node.run_dir).stdout
        assert node.metrics()["manx_source_stale_seconds"] > 2
        assert "pods cannot be added" in node.log_text()
        assert shop.is_open() == before
    wait_for(lambda: node.get("/readyz")[0] == 200, 40, "the end")
    assert "everything is in step with the API server again" in node.log_text()
    lab.add(pod)
    lab.delete(pod)
    node.config_file.unlink()
    node.restart_agent()


@pytest.mark.parametrize("verb", ["ADD", "CHECK", "DEL"])
def test_cni_before_the_first_list(shop, verb):
    """ADD and CHECK are told to come again; DEL succeeds and frees the address."""
    lab, node = shop.lab, shop.node
    pod = lab.run_pod(node, SPACE, f"early-{verb.lower()}")
    before = shop.rules()
    node.stop_agent()
    lab.control.server.stop()
    try:
        node.start_agent(wait=False)
        wait_for(lambda: node.get("/livez")[0] == 200, what="the agent to be alive")
        assert node.get("/readyz")[0] == 503
        if verb == "DEL":
            cni.call(pod, "DEL")
            assert pod.host_ifname not in node.links()
        else:
            with pytest.raises(cni.CniError) as error:
                cni.call(pod, verb, prev=pod.result)
            assert error.value.code == 11
        assert shop.rules() == before  # what is in force stays
    finally:
        lab.control.server.start()
    node.wait_ready()
    if verb == "DEL":
        assert pod.v4 not in node.ruleset()
        assert node.metrics()['manx_ipam_addresses_used{range="10.201.1.0/24"}'] == 2
    else:
        cni.call(pod, "DEL")
    lab.remove(pod.object())
    shop.prove(40)
