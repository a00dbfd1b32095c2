# SPDX-License-Identifier: GPL-2.0-or-later
"""The laboratory itself: does the API server answer as a cluster's would, are counts exact, and
can the laboratory bring about what clients must stand?"""

import datetime
import os
import queue
import signal
import ssl
import subprocess
import sys
import threading

import pytest
import yaml

from lab import Namespace, sweep
from lab.cluster import wait_for

from .lab import METADATA, METADATA_LIST, ApiError, Control, Ended, ServiceAccountFolder

PODS = "/api/v1/pods"


@pytest.fixture
def space(control, request):
    """A Kubernetes namespace of the test's own, its name."""
    name = request.node.originalname.replace("_", "-")
    control.objects.namespace(name)
    yield name
    control.objects.delete_namespace(name)


def pods_of(space):
    return f"/api/v1/namespaces/{space}/pods"


def refusal(function, *arguments, **options):
    """The ApiError of a call that must be refused."""
    with pytest.raises(ApiError) as caught:
        function(*arguments, **options)
    return caught.value


# --- objects as a cluster makes them ---


def test_it_answers(control):
    assert control.admin.get("/version")["major"] == "1"
    assert control.admin.text("/readyz") == "ok"
    names = {item["metadata"]["name"] for item in control.admin.get("/api/v1/namespaces")["items"]}
    assert names >= {"default", "kube-system"}


def test_node(control):
    node = control.objects.node("node-a", ["10.201.1.0/24", "fd00:201:1::/64"],
                                ["10.200.0.1", "fd00:200::1"], {"zone": "x"})
    assert node["spec"] == {"podCIDR": "10.201.1.0/24",
                            "podCIDRs": ["10.201.1.0/24", "fd00:201:1::/64"]}
    assert node["metadata"]["labels"]["zone"] == "x"
    assert [a["address"] for a in node["status"]["addresses"]] == ["node-a", "10.200.0.1",
                                                                   "fd00:200::1"]
    control.objects.delete(node)
    assert refusal(control.objects.get, node).status == 404


def test_pod_from_pending_to_gone(control, space):
    """Scheduler, kubelet, a user's delete and the kubelet's: what a watch sees of a pod's life."""
    objects = control.objects
    with control.admin.list_and_watch(pods_of(space)) as watch:
        assert watch.initial()[0] == []
        pod = objects.pod(space, "web", labels={"app": "web"}, ports=[{"containerPort": 80}])
        objects.bind(pod, "node-a")
        objects.status(pod, ["10.201.1.2", "fd00:201:1::2"])
        objects.label(pod, {"app": None, "tier": "front"})
        objects.mark_deleted(pod)
        objects.delete(pod)
        events = watch.until(lambda event: event["type"] == "DELETED")
    seen = [(e["type"], e["object"]) for e in events if e["type"] != "BOOKMARK"]
    assert [kind for kind, _ in seen] == ["ADDED", *["MODIFIED"] * (len(seen) - 2), "DELETED"]
    added, bound, running, labelled, terminating = (thing for _, thing in seen[:5])
    assert "nodeName" not in added["spec"] and added["status"]["phase"] == "Pending"
    assert added["spec"]["serviceAccountName"] == "default"  # admission ran
    assert added["spec"]["volumes"][0]["projected"]
    assert bound["spec"]["nodeName"] == "node-a"
    assert running["status"]["podIPs"] == [{"ip": "10.201.1.2"}, {"ip": "fd00:201:1::2"}]
    assert {c["type"]: c["status"] for c in running["status"]["conditions"]}["Ready"] == "True"
    assert labelled["metadata"]["labels"] == {"tier": "front"}
    assert "deletionTimestamp" in terminating["metadata"]


def test_pod_on_host_network(control, space):
    pod = control.objects.pod(space, "agent", node="node-a", host_network=True,
                              ips=["10.200.0.1"], hostPID=True)
    assert pod["spec"]["hostNetwork"] and pod["spec"]["hostPID"]
    assert pod["status"]["podIP"] == "10.200.0.1"


