"""What tells that something changed: sockets subscribed to rtnetlink's and nf_tables' notifications.

Events only wake: they are counted and their types kept, nothing of what they say is believed. Not everything
has one: iptables-legacy, most sysctls, and IPv4 routes that vanish with a device or address have none.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NamedTuple

from reconciler.errors import UnavailableError
from reconciler.kernel.modules import present
from reconciler.kernel.sock import NETLINK_NETFILTER, NETLINK_ROUTE, SOL_NETLINK, cut, open_socket

if TYPE_CHECKING:
    import socket
    from types import TracebackType
    from typing import Self

    from reconciler.kernel.namespace import Namespace

NETLINK_ADD_MEMBERSHIP = 1
RTNLGRP_LINK, RTNLGRP_TC, RTNLGRP_NEXTHOP = 1, 4, 32
RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV4_NETCONF = 5, 7, 8, 24
RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV6_RULE, RTNLGRP_IPV6_NETCONF = 9, 11, 19, 25
NFNLGRP_NFTABLES = 7

GROUPS = (
    RTNLGRP_LINK,
    RTNLGRP_TC,
    RTNLGRP_NEXTHOP,
    RTNLGRP_IPV4_IFADDR,
    RTNLGRP_IPV4_ROUTE,
    RTNLGRP_IPV4_RULE,
    RTNLGRP_IPV6_IFADDR,
    RTNLGRP_IPV6_ROUTE,
    RTNLGRP_IPV6_RULE,
)
NETCONF = (RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF)

ROOM = 16 << 20  # bytes of each receive buffer
READ = 1 << 16  # bytes a read; only the headers matter
READS = 4096  # a flood must not keep drain() for ever


class Drained(NamedTuple):
    """What came since the last time."""

    messages: int
    types: frozenset[int]
    """``nlmsg_type`` of what came: RTM_NEWROUTE…; those of nf_tables start at 0xa00."""
    overrun: bool
    """The kernel dropped events: anything may have changed."""


class Events:
    """The subscriptions to one namespace. Wait for ``filenos`` to become readable, then ``drain``.

    ``nftables`` says whether changes made through iptables-nft or nft are told too; where they are not,
    ``nftables_reason`` says why.
    """

    def __init__(self, namespace: Namespace, *, nftables: bool = True, netconf: bool = False) -> None:
        self._sockets: list[socket.socket] = []
        self.nftables = False
        self.nftables_reason = "not asked for"
        try:
            self._sockets.append(_subscribe(namespace, NETLINK_ROUTE, GROUPS + (NETCONF if netconf else ())))
            if nftables:
                self._add_nftables(namespace)
        except BaseException:
            self.close()
            raise

    @property
    def filenos(self) -> tuple[int, ...]:
        """The descriptors to wait for."""
        return tuple(one.fileno() for one in self._sockets)

    def drain(self) -> Drained:
        """Take all events that are there now; does not wait."""
        messages, overrun = 0, False
        types: set[int] = set()
        for one in self._sockets:
            for _ in range(READS):
                try:
                    data, (port, _) = one.recvfrom(READ)
                except BlockingIOError:
                    break
                except OSError as error:
                    if error.errno != errno.ENOBUFS:
                        raise
                    overrun = True  # what the buffer still holds can be read
                    continue
                if port == 0:
                    kinds = [kind for kind, *_ in cut(data)]
                    messages += len(kinds)
                    types.update(kinds)
        return Drained(messages, frozenset(types), overrun)

    def close(self) -> None:
        """Close the sockets."""
        for one in self._sockets:
            one.close()
        self._sockets.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add_nftables(self, namespace: Namespace) -> None:
        # Subscribing makes the kernel load nf_tables, which a host with legacy iptables may not want.
        if present("nf_tables") is False:
            self.nftables_reason = "the kernel has no nf_tables, or has not loaded it"
            return
        try:
            self._sockets.append(_subscribe(namespace, NETLINK_NETFILTER, (NFNLGRP_NFTABLES,)))
        except UnavailableError as error:
            self.nftables_reason = str(error)
        else:
            self.nftables, self.nftables_reason = True, ""


def _subscribe(namespace: Namespace, protocol: int, groups: tuple[int, ...]) -> socket.socket:
    made = open_socket(namespace, protocol, ROOM)
    try:
        made.setblocking(False)
        for group in groups:
            made.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
    except OSError as error:
        made.close()
        raise UnavailableError(
            f"no events from {namespace.describe()} (netlink protocol {protocol}): {error.strerror}"
        ) from error
    return made
