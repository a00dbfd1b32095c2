# SPDX-License-Identifier: GPL-2.0-or-later
"""What a kubelet does for one pod: its volumes, its init containers, its containers, its probes.
The filter of system calls is that of manx.service, which lets less through than a
runtime's default.  Limits are not set.

Everything comes from the Pod as the API server holds it.  A field that matters and is not known
here is an error, so a manifest cannot ask for what is not done.
"""

import http.client
import itertools
import re

from lab.container import Container
from lab.service import Service

from .kubeconfig import ProjectedFolder, ServiceAccountFolder
from .objects import path_of

TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"
KNOWN = {"name", "image", "command", "env", "securityContext", "livenessProbe", "readinessProbe",
         "resources", "volumeMounts", "terminationMessagePath", "terminationMessagePolicy",
         "imagePullPolicy"}


def daemon_pod(daemon_set, node):
    """The Pod that the controller of DaemonSets makes for a node."""
    template, metadata = daemon_set["spec"]["template"], daemon_set["metadata"]
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": f"{metadata['name']}-{node}", "namespace": metadata["namespace"],
                         "labels": template["metadata"]["labels"]},
            "spec": {**template["spec"], "nodeName": node}}


class Kubelet:
    """Of one node of a KubeLab.  host: the folder that stands for the node's root file system;
    image: a root file system, whatever image a container names."""

    numbers = itertools.count(1)

    def __init__(self, lab, node, host, image):
        self.lab, self.node, self.host, self.image = lab, node, host, image
        self.pod, self.containers, self.folders, self.maps = None, {}, {}, {}

    def run(self, pod):
        """Start a pod; return its containers, {name: Container}."""
        self.pod, self.containers, self.folders, self.maps = pod, {}, {}, {}
        spec = pod["spec"]
        assert spec["securityContext"] == {"runAsUser": 0,
                                           "seccompProfile": {"type": "RuntimeDefault"}}
        assert spec["hostNetwork"] and not spec.get("hostPID") and not spec.get("hostIPC")
        for volume in spec["volumes"]:
            self.folders[volume["name"]] = self._volume(volume)
        for container in spec["initContainers"]:
            done = self._start(container).wait()
            assert done == 0, f"{container['name']}: {done}: {self.node.log_text()}"
        for container in spec["containers"]:
            self.containers[container["name"]] = self._start(container)
        return self.containers

    def stop(self):
        """End the pod as a deletion does; return the exit statuses."""
        return {name: container.stop(seconds=self.pod["spec"]["terminationGracePeriodSeconds"])
                for name, container in self.containers.items()}

    def sync(self):
        """Bring changed ConfigMaps to the running pod."""
        for name, folder in self.maps.items():
            folder.exchange(self._data(name))

    def probe(self, name, kind):
        """The status that a probe is answered with, 0 when nobody listens."""
        container = next(c for c in self.pod["spec"]["containers"] if c["name"] == name)
        get = container[kind]["httpGet"]
        with self.node.namespace:
            connection = http.client.HTTPConnection(get["host"], get["port"], timeout=1)
            try:
                connection.request("GET", get["path"])
                return connection.getresponse().status
            except OSError:
                return 0
            finally:
                connection.close()

    def _data(self, name):
        return self.lab.client.get(path_of({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {
                "name": name, "namespace": self.pod["metadata"]["namespace"]}}))["data"]

    def _volume(self, volume):
        """The folder of a volume on the host."""
        name, namespace = volume["name"], self.pod["metadata"]["namespace"]
        path = self.host / f"kubelet/{next(self.numbers)}/{name}"
        if "hostPath" in volume:
            path = self.host / volume["hostPath"]["path"].lstrip("/")
            assert volume["hostPath"]["type"] == "DirectoryOrCreate"
            path.mkdir(mode=0o755, parents=True, exist_ok=True)
        elif "configMap" in volume:
            of = volume["configMap"]["name"]
            self.maps[of] = ProjectedFolder(path, self._data(of))
        else:
            kinds = {kind for source in volume["projected"]["sources"] for kind in source}
            assert kinds == {"serviceAccountToken", "configMap", "downwardAPI"}, kinds
            control = self.lab.control
            token = control.token(namespace, self.pod["spec"]["serviceAccountName"])
            ServiceAccountFolder(path, control.authority.certificate, namespace, token)
        return path

    def _start(self, container):
        assert container.keys() <= KNOWN, container.keys() - KNOWN
        rights = container["securityContext"]
        assert rights.keys() == {"allowPrivilegeEscalation", "readOnlyRootFilesystem",
                                 "capabilities"}
        assert rights["capabilities"]["drop"] == ["ALL"]
        environment = self._environment(container)
        command = [re.sub(r"\$\((\w+)\)", lambda m: environment[m.group(1)], word)
                   for word in container["command"]]
        mounts = [(self.folders[m["name"]], m["mountPath"], m.get("readOnly", False))
                  for m in container["volumeMounts"]]
        return Container(self.node.namespace, self.image, command, self.node.log, mounts,
                         rights["capabilities"].get("add", ()), environment,
                         rights["readOnlyRootFilesystem"],
                         not rights["allowPrivilegeEscalation"], Service())

    def _environment(self, container):
        given = {"KUBERNETES_SERVICE_HOST": self.lab.control.address,
                 "KUBERNETES_SERVICE_PORT": str(self.lab.control.port)}
        for variable in container.get("env", ()):
            assert variable["valueFrom"]["fieldRef"]["fieldPath"] == "spec.nodeName"
            given[variable["name"]] = self.pod["spec"]["nodeName"]
        return given
