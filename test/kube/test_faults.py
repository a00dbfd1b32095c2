# SPDX-License-Identifier: GPL-2.0-or-later
"""What servers and networks do to an agent on a cluster, by the real ones.

Every test ends with a proof that changes arrive again, and that the kernel holds exactly what an
agent that starts now would want.  Answers that the real server cannot be made to give are in
test/unit/test_feed.c.
"""

import base64
import signal
import time

from lab.cluster import wait_for

from .lab.shop import FAR, SPACE

BACK_OFF = 40  # seconds: the longest wait between attempts, and some
LATER = "10.201.77.8"
GRACEFUL = "--shutdown-watch-termination-grace-period=10s"  # without it: see Control


def requests_of(shop, **wanted):
    return shop.lab.control.audit.requests(user=shop.lab.user(shop.node), **wanted)


def store_key(name):
    return f"/registry/pods/{SPACE}/{name}"


def delete_past_the_server(shop, name):
    key = base64.b64encode(store_key(name).encode()).decode()
    assert shop.lab.control.store.call("kv/deleterange", {"key": key})["deleted"] == "1"


def test_a_watch_that_ends_goes_on_where_it_was(shop):
    """Connections end, objects change meanwhile: watches are resumed, nothing is listed."""
    shop.lab.settle()
    shop.lab.control.audit.mark()
    shop.cut()
    shop.set_role("friend")
    shop.wait_open()
    shop.prove()
    shop.lab.settle()
    resumed = requests_of(shop, verb="watch", complete=False)
    assert len(resumed) == len(shop.lab.source(shop.node)["collections"])
    assert all("sendInitialEvents" not in r.query and int(r.query["resourceVersion"]) > 0
               for r in resumed)
    # Asked once whether the server's data are as new as ours; nothing is listed.
    wait_for(lambda: requests_of(shop, verb="list"), 10, "the question")
    (probe,) = requests_of(shop, verb="list")
    assert probe.query["limit"] == "1" and probe.query["resourceVersionMatch"] == "NotOlderThan"
    shop.prove_equal()


def test_the_server_restarts_under_change(shop):
    """While it is away everything in the kernel stays."""
    control = shop.lab.control
    before = shop.rules()
    control.server.restart(signal.SIGKILL)
    shop.prove(BACK_OFF)
    control.server.kill()
    time.sleep(1)
    assert shop.rules() == before and not shop.is_open()
    assert "onnect" in shop.problems()
    assert shop.node.get("/readyz")[0] == 200  # pods can be added all the same
    control.server.start()
    shop.prove(BACK_OFF)
    shop.prove_equal()
    shop.wait_well(BACK_OFF)


def test_the_server_ends_gracefully(shop):
    """It ends the watches and answers no more; all goes on with the one that comes after it."""
    control, node = shop.lab.control, shop.node
    control.server_flags.append(GRACEFUL)
    try:
        control.server.restart(signal.SIGKILL)
        shop.prove(BACK_OFF)
        shop.lab.settle()
        before = shop.rules(), node.metrics()["manx_nft_operations_total"]
        assert control.server.stop(seconds=5) == 0
        shop.wait_problem("onnect")
        control.server.start()
        shop.wait_well(BACK_OFF)
        assert (shop.rules(), node.metrics()["manx_nft_operations_total"]) == before
        shop.prove(BACK_OFF)
    finally:
        control.server_flags.remove(GRACEFUL)
    shop.prove_equal()


def test_etcd_restarts_under_the_server(shop):
    shop.lab.control.etcd.restart(signal.SIGKILL)
    shop.prove(BACK_OFF)
    shop.prove_equal()


def test_history_is_gone(shop):
    """410: a list is made, and its difference to what is in force is all that changes."""
    control = shop.lab.control
    shop.far_pod("later", LATER)
    gone = shop.far_pod("gone", "10.201.77.9")
    shop.set_far("friend")
    shop.wait_known()
    shop.wait_known(LATER)
    shop.wait_known("10.201.77.9")
    shop.lab.settle()
    changed = shop.lab.client.get(f"/api/v1/namespaces/{SPACE}/pods/later")
    before = shop.node.metrics()
    control.server.kill()
    # Behind everybody's back: one pod goes, one changes.
    delete_past_the_server(shop, gone["metadata"]["name"])
    changed["metadata"]["labels"] = {"role": "stranger"}
    del changed["metadata"]["resourceVersion"]
    control.store.write([(store_key("later"), changed)])
    control.store.compact()
    control.server.start()
    shop.wait_known("10.201.77.9", wanted=False, seconds=BACK_OFF)
    shop.wait_known(LATER, wanted=False)
    assert shop.knows()
    after = shop.node.metrics()
    assert after["manx_api_expired_total"] > before["manx_api_expired_total"]
    assert after["manx_nft_operations_total"] - before["manx_nft_operations_total"] == 2
    shop.lab.remove(changed)
    shop.prove(BACK_OFF)
    shop.prove_equal()


