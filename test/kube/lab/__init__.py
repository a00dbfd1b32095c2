# SPDX-License-Identifier: GPL-2.0-or-later
"""A laboratory with a real Kubernetes API server (scripts/build-kube) and nothing behind it.

    with Control() as control:
        node = control.objects.node("a", ["10.201.1.0/24"], ["10.200.0.1"])
        control.objects.pod("default", "web", node="a", ips=["10.201.1.2"], labels={"app": "web"})
        with control.admin.list_and_watch("/api/v1/pods") as watch:
            pods, bookmark = watch.initial()
        assert control.audit.count(user="admin", verb="watch", resource="pods", code=200) == 1

Everything a lab makes carries the process id in its name (mxt<pid>-...), lies in a network
namespace and a folder of its own, and is gone when the block ends, also after a failure; what a
killed run left is swept by the next (sweep_servers).
"""

from .audit import AuditLog, Metrics, Request
from .client import METADATA, METADATA_LIST, Answer, ApiError, Client, Ended, Watch
from .control import Control, sweep_servers
from .daemon import Daemon
from .kubeconfig import ProjectedFolder, ServiceAccountFolder, write_kubeconfig
from .kubelab import KubeLab
from .kubelet import Kubelet, daemon_pod
from .objects import Objects, Rate, path_of, pod_status
from .pki import Authority, Certificate

__all__ = ["METADATA", "METADATA_LIST", "Answer", "ApiError", "AuditLog", "Authority",
           "Certificate", "Client", "Control", "Daemon", "Ended", "KubeLab", "Kubelet", "Metrics",
           "Objects", "ProjectedFolder", "Rate", "Request", "ServiceAccountFolder", "Watch",
           "daemon_pod", "path_of", "pod_status", "sweep_servers", "write_kubeconfig"]
