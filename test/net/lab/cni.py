# SPDX-License-Identifier: GPL-2.0-or-later
"""Two container runtimes: our own client, and cnitool, which is libcni's."""

import json
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]


class CniError(Exception):
    """The plugin's error: {"code": ..., "msg": ..., "details": ...}."""

    def __init__(self, code, msg, details=""):
        super().__init__(f"code {code}: {msg} {details}".rstrip())
        self.code, self.msg, self.details = code, msg, details


def environment(pod, command, **overrides):
    """The variables of CNI 1.1.0 for one pod, with the identity that a kubelet's runtime sends."""
    arguments = {"IgnoreUnknown": "1", "K8S_POD_NAMESPACE": pod.kube_namespace,
                 "K8S_POD_NAME": pod.name, "K8S_POD_INFRA_CONTAINER_ID": pod.container_id,
                 "K8S_POD_UID": pod.uid}
    variables = {"CNI_COMMAND": command, "CNI_CONTAINERID": pod.container_id,
                 "CNI_NETNS": str(pod.netns_path), "CNI_IFNAME": "eth0",
                 "CNI_ARGS": ";".join(f"{k}={v}" for k, v in arguments.items()),
                 "CNI_PATH": str(pod.node.cni_bin_dir), **overrides}
    return {k: v for k, v in variables.items() if v is not None}


def configuration(node, version="1.1.0", **more):
    return {"cniVersion": version, "name": "manx", "type": "manx",
            "socket": str(node.run_dir / "cni.sock"), **more}


def call_raw(node, variables, stdin, timeout=30):
    """Run the plugin with exactly these variables and bytes; return the finished process."""
    if isinstance(stdin, str):
        stdin = stdin.encode()
    with node.namespace:
        return subprocess.run([str(node.plugin)], input=stdin, capture_output=True, check=False,
                              env={"PATH": os.environ["PATH"], **variables}, timeout=timeout)


def result_of(done):
    """The plugin's answer, or its error raised."""
    text = done.stdout.decode()
    if done.returncode == 0:
        return json.loads(text) if text.strip() else None
    try:
        error = json.loads(text)
    except ValueError as e:
        raise AssertionError(f"exit {done.returncode} without a CNI error: stdout {text!r}, "
                             f"stderr {done.stderr.decode()!r}") from e
    raise CniError(error["code"], error["msg"], error.get("details", ""))


def call(pod, command, version="1.1.0", prev=None, runtime=None, variables=None, **more):
    """One call for a pod; runtime is runtimeConfig (capabilities)."""
    config = configuration(pod.node, version, **more)
    if prev is not None:
        config["prevResult"] = prev
    if runtime is not None:
        config["runtimeConfig"] = runtime
    return result_of(call_raw(pod.node, environment(pod, command, **(variables or {})),
                              json.dumps(config)))


def gc(node, valid, **more):
    """GC: valid is a list of pods that are to stay."""
    config = configuration(node, **more)
    config["cni.dev/valid-attachments"] = [
        {"containerID": p.container_id, "ifname": "eth0"} for p in valid]
    return result_of(call_raw(node, {"CNI_COMMAND": "GC", "CNI_PATH": str(node.cni_bin_dir)},
                              json.dumps(config)))


def status(node):
    return result_of(call_raw(node, {"CNI_COMMAND": "STATUS", "CNI_PATH": str(node.cni_bin_dir)},
                              json.dumps(configuration(node))))


OLD_LIBCNI = "v1.1.2"  # of containerd 1.6 and 1.7: knows no CNI 1.1.0
NEW_LIBCNI = "v1.3.1"


def _tool_path(program, version):
    return subprocess.run([ROOT / "scripts/build-cnitool", program, version],
                          stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def _run_tool(node, program, version, *arguments, **variables):
    """A client of libcni, with the configuration that the agent installed.

    It caches results in /var/lib/cni: a mount of its own keeps that out of the machine's.
    """
    cache = node.folder / "cnitool-cache"
    cache.mkdir(exist_ok=True)
    os.makedirs("/var/lib/cni", exist_ok=True)
    tool = _tool_path(program, version)  # a node has no way to what the first build downloads
    with node.namespace:
        done = subprocess.run(
            [shutil.which("unshare"), "--mount", "sh", "-c",
             'mount --bind "$1" /var/lib/cni && shift && exec "$@"', "sh", str(cache),
             tool, *arguments],
            capture_output=True, text=True, check=False, timeout=90,
            env={"PATH": os.environ["PATH"], "CNI_PATH": str(node.cni_bin_dir),
                 "NETCONFPATH": str(node.cni_conf_dir), **variables})
    if done.returncode != 0:
        raise RuntimeError(f"{program} {arguments}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else None


def cnitool(pod, command, capabilities=None, version=NEW_LIBCNI, network="manx"):
    """libcni's own client: add, check, del, status."""
    more = {"CAP_ARGS": json.dumps(capabilities)} if capabilities else {}
    return _run_tool(pod.node, "cnitool", version, command, network, str(pod.netns_path),
                     CNI_ARGS=environment(pod, command)["CNI_ARGS"], **more)


def libcni_gc(node, valid, network="manx"):
    """libcni's GC with a list, as a container runtime calls it."""
    return _run_tool(node, "cnigc", NEW_LIBCNI, network, *valid)
