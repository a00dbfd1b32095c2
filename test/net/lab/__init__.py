# SPDX-License-Identifier: GPL-2.0-or-later
"""A laboratory of network namespaces: nodes with real agents, pods, real packets.

    with Lab() as lab:
        node = lab.node("node-a")
        node.start_agent()
        pod = lab.pod(node, "default", "web")
        lab.add(pod)
        assert tcp(pod, other.v4, 80)

Everything a lab makes carries the process id in its name (mxt<pid>-...), lies in a folder of its
own, and is gone when the block ends, also after a failure or an interrupt.
"""

from lab.cluster import Lab, Node, Pod
from lab.namespace import Namespace, sweep
from lab.probe import ping, sctp, tcp, tcp_many, udp

__all__ = ["Lab", "Namespace", "Node", "Pod", "ping", "sctp", "sweep", "tcp", "tcp_many", "udp"]
