# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole cluster on one machine: etcd, API server, controllers and scheduler in one network
namespace (test/kube's Control), and nodes on the same switch, each with a kubelet, containerd, runc
and kube-proxy in namespaces and a cgroup of its own.  Images are assembled from files.

    with Cluster() as cluster:
        cluster.install()                                  # README's "On a cluster"
        web = cluster.run("web", node="n1")                # a real pod
        assert tcp(cluster.pod("default", "client"), web.v4, 80)

The names of all it makes begin with mxt<process id>-; what a killed run left is swept by the next.
`test/cluster/keep` leaves a cluster to look into.
"""

from .cgroup import why_not
from .cluster import Cluster
from .meanwhile import NodeWatch, Traffic
from .node import ADDRESSES, Node, sweep_nodes
from .pod import NetworkAt, Pod, manifest, named

__all__ = ["ADDRESSES", "Cluster", "NetworkAt", "Node", "NodeWatch", "Pod", "Traffic", "manifest",
           "named", "sweep_nodes", "why_not"]
