# SPDX-License-Identifier: GPL-2.0-or-later
"""Who an agent is to the API server, and how that changes while it runs."""

import dataclasses
import datetime
import os
import re
import shutil
import signal
import time

import pytest

from lab.cluster import ROOT, wait_for

from .lab import KubeLab, ServiceAccountFolder
from .lab.kubelab import GROUP, RULES, seeing
from .lab.shop import Shop

BACK_OFF = 40  # seconds: the longest wait between attempts, and some
ENDS_SOON = -56  # seconds from now; the server's clock may be a minute off, it thinks
CACHED = 16  # for so long it takes a token that it has seen


def now():
    return datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="module")
def cluster():
    with KubeLab() as lab:
        lab.control.objects.account("kube-system", "manx")
        lab.control.objects.grant("manx-account", RULES, accounts=[("kube-system", "manx")])
        yield lab


def kubeconfig(lab, node, **options):
    (node.folder / "kubeconfig").write_bytes(
        lab.control.kubeconfig(f"{node.name}.conf", **options).read_bytes())


def test_a_token_that_ends_is_read_anew(cluster):
    """What is in force stays when it has ended, and a new one is taken at the next attempt."""
    lab, node = cluster, cluster.node("token")
    token = node.folder / "token"
    token.write_text(lab.control.short_token("kube-system", "manx", ENDS_SOON, age=3600))
    kubeconfig(lab, node, token_file=token)
    node.start_agent()
    shop = Shop(lab, node)
    before = shop.rules()
    time.sleep(CACHED)
    shop.cut()
    shop.wait_problem("401")
    assert shop.rules() == before
    token.write_text(lab.control.short_token("kube-system", "manx", 600))
    shop.prove(BACK_OFF)
    shop.wait_well(BACK_OFF)
    text = node.log_text() + node.manx("status", "--json", "--run-dir", node.run_dir).stdout
    assert token.read_text() not in text and "eyJ" not in text  # no secret is told
    node.stop_agent()


def test_a_certificate_that_ends_is_read_anew(cluster):
    lab, node = cluster, cluster.node("cert")
    user = lab.user(node)
    certificate = lab.control.certificate(user, [GROUP],
                                          not_after=now() + datetime.timedelta(seconds=6))
    paths = node.folder / "client.crt", node.folder / "client.key"

    def install(made):
        for path, source in zip(paths, (made.certificate, made.key), strict=True):
            temporary = path.with_suffix(".tmp")
            temporary.write_bytes(source.read_bytes())
            os.replace(temporary, path)

    install(certificate)
    kubeconfig(lab, node, certificate=type(certificate)(*paths))
    node.start_agent()
    shop = Shop(lab, node)
    time.sleep(7)
    shop.cut()
    shop.wait_problem("401")
    install(lab.control.certificate(user, [GROUP]))
    shop.prove(BACK_OFF)
    shop.prove_equal()
    node.stop_agent()


@pytest.mark.parametrize("how", ["files", "inline", "token"])
def test_kubeconfig(cluster, how):
    lab, node = cluster, cluster.node(f"kc-{how}")
    if how == "token":
        kubeconfig(lab, node, token=lab.control.token("kube-system", "manx"), inline=True)
    else:
        kubeconfig(lab, node, certificate=lab.control.certificate(lab.user(node), [GROUP]),
                   inline=how == "inline")
    node.start_agent()
    shop = Shop(lab, node)
    shop.prove_equal()
    node.stop_agent()


def test_nobody_knows_the_user(cluster):
    """Told by name in status and /readyz; not a crash, not a busy loop."""
    lab, node = cluster, cluster.node("stranger")
    kubeconfig(lab, node, certificate=lab.control.certificate("eve"))
    lab.control.audit.mark()
    node.start_agent(wait=False)
    wait_for(lambda: "forbidden" in node.log_text(), what="the refusal")
    assert 'User \\"eve\\" cannot' in node.log_text() or 'User "eve" cannot' in node.log_text()
    time.sleep(2)
    assert len(lab.control.audit.requests(user="eve")) <= 2 * 8
    status = node.manx("status", "--run-dir", node.run_dir).stdout
    assert "is forbidden" in status
    assert node.get("/readyz")[0] == 503
    node.stop_agent()


def test_the_server_is_somebody_else(cluster):
    """A certificate of another authority: nothing is sent to such a server."""
    lab, node = cluster, cluster.node("fooled")
    other = lab.control.other_authority()
    kubeconfig(lab, node, certificate=lab.control.certificate(lab.user(node), [GROUP]),
               authority=other.certificate)
    lab.control.audit.mark()
    node.start_agent(wait=False)
    wait_for(lambda: "certificate" in node.log_text(), what="the refusal")
    assert not lab.control.audit.requests(user=lab.user(node))
    node.stop_agent()


