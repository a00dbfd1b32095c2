# SPDX-License-Identifier: GPL-2.0-or-later
"""A node whose agent is killed: pods that stay, a watcher of their packets, and the reckoning.

The reckoning compares three books: what runtimes were told (runtimes.Ledger), what the agent says
and has on disk, what the kernel holds. That the table is right is told by two others: an agent
that starts finds nothing to write; and an agent that starts from the same journal and manifests
in an empty namespace, the mirror, makes the same table.

Limit: the mirror has links of the pods' names, and no pods.
"""

import contextlib
import ipaddress
import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys

from lab import cni
from lab.cluster import binary, lasting, wait_for
from lab.namespace import Namespace
from lab.runtimes import Ledger, Sandbox

RANGES = ["10.201.1.0/27", "fd00:201:1::/123"]  # small: addresses come again soon
ROUTE_PROTOCOL = 109  # datapath/route/routes.h
STALL = 10.0  # seconds that a flow may stand still; the watcher's own pauses count
SLOTS = 4  # sandboxes of each kind
NAMESPACES = ("steady", "locked", "open")


def normal(ruleset):
    """A table to compare: sets list their elements in no order."""
    return sorted(re.findall(r"[^\s,{}=]+", lasting(ruleset)))


class Arena:
    """In a lab of its own; the agent runs when it is made."""

    def __init__(self, lab):
        self.lab = lab
        self.node = node = lab.node("n1", podCIDR=RANGES[0], podCIDRs=RANGES)
        node.config_file.write_text("address-cooldown: 0s\npod-wait: 0s\n")
        self.ledger = Ledger()
        self.markers = 1
        for name in NAMESPACES:
            lab.namespace_object(name, {"tint": "x"})
        self._write_policies()
        node.start_agent()
        self.steady = {}
        for role in ("client", "server", "closed", "sink"):
            self.steady[role] = self._steady_pod(role)
        self.sandboxes = [self._sandbox(kind, number)
                          for number in range(SLOTS) for kind in ("locked", "open")]
        self.settle()
        self.watcher = self._start_watcher()
        self.mirror_folder = lab.folder / "mirror"

    def _write_policies(self):
        lab, both = self.lab, ["Ingress", "Egress"]
        lab.policy("locked", "closed", {}, types=both)
        lab.policy("steady", "closed", {"matchLabels": {"role": "closed"}}, types=both)
        lab.policy("steady", "server", {"matchLabels": {"role": "server"}}, ingress=[{
            "from": [{"podSelector": {"matchLabels": {"role": "client"}}}],
            "ports": [{"protocol": p, "port": n} for p in ("TCP", "UDP")
                      for n in (80, 7000, 7001)]}])

    def _steady_pod(self, role):
        pod = self.lab.pod(self.node, "steady", role, {"role": role}, serve=())
        self.lab.add(pod)
        self.ledger.answered(pod, pod.result)
        return pod

    def _sandbox(self, kind, number):
        one = Sandbox(self.node, kind, f"{kind}-{number}")
        self.lab.pods.append(one)
        return one

    def _places(self, kind):
        return [str(b.netns_path) for b in self.sandboxes if b.kube_namespace == kind]

    def settle(self):
        """Wait until the agent has taken in all that was written; cf. Lab.settle()."""
        self.markers = 3 - self.markers
        items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"marker-{i}"}}
                 for i in range(self.markers)]
        self.lab.write_text("marker.json", json.dumps(
            {"apiVersion": "v1", "kind": "List", "items": items}))
        wanted = len(NAMESPACES) + self.markers
        self.node.wait_settled({'manx_objects{kind="Namespace"}': wanted}, 20)

    # --- the watcher ---

    def _start_watcher(self):
        s = self.steady
        kept = {a for role in ("client", "server", "sink") for a in s[role].addresses}
        sweep = [str(a) for r in RANGES for a in ipaddress.ip_network(r).hosts()
                 if str(a) not in kept]
        config = {
            "client": str(s["client"].netns_path), "server": str(s["server"].netns_path),
            "sink": str(s["sink"].netns_path), "sweep": sweep,
            "closed": [str(s["closed"].netns_path), *self._places("locked")],
            "open": self._places("open"),
            "server_addresses": s["server"].addresses, "sink_addresses": s["sink"].addresses}
        return subprocess.Popen(
            [sys.executable, "-m", "lab.watcher", json.dumps(config)],
            cwd=pathlib.Path(__file__).parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)

    def watched(self):
        """What the watcher has seen so far."""
        self.watcher.stdin.write("r")
        self.watcher.stdin.flush()
        return json.loads(self.watcher.stdout.readline())

    def close(self):
        self.watcher.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.watcher.wait(5)
        self.watcher.kill()
        self.watcher.wait()
        self.watcher.stdout.close()

    def problems_of_packets(self):
        seen = self.watched()
        yield from seen["breaches"]
        for name, flow in seen["flows"].items():
            if flow["longest"] > STALL:
                yield f"flow {name} stood still for {flow['longest']:.1f} s"
        before = {name: flow["sent"] for name, flow in seen["flows"].items()}
        try:
            wait_for(lambda: all(flow["there"] >= before[name] <= flow.get("back", before[name])
                                 for name, flow in self.watched()["flows"].items()), STALL)
        except AssertionError:
            yield f"flows have not got through what was sent: {before}, {self.watched()['flows']}"

    # --- the agent ---

    def kill(self):
        """Kill the agent; a problem if it had ended by itself."""
        process, self.node.process = self.node.process, None
        process.kill()
        status = process.wait(10)
        if status != -signal.SIGKILL:
            self.ledger.problem(f"the agent ended with {status}:\n{self.node.log_text()[-2000:]}")
        return status

    # --- the books ---

    def problems_of_books(self):
        """Ledger, journal and kernel; the agent lives and nothing is under way."""
        held = {c: sorted(p.addresses) for c, p in self.ledger.held.items()}
        shown = json.loads(self.node.manx("ipam", "show", "--json", "--run-dir",
                                          self.node.run_dir).stdout)["attachments"]
        has = {a["container"]: sorted(a["addresses"]) for a in shown}
        if has != held:
            yield f"answered: {held}\nthe journal has: {has}"
        addresses = [a for one in has.values() for a in one]
        if len(addresses) != len(set(addresses)):
            yield f"an address is given twice: {has}"
        links = {name for name in self.node.links() if name.startswith("mx")}
        wanted = {p.host_ifname for p in self.ledger.held.values()}
        if links != wanted:
            yield f"links: {sorted(links - wanted)} too many, {sorted(wanted - links)} missing"
        yield from self.problems_of_routes()

    def problems_by_its_own_word(self):
        """`manx ipam check`, and CHECK of every pod."""
        check = self.node.manx("ipam", "check", "--run-dir", self.node.run_dir, check=False)
        if check.returncode != 0:
            yield f"manx ipam check: {check.stdout}{check.stderr}"
        for pod in list(self.ledger.held.values()):
            try:
                cni.call(pod, "CHECK", prev=pod.result)
            except cni.CniError as e:
                yield f"CHECK of {pod.name}: {e}"

    def problems_of_routes(self):
        routes = self._routes()
        wanted = {(a, p.host_ifname) for p in self.ledger.held.values() for a in p.addresses}
        if routes != wanted:
            yield f"routes: {routes - wanted} too many, {wanted - routes} missing"

    def _routes(self):
        """(destination, interface) of our routes to pods."""
        listed = [json.loads(self.node.namespace.ip(f, "-j", "route", "show", "proto",
                                                    ROUTE_PROTOCOL)) for f in ("-4", "-6")]
        return {(r["dst"], r.get("dev")) for r in listed[0] + listed[1]
                if r.get("dev", "").startswith("mx")}

    def problems_of_a_new_start(self):
        """The agent is killed when nothing is under way; the next one finds nothing to do."""
        self.kill()
        self.node.start_agent()
        metrics = self.node.metrics()
        for name in ("manx_nft_operations_total", "manx_nft_errors_total"):
            if metrics[name]:
                yield f"after a start at rest {name} is {metrics[name]}"
        yield from self.problems_of_routes()

    def problems_of_the_mirror(self):
        """The table against that which an agent makes of the same in an empty namespace."""
        folder = self.mirror_folder
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "state").mkdir(parents=True)
        shutil.copy(self.journal, folder / "state")
        namespace = Namespace("mirror")
        try:
            for pod in self.ledger.held.values():
                namespace.ip("link", "add", pod.host_ifname, "type", "veth")
            namespace.ip("link", "add", "eth0", "up", "type", "bridge")
            for address in self.node.internal_ips:  # where host ports are reached
                namespace.ip("address", "add", address, "dev", "eth0")
            here, there = self.node.ruleset(), self._mirrored(namespace, folder)
        finally:
            namespace.delete()
        if normal(here) != normal(there):
            yield f"the table is\n{here}\nand should be\n{there}"

    def _mirrored(self, namespace, folder):
        command = [binary(), "agent", "--node", self.node.name,
                   *self.lab.source_flags(self.node), "--state-dir", folder / "state",
                   "--run-dir", folder / "run", "--cni-conf-dir", folder / "net.d",
                   "--cni-bin-dir", "", "--http-address", "", "--config", self.node.config_file]
        with namespace, (folder / "log").open("wb") as log:
            agent = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log)
        try:
            wait_for(lambda: list(folder.glob("net.d/*.conflist")), 20, "the mirror to be ready")
        finally:
            agent.kill()
            agent.wait()
        return namespace.run("nft", "list", "table", "inet", "manx").stdout

    @property
    def journal(self):
        return self.node.state_dir / "attachments.journal"

    def reckon(self, whole=True, mirror=False):
        """Assert that all is well; the agent lives, and no call is under way.

        whole: also what the agent says of itself, and what the watcher has seen
        """
        self.settle()
        problems = [*self.problems_of_books(), *self.problems_of_a_new_start(),
                    *self.ledger.problems]
        if whole:
            problems += [*self.problems_by_its_own_word(), *self.problems_of_packets()]
        if mirror:
            problems += self.problems_of_the_mirror()
        assert not problems, "\n".join(problems)
