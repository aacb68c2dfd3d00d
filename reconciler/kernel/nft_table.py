"""Deleting a table that iptables-nft left behind empty: iptables itself has no word for it.

The kernel deletes it only if nothing in nf_tables has changed since the generation that was looked at
(NFNL_BATCH_GENID), so a rule that somebody adds at the same moment is never lost with the table.
Formats: linux/netfilter/nfnetlink.h and nf_tables.h; numbers are big-endian.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from reconciler.kernel.sock import NETLINK_NETFILTER, RECEIVE, cut, open_socket, pack
from reconciler.resources.wire import attribute, parse, text

if TYPE_CHECKING:
    from reconciler.kernel.namespace import Namespace

BATCH_BEGIN, BATCH_END = 16, 17
SUBSYSTEM = 10 << 8
DELTABLE, GETGEN = SUBSYSTEM | 2, SUBSYSTEM | 16
GEN_ID = TABLE_NAME = BATCH_GENID = 1
REQUEST, ACK = 1, 4
ERROR = 2
FAMILIES = {4: 2, 6: 10}
ROOM = 1 << 16


def generation(namespace: Namespace) -> int:
    """Return the number of nf_tables' present generation; OSError if the kernel does not say."""
    with open_socket(namespace, NETLINK_NETFILTER, ROOM) as one:
        one.settimeout(1)
        one.send(pack(GETGEN, REQUEST, 1, _head(0, 0)))
        for kind, _, _, body in cut(one.recv(RECEIVE)):
            if kind != ERROR:
                return int.from_bytes(parse(body, 4)[GEN_ID], "big")
    raise OSError(0, "nf_tables does not tell its generation")


def delete(namespace: Namespace, family: int, table: str, seen: int) -> bool:
    """Delete a table if the generation is still ``seen``; False if the kernel refused."""
    begin = _head(0, 10) + attribute(BATCH_GENID, seen.to_bytes(4, "big"))
    messages = [
        pack(BATCH_BEGIN, REQUEST, 1, begin),
        pack(DELTABLE, REQUEST | ACK, 2, _head(FAMILIES[family], 0) + text(TABLE_NAME, table)),
        pack(BATCH_END, REQUEST, 3, _head(0, 10)),
    ]
    with open_socket(namespace, NETLINK_NETFILTER, ROOM) as one:
        one.settimeout(1)
        one.send(b"".join(messages))
        for kind, _, _, body in cut(one.recv(RECEIVE)):
            if kind == ERROR:
                return bool(struct.unpack_from("=i", body)[0] == 0)
    return False


def _head(family: int, resource: int) -> bytes:
    """Struct nfgenmsg; the subsystem's number goes where a resource's does, in a batch's begin and end."""
    return struct.pack(">BBH", family, 0, resource)
