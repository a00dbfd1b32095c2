# SPDX-License-Identifier: GPL-2.0-or-later
"""Manifests that cannot be read when the agent starts: the unknown does not open, by packets."""

import os

import pytest

from lab import tcp
from lab.cluster import wait_for

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: default}
spec:
  podSelector: {matchLabels: {role: server}}
  policyTypes: [Ingress]
  ingress:
  - ports:
    - port: 80
    from:
    - podSelector: {}
"""


@pytest.fixture
def pods(lab, node):
    """A server on ports 80 and 81 of which a policy opens 80, a client, and one elsewhere."""
    all_three = [lab.run_pod(node, "default", "server", {"role": "server"}, serve=(80, 81)),
                 lab.run_pod(node, "default", "client"),
                 lab.run_pod(node, "elsewhere", "other", serve=(80,))]
    lab.write_text("policy.yaml", POLICY)
    lab.settle()
    assert open_ports(all_three) == {80}
    return all_three


def open_ports(pods):
    server, client, _ = pods
    return {port for port in (80, 81)
            if any(tcp(client, a, port) for a in server.addresses)}


def reaches(source, target, port=80):
    return any(tcp(source, a, port) for a in target.addresses)


def problems(node):
    return node.manx("status", "--run-dir", node.run_dir).stdout


def wait_unready(node, text):
    """/readyz says what is wrong, once the kernel is told all that is known."""
    def told():
        code, page = node.get("/readyz")
        return code == 503 and text in page
    wait_for(told, 10, f"/readyz to say '{text}'")
    wait_for(lambda: "source complete" in node.log_text().rsplit("starting", 1)[-1], 10,
             "the source to be complete")


def cut(path):
    path.write_text(POLICY[:len(POLICY) // 2 + 3])


def truncate(path):
    path.write_text("")


def only_comments(path):
    path.write_text("# " + "\n# ".join(POLICY.splitlines()) + "\n")


def dangle(path):
    path.unlink()
    path.symlink_to("nowhere")


def folder(path):
    path.unlink()
    path.mkdir()


DAMAGES = [cut, truncate, only_comments, dangle, folder]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
def test_policy_file_damaged_while_no_agent_runs(lab, node, pods, damage):
    node.stop_agent()
    damage(lab.manifests / "policy.yaml")
    for _ in range(2):  # and over one more restart
        node.start_agent(wait=False)
        wait_unready(node, "policy.yaml")
        assert open_ports(pods) == {80}
        assert reaches(pods[0], pods[2])  # nobody else is concerned
        assert "its last good copy is in force" in problems(node)
        node.stop_agent()
    node.start_agent(wait=False)
    wait_unready(node, "policy.yaml")
    late = lab.run_pod(node, "default", "late", {"role": "server"}, serve=(80, 81))  # ADD works
    assert reaches(pods[1], late) and not reaches(pods[1], late, 81)
    if damage is folder:
        (lab.manifests / "policy.yaml").rmdir()
    lab.write_text("policy.yaml", POLICY.replace("80", "81"))
    node.wait_ready()
    wait_for(lambda: open_ports(pods) == {81}, 10, "the new policy to be in force")


def test_policy_file_held_truncated_by_a_writer(lab, node, pods):
    node.stop_agent()
    with (lab.manifests / "policy.yaml").open("w") as writer:
        node.start_agent(wait=False)
        wait_unready(node, "open for writing")
        assert open_ports(pods) == {80}
        writer.write(POLICY.replace("80", "81"))
    node.wait_ready()
    wait_for(lambda: open_ports(pods) == {81}, 10, "the new policy to be in force")


def test_kernel_lost_the_table_too(lab, node, pods):
    node.stop_agent()
    truncate(lab.manifests / "policy.yaml")
    node.namespace.run("nft", "delete", "table", "inet", "manx")
    node.start_agent(wait=False)
    wait_unready(node, "policy.yaml")
    assert open_ports(pods) == {80}


def test_no_copy_isolates_the_namespace(lab, node, pods):
    """Nothing is known but what the broken file says itself."""
    node.stop_agent()
    (node.state_dir / "manifests" / "policy.yaml").unlink()
    lab.write_text("policy.yaml", POLICY.replace("policyTypes: [Ingress]", "policyTypes: ]"))
    node.start_agent(wait=False)
    wait_unready(node, "pods of namespace default are isolated")
    assert open_ports(pods) == set()
    assert not reaches(pods[1], pods[2])  # it may have been about egress
    lab.write_text("policy.yaml", POLICY)
    node.wait_ready()
    wait_for(lambda: open_ports(pods) == {80}, 10, "the new policy to be in force")
    assert reaches(pods[1], pods[2])


def test_no_copy_and_cut_isolates_everyone(lab, node, pods):
    node.stop_agent()
    (node.state_dir / "manifests" / "policy.yaml").unlink()
    lab.write_text("policy.yaml", "kind: NetworkPolicy\nmetadata: {name")
    node.start_agent(wait=False)
    wait_unready(node, "pods of every namespace are isolated")
    assert open_ports(pods) == set()
    assert not reaches(pods[0], pods[2])
    (lab.manifests / "policy.yaml").unlink()
    node.wait_ready()
    wait_for(lambda: open_ports(pods) == {80, 81}, 10, "the new policy to be in force")
    assert reaches(pods[0], pods[2])


def test_folder_missing_at_the_start(lab, node, pods):
    node.stop_agent()
    away = lab.manifests.with_name("away")
    lab.manifests.rename(away)
    node.start_agent(wait=False)
    wait_unready(node, "the objects read before stay in force")
    assert open_ports(pods) == {80}
    lab.manifests.mkdir()  # what stands there while a file system is not mounted
    wait_unready(node, "is empty and not the folder that was read before")
    assert open_ports(pods) == {80}
    node.stop_agent()
    node.start_agent(wait=False)
    wait_unready(node, "is empty and not the folder that was read before")
    assert open_ports(pods) == {80}
    lab.manifests.rmdir()
    away.rename(lab.manifests)
    node.wait_ready()
    wait_for(lambda: open_ports(pods) == {80}, 10, "the new policy to be in force")


def test_folder_missing_at_the_very_first_start(lab):
    """Nothing was ever read: that is not the same as nothing being there."""
    node = lab.node("n1")
    away = lab.manifests.with_name("away")
    lab.manifests.rename(away)
    node.start_agent(wait=False)

    def told():
        code, page = node.get("/readyz")
        return code == 503 and "it was never read" in page
    wait_for(told, 10, "/readyz to say so")
    assert "source complete" not in node.log_text()
    away.rename(lab.manifests)
    node.wait_ready()


def test_file_removed_while_no_agent_runs_is_removed(lab, node, pods):
    node.stop_agent()
    os.unlink(lab.manifests / "policy.yaml")
    node.start_agent()
    assert open_ports(pods) == {80, 81}


def test_disk_full_for_copies(lab, node, pods):
    """No worse than without copies, and told."""
    copies = node.state_dir / "manifests"
    (copies / ".new").mkdir()
    lab.write_text("policy.yaml", POLICY.replace("80", "81"))
    wait_for(lambda: open_ports(pods) == {81}, 10, "the new policy to be in force")
    assert "cannot be written" in problems(node)
    assert node.get("/readyz")[0] == 200
    assert not (copies / "policy.yaml").exists()  # the one before is not what is in force