def test_policy_and_validation(control, space):
    made = control.objects.policy(space, "p", {"matchLabels": {"app": "web"}},
                                  ingress=[{"ports": [{"port": 80}]}])
    assert made["spec"]["policyTypes"] == ["Ingress"]  # defaults are filled in
    assert made["spec"]["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 80}]
    wrong = refusal(control.objects.policy, space, "q", egress=[{"ports": [{"port": 70000}]}])
    assert (wrong.status, wrong.reason) == (422, "Invalid")


def test_namespace_goes(control):
    control.objects.namespace("short-lived", {"team": "x"})
    control.objects.pod("short-lived", "web", node="node-a")
    control.objects.policy("short-lived", "p")
    with control.admin.list_and_watch("/api/v1/namespaces",
                                      fieldSelector="metadata.name=short-lived") as watch:
        watch.initial()
        control.objects.delete_namespace("short-lived")
        assert watch.until(lambda e: e["type"] == "DELETED")
    assert control.admin.get(pods_of("short-lived"))["items"] == []


def test_many_pods(control, space):
    rate = control.objects.pods(300, space, ["a", "b"], labels=lambda i: {"n": str(i)},
                                address=lambda i: [f"10.201.{i // 250}.{i % 250}"])
    of_b = control.admin.get(pods_of(space), fieldSelector="spec.nodeName=b")["items"]
    assert rate.number == 300 and rate.per_second > 10
    assert len(of_b) == 150
    by_name = {pod["metadata"]["name"]: pod for pod in of_b}
    assert by_name["pod-299"]["status"]["podIP"] == "10.201.1.49"
    assert by_name["pod-299"]["metadata"]["labels"] == {"n": "299"}


def test_seeded_pods_are_pods(control, space):
    """What was written past the server is watched, listed and changed like everything else."""
    first = control.objects.pod(space, "first", node="a", ips=["10.201.9.9"], labels={"app": "x"})
    with control.admin.watch(pods_of(space),
                             resourceVersion=first["metadata"]["resourceVersion"]) as watch:
        # No more at once: a watch that reads more slowly than the server writes is ended.
        control.objects.seed(50, first, ["a", "b"], address=lambda i: [f"10.202.0.{i}"])
        added = [watch.change()["object"] for _ in range(50)]
    assert {pod["metadata"]["name"] for pod in added} == {f"seed-{i}" for i in range(50)}
    assert len({pod["metadata"]["uid"] for pod in added}) == 50
    rate = control.objects.seed(500, first, prefix="more")
    assert rate.per_second > 100
    assert len(control.admin.get(pods_of(space))["items"]) == 551
    one = control.objects.label(added[7], {"app": "y"})
    assert one["status"]["podIP"] == added[7]["status"]["podIP"]
    found = control.admin.get(pods_of(space), labelSelector="app=y")["items"]
    assert [pod["metadata"]["name"] for pod in found] == [one["metadata"]["name"]]


# --- lists and watches ---


def test_watch_begins_with_the_list(control, space):
    control.objects.pod(space, "a")
    control.objects.pod(space, "b")
    with control.admin.list_and_watch(pods_of(space)) as watch:
        pods, bookmark = watch.initial()
        assert sorted(pod["metadata"]["name"] for pod in pods) == ["a", "b"]
        assert int(bookmark["metadata"]["resourceVersion"]) >= max(
            int(pod["metadata"]["resourceVersion"]) for pod in pods)
        with pytest.raises(queue.Empty):
            watch.change(0.2)
        control.objects.pod(space, "c")
        event = watch.change()
        assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "c")
    with control.admin.watch(pods_of(space), timeoutSeconds=1,
                             resourceVersion=bookmark["metadata"]["resourceVersion"]) as watch:
        assert watch.change()["object"]["metadata"]["name"] == "c"
        with pytest.raises(Ended):
            watch.change()


def test_metadata_only(control, space):
    control.objects.pod(space, "a", labels={"app": "web"})
    full = control.admin.send("GET", pods_of(space))
    answer = control.admin.send("GET", pods_of(space), accept=METADATA_LIST)
    assert answer.json()["kind"] == "PartialObjectMetadataList"
    item = answer.json()["items"][0]
    assert item["metadata"]["labels"] == {"app": "web"} and "spec" not in item
    assert len(answer.body) < len(full.body)
    with control.admin.list_and_watch(pods_of(space), METADATA) as watch:
        pods, _ = watch.initial()
    assert pods[0]["kind"] == "PartialObjectMetadata" and "spec" not in pods[0]


def test_pages(control, space):
    control.objects.pods(25, space)
    pages = list(control.admin.pages(pods_of(space), 10))
    assert [len(page["items"]) for page in pages] == [10, 10, 5]
    assert pages[0]["metadata"]["remainingItemCount"] == 15


