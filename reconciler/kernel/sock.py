"""Netlink sockets: made in a namespace, with room to receive; and the cutting of what comes out of them."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from reconciler.errors import UnavailableError
from reconciler.kernel.ack import HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.kernel.namespace import Namespace

NETLINK_ROUTE = 0
NETLINK_NETFILTER = 12
SOL_NETLINK = 270
SO_RCVBUFFORCE = 33

RECEIVE = 1 << 20  # bytes a read: 32 KiB come, more if one object is larger


def open_socket(namespace: Namespace, protocol: int, room: int) -> socket.socket:
    """A netlink socket of ``namespace``, bound, with a receive buffer of ``room`` bytes if that is allowed.

    Raises UnavailableError where the kernel does not speak the protocol, or forbids it.
    """

    def make() -> socket.socket:
        return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)

    try:
        made = namespace.run(make)
    except OSError as error:
        names = {NETLINK_ROUTE: "rtnetlink", NETLINK_NETFILTER: "netfilter netlink"}
        name = names.get(protocol, f"netlink (protocol {protocol})")
        raise UnavailableError(f"the kernel gives no {name} socket: {error.strerror}") from error
    for option in (SO_RCVBUFFORCE, socket.SO_RCVBUF):
        try:
            made.setsockopt(socket.SOL_SOCKET, option, room)
        except OSError:  # the first one takes CAP_NET_ADMIN on the host itself
            continue
        break
    made.bind((0, 0))
    return made


def cut(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """The messages in what was received: type, flags, sequence number, and the bytes after nlmsghdr."""
    offset = 0
    while offset + HEADER.size <= len(data):
        length, kind, flags, sequence, _ = HEADER.unpack_from(data, offset)
        if length < HEADER.size:
            return
        yield kind, flags, sequence, data[offset + HEADER.size : offset + length]
        offset += (length + 3) & ~3


def pack(type: int, flags: int, sequence: int, body: bytes) -> bytes:
    """A message with its header, padded so that another one can follow."""
    return HEADER.pack(HEADER.size + len(body), type, flags, sequence, 0) + body + bytes(-len(body) % 4)
