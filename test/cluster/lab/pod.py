# SPDX-License-Identifier: GPL-2.0-or-later
"""A real pod, and manifests of pods."""

import functools
import os

from lab.namespace import setns

from .images import TEST

SERVER = ["80", "http:8080"]


class NetworkAt:
    """A network namespace by its path; `with` moves the calling thread into it, as lab.Namespace
    does."""

    def __init__(self, path):
        self.path, self.outside = path, []

    def __enter__(self):
        outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        inside = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            setns(inside)
        finally:
            os.close(inside)
        self.outside.append(outside)
        return self

    def __exit__(self, *_):
        outside = self.outside.pop()
        setns(outside)
        os.close(outside)


class Pod:
    """A pod as it is now: `object` is what the API server has.  `namespace` is for test/net's
    probes: their packets come from inside the pod."""

    def __init__(self, cluster, item):
        self.cluster, self.object = cluster, item
        self.name, self.kube_namespace = item["metadata"]["name"], item["metadata"]["namespace"]
        self.uid = item["metadata"]["uid"]
        self.ips = [a["ip"] for a in item["status"].get("podIPs", [])]

    @property
    def node(self):
        return self.cluster.node(self.object["spec"]["nodeName"])

    @property
    def v4(self):
        return next(a for a in self.ips if "." in a)

    @property
    def v6(self):
        return next(a for a in self.ips if ":" in a)

    @functools.cached_property
    def namespace(self):
        # Of a static pod the node knows another UID than the API server, which tells it so.
        annotations = self.object["metadata"].get("annotations", {})
        uid = annotations.get("kubernetes.io/config.mirror", self.uid)
        return NetworkAt(f"/proc/{self.node.processes_of(uid)[0]}/ns/net")


def named(kind, name, namespace="default", **more):
    """An object's head and the rest of it."""
    version = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "Job": "batch/v1",
               "NetworkPolicy": "networking.k8s.io/v1"}.get(kind, "v1")
    return {"apiVersion": version, "kind": kind,
            "metadata": {"name": name, "namespace": namespace}, **more}


def manifest(name, namespace="default", node=None, labels=None, command=None, container=None,
             ports=(), **spec):
    """A pod that serves on port 80 (and HTTP on 8080) and ends when asked to.

    command     another program than the server
    container   more fields of the container, as probes
    ports       container ports, as in the API
    """
    of_pod = {"terminationGracePeriodSeconds": 2, "enableServiceLinks": False,
              "dnsPolicy": "Default", "automountServiceAccountToken": False,
              "containers": [{"name": "main", "image": TEST, "imagePullPolicy": "Never",
                              **({"command": command} if command else {"args": SERVER}),
                              "ports": list(ports), **(container or {})}], **spec}
    if node:
        of_pod["nodeSelector"] = {"kubernetes.io/hostname": node}
    made = named("Pod", name, namespace, spec=of_pod)
    made["metadata"]["labels"] = {"app": name, **(labels or {})}
    return made
