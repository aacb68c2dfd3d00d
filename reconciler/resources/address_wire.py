"""Addresses as netlink messages and as words of ``ip address`` (linux/if_addr.h)."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.resources.address_value import FOREVER, PREFIX_METRIC_6, Address
from reconciler.resources.prefix import parse
from reconciler.resources.wire import address, attribute, number, packed, string, text, u8, u32
from reconciler.resources.wire import parse as attributes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
IFA_ADDRESS, IFA_LOCAL, IFA_LABEL, IFA_BROADCAST, IFA_CACHEINFO, IFA_FLAGS, IFA_RT_PRIORITY, IFA_PROTO = (
    1, 2, 3, 4, 6, 8, 9, 11,
)  # fmt: skip
IFA_F_SECONDARY, IFA_F_NODAD, IFA_F_DEPRECATED, IFA_F_TENTATIVE, IFA_F_PERMANENT, IFA_F_NOPREFIXROUTE = (
    0x01, 0x02, 0x20, 0x40, 0x80, 0x200,
)  # fmt: skip
AF_INET, AF_INET6 = 2, 10
IFADDRMSG = Struct("=BBBBI")
CACHEINFO = Struct("=IIII")
SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
NAMES = {number: name for name, number in SCOPES.items()}


class Seen(NamedTuple):
    """One decoded address, and what tells whose it is."""

    value: Address
    maker: int
    """IFA_PROTO; 0 for none."""
    permanent: bool


def usual_scope(host: str) -> str:
    """Return the scope that an IPv4 address has if nobody says another (iproute2, default_scope)."""
    return "host" if host.startswith("127.") else "global"


def unpack(body: bytes, devices: Mapping[int, str]) -> Seen | None:
    """Read one address; None if it is of another family. IFA_FLAGS has all flags, the header the first eight."""
    family, length, flags, scope, index = IFADDRMSG.unpack_from(body)
    if family not in (AF_INET, AF_INET6):
        return None
    found = attributes_of(body, 8)
    flags = number(found[IFA_FLAGS]) if IFA_FLAGS in found else flags
    far = address(found[IFA_ADDRESS])
    host = address(found[IFA_LOCAL]) if IFA_LOCAL in found else far
    dev = devices.get(index, f"if{index}")
    plain = Address(
        dev,
        4 if family == AF_INET else 6,
        f"{host}/{length if host == far else 32 if family == AF_INET else 128}",
        "" if host == far else f"{far}/{length}",
        family == AF_INET and bool(flags & IFA_F_SECONDARY),
        bool(flags & IFA_F_TENTATIVE),
    )
    more = _old(found, dev, host, scope) if family == AF_INET else _new(found, flags)
    preferred, valid = CACHEINFO.unpack_from(found[IFA_CACHEINFO])[:2] if IFA_CACHEINFO in found else (FOREVER, FOREVER)
    value = plain._replace(
        noprefixroute=bool(flags & IFA_F_NOPREFIXROUTE),
        valid=valid,
        # IPv4 shows a permanent address as preferred for ever, deprecated or not (inet_fill_ifaddr).
        preferred=0 if flags & IFA_F_DEPRECATED else preferred,
        **more,
    )
    return Seen(value, number(found.get(IFA_PROTO, b"")), bool(flags & IFA_F_PERMANENT))


def _old(found: Mapping[int, bytes], dev: str, host: str, scope: int) -> dict[str, Any]:
    label, named = string(found.get(IFA_LABEL, b"")), NAMES.get(scope, str(scope))
    return {
        "broadcast": address(found[IFA_BROADCAST]) if IFA_BROADCAST in found else "",
        "label": "" if label == dev else label,
        "scope": "" if named == usual_scope(host) else named,
        "metric": number(found.get(IFA_RT_PRIORITY, b"")),
    }


def _new(found: Mapping[int, bytes], flags: int) -> dict[str, Any]:
    metric = number(found.get(IFA_RT_PRIORITY, b""))
    return {"metric": 0 if metric == PREFIX_METRIC_6 else metric, "nodad": bool(flags & IFA_F_NODAD)}


def identity(value: Address, flags: int = 0, scope: int = 0) -> bytes:
    """Return the header and the two ends of an address."""
    host, length = parse(value.address)
    raw = far = packed(host)
    if value.peer:
        peer, length = parse(value.peer)
        far = packed(peer)
    family = AF_INET if value.family == 4 else AF_INET6
    return IFADDRMSG.pack(family, length, flags, scope, 0) + attribute(IFA_LOCAL, raw) + attribute(IFA_ADDRESS, far)


def pack(value: Any, before: Address | None, protocol: int) -> bytes:
    """Return the body that makes an address, or makes it of ``before``."""
    flags = IFA_F_NODAD if at_once(value) else 0
    named = value.scope or usual_scope(value.host)
    scope = 0 if value.family == 6 else SCOPES.get(named, int(named) if named.isdecimal() else 0)
    body = identity(value, flags, scope)
    if value.broadcast:
        body += attribute(IFA_BROADCAST, packed(value.broadcast))
    if value.label:
        body += text(IFA_LABEL, value.label)
    if value.noprefixroute:
        body += u32(IFA_FLAGS, flags | IFA_F_NOPREFIXROUTE)
    if metric := _metric(value, before):
        body += u32(IFA_RT_PRIORITY, metric)
    if (value.valid, value.preferred) != (FOREVER, FOREVER):
        body += attribute(IFA_CACHEINFO, CACHEINFO.pack(value.preferred, value.valid, 0, 0))
    return body + u8(IFA_PROTO, protocol)


def words(value: Any, before: Address | None) -> Iterator[str]:
    """Yield the same as words of ``ip address``, behind the verb."""
    yield from [value.host, "peer", value.peer] if value.peer else [value.address]
    yield from ("dev", value.dev)
    for word in ("broadcast", "label", "scope"):
        if getattr(value, word):
            yield from (word, getattr(value, word))
    if metric := _metric(value, before):
        yield from ("metric", str(metric))
    if (value.valid, value.preferred) != (FOREVER, FOREVER):
        yield from ("valid_lft", lifetime(value.valid), "preferred_lft", lifetime(value.preferred))
    yield from ["noprefixroute"] if value.noprefixroute else []
    yield from ["nodad"] if at_once(value) else []


def at_once(value: Address) -> bool:
    """Tell whether an address needs no duplicate detection; else even lo's is tentative for a millisecond.

    Until then no route can prefer it as its source (net/ipv6/addrconf.c leaves that to a worker).
    """
    return value.family == 6 and (bool(value.nodad) or value.dev == "lo")


def lifetime(seconds: int) -> str:
    """Show a lifetime."""
    return "forever" if seconds == FOREVER else str(seconds)


def _metric(value: Any, before: Address | None) -> int:
    """IPv6 keeps its metric if none is named (inet6_addr_modify), so its usual one is named to come back."""
    if not value.metric and value.family == 6 and before is not None and before.metric:
        return PREFIX_METRIC_6
    return int(value.metric)
