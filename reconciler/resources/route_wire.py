"""Routes as bytes: struct rtmsg and its attributes (linux/rtnetlink.h), both ways."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from reconciler.resources.wire import address, attribute, number, packed, parse, u32

if TYPE_CHECKING:
    from collections.abc import Mapping

RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTMSG = Struct("=BBBBBBBBI")
RTNEXTHOP = Struct("=HBBi")
RTA_DST, RTA_SRC, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC = 1, 2, 4, 5, 6, 7
RTA_METRICS, RTA_MULTIPATH, RTA_FLOW, RTA_TABLE, RTA_VIA, RTA_PREF = 8, 9, 11, 15, 18, 20
RTA_ENCAP, RTA_NH_ID = 22, 30
RTM_F_CLONED = 0x200
RTNH_F_ONLINK = 4
TYPES = {1: "unicast", 2: "local", 6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw"}
NUMBERS = {word: code for code, word in TYPES.items()}
SCOPE_UNIVERSE, SCOPE_LINK, SCOPE_HOST = 0, 253, 254
AF = {4: 2, 6: 10}
MORE = {
    RTA_SRC: "from",
    RTA_METRICS: "metrics",
    RTA_MULTIPATH: "nexthops",
    RTA_FLOW: "realm",
    RTA_VIA: "via",
    RTA_ENCAP: "encap",
    RTA_NH_ID: "nhid",
}
WAYS = ("nexthops ", "via ", "nhid ")
"""Beginnings of what stands for a gateway among the attributes without a field."""


class Fields(NamedTuple):
    """A route, as the kind has it; the same fields in the same order."""

    family: int
    table: int
    to: str
    metric: int
    type: str
    via: str
    dev: str | None
    src: str
    more: tuple[str, ...]


def _more(more: tuple[str, ...], scope: int, *, shared: bool) -> tuple[int, int, int, bytes]:
    """Return tos, scope, flags and attributes that the words for further attributes stand for."""
    tos, flags, extra = 0, 0, b""
    for word in more:
        name, _, rest = word.partition(" ")
        if shared and name in ("nexthops", "via"):
            continue
        if name == "tos":
            tos = int(rest, 16)
        elif name == "scope":
            scope = int(rest)
        elif name == "onlink":
            flags = RTNH_F_ONLINK
        elif name == "pref":
            extra += attribute(RTA_PREF, bytes((int(rest),)))
        else:
            code = next(c for c, n in MORE.items() if n == name)
            extra += attribute(code, bytes.fromhex(rest))
    return tos, scope, flags, extra


def pack(route: Fields, protocol: int) -> tuple[bytes, tuple[tuple[int, str], ...]]:
    """Return a message body, and where the device's index goes."""
    family, table, to, metric, kind, via, dev, src, more = route
    host, _, length = to.partition("/")
    scope = _scope(kind, bool(via) or any(word.startswith(WAYS) for word in more)) if family == 4 else SCOPE_UNIVERSE
    shared = any(word.startswith("nhid ") for word in more)  # the nexthop object says the whole way, and alone
    if shared:
        kind = "unicast"  # a blackhole here is the object's
    tos, scope, flags, extra = _more(more, scope, shared=shared)
    body = RTMSG.pack(
        AF[family], int(length), 0, tos, table if table < 256 else 252, protocol, scope, NUMBERS[kind], flags
    )
    body += u32(RTA_TABLE, table)
    if length != "0":
        body += attribute(RTA_DST, packed(host))
    if metric:
        body += u32(RTA_PRIORITY, metric)
    if src:
        body += attribute(RTA_PREFSRC, packed(src))
    if via and not shared:
        body += attribute(RTA_GATEWAY, packed(via))
    body += extra
    if dev and not shared:
        body += u32(RTA_OIF, 0)
        return body, ((len(body) - 4, dev),)
    return body, ()


def unpack(body: bytes, devices: Mapping[int, str]) -> tuple[Fields | None, int]:
    """Read a route and its protocol; None for what no file can mean (cached clones, broadcasts)."""
    family, length, _, tos, _, protocol, scope, code, flags = RTMSG.unpack_from(body)
    if code not in TYPES or flags & RTM_F_CLONED or family not in (2, 10):
        return None, protocol
    found = parse(body, 12)
    family = 4 if family == 2 else 6
    kind = TYPES[code]
    to = f"{address(found[RTA_DST])}/{length}" if RTA_DST in found else ("0.0.0.0/0" if family == 4 else "::/0")
    via = address(found[RTA_GATEWAY]) if RTA_GATEWAY in found else ""
    dev = ""
    if RTA_OIF in found and (kind == "unicast" or family == 4):
        index = number(found[RTA_OIF])
        dev = devices.get(index, f"if{index}")
    more = [f"{name} {found[code].hex()}" for code, name in MORE.items() if code in found]
    if tos:
        more.append(f"tos {tos:#x}")
    if family == 4 and scope != _scope(kind, bool(via) or any(word.startswith(WAYS) for word in more)):
        more.append(f"scope {scope}")
    if flags & RTNH_F_ONLINK:
        more.append("onlink")
    if any(found.get(RTA_PREF, b"")):
        more.append(f"pref {found[RTA_PREF][0]}")
    src = address(found[RTA_PREFSRC]) if RTA_PREFSRC in found else ""
    return Fields(
        family,
        number(found[RTA_TABLE]),
        to,
        number(found.get(RTA_PRIORITY, b"")),
        kind,
        via,
        dev,
        src,
        tuple(more),
    ), protocol


def hops(route: Fields, devices: Mapping[int, str]) -> list[Fields]:
    """Return a route of several next hops as routes of one each (struct rtnexthop); none for any other route."""
    found = []
    for word in route.more:
        name, _, digits = word.partition(" ")
        raw, at = bytes.fromhex(digits) if name == "nexthops" else b"", 0
        while at + RTNEXTHOP.size <= len(raw):
            size, _, _, index = RTNEXTHOP.unpack_from(raw, at)
            if size < RTNEXTHOP.size:
                break
            gateway = parse(raw[at + RTNEXTHOP.size : at + size]).get(RTA_GATEWAY)
            more = tuple(other for other in route.more if other != word)
            dev = devices.get(index, f"if{index}")
            found.append(route._replace(via=address(gateway) if gateway else "", dev=dev, more=more))
            at += (size + 3) & ~3
    return found


def predict(route: Fields, indexes: Mapping[str, int], protocol: int) -> bytes | None:
    """Return the bytes with which the kernel dumps an IPv4 route (net/ipv4/fib_semantics.c, fib_dump_info)."""
    family, table, to, metric, kind, via, dev, src, more = route
    if family != 4 or more or dev is None or (dev and dev not in indexes):
        return None
    host, _, length = to.partition("/")
    scope = _scope(kind, bool(via))
    body = RTMSG.pack(2, int(length), 0, 0, table if table < 256 else 252, protocol, scope, NUMBERS[kind], 0)
    body += u32(RTA_TABLE, table)
    if length != "0":
        body += attribute(RTA_DST, packed(host))
    if metric:
        body += u32(RTA_PRIORITY, metric)
    if src:
        body += attribute(RTA_PREFSRC, packed(src))
    if via:
        body += attribute(RTA_GATEWAY, packed(via))
    if dev:
        body += u32(RTA_OIF, indexes[dev])
    return body


def _scope(kind: str, gateway: bool) -> int:
    """Return the scope that an IPv4 route has where nobody says otherwise, as in iproute2."""
    return SCOPE_HOST if kind == "local" else SCOPE_UNIVERSE if gateway or kind != "unicast" else SCOPE_LINK