def test_history_is_gone_twice(shop):
    for _ in range(2):
        shop.lab.control.expire()
        shop.prove(BACK_OFF)
    shop.prove_equal()


def test_etcd_is_restored(shop):
    """resourceVersions go backwards, and objects with them."""
    control = shop.lab.control
    saved = control.snapshot()
    shop.far_pod("later", LATER)
    shop.set_role("friend")
    shop.set_far("friend")
    shop.lab.remove({"kind": "NetworkPolicy", "metadata": {"namespace": SPACE, "name": "web"}})
    shop.wait_known(LATER, wanted=False)
    shop.policy()
    shop.wait_known(LATER)
    shop.wait_open()
    control.restore(saved)
    shop.lab.versions.clear()
    shop.wait_known(LATER, wanted=False, seconds=BACK_OFF)
    shop.wait_known(FAR, wanted=False, seconds=BACK_OFF)
    shop.wait_open(wanted=False, seconds=BACK_OFF)
    shop.prove(BACK_OFF)
    shop.prove_equal()


def test_overload(shop):
    """429 with Retry-After: the agent asks seldom, keeps what it has, and comes back."""
    control, lab, node = shop.lab.control, shop.lab, shop.node
    before = shop.rules()
    with control.objects.overload(lab.user(node)):
        shop.cut()
        shop.wait_problem("429")
        control.audit.mark()
        time.sleep(4)
        # Six collections, and the server asks for a second between attempts.
        assert len(requests_of(shop, code=429)) <= 6 * 4
        assert shop.rules() == before
    shop.prove(BACK_OFF)
    shop.prove_equal()


def test_rights_are_taken_away_and_given_back(shop):
    before = shop.rules()
    with shop.lab.rights(lambda r: r if r["resources"] != ["networkpolicies"] else None):
        shop.cut()
        shop.wait_problem("networkpolicies.networking.k8s.io is forbidden")
        assert "networkpolicies" in shop.node.manx("status", "--run-dir", shop.node.run_dir).stdout
        shop.set_role("friend")  # other collections go on
        shop.wait_open(seconds=BACK_OFF)
        shop.set_role("stranger")
        shop.wait_open(wanted=False)
        assert shop.rules() == before
    shop.prove(BACK_OFF)
    shop.wait_well(BACK_OFF)
    shop.prove_equal()


def test_a_server_that_hangs_for_a_while(shop):
    """Nothing is lost, nothing asked anew."""
    control = shop.lab.control
    control.audit.mark()
    control.server.pause()
    time.sleep(3)
    assert not shop.is_open()
    control.server.resume()
    shop.prove()
    assert not requests_of(shop)
    shop.prove_equal()


def test_a_connection_that_stalls_without_closing(shop):
    """A firewall forgets the connection: TCP probes find out, another one is opened."""
    lab, node = shop.lab, shop.node
    text = node.namespace.run("ss", "-Htn", "dport", "=", ":6443").stdout
    (port,) = {line.split()[3].rsplit(":", 1)[1] for line in text.splitlines()}
    for command in ("add table inet stall",
                    "add chain inet stall in { type filter hook input priority 0; }",
                    "add chain inet stall out { type filter hook output priority 0; }",
                    f"add rule inet stall in tcp sport {port} tcp dport 6443 drop",
                    f"add rule inet stall out tcp dport {port} tcp sport 6443 drop"):
        lab.plane.run("nft", command)
    try:
        shop.set_role("friend")
        assert not shop.is_open()
        shop.wait_open(seconds=100)
        shop.prove(BACK_OFF)
    finally:
        lab.plane.run("nft", "delete", "table", "inet", "stall")
    shop.prove_equal()
