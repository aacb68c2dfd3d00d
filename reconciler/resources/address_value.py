"""What an address is: the value, and which of its fields the kernel can change in place."""

from __future__ import annotations

from typing import NamedTuple

FOREVER = 0xFFFFFFFF
"""INFINITY_LIFE_TIME (net/addrconf.h)."""
PREFIX_METRIC_6 = 256
"""IP6_RT_PRIO_ADDRCONF (linux/ipv6_route.h): the metric of an IPv6 address's route if nobody says another."""


class Address(NamedTuple):
    """An address as it is on an interface. None is left open by the file."""

    dev: str
    family: int
    address: str
    """With the length of its subnet: ``192.168.1.2/24``; with a peer, the whole address."""
    peer: str = ""
    """The prefix at the other end of a point-to-point link; empty for none."""
    secondary: bool | None = None
    """IPv4: whether it came after another address of its subnet. The kernel decides."""
    tentative: bool | None = None
    """IPv6: whether duplicate address detection goes on. The kernel decides."""
    broadcast: str | None = ""
    """IPv4: the address that all hosts of the subnet hear; empty for none."""
    label: str | None = ""
    """IPv4: the name that ``ifconfig`` shows; empty for the interface's own."""
    scope: str | None = ""
    """IPv4: global, site, link, host or a number; empty for what is usual for such an address."""
    metric: int | None = 0
    """The metric of the route to its subnet; 0 for the kernel's own choice: 0, or 256 with IPv6."""
    noprefixroute: bool | None = False
    """Whether it comes without a route to its subnet."""
    nodad: bool | None = False
    """IPv6: used at once, without duplicate address detection. Matters only when it is made."""
    valid: int | None = FOREVER
    """Seconds until the kernel removes it."""
    preferred: int | None = FOREVER
    """Seconds until no new connection uses it; 0 for a deprecated one."""
    overwritten: bool = False
    """Ours by the record only: somebody has replaced it, and with it our mark."""

    @property
    def host(self) -> str:
        """The address without its length."""
        return self.address.partition("/")[0]

    @property
    def net(self) -> str:
        """The prefix that makes addresses of one interface belong together."""
        return self.peer or self.address

    @property
    def subnet(self) -> str:
        """The prefix that is reached directly through this address; a secondary relies on its primary's route."""
        alone = self.noprefixroute or self.secondary
        return f"{self.host}/{32 if self.family == 4 else 128}" if alone else self.net


FIXED = {4: ("broadcast", "label", "scope", "noprefixroute"), 6: ("metric", "noprefixroute")}
"""What is changed by making the address anew. IPv4 leaves it as it was (net/ipv4/devinet.c, inet_rtm_newaddr).
IPv6 leaves the route to a peer as it was, and adds others (net/ipv6/addrconf.c, inet6_addr_modify): with a peer only.
"""
PLAIN = Address("", 4, "")
KERNELS_OWN = frozenset({"secondary", "tentative", "nodad", "overwritten"})
"""Fields that make no difference between two addresses."""


def whole(value: Address) -> Address:
    """Return an address with every field that the file leaves open as the kernel makes it."""
    valid = FOREVER if value.valid is None else value.valid
    preferred = valid if value.preferred is None else value.preferred
    left = {
        field: getattr(PLAIN, field)
        for field in ("broadcast", "label", "scope", "metric", "noprefixroute", "nodad")
        if getattr(value, field) is None
    }
    return value._replace(valid=valid, preferred=preferred, **left)


def lasts(wanted: int | None, seen: int | None) -> bool:
    """Tell whether a lifetime is good as it is. One that runs down is renewed when half of it is over.

    So a second look finds nothing to do, and an address lives as long as somebody looks after it.
    """
    if wanted is None or seen is None or wanted == seen:
        return True
    return wanted != FOREVER and 0 < seen <= wanted < 2 * seen


def alike(wanted: Address, seen: Address) -> bool:
    """Tell whether an address is as wanted; what is left open is."""
    if wanted[:4] != seen[:4]:
        return False
    return not differing(wanted, seen)


def differing(wanted: Address, seen: Address) -> tuple[str, ...]:
    """Name the fields in which an address is not as wanted."""
    found = []
    for field in Address._fields[4:]:
        one, other = getattr(wanted, field), getattr(seen, field)
        if field in KERNELS_OWN or one is None or other is None or one == other:
            continue
        if field not in ("valid", "preferred") or not lasts(one, other):
            found.append(field)
    return tuple(found)
