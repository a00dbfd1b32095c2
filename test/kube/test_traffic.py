# SPDX-License-Identifier: GPL-2.0-or-later
"""What an agent costs the API server with 5,000 pods in it, by the server's audit log and the bytes
that the agent received: at the start, idle, and for a change; beside watching everything."""

import time

import pytest

from .lab import KubeLab
from .lab.shop import Shop

PODS = 5000


@pytest.fixture(scope="module")
def crowd():
    """A shop in a cluster whose other pods are in a namespace that no policy needs."""
    with KubeLab() as lab:
        shop = Shop(lab, lab.node("n1", start=True))
        lab.control.objects.namespace("crowd")
        model = lab.control.objects.pod("crowd", "model", node="elsewhere", ips=["10.203.0.1"])
        lab.control.objects.seed(PODS, model, nodes=[f"node-{i}" for i in range(50)],
                                 address=lambda i: [f"10.203.{1 + i // 250}.{1 + i % 250}"])
        yield shop


def start(shop):
    """Start the agent anew; return (requests, bytes, pods known)."""
    lab, node = shop.lab, shop.node
    node.stop_agent()
    time.sleep(0.3)  # until the ends of its watches are in the log
    lab.control.audit.mark()
    node.start_agent()
    metrics = node.metrics()
    return (lab.control.audit.count(user=lab.user(node)), metrics["manx_api_received_bytes_total"],
            metrics['manx_objects{kind="Pod"}'])


def test_a_start_receives_what_is_needed(crowd):
    requests, size, pods = start(crowd)
    assert (requests, pods) == (7, 3)
    assert size < 64 << 10
    crowd.node.config_file.write_text("all-pods: true\n")
    try:
        wide_requests, wide_size, wide_pods = start(crowd)
    finally:
        crowd.node.config_file.unlink()
    assert (wide_requests, wide_pods) == (7, PODS + 4)
    assert wide_size > 50 * size
    start(crowd)


def test_idle_and_changes_elsewhere_cost_nothing(crowd):
    lab, node = crowd.lab, crowd.node
    crowd.prove()
    lab.settle()
    lab.control.audit.mark()
    before = node.metrics()["manx_api_received_bytes_total"]
    for number in range(20):
        lab.client.patch(f"/api/v1/namespaces/crowd/pods/seed-{number}",
                         {"metadata": {"labels": {"role": "friend"}}})
    time.sleep(2)
    assert not lab.control.audit.requests(user=lab.user(node))
    # Bookmarks may come, once a minute for each collection.
    assert node.metrics()["manx_api_received_bytes_total"] - before < 4096


def test_a_change_costs_its_event(crowd):
    lab, node = crowd.lab, crowd.node
    lab.settle()
    lab.control.audit.mark()
    before = node.metrics()
    crowd.set_far("friend")
    crowd.wait_known()
    after = node.metrics()
    assert not lab.control.audit.requests(user=lab.user(node))
    received = "manx_api_received_bytes_total"
    assert 0 < after[received] - before[received] < 8192
    crowd.set_far("stranger")
    crowd.prove_equal()
