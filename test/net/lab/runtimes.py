# SPDX-License-Identifier: GPL-2.0-or-later
"""Load for an agent that dies: container runtimes that come and go, and a writer of manifests.

A runtime does what containerd does for a kubelet: an ADD without an answer, or refused, is tried
again or followed by DEL; a DEL is tried until it succeeds; the plugin's process dies sometimes.
What was answered is written down (Ledger), and answers that contradict it are problems at once.
Choices follow from the seed; when they fall, the machine decides.
"""

import collections
import contextlib
import hashlib
import json
import os
import random
import subprocess
import threading
import time
import uuid

from lab import cni
from lab.cluster import Pod

TRY_AGAIN = 11  # CNI specification 1.1.0, "Error"
PLUGIN_DIES = 0.08  # how often
PLUGIN_LIVES = 0.02  # seconds, at most, when it is to die
GIVE_UP = 30.0  # seconds without success, with an agent that lives


class Sandbox(Pod):
    """A network namespace in which one container after the other lives."""

    def __init__(self, node, kube_namespace, name):
        super().__init__(node, kube_namespace, name, {})
        self.lock = threading.Lock()  # of its object: labels and addresses
        self.renew()

    def renew(self, labels=None):
        """Another container, of another pod of the same name."""
        self.uid = str(uuid.uuid4())
        self.container_id = hashlib.sha256(self.uid.encode()).hexdigest()
        self.labels = dict(labels or {})
        self.result = self.v4 = self.v6 = None


