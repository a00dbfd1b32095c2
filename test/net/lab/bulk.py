# SPDX-License-Identifier: GPL-2.0-or-later
"""Large clusters as manifests: pods of other nodes by the thousand, for folders that take a while.

Everything is a dictionary; pods have the fields that pods of a deployment have and that mean
something to an agent, and are some 500 bytes of JSON each.
"""


def space(index):
    return f"space-{index}"


def namespace(index):
    name = space(index)
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": name, "labels": {"group": f"group-{index % 10}",
                                 "kubernetes.io/metadata.name": name}}}


def address(index):
    """Of the 4 million addresses from 10.64.0.0 on, which no lab gives to its own."""
    return f"10.{64 + (index >> 16)}.{index >> 8 & 255}.{index & 255}"


def pod(index, kube_namespace):
    """Runs on another node."""
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": f"web-7d4b9c6f5d-{index:05x}", "namespace": kube_namespace,
                         "uid": f"{index:08x}-1111-4222-8333-444455556666",
                         "labels": {"app": f"app-{index % 7}", "tier": "backend",
                                    "pod-template-hash": "7d4b9c6f5d"}},
            "spec": {"nodeName": f"elsewhere-{index % 500}", "containers": [
                {"name": "main", "image": "registry.example/team/web:1.2.3",
                 "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]}]},
            "status": {"phase": "Running", "podIP": address(index),
                       "podIPs": [{"ip": address(index)}]}}


def policy(index, peers):
    """All pods of a namespace are reached by some, at one port."""
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": "own", "namespace": space(index)},
            "spec": {"podSelector": {}, "ingress": [
                {"from": [peers], "ports": [{"protocol": "TCP", "port": 8080}]}]}}


def listed(items):
    """As kubectl get prints more than one object."""
    return {"apiVersion": "v1", "kind": "List", "items": list(items)}