def trust(node, *authorities):
    """Have the node's host trust these authorities and no others."""
    bundle = node.folder / "ca-certificates.crt"
    bundle.write_bytes(b"".join(one.certificate.read_bytes() for one in authorities))
    node.launcher = seeing(bundle, "/etc/ssl/certs/ca-certificates.crt")


def test_the_hosts_authorities(cluster):
    """They count when the kubeconfig names none, and not beside the one that it names."""
    lab, node = cluster, cluster.node("host")
    other, own = lab.control.other_authority(), lab.control.authority
    certificate = lab.control.certificate(lab.user(node), [GROUP])
    trust(node, other, own)
    kubeconfig(lab, node, certificate=certificate, authority=other.certificate)
    node.start_agent(wait=False)
    wait_for(lambda: "certificate" in node.log_text(), what="the refusal")
    assert node.get("/readyz")[0] == 503
    node.stop_agent()
    kubeconfig(lab, node, certificate=certificate, authority=None)
    node.start_agent()
    node.stop_agent()


@pytest.mark.parametrize("kind", ["rsa", "ec-384", "ec-521", "ed25519"])
def test_keys_of_another_kind(cluster, kind):
    lab, node = cluster, cluster.node(kind)
    kubeconfig(lab, node, certificate=lab.control.certificate(lab.user(node), [GROUP], key=kind))
    node.start_agent()
    node.stop_agent()


def test_a_key_of_another_certificate(cluster):
    """Told by name, not taken for a failure of the network."""
    lab, node = cluster, cluster.node("mixed")
    ours, other = (lab.control.certificate(lab.user(node), [GROUP], key=kind)
                   for kind in ("rsa", "ed25519"))
    kubeconfig(lab, node, certificate=dataclasses.replace(ours, key=other.key))
    node.start_agent(wait=False)
    wait_for(lambda: "no connection to the API server" in node.log_text(), what="the refusal")
    assert re.search("(?i)private key|key values mismatch", node.log_text())
    node.stop_agent()


def test_the_commands_of_the_readme_for_managed_clusters(cluster):
    """A kubeconfig without `exec`, by README's commands: it has no credentials of who made it."""
    lab, node = cluster, cluster.node("managed")
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    block = next(block for block in blocks if "create token" in block)
    etc, work = node.folder / "etc", node.folder / "work"
    etc.mkdir()
    shutil.copytree(ROOT / "deploy", work / "deploy")
    lab.control.kubectl("version")  # makes the administrator's kubeconfig
    admin = lab.control.folder / "admin.conf"
    lab.control.namespace.run(
        "bash", "-euxo", "pipefail", "-c",
        block.replace("sudo ", "").replace("/etc/manx/", f"{etc}/").replace(
            "unset KUBECONFIG", f"export KUBECONFIG={admin}"), cwd=work,
        env={"HOME": str(work), "KUBECONFIG": str(admin),
             "PATH": f"{lab.control.programs}:{os.environ['PATH']}"})
    assert {path.stat().st_mode & 0o777 for path in etc.iterdir()} == {0o600}
    assert "client-" not in (etc / "kubeconfig").read_text()
    for path in etc.iterdir():
        path.rename(node.folder / path.name)
    node.start_agent()
    shop = Shop(lab, node)
    shop.prove(5)
    node.stop_agent()


def test_in_a_pod(cluster):
    """The service account's folder, whose files a kubelet exchanges all at once."""
    lab, node = cluster, cluster.node("inside")
    folder = node.folder / "serviceaccount"
    token = lab.control.short_token("kube-system", "manx", ENDS_SOON, age=3600)
    account = ServiceAccountFolder(folder, lab.control.authority.certificate, "kube-system", token)
    lab.run_inside(node, folder)
    node.start_agent()
    shop = Shop(lab, node)
    account.rotate(lab.control.short_token("kube-system", "manx", 600))
    time.sleep(CACHED)
    shop.cut()
    shop.prove(5)  # 401 once, read anew, asked again at once
    shop.prove_equal()
    node.stop_agent()


def test_the_authority_is_replaced(cluster):
    """A new CA signs the server's certificate: the agent waits until its own file has the new one,
    and goes on without a restart.  The last test: other agents do not know the new CA."""
    lab, node, control = cluster, cluster.node("ca"), cluster.control
    authority = node.folder / "ca.crt"
    authority.write_bytes(control.authority.certificate.read_bytes())
    kubeconfig(lab, node, authority=authority,
               certificate=control.certificate(lab.user(node), [GROUP]))
    node.start_agent()
    shop = Shop(lab, node)
    for one in lab.nodes:
        if one is not node:
            one.stop_agent()
    control.replace_authority()
    control.server.restart(signal.SIGKILL)
    shop.wait_problem("certificate", BACK_OFF)
    assert not shop.is_open()
    authority.write_bytes(control.authority.certificate.read_bytes())
    shop.prove(BACK_OFF)  # files are looked at with each attempt
    shop.prove_equal()
