# SPDX-License-Identifier: GPL-2.0-or-later
"""The image: its recipe, and an agent in it with nothing but what deploy/daemonset.yaml gives."""

import pathlib
import re
import signal
import subprocess

import pytest

from lab import image, tcp
from lab.cluster import wait_for
from lab.container import Container

AGENT = ["/usr/sbin/manx", "agent", "--manifests", "/etc/manx/manifests", "--cni-bin-dir", ""]
MIB = 1 << 20
KUBECONFIG = """{clusters: [{name: a, cluster: {server: "https://127.0.0.1:1"}}],
 users: [{name: a, user: {token: x}}], contexts: [{name: a, context: {cluster: a, user: a}}],
 current-context: a}"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The root file system as the recipe makes it, and the entry point."""
    return image.build(tmp_path_factory.mktemp("image"))


@pytest.fixture
def root(built):
    return built[0]


@pytest.fixture
def node(lab):
    node = lab.node("node-a")
    node.run_dir.mkdir()
    node.state_dir.mkdir()
    return node


@pytest.fixture
def start(lab, node, root):
    """A function that starts the agent in the image, in the node's network."""
    started = []

    def function(**options):
        options.setdefault("capabilities", ["NET_ADMIN"])
        started.append(Container(
            node.namespace, root, [*AGENT, "--node", node.name], node.log,
            mounts=[(lab.manifests, "/etc/manx/manifests", True),
                    (node.run_dir, "/run/manx", False), (node.state_dir, "/var/lib/manx", False),
                    (node.cni_conf_dir, "/etc/cni/net.d", False)], **options))
        return started[-1]

    yield function
    for container in started:
        container.stop(signal.SIGKILL)


def install(node, root):
    """What the init container does."""
    container = Container(node.namespace, root, ["/usr/sbin/manx", "install"], node.log,
                          mounts=[(node.cni_bin_dir, "/opt/cni/bin", False)])
    assert container.wait() == 0, node.log_text()


def test_the_recipe(built):
    root, entry = built
    assert entry == '["/usr/sbin/manx"]'
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files)
    assert 5 * MIB < size < 50 * MIB
    programs = {str(path.relative_to(root)) for path in files if path.stat().st_mode & 0o111
                and ".so" not in path.name}
    assert programs == {"usr/sbin/manx", "usr/sbin/manx-cni"}
    done = subprocess.run(["chroot", root, "/usr/sbin/manx", "version"], capture_output=True,
                          text=True, check=True)
    assert re.fullmatch(r"manx \S+\nwith libmicrohttpd/\S+\nwith libcurl/\S+ OpenSSL/.*\n",
                        done.stdout)
    packages = {path.name for path in (root / "var/lib/dpkg/status.d").iterdir()}
    # Debian 13 names libraries of 64-bit times apart.
    names = {package.removesuffix("t64") for package in packages}
    assert names >= {"libc6", "libmnl0", "libnftnl11", "libgcc-s1", "libcurl4", "libmicrohttpd12"}
    for package in packages:
        assert (root / "usr/share/doc" / package / "copyright").stat().st_size > 0
        entry = (root / "var/lib/dpkg/status.d" / package).read_text()
        assert f"Package: {package}\n" in entry and "\nVersion: " in entry


def test_without_libcurl(root, tmp_path):
    """The agent loads it for the Kubernetes API: it says what is missing; a folder needs none."""
    without = tmp_path / "rootfs"
    subprocess.run(["cp", "-a", root, without], check=True)
    for path in without.rglob("libcurl*.so*"):
        path.unlink()
    (without / "etc/manx/kubeconfig").write_text(KUBECONFIG)
    (without / "etc/manx/manifests").mkdir()

    def agent(*source):
        return subprocess.run(
            ["unshare", "--net", "--mount", "sh", "-c",
             'mount -t proc proc "$0/proc" && exec timeout 5 chroot "$0" /usr/sbin/manx "$@"',
             without, "agent", "--node", "n", *source],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    done = agent("--kubeconfig", "/etc/manx/kubeconfig")
    assert done.returncode == 1
    missing = r"cannot start.*libcurl\.so\.4: cannot open.*libcurl4"
    assert re.search(missing, done.stderr), done.stderr
    done = agent("--manifests", "/etc/manx/manifests")
    assert "source complete" in done.stderr, done.stderr
    assert "without libcurl" in subprocess.run(
        ["chroot", without, "/usr/sbin/manx", "version"], capture_output=True, text=True,
        check=True).stdout


def test_pods_of_an_agent_in_the_image(lab, node, root, start):
    """Ready, pods and packets, with CAP_NET_ADMIN alone, a root that cannot be written to and a
    /proc/sys that cannot either."""
    install(node, root)
    assert list(node.cni_conf_dir.iterdir()) == []
    agent = start()
    wait_for(lambda: node.get("/readyz")[0] == 200, 10, f"readiness\n{node.log_text()}")
    status = agent.status()
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {f"{1 << 12:016x}"}
    assert status["NoNewPrivs"] == "1"
    mounts = {line.split()[4]: line.split()[5].split(",")[0] for line in pathlib.Path(
        f"/proc/{agent.pid}/mountinfo").read_text().splitlines()}
    assert mounts["/"] == mounts["/proc/sys"] == mounts["/etc/manx/manifests"] == "ro"
    assert mounts["/run/manx"] == "rw" and "/opt/cni/bin" not in mounts
    web, client = (lab.run_pod(node, "default", name) for name in ("web", "client"))
    lab.settle()
    assert tcp(client, web.v4, 80) and tcp(client, web.v6, 80)
    lab.policy("default", "closed", ingress=[], types=["Ingress"])
    wait_for(lambda: not tcp(client, web.v4, 80), 5, "isolation")
    assert "default/closed" in agent.run("/usr/sbin/manx", "status").stdout
    lab.delete(client)
    assert agent.stop() == 0
    start()
    wait_for(lambda: node.get("/readyz")[0] == 200, 10, f"readiness\n{node.log_text()}")
    lab.delete(web)


def test_without_its_capability_it_says_so(start, node):
    """The walls of this laboratory are real, and CAP_NET_ADMIN is needed."""
    assert start(capabilities=()).wait() == 1
    assert "cannot start" in node.log_text() and "Operation not permitted" in node.log_text()
    assert list(node.cni_conf_dir.iterdir()) == []


def test_an_agent_that_would_have_to_switch_forwarding_on(start, node):
    """In a container it cannot: it says what is missing, and waits for it."""
    node.namespace.sysctl("net.ipv4.ip_forward", 0)
    start()
    missing = "net.ipv4.ip_forward=1 cannot be set: Read-only file system"
    wait_for(lambda: missing in node.get("/readyz")[1], 10, f"it to be told\n{node.log_text()}")
    assert node.get("/readyz")[0] == 503
    assert missing in node.log_text()
    assert list(node.cni_conf_dir.iterdir()) == []
    node.namespace.sysctl("net.ipv4.ip_forward", 1)
    wait_for(lambda: node.get("/readyz")[0] == 200, 10, f"readiness\n{node.log_text()}")
    assert list(node.cni_conf_dir.iterdir())
