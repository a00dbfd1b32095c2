# SPDX-License-Identifier: GPL-2.0-or-later
"""The folder of CNI configurations, which others write to as well: meshes, other networks."""

import json
import shutil
import time

import pytest

from lab import cni, tcp
from lab.cluster import wait_for
from lab.cni import CniError

LIMITED = 51
MESH = {"type": "mesh-cni", "log_level": "info", "kubernetes": {"exclude_namespaces": ["a", "b"]}}


@pytest.fixture
def node(lab):
    one = lab.node("n1", start=True)
    lab.namespace_object("default")
    wait_for(conflist(one).exists, what="the list")
    return one


def conflist(node):
    return node.cni_conf_dir / "10-manx.conflist"


def read(node):
    return json.loads(conflist(node).read_text())


def chain(node, plugin=MESH):
    """As istio-cni does: read, append, write beside and rename; keys come out sorted."""
    data = read(node)
    data["plugins"].append(plugin)
    data["meshNote"] = "kept"
    beside = node.cni_conf_dir / "temporary"
    beside.write_text(json.dumps(data, sort_keys=True, indent=2))
    beside.rename(conflist(node))
    return conflist(node).read_text()


def types(node):
    return [p["type"] for p in read(node)["plugins"]]


def test_a_chained_plugin_stays_over_restarts(node):
    text = chain(node)
    time.sleep(0.3)
    assert conflist(node).read_text() == text, "the running agent left it alone"
    node.restart_agent()
    time.sleep(0.3)
    assert conflist(node).read_text() == text


def test_a_list_of_an_earlier_version_is_edited(lab, node):
    node.stop_agent()
    data = {"cniVersion": "1.1.0", "name": "manx", "disableCheck": True, "plugins": [
        {"capabilities": {"portMappings": True}, "socket": "/elsewhere/cni.sock", "type": "manx"},
        MESH]}
    conflist(node).write_text(json.dumps(data))
    node.start_agent()
    now = read(node)
    assert now["plugins"][1:] == [MESH] and now["disableCheck"] is True
    assert now["plugins"][0]["socket"] == str(node.run_dir / "cni.sock")
    assert now["cniVersion"] == "1.0.0" and "1.1.0" in now["cniVersions"]


def test_what_is_taken_away_is_put_back(lab, node):
    conflist(node).unlink()
    wait_for(conflist(node).exists, what="the list to be there again")
    chain(node)
    data = read(node)
    del data["plugins"][0]
    conflist(node).write_text(json.dumps(data))  # in place, as an editor may
    wait_for(lambda: types(node) == ["manx", "mesh-cni"], what="our entry to be there again")
    assert read(node)["meshNote"] == "kept"
    conflist(node).rename(node.cni_conf_dir / "10-manx.conflist.disabled")
    wait_for(conflist(node).exists, what="the list to be there again")
    shutil.rmtree(node.cni_conf_dir)
    wait_for(conflist(node).exists, what="the folder to be there again")
    conflist(node).unlink()
    wait_for(conflist(node).exists, what="the new folder to be watched")
    assert node.metrics()["manx_cni_config_repairs_total"] == 5
    pod = lab.run_pod(node, "default", "p")
    lab.settle()
    assert tcp(node, pod.v4, 80)


def test_a_list_that_is_none_is_set_aside(node):
    conflist(node).write_text('{"plugins": [')
    wait_for(lambda: node.log_text().count("is not as it must be"), what="the log")
    aside = node.cni_conf_dir / "10-manx.conflist.set-aside"
    wait_for(aside.exists, what="it to be set aside")
    assert aside.read_text() == '{"plugins": ['
    wait_for(lambda: node.log_text().count("set aside and written again"), what="a new one")
    assert types(node) == ["manx"]
    cni.status(node)


def test_a_write_in_place_may_take_its_time(node):
    """Cut off, and filled again a moment later: what the writer wanted is what there is."""
    data = read(node)
    data["plugins"].append(MESH)
    text = json.dumps(data)
    with conflist(node).open("w") as f:
        f.write(text[:20])
        f.flush()
        (node.cni_conf_dir / "something").write_text("happens beside it")
        time.sleep(0.5)
        f.write(text[20:])
    time.sleep(1.5)
    assert conflist(node).read_text() == text
    assert not (node.cni_conf_dir / "10-manx.conflist.set-aside").exists()


@pytest.mark.parametrize(("name", "text", "network"), [
    ("05-other.conflist", json.dumps({"name": "other-net", "plugins": [{"type": "bridge"}]}),
     "other-net"),
    ("0.conf", json.dumps({"Name": "other-net", "type": "bridge"}), "other-net"),
    ("09-cut.json", '{"name": ', "unknown"),
    ("10-manx.conf", "{}", "unknown")])
def test_another_list_that_sorts_first(node, name, text, network):
    """It is told by name, each time that it appears."""
    path = node.cni_conf_dir / name

    def problems():
        return [p for p in json.loads(node.manx("status", "--run-dir", node.run_dir,
                                                "--json").stdout)["problems"] if name in p]
    for times in (1, 2):
        path.write_text(text)
        wait_for(lambda: any(network in p for p in problems()), what="status to name it")
        with pytest.raises(CniError, match=name) as e:
            cni.status(node)
        assert e.value.code == LIMITED and network in e.value.msg
        assert node.log_text().count(f'file="{name}"') == times
        value = {k: v for k, v in node.metrics().items()
                 if k.startswith("manx_cni_config_overridden{")}
        assert list(value.values()) == [1] and name in next(iter(value))
        path.unlink()
        wait_for(lambda: not problems(), what="it to be forgotten")
        cni.status(node)
    assert not any(k.startswith("manx_cni_config_overridden{") for k in node.metrics())


def test_lists_that_do_no_harm(node):
    """Behind ours, not read by runtimes, or one that has our network called, as Multus does."""
    entry = read(node)["plugins"][0]
    (node.cni_conf_dir / "20-other.conflist").write_text('{"name": "other", "plugins": []}')
    (node.cni_conf_dir / "00-other.conflist.bak").write_text('{"name": "other", "plugins": []}')
    (node.cni_conf_dir / "00-folder.conf").mkdir()
    (node.cni_conf_dir / "00-multus.conf").write_text(json.dumps(
        {"name": "multus", "type": "multus", "delegates": [{"name": "manx", "plugins": [entry]}]}))
    time.sleep(0.5)
    cni.status(node)
    (node.cni_conf_dir / "00-multus.conf").unlink()
    time.sleep(0.3)
    cni.status(node)
    assert "sorts before ours" not in node.log_text()


def test_another_list_at_the_start(node):
    node.stop_agent()
    (node.cni_conf_dir / "05-other.conflist").write_text('{"name": "other", "plugins": []}')
    node.start_agent()
    with pytest.raises(CniError, match=r"05-other\.conflist"):
        cni.status(node)
