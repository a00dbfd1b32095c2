# SPDX-License-Identifier: GPL-2.0-or-later
"""A small scene in a cluster, for tests of what the API server does to an agent.

Namespace `shop` holds the pods web and client on the node and the pod `far` on another one, which
is an object only.  The policy `web` lets web be reached by pods with role=friend.
"""

from lab import tcp
from lab.cluster import lasting, wait_for

SPACE = "shop"
FAR = "10.201.77.7"


class Shop:
    """lab: a KubeLab; node: one of it, whose agent runs."""

    def __init__(self, lab, node):
        self.lab, self.node = lab, node
        lab.namespace_object(SPACE)
        self.far = self.far_pod("far", FAR)
        self.web = lab.run_pod(node, SPACE, f"web-{node.name}", {"app": "web"})
        self.client = lab.run_pod(node, SPACE, f"client-{node.name}", {"role": "stranger"})
        self.policy()
        self.prove()

    def policy(self):
        self.lab.policy(SPACE, "web", {"matchLabels": {"app": "web"}}, ingress=[
            {"from": [{"podSelector": {"matchLabels": {"role": "friend"}}}]}])

    def far_pod(self, name, address, role="friend"):
        """A pod of another node: an object only."""
        item = {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": name, "namespace": SPACE, "labels": {"role": role}},
                "spec": {"nodeName": "elsewhere", "containers": [{"name": "main"}]},
                "status": {"phase": "Running", "podIPs": [{"ip": address}]}}
        self.lab.write(item)
        return item

    # --- changes ---

    def set_role(self, role):
        self.client.labels["role"] = role
        self.lab.write(self.client.object())

    def set_far(self, role):
        self.far["metadata"]["labels"]["role"] = role
        self.lab.write(self.far)

    # --- what is in force ---

    def is_open(self):
        """Does the client reach the web?"""
        return tcp(self.client, self.web.v4, 80, wait=0.1) is not None

    def knows(self, address=FAR):
        """May a pod with this address reach the web?"""
        return f" {address}" in self.node.ruleset()

    def wait_open(self, wanted=True, seconds=10):
        wait_for(lambda: self.is_open() == wanted, seconds,
                 "the client to be let in" if wanted else "the client to be kept out")

    def wait_known(self, address=FAR, wanted=True, seconds=10):
        wait_for(lambda: self.knows(address) == wanted, seconds,
                 f"{address} to be {'let in' if wanted else 'kept out'}")

    def prove(self, seconds=10):
        """Changes on this node and on others arrive, there and back."""
        for role, wanted in (("friend", True), ("stranger", False)):
            self.set_role(role)
            self.set_far(role)
            self.wait_open(wanted, seconds)
            self.wait_known(wanted=wanted, seconds=seconds)

    def prove_equal(self):
        """The kernel holds exactly what an agent that starts now wants: it has nothing to do."""
        self.lab.settle()
        self.node.restart_agent()
        assert self.node.metrics()["manx_nft_operations_total"] == 0

    def rules(self):
        """The table as text, what lasts of it."""
        return lasting(self.node.ruleset())

    # --- trouble ---

    def problems(self):
        """What the agent says is wrong with its source."""
        return " ".join(c.get("problem", "") for c in self.lab.source(self.node)["collections"])

    def wait_problem(self, text, seconds=10):
        wait_for(lambda: text in self.problems(), seconds, f"the agent to say {text!r}")

    def wait_well(self, seconds):
        wait_for(lambda: not self.problems().strip(), seconds, "all problems to be over")

    def cut(self):
        """The agent's connections end, as when a load balancer is replaced."""
        self.node.namespace.run("ss", "-K", "dport", "=", ":6443")
