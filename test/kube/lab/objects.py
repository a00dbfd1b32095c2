# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects as a cluster makes them: what controllers, scheduler and kubelets would write.

Each call returns the object as the server answered it.
"""

import concurrent.futures
import contextlib
import dataclasses
import itertools
import threading
import time
import uuid

from .client import ApiError

# kind: (plural, in a namespace?)
KINDS = {
    "Namespace": ("namespaces", False), "Node": ("nodes", False), "Pod": ("pods", True),
    "ServiceAccount": ("serviceaccounts", True), "ConfigMap": ("configmaps", True),
    "Secret": ("secrets", True), "Service": ("services", True),
    "NetworkPolicy": ("networkpolicies", True), "Role": ("roles", True),
    "RoleBinding": ("rolebindings", True), "ClusterRole": ("clusterroles", False),
    "ClusterRoleBinding": ("clusterrolebindings", False), "Lease": ("leases", True),
    "DaemonSet": ("daemonsets", True),
    "CustomResourceDefinition": ("customresourcedefinitions", False),
    "FlowSchema": ("flowschemas", False),
    "PriorityLevelConfiguration": ("prioritylevelconfigurations", False),
}
RBAC = "rbac.authorization.k8s.io"
FLOW = "flowcontrol.apiserver.k8s.io/v1"


def path_of(item, collection=False):
    """The path of an object, or of the collection that it belongs to."""
    metadata, version = item["metadata"], item["apiVersion"]
    plural, namespaced = KINDS[item["kind"]]
    path = f"/{'apis' if '/' in version else 'api'}/{version}"
    if namespaced:
        path += f"/namespaces/{metadata['namespace']}"
    return f"{path}/{plural}" + ("" if collection else f"/{metadata['name']}")


@dataclasses.dataclass(frozen=True)
class Rate:
    """How many were made, and in which time."""

    number: int
    seconds: float

    @property
    def per_second(self):
        return self.number / self.seconds


class Objects:
    """connect: makes a client that may do everything."""

    def __init__(self, connect, store):
        self.connect, self.store = connect, store
        self.client = connect()
        self.pool = []
        self.numbers = itertools.count(1)

    # --- any object ---

    def create(self, item):
        return self.client.post(path_of(item, collection=True), item)

    def get(self, item):
        return self.client.get(path_of(item))

    def patch(self, item, patch):
        return self.client.patch(path_of(item), patch)

    def label(self, item, labels):
        """Set labels; None takes one away."""
        return self.patch(item, {"metadata": {"labels": labels}})

    def delete(self, *items):
        """Delete at once, as a kubelet does when a pod has ended."""
        for item in items:
            self.client.delete(path_of(item), gracePeriodSeconds=0)

    def mark_deleted(self, pod):
        """What a user's `kubectl delete` does to a pod on a node: it gets a deletionTimestamp
        and stays until delete()."""
        return self.client.delete(path_of(pod))

    def touch(self):
        """Change something of no interest, so that the resourceVersion grows."""
        return self.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
            "name": f"touch-{next(self.numbers)}-{time.time_ns()}", "namespace": "default"}})

    # --- the cluster's ---

    def namespace(self, name, labels=None):
        """A Namespace with its service account `default`; one that exists gets what it lacks."""
        item = {"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": name, "labels": labels or {}}}
        made = self._create_or_get(item)
        self.account(name, "default")
        return made

    def delete_namespace(self, name):
        """Delete a namespace and what these tests put into one, as the controller does."""
        path = f"/api/v1/namespaces/{name}"
        self.client.delete(path)
        for collection in (f"{path}/pods", f"{path}/serviceaccounts", f"{path}/configmaps",
                           f"/apis/networking.k8s.io/v1/namespaces/{name}/networkpolicies"):
            self.client.delete(collection, gracePeriodSeconds=0)
        item = self.client.get(path)
        item["spec"]["finalizers"] = []
        self.client.put(f"{path}/finalize", item)

    def account(self, namespace, name):
        return self._create_or_get({"apiVersion": "v1", "kind": "ServiceAccount",
                                    "metadata": {"name": name, "namespace": namespace}})

    def _create_or_get(self, item):
        try:
            return self.create(item)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            return self.get(item)

    def node(self, name, pod_cidrs=(), addresses=(), labels=None, **spec):
        """A Node that its kubelet has reported ready."""
        item = {"apiVersion": "v1", "kind": "Node",
                "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name,
                                                      "kubernetes.io/os": "linux",
                                                      **(labels or {})}},
                "spec": {**spec}}
        if pod_cidrs:
            item["spec"].update(podCIDR=pod_cidrs[0], podCIDRs=list(pod_cidrs))
        made = self.create(item)
        # The controller of taints takes away what admission put on a node that is not ready.
        self.patch(made, {"spec": {"taints": spec.get("taints")}})
        return self.client.patch(path_of(made) + "/status", {"status": {
            "addresses": [{"type": "Hostname", "address": name},
                          *({"type": "InternalIP", "address": a} for a in addresses)],
            "capacity": {"cpu": "2", "memory": "8Gi", "pods": "110"},
            "allocatable": {"cpu": "2", "memory": "8Gi", "pods": "110"},
            "conditions": [_condition("Ready", reason="KubeletReady")]}})

    def pod(self, namespace, name, node=None, ips=(), labels=None, ports=None, phase=None,
            host_network=False, **spec):
        """A Pod: waiting for the scheduler, or bound to a node, or running there with `ips`."""
        made = self.create(self.pod_object(namespace, name, node, labels, ports, host_network,
                                           **spec))
        return self.status(made, ips, phase) if ips or phase else made

    @staticmethod
    def pod_object(namespace, name, node=None, labels=None, ports=None, host_network=False,
                   **spec):
        item = {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": name, "namespace": namespace, "labels": labels or {}},
                "spec": {"containers": [{"name": "main", "image": "registry.example/main:1",
                                         "ports": ports or []}], **spec}}
        if node:
            item["spec"]["nodeName"] = node
        if host_network:
            item["spec"]["hostNetwork"] = True
        return item

    def bind(self, pod, node):
        """What the scheduler does."""
        self.client.post(path_of(pod) + "/binding", {
            "apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod["metadata"]["name"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node}})
        return self.get(pod)

    def status(self, pod, ips=(), phase=None):
        """What a kubelet reports; by default Running with addresses and Pending without."""
        return self.client.patch(path_of(pod) + "/status", pod_status(ips, phase))

    def policy(self, namespace, name, selector=None, ingress=None, egress=None, types=None):
        """A NetworkPolicy; None leaves a field out."""
        spec = {"podSelector": selector if selector is not None else {}}
        for key, value in (("ingress", ingress), ("egress", egress), ("policyTypes", types)):
            if value is not None:
                spec[key] = value
        return self.create({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
                            "metadata": {"name": name, "namespace": namespace}, "spec": spec})

    # --- rights and limits ---

    def grant(self, name, rules, users=(), groups=(), accounts=()):
        """A ClusterRole and who has it.  rules: as in the API; accounts: (namespace, name)."""
        self.create({"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole",
                     "metadata": {"name": name}, "rules": rules})
        subjects = [{"kind": kind, "name": n, "apiGroup": RBAC}
                    for kind, names in (("User", users), ("Group", groups)) for n in names]
        subjects += [{"kind": "ServiceAccount", "namespace": ns, "name": n} for ns, n in accounts]
        return self.create({"apiVersion": f"{RBAC}/v1", "kind": "ClusterRoleBinding",
                            "metadata": {"name": name}, "subjects": subjects,
                            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}})

    @contextlib.contextmanager
    def overload(self, user):
        """Within the block every request of a user is answered 429, for a minute at most.

        A priority level of the user's own has no queue and no seat.  The server lets a single
        request through all the same, so one whose body does not come is there already; where
        another one was first, it is refused like any, and tried anew.
        """
        name = f"overload-{user.replace(':', '-')}"
        level = self.create({
            "apiVersion": FLOW, "kind": "PriorityLevelConfiguration", "metadata": {"name": name},
            "spec": {"type": "Limited", "limited": {
                "nominalConcurrencyShares": 0, "lendablePercent": 0, "borrowingLimitPercent": 0,
                "limitResponse": {"type": "Reject"}}}})
        schema = self.create({
            "apiVersion": FLOW, "kind": "FlowSchema", "metadata": {"name": name},
            "spec": {"matchingPrecedence": 2, "priorityLevelConfiguration": {"name": name},
                     "rules": [{"subjects": [{"kind": "User", "user": {"name": user}}],
                                "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"],
                                                   "resources": ["*"], "clusterScope": True,
                                                   "namespaces": ["*"]}],
                                "nonResourceRules": [{"verbs": ["*"],
                                                      "nonResourceURLs": ["*"]}]}]}})
        as_user = {"Impersonate-User": user}

        def send():
            return self.client.send("GET", "/version", headers=as_user)

        def ask(condition, seconds=10):
            deadline = time.monotonic() + seconds
            while not condition(send()):
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.01)
            return True

        def occupy(held):
            for _ in range(20):
                held.enter_context(self.client.unfinished(
                    "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", as_user))
                # Refused for longer than another request of the user's lasts.
                if (ask(lambda answer: answer.status == 429, 0.5)
                        and all(send().status == 429 for _ in range(20))):
                    return True
                held.pop_all().close()
            return False

        uid = schema["metadata"]["uid"]
        assert ask(lambda answer: answer.headers["X-Kubernetes-PF-FlowSchema-UID"] == uid)
        with contextlib.ExitStack() as held:
            assert occupy(held), f"{user}: the server goes on"
            yield
        self.delete(schema, level)
        assert ask(lambda answer: answer.headers["X-Kubernetes-PF-FlowSchema-UID"] != uid)

    # --- many ---

    def pods(self, number, namespace, nodes=(), prefix="pod", labels=None, address=None,
             threads=8):
        """Make many pods, <prefix>-0 and on, spread over nodes; return the Rate.

        labels, address: functions of the number that give a pod's labels and its addresses.
        """
        nodes = list(nodes)

        def one(client, index):
            item = self.pod_object(namespace, f"{prefix}-{index}",
                                   nodes[index % len(nodes)] if nodes else None,
                                   labels(index) if labels else None)
            made = client.post(path_of(item, collection=True), item)
            if address:  # PUT costs the server less than PATCH
                made["status"].update(pod_status(address(index))["status"])
                client.put(path_of(made) + "/status", made)

        return self.many(one, number, threads)

    def many(self, one, number, threads=8):
        """Call one(client, index) for each index below `number`; return the Rate."""
        while len(self.pool) < threads:
            self.pool.append(self.connect())
        indexes, lock = iter(range(number)), threading.Lock()

        def work(client):
            while True:
                with lock:
                    index = next(indexes, None)
                if index is None:
                    return
                one(client, index)

        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(work, client) for client in self.pool[:threads]]:
                done.result()
        return Rate(number, time.monotonic() - start)

    def seed(self, number, pod, nodes=(), prefix="seed", labels=None, address=None):
        """Copies of a pod, written into the store past the server, for tens of thousands that
        are there when a test begins; other arguments as of pods().

        Return the Rate, which includes the server's taking them in.  See Store.write.
        """
        pod, nodes = self.get(pod), list(nodes)
        del pod["metadata"]["resourceVersion"]
        folder = f"/registry/pods/{pod['metadata']['namespace']}"

        def copy(index):
            metadata, spec, status = dict(pod["metadata"]), dict(pod["spec"]), dict(pod["status"])
            metadata.update(name=f"{prefix}-{index}", uid=str(uuid.uuid4()))
            if labels:
                metadata["labels"] = labels(index)
            if nodes:
                spec["nodeName"] = nodes[index % len(nodes)]
            if address:
                status.update(pod_status(address(index))["status"])
            return (f"{folder}/{prefix}-{index}",
                    {**pod, "metadata": metadata, "spec": spec, "status": status})

        start = time.monotonic()
        self.store.write(map(copy, range(number)))
        # A list waits until the server knows the newest resourceVersion: one above theirs.
        self.touch()
        self.client.get(path_of(pod, collection=True), limit=1)
        return Rate(number, time.monotonic() - start)


def _condition(kind, status="True", **more):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"type": kind, "status": status, "lastTransitionTime": now, **more}


def pod_status(ips, phase=None):
    phase = phase or ("Running" if ips else "Pending")
    ready = "True" if phase == "Running" else "False"
    status = {"phase": phase, "podIPs": [{"ip": a} for a in ips],
              "startTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
              "conditions": [_condition("PodScheduled"), _condition("Initialized"),
                             _condition("ContainersReady", ready), _condition("Ready", ready)]}
    if ips:
        status["podIP"] = ips[0]
    return {"status": status}
