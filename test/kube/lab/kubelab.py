# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab of test/net with a cluster as the source: agents watch a real API server on the switch,
and objects are written through it as users, scheduler and kubelets would.

    with KubeLab() as lab:
        node = lab.node("a", start=True)            # Node object, kubeconfig, agent
        web = lab.run_pod(node, "default", "web")   # Pod with status, CNI ADD

Everything else is as in Lab, so that a test of the one is a test of the other.
"""

import contextlib
import copy
import itertools
import json
import time

import yaml

from lab.cluster import ROOT, Lab, wait_for
from lab.namespace import Namespace

from .client import ApiError
from .control import Control
from .objects import path_of

INDEX = 253  # of the server's port on the switch
VERSIONS = {"NetworkPolicy": "networking.k8s.io/v1"}
COLLECTIONS = {"Namespace": "namespaces", "NetworkPolicy": "networkpolicies", "Node": "nodes"}
GROUP = "manx"  # whose members are the agents
ROLE = "manx-lab"  # theirs; deploy/, which tests apply, has another
RULES = next(item["rules"] for item in yaml.safe_load_all((ROOT / "deploy/rbac.yaml").read_text())
             if item["kind"] == "ClusterRole")


def seeing(source, target, before="true"):
    """A launcher: who is started behind it, after `before`, sees `source` at `target`."""
    return ["unshare", "--mount", "sh", "-c",
            f'{before} && mount --bind "$1" {target} && shift && exec "$@"', "sh", source]


def version_of(item):
    return int(item["metadata"]["resourceVersion"])


class KubeLab(Lab):
    """control: a Control on the lab's switch; options go to it."""

    def __init__(self, families=(4, 6), node_mtu=1500, **options):
        super().__init__(families, node_mtu)
        self.plane = self.control = None
        self.options = options
        self.versions = {}  # (kind, node, namespace): the newest resourceVersion that we know of
        self.inside = set()  # nodes whose agent runs as in a pod
        self.markers = itertools.count(1)

    def __enter__(self):
        super().__enter__()
        try:
            self.plane = Namespace("plane")
            self._plug_into_switch(self.plane, INDEX)
            addresses = {4: f"10.200.0.{INDEX}", 6: f"fd00:200::{INDEX}"}
            self.control = Control(self.plane, [addresses[f] for f in self.families],
                                   **self.options)
            self.control.__enter__()
            self.control.objects.grant(ROLE, RULES, groups=[GROUP])
        except BaseException:
            self.close()
            raise
        return self

    def close(self):
        control, plane = self.control, self.plane
        self.control = self.plane = None
        try:
            super().close()
        finally:
            if control:
                control.close()
            if plane:
                plane.delete()

    @staticmethod
    def user(node):
        """As whom the agent of a node is known to the server."""
        return f"manx:{node.name}"

    def run_inside(self, node, folder):
        """Have a node's agent run as in a pod, whose service account is in a folder."""
        account = "/run/secrets/kubernetes.io/serviceaccount"
        node.launcher = [
            "env", f"KUBERNETES_SERVICE_HOST={self.control.address}",
            f"KUBERNETES_SERVICE_PORT={self.control.port}",
            *seeing(folder, account, f"mount -t tmpfs run /run && mkdir -p {account}")]
        self.inside.add(node)

    def source_flags(self, node):
        if node in self.inside:
            return ["--in-cluster"]
        file = node.folder / "kubeconfig"
        if not file.exists():
            certificate = self.control.certificate(self.user(node), [GROUP])
            file.write_text(self.control.kubeconfig(f"{node.name}.conf",
                                                    certificate=certificate).read_text())
        return ["--kubeconfig", file]

    @contextlib.contextmanager
    def rights(self, change):
        """Within the block the agents have other rights: change(rule) gives each rule as it is
        then, or None."""
        role = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{ROLE}"
        self.client.patch(role, {"rules": [r for r in map(change, RULES) if r]})
        try:
            yield
        finally:
            self.client.patch(role, {"rules": RULES})

    # --- writing ---

    @property
    def client(self):
        return self.control.admin

    def write(self, *items):
        for item in items:
            self._write(_complete(copy.deepcopy(item)))

    def _write(self, item):
        kind = item["kind"]
        try:
            current = self.client.get(path_of(item))
        except ApiError as error:
            if error.status != 404:
                raise
            current = self._create(item)
        made = self._update(item, current)
        if kind == "Pod":
            self._adopt(made)
        self._note(made)

    def _create(self, item):
        """Without its status, as the API has it."""
        if item["kind"] == "Namespace":
            return self.control.objects.namespace(item["metadata"]["name"],
                                                  item["metadata"].get("labels"))
        first = {k: v for k, v in item.items() if k != "status"}
        first["metadata"] = {k: v for k, v in item["metadata"].items() if k != "deletionTimestamp"}
        try:
            made = self.client.post(path_of(item, collection=True), first)
        except ApiError as error:
            if error.reason != "Invalid":
                raise
            return self._store(first)
        if item["kind"] == "Node":  # admission's taint of a node that is not ready
            made = self.client.patch(path_of(made), {"spec": {"taints": None}})
        return made

    def _update(self, item, current):
        """Bring what the server has to what is wanted, by as many requests as that takes."""
        wanted, has = item["metadata"], current["metadata"]
        if "deletionTimestamp" in has and "deletionTimestamp" not in wanted:
            return self._store(current)
        if wanted.get("labels", {}) != _own_labels(has):
            current = self._labels(item, current)
        annotated = {k: None for k in has.get("annotations", {}) if k != "marker"}
        if item["kind"] == "Namespace" and (annotated or wanted.get("annotations")):
            current = self.client.patch(path_of(item), {"metadata": {
                "annotations": annotated | wanted.get("annotations", {})}})
        if item["kind"] == "NetworkPolicy" and item["spec"] != current["spec"]:
            current = self._spec(item, current)
        if "status" in item and not _contains(current.get("status", {}), item["status"]):
            current = self.client.patch(path_of(item) + "/status", {"status": item["status"]})
        if "deletionTimestamp" in wanted and "deletionTimestamp" not in has:
            current = self.client.delete(path_of(item))
        return current

    def _labels(self, item, current):
        labels = dict.fromkeys(_own_labels(current["metadata"])) | item["metadata"]["labels"]
        return self.client.patch(path_of(item), {"metadata": {"labels": labels}})

    def _spec(self, item, current):
        try:
            return self.client.put(path_of(item), {
                **item, "metadata": {**item["metadata"],
                                     "resourceVersion": current["metadata"]["resourceVersion"]}})
        except ApiError as error:
            if error.reason != "Invalid":
                raise
            return self._store({**current, "spec": item["spec"]})

    def _store(self, item):
        """Past the server: what an earlier version of it took, and this one would not, or a state
        that no request leads to."""
        metadata = {k: v for k, v in item["metadata"].items() if k not in (
            "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds")}
        metadata.setdefault("uid", f"00000000-0000-4000-8000-{next(self.markers):012}")
        metadata.setdefault("creationTimestamp", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        plural = path_of(item, collection=True).rsplit("/", 1)[1]
        key = "/".join(["/registry", plural, *filter(None, [metadata.get("namespace")]),
                        metadata["name"]])
        self.control.store.write([(key, {**item, "metadata": metadata})])
        return self.client.get(path_of(item))

    def _adopt(self, made):
        """The server chose the uid; the runtime hands that one to CNI."""
        metadata = made["metadata"]
        for pod in reversed(self.pods):
            if (pod.kube_namespace, pod.name) == (metadata["namespace"], metadata["name"]):
                pod.uid = metadata["uid"]
                return

    def remove(self, *items):
        for item in items:
            item = {"apiVersion": VERSIONS.get(item["kind"], "v1"), **item}
            try:
                if item["kind"] == "Namespace":
                    self.control.objects.delete_namespace(item["metadata"]["name"])
                else:
                    gone = self.client.delete(path_of(item), gracePeriodSeconds=0)
            except ApiError as error:
                if error.status != 404:
                    raise
                continue
            if item["kind"] == "Pod":
                self._note(gone)
            else:
                self._mark(item["kind"])

    def remove_all(self, kind):
        of = {"apiVersion": VERSIONS.get(kind, "v1"), "kind": kind,
              "metadata": {"name": "", "namespace": "x"}}
        plural = path_of(of, collection=True).rsplit("/", 1)[1]
        group = "/apis/" + VERSIONS[kind] if kind in VERSIONS else "/api/v1"
        for item in self.client.get(f"{group}/{plural}")["items"]:
            self.remove({**of, "metadata": item["metadata"]})

    # --- settling ---

    def _note(self, item):
        of = (item["kind"], item.get("spec", {}).get("nodeName"), item["metadata"].get("namespace"))
        key = of if item["kind"] == "Pod" else (item["kind"], None, None)
        self.versions[key] = max(self.versions.get(key, 0), version_of(item))

    def _mark(self, kind):
        """The answer to a deletion names no version: something else of that kind gets a later."""
        names = {"Namespace": "default", "Node": self.nodes and self.nodes[0].name}
        if kind == "NetworkPolicy":
            name = f"marker-{next(self.markers)}"
            made = self.control.objects.policy("kube-system", name,
                                               {"matchLabels": {"nobody": "has-this"}})
            self.client.delete(path_of(made))
        else:
            made = self.client.patch(path_of({"apiVersion": "v1", "kind": kind,
                                              "metadata": {"name": names[kind]}}),
                                     {"metadata": {"annotations": {
                                         "marker": str(next(self.markers))}}})
        self._note(made)

    def wanted(self, node, collection):
        """The version that a collection of a node's agent has come to when it knows all."""
        versions = self.versions.items()
        for kind, name in COLLECTIONS.items():
            if name == collection:
                return self.versions.get((kind, None, None), 0)
        if collection == "pods of this node":
            return max((v for (k, n, _), v in versions if k == "Pod" and n == node.name),
                       default=0)
        space = collection.removeprefix("pods of namespace ")
        return max((v for (k, n, s), v in versions if k == "Pod" and n not in (node.name, None)
                    and (space == s or collection == "pods of other nodes")), default=0)

    def source(self, node):
        """What a node's agent says of its source."""
        status = node.manx("status", "--json", "--run-dir", node.run_dir).stdout
        return json.loads(status)["source"]

    def is_settled(self, node):
        return all(c["complete"] and c["state"] == "watching"
                   and c["version"] >= self.wanted(node, c["of"])
                   for c in self.source(node)["collections"])

    def settle(self):
        """Wait until every running agent has taken in all that was written so far.

        A version counts from when its object was read, and the kernel is told at the end of that
        turn: so what is true twice is in force.
        """
        for node in self.nodes:
            if not node.process:
                continue
            for _ in range(2):
                wait_for(lambda n=node: self.is_settled(n), 20, f"{node.name} to settle")


def _complete(item):
    """What the API asks for and the folder does not."""
    if item["kind"] == "Pod":
        for field in ("containers", "initContainers"):
            for container in item["spec"].get(field, ()):
                container.setdefault("image", "registry.example/main:1")
    item["metadata"].setdefault("labels", {})
    return item


def _own_labels(metadata):
    return metadata.get("labels") or {}


def _contains(has, wanted):
    """Does an object have all these fields, with these values?"""
    if isinstance(wanted, dict):
        return isinstance(has, dict) and all(k in has and _contains(has[k], v)
                                             for k, v in wanted.items())
    if isinstance(wanted, list):
        return isinstance(has, list) and len(has) == len(wanted) and all(
            map(_contains, has, wanted))
    return has == wanted
