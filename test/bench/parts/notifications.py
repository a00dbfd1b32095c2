# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel tells of nftables in a node."""

import socket
import struct

NETFILTER, NFTABLES_GROUP = 12, 7  # linux/netlink.h, linux/netfilter/nfnetlink.h


def listen(node):
    with node.namespace:
        kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER)
    kernel.bind((0, 0))
    kernel.setsockopt(270, 1, struct.pack("i", NFTABLES_GROUP))
    return kernel