class Ledger:
    """Who was told that it has which addresses.  Shared by threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.held, self.problems = {}, []
        self.remade = set()  # containers whose ADD is being repeated
        self.story = collections.deque(maxlen=1000)
        self.counts = dict.fromkeys(
            ("answered", "repeated", "checked", "deleted", "unanswered", "plugins killed"), 0)

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def problem(self, text):
        with self.lock:
            self.problems.append(text)

    def tell(self, sandbox, text):
        """What happened, for the story of a problem."""
        self.story.append((sandbox.name, f"{time.time():.3f} {sandbox.name} "
                           f"{sandbox.container_id[:13]} {text}"))

    def story_of(self, *sandboxes):
        names = {s.name for s in sandboxes}
        return "\n  ".join(["", *[text for name, text in list(self.story) if name in names][-40:]])

    def answered(self, sandbox, result):
        """An ADD was answered: for the first time, or again."""
        given = [ip["address"].split("/")[0] for ip in result["ips"]]
        with self.lock:
            for other in self.held.values():
                if other is not sandbox and other.container_id not in self.remade \
                        and set(other.addresses) & set(given):
                    self.problems.append(f"{given} were given to {sandbox.name} while "
                                         f"{other.name} has {other.addresses}"
                                         f"{self.story_of(sandbox, other)}")
            if sandbox.container_id in self.held and sandbox.addresses != given:
                self.problems.append(f"{sandbox.name} had {sandbox.addresses}, is told {given}"
                                     f"{self.story_of(sandbox)}")
            self.tell(sandbox, f"has {given}")
            self.remade.discard(sandbox.container_id)
            sandbox.take_result(result)
            self.held[sandbox.container_id] = sandbox

    def begins_again(self, sandbox):
        """An ADD is about to be repeated. The plugin deletes the link and makes it anew; an agent
        that starts in between finds it gone and frees the addresses. Who else gets them says so
        before this ADD has failed; that it fails then is seen when it is answered."""
        with self.lock:
            self.remade.add(sandbox.container_id)

    def gone(self, sandbox):
        """A DEL is about to begin: from now on the addresses may be given to others."""
        with self.lock:
            self.held.pop(sandbox.container_id, None)
            self.remade.discard(sandbox.container_id)


class Runtime:
    """Calls of the plugin for one sandbox after the other; in the calling thread."""

    def __init__(self, lab, ledger, seed, dies=PLUGIN_DIES, revive=None):
        """revive: called after each failure, when nobody else starts the agent again."""
        self.lab, self.ledger, self.random, self.dies = lab, ledger, random.Random(seed), dies
        self.revive = revive or (lambda: time.sleep(self.random.uniform(0.005, 0.04)))

    def attempt(self, sandbox, command, prev=None):
        """One call: (answer or None, error or None); (None, None) if the plugin was killed."""
        node = sandbox.node
        config = cni.configuration(node, **({"prevResult": prev} if prev else {}))
        lives = self.random.uniform(0, PLUGIN_LIVES) if self.random.random() < self.dies else None
        self.ledger.tell(sandbox, f"{command} begins")
        with node.namespace:
            plugin = subprocess.Popen(
                [str(node.plugin)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={"PATH": os.environ["PATH"], **cni.environment(sandbox, command)})
        try:
            out, err = plugin.communicate(json.dumps(config).encode(), timeout=lives or GIVE_UP)
        except subprocess.TimeoutExpired:
            plugin.kill()
            out, err = plugin.communicate()
            if lives is None:
                self.ledger.problem(f"{command} of {sandbox.name} took {GIVE_UP} s")
            self.ledger.count("plugins killed")
            self.ledger.tell(sandbox, f"{command}: its plugin was killed")
            return None, None
        try:
            done = subprocess.CompletedProcess([], plugin.returncode, out, err)
            answer = cni.result_of(done) or {}
            self.ledger.tell(sandbox, f"{command} is answered")
            return answer, None
        except cni.CniError as e:
            self.ledger.tell(sandbox, f"{command}: {e}")
            return None, e
        except AssertionError as e:
            self.ledger.problem(f"{command} of {sandbox.name}: {e}")
            return None, None

    def until_it_succeeds(self, sandbox, command):
        """The answer.  No agent, one that is starting, one that dies: all of it is tried again."""
        deadline = time.monotonic() + GIVE_UP
        while True:
            answer, error = self.attempt(sandbox, command)
            if answer is not None:
                return answer
            self.ledger.count("unanswered")
            if error and error.code != TRY_AGAIN:
                self.ledger.problem(f"{command} of {sandbox.name}: {error}")
            if time.monotonic() > deadline:
                self.ledger.problem(f"{command} of {sandbox.name}: in vain for {GIVE_UP} s")
                return None
            self.revive()

    # --- what becomes of a sandbox ---

    def add(self, sandbox, labels):
        """A new container; its object comes before or after it."""
        sandbox.renew(labels)
        early = self.random.random() < 0.8
        if early:
            self.lab.write(sandbox.object())
        if self.random.random() < 0.5:
            answer = self.until_it_succeeds(sandbox, "ADD")
        else:
            answer, _ = self.attempt(sandbox, "ADD")
        if not answer:
            self.delete(sandbox)
            return
        self.ledger.answered(sandbox, answer)
        self.ledger.count("answered")
        self.lab.write(sandbox.object())

    def delete(self, sandbox):
        self.ledger.gone(sandbox)
        if self.until_it_succeeds(sandbox, "DEL") is not None:
            self.ledger.count("deleted")
        sandbox.result = None
        self.lab.write_text(self.lab.path_of(sandbox.object()).name, EMPTY)

    def add_until_answered(self, sandbox):
        """The container that the sandbox has now, in any case."""
        self.lab.write(sandbox.object())
        answer = self.until_it_succeeds(sandbox, "ADD")
        if answer:
            self.ledger.answered(sandbox, answer)

    def collect(self, sandbox, valid):
        """GC instead of DEL: of all but the valid ones."""
        self.ledger.gone(sandbox)
        deadline = time.monotonic() + GIVE_UP
        while time.monotonic() < deadline:
            try:
                cni.gc(sandbox.node, valid)
                break
            except cni.CniError as e:
                if e.code != TRY_AGAIN:
                    self.ledger.problem(f"GC: {e}")
            self.revive()
        sandbox.result = None

    def add_again(self, sandbox):
        """The same answer; without one the runtime knows nothing, and asks until it does."""
        self.ledger.begins_again(sandbox)
        answer, error = self.attempt(sandbox, "ADD")
        if not answer:
            if error and error.code != TRY_AGAIN:
                self.ledger.problem(f"repeated ADD of {sandbox.name}: {error}")
            self.ledger.gone(sandbox)
            answer = self.until_it_succeeds(sandbox, "ADD")
        if answer:
            self.ledger.answered(sandbox, answer)
            self.ledger.count("repeated")

    def check(self, sandbox):
        answer, error = self.attempt(sandbox, "CHECK", prev=sandbox.result)
        if error and error.code != TRY_AGAIN:
            self.ledger.problem(f"CHECK of {sandbox.name}: {error}")
        if answer is not None:
            self.ledger.count("checked")

    def step(self, sandbox):
        """Something that its state allows."""
        if not sandbox.result:
            self.add(sandbox, random_labels(self.random))
            return
        kind = self.random.random()
        if kind < 0.2:
            self.add_again(sandbox)
        elif kind < 0.5:
            self.check(sandbox)
        else:
            self.delete(sandbox)


EMPTY = json.dumps({"apiVersion": "v1", "kind": "List", "items": []})


def random_labels(rng):
    return {"color": rng.choice("rgb"), "size": rng.choice("sml")}


def _selector(rng):
    return {} if rng.random() < 0.2 else {"matchLabels": random_labels(rng)}


class Writer:
    """Policies, labels and pods of other nodes that change what no probe asks for.

    Ports 1000 and above: so programs, peer sets and maps of all pods change, and who may reach
    port 80 does not.
    """

    def __init__(self, lab, seed, steady):
        self.lab, self.random, self.steady = lab, random.Random(seed), steady
        self.writes = 0

    def _peer(self):
        rng, kind = self.random, self.random.random()
        if kind < 0.2:
            return {"ipBlock": {"cidr": f"10.{rng.randrange(20, 40)}.0.0/16"}}
        peer = {"podSelector": _selector(rng)}
        if kind < 0.6:
            peer["namespaceSelector"] = {"matchLabels": {"tint": rng.choice("xy")}}
        return peer

    def _policy(self):
        rng = self.random
        kube_namespace = rng.choice(["steady", "locked", "open"])
        name = f"extra-{rng.randrange(6)}"
        path = f"networkpolicy-{kube_namespace}-{name}.json"
        if rng.random() < 0.3:
            self.lab.write_text(path, EMPTY)
            return
        low = rng.randrange(1000, 2000)
        rule = {"ports": [{"port": low, "endPort": low + rng.randrange(50)}]}
        if rng.random() < 0.8:
            rule["from"] = [self._peer() for _ in range(rng.randrange(1, 4))]
        # The steady ones that may be reached are isolated by a policy of their own; the others
        # may be isolated by this one, and nothing is wanted of them but that they stay in place.
        selector = {"matchLabels": {"role": rng.choice(["server", "closed"])}} \
            if kube_namespace == "steady" else _selector(rng)
        self.lab.policy(kube_namespace, name, selector, ingress=[rule], types=["Ingress"])

    def _remote_pod(self):
        rng = self.random
        number = rng.randrange(1, 20)
        name = f"remote-{number}"
        if rng.random() < 0.3:
            self.lab.write_text(f"pod-open-{name}.json", EMPTY)
            return
        self.lab.write({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": "open", "uid": name,
                         "labels": random_labels(rng)},
            "spec": {"nodeName": "elsewhere", "containers": [{"name": "main"}]},
            "status": {"phase": "Running",
                       "podIPs": [{"ip": f"10.201.77.{number}"},
                                  {"ip": f"fd00:201:77::{number}"}]}})

    def _labels(self):
        pod = self.random.choice(self.steady)
        pod.labels.update(random_labels(self.random))
        self.lab.write(pod.object())

    def _namespace(self):
        self.lab.namespace_object(self.random.choice(["steady", "locked", "open"]),
                                  {"tint": self.random.choice("xy")})

    def step(self):
        self.random.choices([self._policy, self._remote_pod, self._labels, self._namespace],
                            [4, 3, 2, 1])[0]()
        self.writes += 1


class Load:
    """Threads: runtimes, each with sandboxes of its own, and one writer."""

    def __init__(self, runtimes, writer):
        self.runtimes, self.writer = runtimes, writer  # runtimes: [(Runtime, [Sandbox])]
        self.stopping, self.threads = threading.Event(), []

    def _run(self, step, pause):
        while not self.stopping.is_set():
            step()
            time.sleep(pause)

    def __enter__(self):
        self.stopping.clear()
        steps = [(lambda r=r, s=s: r.step(r.random.choice(s)), 0.002) for r, s in self.runtimes]
        self.threads = [threading.Thread(target=self._run, args=a, daemon=True)
                        for a in [*steps, (self.writer.step, 0.008)]]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        """Every call under way comes to its end: the agent must live."""
        self.stopping.set()
        for thread in self.threads:
            with contextlib.suppress(RuntimeError):
                thread.join(2 * GIVE_UP)
