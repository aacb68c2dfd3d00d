"""Who is connected to this host: established inbound TCP connections, as sock_diag lists them.

An environment variable would be easier, but sudo drops SSH_CONNECTION. A connection is inbound if its local
port is also listened on. Formats: linux/inet_diag.h.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from reconciler.errors import UnavailableError
from reconciler.kernel.netlink import Netlink
from reconciler.resources.wire import address

if TYPE_CHECKING:
    from reconciler.kernel.namespace import Namespace

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
TCP = 6
ESTABLISHED, LISTEN = 1, 10
REQUEST = Struct("=BBBxI48x")
ANSWER = Struct("=BBxx2s2s16s16s")
FAMILIES = (2, 10)
MAPPED = "::ffff:"


class Peer(NamedTuple):
    """One connection."""

    local: str
    port: int
    remote: str


def peers(namespace: Namespace) -> tuple[Peer, ...]:
    """Return the established inbound connections; none where the kernel does not tell."""
    found: list[tuple[int, Peer]] = []
    try:
        with Netlink(namespace, NETLINK_SOCK_DIAG) as netlink:
            for family in FAMILIES:
                body = REQUEST.pack(family, TCP, 0, 1 << ESTABLISHED | 1 << LISTEN)
                found += [_read(answer) for answer in netlink.dump(SOCK_DIAG_BY_FAMILY, body)]
    except UnavailableError:
        return ()
    listening = {peer.port for state, peer in found if state == LISTEN}
    inbound = [peer for state, peer in found if state == ESTABLISHED and peer.port in listening]
    return tuple(dict.fromkeys(peer for peer in inbound if not _loopback(peer.remote)))


def _read(answer: bytes) -> tuple[int, Peer]:
    family, state, port, _, local, remote = ANSWER.unpack_from(answer)
    size = 4 if family == FAMILIES[0] else 16
    words = [address(raw[:size]).removeprefix(MAPPED) for raw in (local, remote)]
    return state, Peer(words[0], int.from_bytes(port, "big"), words[1])


def _loopback(host: str) -> bool:
    return host.startswith("127.") or host == "::1"
