# SPDX-License-Identifier: GPL-2.0-or-later
"""The old forms of docs/demo, a folder's, by packets: a Namespace that isolates its pods by an
annotation, and a NetworkPolicy of extensions/v1beta1 that lets some of them be reached."""

import pathlib
import subprocess

import pytest

from lab import tcp
from lab.cluster import binary, wait_for

DEMO = pathlib.Path(__file__).resolve().parents[2] / "docs/demo"


class Shop:
    def __init__(self, lab):
        self.lab = lab
        a, b = (lab.node(name, start=True) for name in ("n1", "n2"))
        lab.write_text("namespaces.yaml", (DEMO / "namespaces.yaml").read_bytes())
        self.db = lab.run_pod(a, "default", "db", {"role": "db"}, serve=(6379, 80))
        self.others = {
            "frontend": lab.run_pod(b, "default", "frontend", {"role": "frontend"}),
            "worker": lab.run_pod(a, "myproject", "worker", {"role": "worker"}),
            "web": lab.run_pod(a, "default", "web", {"role": "web"}),
            "stranger": lab.run_pod(b, "other", "stranger", {"role": "frontend"})}

    def reached(self, port):
        """Who reaches the db."""
        return {name for name, pod in self.others.items()
                if all(tcp(pod, address, port) for address in self.db.addresses)}

    def expect(self, port, names):
        wait_for(lambda: self.reached(port) == set(names), 10, f"{names} on {port}")


@pytest.fixture
def shop(lab):
    return Shop(lab)


def as_it_is(name):
    return (DEMO / name).read_bytes()


def translated(name):
    text = subprocess.run([binary(), "validate", "--translate", DEMO / name], check=True,
                          capture_output=True).stdout
    assert b"beta" not in text
    return text


@pytest.mark.parametrize("form", [as_it_is, translated])
def test_the_two_listings(shop, form):
    shop.expect(6379, shop.others)
    shop.lab.write_text("old-namespace.yaml", form("old-namespace.yaml"))
    shop.expect(6379, [])
    shop.lab.write_text("old-policy.yaml", form("old-policy.yaml"))
    shop.expect(6379, {"frontend", "worker"})
    assert shop.reached(80) == set()
    # The policy goes, the isolation stays.
    (shop.lab.manifests / "old-policy.yaml").unlink()
    shop.expect(6379, [])
    (shop.lab.manifests / "old-namespace.yaml").unlink()
    shop.expect(6379, shop.others)
