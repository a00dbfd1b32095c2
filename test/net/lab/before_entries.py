# SPDX-License-Identifier: GPL-2.0-or-later
"""The base chains of an agent from before there was one a hook: put into the table of a node.

before_entries.json holds them as that agent's kernel listed them (NFT_MSG_GETCHAIN, _GETRULE), with
the digests that an agent knows its rules by, which text for nft cannot have.  Their rules name sets
and other chains by names that have not changed, and no address.
Source: linux/netfilter/nf_tables.h.
"""

import json
import pathlib
import socket
import struct

CHAINS = json.loads(pathlib.Path(__file__).with_suffix(".json").read_text())
NAMES = {chain["name"] for chain in CHAINS}

NETLINK_NETFILTER, INET = 12, 1
BATCH_BEGIN, BATCH_END, NFTABLES = 16, 17, 10
NEWCHAIN, DELCHAIN, NEWRULE, DELRULE = 3, 5, 6, 8
REQUEST, ACK, CREATE, APPEND = 1, 4, 0x400, 0x800
NLMSG_ERROR = 2
NESTED = 0x8000
TABLE = (1, b"manx\0")


def _attributes(*pairs):
    return b"".join(struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)
                    for kind, value in pairs)


def _message(kind, flags, body, family=INET, resource=0):
    head = struct.pack("=BBH", family, 0, resource)
    return struct.pack("=IHHII", 20 + len(body), kind, REQUEST | flags, 0, 0) + head + body


def _nftables(kind, flags, *pairs):
    return _message(NFTABLES << 8 | kind, flags, _attributes(TABLE, *pairs))


def _put(chain):
    """The chain, emptied if it is there, and its rules."""
    name = chain["name"].encode() + b"\0"
    yield _nftables(NEWCHAIN, CREATE, (3, name), (4 | NESTED, bytes.fromhex(chain["hook"])),
                    (7, chain["type"].encode() + b"\0"), (12, bytes.fromhex(chain["comment"])))
    yield _nftables(DELRULE, 0, (2, name))
    for rule in chain["rules"]:
        yield _nftables(NEWRULE, CREATE | APPEND, (2, name),
                        (4 | NESTED, bytes.fromhex(rule["expressions"])),
                        (7, bytes.fromhex(rule["userdata"])))


def _drop(names):
    """Base chains first: their rules jump to the others."""
    for name in names:
        yield _nftables(DELRULE, 0, (2, name.encode() + b"\0"))
    for name in names:
        yield _nftables(DELCHAIN, 0, (3, name.encode() + b"\0"))


def put(node, instead_of):
    """In one transaction; @instead_of: chains that go, those on hooks first."""
    resource = socket.htons(NFTABLES)
    batch = [_message(BATCH_BEGIN, 0, b"", 0, resource),
             *(m for chain in CHAINS for m in _put(chain)), *_drop(instead_of),
             _message(BATCH_END, ACK, b"", 0, resource)]
    with node.namespace, socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as s:
        s.bind((0, 0))
        s.settimeout(5)
        s.send(b"".join(batch))
        answer = s.recv(65536)
    kind, error = struct.unpack("=4xH10xi", answer[:20])
    assert kind == NLMSG_ERROR and error == 0, f"the kernel refused the old chains: {error}"
