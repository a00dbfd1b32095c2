# SPDX-License-Identifier: GPL-2.0-or-later
"""Credentials on disk, as clients find them: kubeconfig files, the folder that a pod is given."""

import base64
import itertools
import os

import yaml


def _inline(path):
    return base64.b64encode(path.read_bytes()).decode()


def write_kubeconfig(path, server, authority=None, certificate=None, token=None, token_file=None,
                     inline=False, cluster=None, user=None):
    """Write a kubeconfig and return its path.

    authority, certificate: PEM files, named in it or, with inline, held in it.
    cluster, user: more fields of these, as {"tls-server-name": "x"}.
    """
    of_cluster, of_user = {"server": server}, {}
    for fields, name, file in (
            (of_cluster, "certificate-authority", authority),
            (of_user, "client-certificate", certificate and certificate.certificate),
            (of_user, "client-key", certificate and certificate.key)):
        if file and inline:
            fields[f"{name}-data"] = _inline(file)
        elif file:
            fields[name] = str(file)
    if token:
        of_user["token"] = token
    if token_file:
        of_user["tokenFile"] = str(token_file)
    path.write_text(yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": "lab", "preferences": {},
        "clusters": [{"name": "lab", "cluster": {**of_cluster, **(cluster or {})}}],
        "users": [{"name": "lab", "user": {**of_user, **(user or {})}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}]},
        sort_keys=False))
    path.chmod(0o600)
    return path


class ProjectedFolder:
    """A volume as a kubelet makes it of a ConfigMap, a token and the like.  All files are exchanged
    at once: they are links through `..data`, which is renamed over."""

    versions = itertools.count(1)

    def __init__(self, path, files):
        self.path = path
        path.mkdir(parents=True)
        self.exchange(files)
        for name in files:
            (path / name).symlink_to(f"..data/{name}")

    def exchange(self, files):
        """New contents: {name: text}."""
        version = f"..{next(self.versions)}"
        (self.path / version).mkdir()
        for name, text in files.items():
            (self.path / version / name).write_text(text)
        (self.path / "..data_tmp").symlink_to(version)
        os.replace(self.path / "..data_tmp", self.path / "..data")


class ServiceAccountFolder(ProjectedFolder):
    """What a pod finds in /var/run/secrets/kubernetes.io/serviceaccount."""

    FILES = ("ca.crt", "namespace", "token")

    def __init__(self, path, authority, namespace, token):
        super().__init__(path, dict(zip(self.FILES, (authority.read_text(), namespace, token),
                                        strict=True)))

    def write(self, *contents):
        """ca.crt, namespace and token, in this order."""
        self.exchange(dict(zip(self.FILES, contents, strict=True)))

    def rotate(self, token):
        """A new token."""
        self.write((self.path / "ca.crt").read_text(), (self.path / "namespace").read_text(),
                   token)