def test_history_goes(control, space):
    """After expire() a watch's resourceVersion is too old, and so is the page of a list."""
    control.objects.pods(4, space)
    page = control.admin.get(pods_of(space), limit=2)
    version, token = page["metadata"]["resourceVersion"], page["metadata"]["continue"]
    control.expire()
    with control.admin.watch(pods_of(space), resourceVersion=version) as watch:
        event = watch.change()
        assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
        assert event["object"]["reason"] == "Expired"
        with pytest.raises(Ended):
            watch.change()
    old = refusal(control.admin.get, pods_of(space), limit=2, **{"continue": token})
    assert (old.status, old.reason) == (410, "Expired")
    assert len(control.admin.get(pods_of(space))["items"]) == 4


def test_time_goes_backwards(control, space):
    """A restored store knows less than its clients have seen."""
    control.objects.pod(space, "before")
    snapshot = control.snapshot()
    then = control.store.revision()
    control.objects.pods(40, space, prefix="after")
    later = control.admin.get(pods_of(space))["metadata"]["resourceVersion"]
    assert int(later) >= then + 40
    control.restore(snapshot)
    now = control.admin.get(pods_of(space))
    assert [pod["metadata"]["name"] for pod in now["items"]] == ["before"]
    assert int(now["metadata"]["resourceVersion"]) < int(later)
    early = refusal(control.admin.get, pods_of(space), resourceVersion=later,
                    resourceVersionMatch="NotOlderThan")
    assert early.status == 504 and "Too large resource version" in early.message


# --- servers that go away ---


def test_servers_go_and_come(control, space):
    control.objects.pod(space, "a")
    with control.admin.list_and_watch(pods_of(space)) as watch:
        watch.initial()
        control.server.kill()
        with pytest.raises(Ended):
            watch.change()
    with pytest.raises(ConnectionRefusedError):
        control.client(token="static-token").send("GET", "/version")
    control.etcd.kill()
    control.start()
    assert len(control.admin.get(pods_of(space))["items"]) == 1
    control.etcd.restart(signal.SIGKILL)  # under a running server
    assert len(control.admin.get(pods_of(space))["items"]) == 1


def test_server_that_hangs(control):
    control.server.pause()
    try:
        client = control.client(token="static-token")
        client.connection.timeout = 0.3
        with pytest.raises(TimeoutError):
            client.send("GET", "/version")
    finally:
        control.server.resume()
    assert client.get("/version")


# --- users ---


def test_service_account(control, space):
    """A token of the TokenRequest API works, and may do what was granted, not more."""
    control.objects.account(space, "agent")
    control.objects.grant("reads-pods", [{"apiGroups": [""], "resources": ["pods"],
                                          "verbs": ["get", "list", "watch"]}],
                          accounts=[(space, "agent")])
    token = control.token(space, "agent")
    client = control.client(token=token)
    assert client.get(PODS)["kind"] == "PodList"
    denied = refusal(client.get, "/api/v1/nodes")
    assert (denied.status, denied.reason) == (403, "Forbidden")
    assert f'User "system:serviceaccount:{space}:agent" cannot list' in denied.message
    assert refusal(client.delete, f"{pods_of(space)}/x").status == 403
    changed = control.client(token=token[:-4] + "AAAA")
    assert refusal(changed.get, PODS).status == 401


def test_token_that_ends(control, space):
    short = control.client(token=control.short_token(space, "default", 2))
    assert refusal(short.get, PODS).status == 403  # known, without rights
    ended = control.client(token=control.short_token(space, "default", -60, age=3600))
    assert refusal(ended.get, PODS).status == 401


def test_static_token(control):
    client = control.client(token="static-token")
    who = client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews",
                      {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    assert who["status"]["userInfo"]["username"] == "robot"
    assert set(who["status"]["userInfo"]["groups"]) == {"machines", "system:authenticated"}


def test_certificate(control):
    control.objects.grant("ops-read", [{"apiGroups": [""], "resources": ["nodes"],
                                        "verbs": ["list"]}], groups=["ops/eu"])
    client = control.client("eve", ["dev", "ops/eu"])
    assert client.get("/api/v1/nodes")["kind"] == "NodeList"
    assert refusal(client.get, PODS).status == 403
    (request,) = control.audit.requests(user="eve", resource="nodes")
    assert set(request.groups) == {"dev", "ops/eu", "system:authenticated"}


def test_kubelet_sees_its_own(control, space):
    """The Node authorizer is in force."""
    control.objects.node("node-k")
    kubelet = control.client("system:node:node-k", ["system:nodes"])
    assert kubelet.get("/api/v1/nodes/node-k")
    assert refusal(kubelet.get, f"/api/v1/namespaces/{space}/secrets").status == 403


def test_expired_certificate(control):
    """Refused by a status: the server asks for a certificate and verifies it above TLS."""
    now = datetime.datetime.now(datetime.UTC)
    old = control.certificate("eve", ["system:masters"],
                              not_before=now - datetime.timedelta(days=2),
                              not_after=now - datetime.timedelta(days=1))
    assert refusal(control.client(certificate=old).get, PODS).status == 401
    good = control.certificate("eve", ["system:masters"], key="rsa",
                               not_after=now + datetime.timedelta(minutes=5))
    assert control.client(certificate=good).get(PODS)


# --- what the server saw ---


def test_counts_are_exact(control, space):
    client = control.client("counted", ["system:masters"])
    for _ in range(7):
        client.get(pods_of(space), limit=500)
    client.get(PODS, resourceVersion=0)
    assert refusal(client.get, f"{pods_of(space)}/none").status == 404
    client.send("GET", "/version")
    with client.list_and_watch(PODS) as watch:
        watch.initial()
        (request,) = control.audit.requests(user="counted", verb="watch")
        assert not request.complete and request.code == 200
    threads = [threading.Thread(target=lambda: control.client("crowd").send("GET", PODS))
               for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    audit = control.audit
    assert audit.count(user="counted") == 11
    assert audit.count(user="counted", verb="list", resource="pods", code=200) == 8
    assert audit.count(user="counted", verb="list", namespace=space, query={"limit": "500"}) == 7
    assert audit.count(user="counted", query={"resourceVersion": "0"}) == 1
    assert audit.count(user="counted", verb="get", code=404, name="none") == 1
    assert audit.count(user="counted", resource="", path="/version") == 1
    assert audit.count(user="counted", verb="watch", query={"sendInitialEvents": "true"}) == 1
    assert audit.count(user="crowd", code=403) == 20
    control.objects.pod(space, "unseen")
    assert audit.count(user="lab") == 0
    audit.mark()
    assert audit.count(user="counted") == 0


def test_bytes(control, space):
    """The metrics tell what lists and watches cost."""
    labels = {"verb": "LIST", "resource": "pods", "scope": "namespace"}
    before = control.metrics().sum("apiserver_response_sizes_sum", **labels)
    answer = control.admin.send("GET", pods_of(space))
    after = control.metrics().sum("apiserver_response_sizes_sum", **labels)
    assert after - before == len(answer.body)

    name, kind = "apiserver_watch_events_sizes_sum", {"resource": "pods"}
    before = control.metrics().sum(name, **kind)
    with control.admin.list_and_watch(pods_of(space)) as watch:
        control.objects.pod(space, "a")
        watch.until(lambda event: event["type"] == "ADDED")
        assert watch.bytes > 1000
    assert control.metrics().sum(name, **kind) > before
    assert control.metrics().sum("no_such_metric") == 0


def test_overload(control, space):
    """One user is answered 429, and told when to come back; others are not."""
    busy = control.client("busy", ["readers"])
    control.objects.grant("readers", [{"apiGroups": [""], "resources": ["pods"],
                                       "verbs": ["list", "watch"]}], groups=["readers"])
    assert busy.get(PODS)
    with control.objects.overload("busy"):
        for query in ({}, {"watch": True}):
            answer = busy.send("GET", PODS, query=query)
            assert answer.status == 429
            assert int(answer.headers["Retry-After"]) >= 1
        assert control.client("idle", ["readers"]).get(PODS)
    assert busy.get(PODS)
    assert control.audit.count(user="busy", code=429) == 2


# --- credentials on disk, kubectl ---


def test_kubectl(control, space):
    control.objects.pod(space, "web", labels={"app": "web"})
    assert control.kubectl("get", "pods", "-n", space, "-o", "name").stdout == "pod/web\n"
    manifest = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                "metadata": {"name": "p", "namespace": space}, "spec": {"podSelector": {}}}
    control.kubectl("apply", "-f", "-", input=yaml.safe_dump(manifest))
    assert control.objects.get(manifest)["spec"]["policyTypes"] == ["Ingress"]
    with pytest.raises(RuntimeError, match="NotFound"):
        control.kubectl("get", "pod", "none", "-n", space)


@pytest.mark.parametrize("how", ["certificate", "inline", "token", "token file"])
def test_kubeconfig(control, how, tmp_path):
    """kubectl takes every form of credentials that the lab writes."""
    if how in ("certificate", "inline"):
        options = {"certificate": control.certificate("robot"), "inline": how == "inline"}
    elif how == "token":
        options = {"token": "static-token"}
    else:
        (tmp_path / "token").write_text("static-token")
        options = {"token_file": tmp_path / "token"}
    file = control.kubeconfig(f"{how}.conf", **options)
    who = control.kubectl("auth", "whoami", "-o", "yaml", kubeconfig=file).stdout
    assert yaml.safe_load(who)["status"]["userInfo"]["username"] == "robot"


def test_service_account_folder(control, tmp_path):
    folder = ServiceAccountFolder(tmp_path / "sa", control.authority.certificate, "default", "one")
    assert (folder.path / "ca.crt").read_bytes() == control.authority.certificate.read_bytes()
    assert (folder.path / "token").read_text() == "one"
    with (folder.path / "token").open() as still_open:
        folder.rotate("two")
        assert (still_open.read(), (folder.path / "token").read_text()) == ("one", "two")
    assert (folder.path / "namespace").read_text() == "default"


# --- the lab on a network; nothing is left behind ---


def test_on_a_network(control):
    """Two ends of a cable: the server at one, a client at the other, over IPv6."""
    a, b = Namespace("plane"), Namespace("client")
    try:
        a.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", b.name)
        for namespace, host in ((a, "1"), (b, "2")):
            namespace.ip("link", "set", "eth0", "up")
            namespace.ip("-6", "address", "add", f"fd00:200::{host}/64", "dev", "eth0")
            namespace.ip("address", "add", f"10.200.0.{host}/24", "dev", "eth0")
        with Control(a, ["fd00:200::1", "10.200.0.1"], ["api.example"],
                     server_flags=["--max-requests-inflight=7"]) as far:
            assert far.url == "https://[fd00:200::1]:6443"
            for address in far.addresses:
                assert far.client("eve", address=address, namespace=b).get("/version")
            fooled = far.client(authority=control.authority.certificate)
            with pytest.raises(ssl.SSLCertVerificationError):
                fooled.get("/version")
            file = far.kubeconfig(certificate=far.certificate("eve", ["system:masters"]),
                                  cluster={"tls-server-name": "api.example"})
            done = b.run(far.programs / "kubectl", "--kubeconfig", file, "get", "--raw", "/readyz",
                         env={"HOME": str(far.folder)})
            assert done.stdout == "ok"
            limits = far.metrics().sum("apiserver_flowcontrol_nominal_limit_seats")
            assert 207 <= limits < 250  # 7, and 200 of changing ones; control has 600
            folder = far.folder
        assert a.exists() and not folder.exists()
    finally:
        a.delete()
        b.delete()


def test_sweep_takes_what_a_killed_run_left():
    """A process starts etcd and is killed; the next run ends it and takes its folder."""
    script = ("import os, signal, sys; sys.path.insert(0, sys.argv[1])\n"
              "from kube.lab import Control\n"
              "c = Control(); c.etcd.start()\n"
              "print(c.etcd.process.pid, c.folder, c.namespace.path, flush=True)\n"
              "os.kill(os.getpid(), signal.SIGKILL)")
    test = os.path.dirname(os.path.dirname(__file__))
    left = subprocess.run([sys.executable, "-c", script, test], capture_output=True, text=True,
                          check=False).stdout.split()
    pid, folder, namespace = left
    sweep()  # of test/net, which knows of namespaces alone, comes first
    assert os.path.exists(f"/proc/{pid}") and os.path.exists(folder)
    subprocess.run([sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1])\n"
                    "from kube.lab import sweep_servers; sweep_servers()", test], check=True)
    assert not os.path.exists(folder) and not os.path.exists(namespace)
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"), 5, "etcd to end")


def test_what_does_not_start_says_why_and_leaves_nothing():
    lab = Control(server_flags=["--no-such-flag"])
    with pytest.raises(AssertionError, match=r"(?s)ended with 1.*unknown flag"), lab:
        pass
    assert not lab.folder.exists() and not lab.namespace.exists()
    assert not lab.etcd.running
