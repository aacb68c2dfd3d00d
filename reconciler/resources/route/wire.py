"""Routes as bytes: struct rtmsg and its attributes (linux/rtnetlink.h), both ways."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

from reconciler.resources.route.value import Hop, Route, option, options
from reconciler.resources.wire import address, attribute, nested, number, packed, parse, u32

if TYPE_CHECKING:
    from collections.abc import Mapping

RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTMSG = Struct("=BBBBBBBBI")
RTNEXTHOP = Struct("=HBBI")
SA_FAMILY = Struct("=H")
RTA_DST, RTA_SRC, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC = 1, 2, 4, 5, 6, 7
RTA_METRICS, RTA_MULTIPATH, RTA_FLOW, RTA_TABLE, RTA_VIA, RTA_PREF = 8, 9, 11, 15, 18, 20
RTA_ENCAP_TYPE, RTA_ENCAP, RTA_NH_ID = 21, 22, 30
RTAX_LOCK, RTAX_MTU = 1, 2
RTM_F_CLONED = 0x200
RTNH_F_DEAD, RTNH_F_ONLINK = 1, 4
TYPES = {1: "unicast", 2: "local", 6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw"}
NUMBERS = {word: code for code, word in TYPES.items()}
SCOPE_UNIVERSE, SCOPE_LINK, SCOPE_HOST = 0, 253, 254
SCOPES = {SCOPE_UNIVERSE: "global", SCOPE_LINK: "link", SCOPE_HOST: "host"}
AF = {4: 2, 6: 10}
METRICS = {"mtu": RTAX_MTU, "advmss": 8, "hoplimit": 10, "initcwnd": 11, "initrwnd": 14}
PREFERENCES = {"high": 1, "low": 3}
"""ICMPV6_ROUTER_PREF_HIGH and _LOW (linux/icmpv6.h): two bits with a sign; medium is none."""
RAW = {"realm": RTA_FLOW, "encap": RTA_ENCAP}


def pack(route: Route, protocol: int) -> tuple[bytes, tuple[tuple[int, str], ...]]:
    """Return a message body, and where the devices' indexes go."""
    family, table, to, metric, kind, via, dev, src, more = route
    host, _, length = to.partition("/")
    found = dict(more)
    if "nexthop" in found:  # the object says the whole way, and alone; a blackhole here is the object's
        kind, via, dev = "unicast", "", ""
    scope = _scope(found["scope"]) if "scope" in found else default_scope(route) if family == 4 else SCOPE_UNIVERSE
    flags = RTNH_F_ONLINK if "onlink" in found else 0
    place = table if table < 256 else 252
    source, _, source_length = found.get("from", "/0").partition("/")
    tos, code = found.get("tos", 0), NUMBERS[kind]
    body = RTMSG.pack(AF[family], int(length), int(source_length), tos, place, protocol, scope, code, flags)
    body += u32(RTA_TABLE, table)
    if length != "0":
        body += attribute(RTA_DST, packed(host))
    if source:
        body += attribute(RTA_SRC, packed(source))
    if metric:
        body += u32(RTA_PRIORITY, metric)
    if src:
        body += attribute(RTA_PREFSRC, packed(src))
    if via:
        body += _gateway(family, via)
    places: list[tuple[int, str]] = []
    if more:
        body += _options(found)
        if "nexthops" in found:
            body += _multipath(family, found["nexthops"], len(body) + 4, places)
    if dev:
        body += u32(RTA_OIF, 0)
        places.append((len(body) - 4, dev))
    return body, tuple(places)


def unpack(body: bytes, devices: Mapping[int, str]) -> tuple[Route | None, int]:
    """Read a route and its protocol; None for what no file can mean (cached clones, broadcasts)."""
    family, length, source_length, tos, _, protocol, scope, code, flags = RTMSG.unpack_from(body)
    if code not in TYPES or flags & RTM_F_CLONED or family not in (2, 10):
        return None, protocol
    found = parse(body, 12)
    family = 4 if family == 2 else 6
    kind = TYPES[code]
    to = f"{address(found[RTA_DST])}/{length}" if RTA_DST in found else ("0.0.0.0/0" if family == 4 else "::/0")
    route = Route(
        family,
        number(found[RTA_TABLE]),
        to,
        number(found.get(RTA_PRIORITY, b"")),
        kind,
        _via(found),
        _name(number(found[RTA_OIF]), devices) if RTA_OIF in found and _has_device(family, kind) else "",
        address(found[RTA_PREFSRC]) if RTA_PREFSRC in found else "",
    )
    if RTA_NH_ID in found:
        route = route._replace(type="unicast", via="", dev="")
    more = _read_options(found, devices)
    if RTA_SRC in found:
        more["from"] = f"{address(found[RTA_SRC])}/{source_length}"
    if family == 4 and tos:
        more["tos"] = tos
    if flags & RTNH_F_ONLINK and not more.keys() & {"nexthop", "nexthops"}:
        more["onlink"] = True
    if more:
        route = route._replace(options=options(more))
    if family == 4 and scope != default_scope(route):
        route = route._replace(options=options({**more, "scope": SCOPES.get(scope, scope)}))
    return route, protocol


def predict(route: Route, indexes: Mapping[str, int], protocol: int) -> bytes | None:
    """Return the bytes with which the kernel dumps an IPv4 route (net/ipv4/fib_semantics.c, fib_dump_info)."""
    family, table, to, metric, kind, via, dev, src, more = route
    if family != 4 or more or dev is None or (dev and dev not in indexes):
        return None
    host, _, length = to.partition("/")
    scope = SCOPE_UNIVERSE if via else default_scope(route)
    body = RTMSG.pack(2, int(length), 0, 0, table if table < 256 else 252, protocol, scope, NUMBERS[kind], 0)
    body += u32(RTA_TABLE, table)
    if length != "0":
        body += attribute(RTA_DST, packed(host))
    if metric:
        body += u32(RTA_PRIORITY, metric)
    if src:
        body += attribute(RTA_PREFSRC, packed(src))
    if via:
        body += _gateway(4, via)
    if dev:
        body += u32(RTA_OIF, indexes[dev])
    return body


def default_scope(route: Route) -> int:
    """Return the scope that an IPv4 route has where nobody says otherwise, as in iproute2."""
    if route.type == "local":
        return SCOPE_HOST
    if route.via or route.type != "unicast":
        return SCOPE_UNIVERSE
    elsewhere = route.options and (option(route, "nexthop") or option(route, "nexthops"))
    return SCOPE_UNIVERSE if elsewhere else SCOPE_LINK


def _scope(word: Any) -> int:
    return next((code for code, name in SCOPES.items() if name == word), word)


def _has_device(family: int, kind: str) -> bool:
    """Tell whether a route of this type leads to a device; IPv6 shows lo for those that lead nowhere."""
    return family == 4 or kind in ("unicast", "local")


def _gateway(family: int, via: str) -> bytes:
    """Return RTA_GATEWAY; RTA_VIA, which begins with the family, for a gateway of the other one."""
    raw = packed(via)
    if (len(raw) == 4) == (family == 4):
        return attribute(RTA_GATEWAY, raw)
    return attribute(RTA_VIA, SA_FAMILY.pack(AF[10 - family]) + raw)


def _via(found: Mapping[int, bytes]) -> str:
    if RTA_GATEWAY in found:
        return address(found[RTA_GATEWAY])
    return address(found[RTA_VIA][2:]) if RTA_VIA in found else ""


def _name(index: int, devices: Mapping[int, str]) -> str:
    return devices.get(index, f"if{index}") if index else ""


def _options(found: Mapping[str, Any]) -> bytes:
    """Return the attributes of the options that have one of their own."""
    metrics = b"".join(u32(code, found[word]) for word, code in METRICS.items() if word in found)
    metrics += bytes.fromhex(found.get("metrics", ""))
    if "mtu-lock" in found:
        metrics += u32(RTAX_LOCK, 1 << RTAX_MTU)
    body = nested(RTA_METRICS, metrics) if metrics else b""
    if "pref" in found:
        body += attribute(RTA_PREF, bytes((PREFERENCES[found["pref"]],)))
    if "nexthop" in found:
        body += u32(RTA_NH_ID, found["nexthop"])
    for word, code in RAW.items():
        if word in found:
            kind, _, digits = found[word].rpartition(":")
            body += attribute(code, bytes.fromhex(digits))
            if kind:
                body += attribute(RTA_ENCAP_TYPE, bytes.fromhex(kind))
    return body


def _multipath(family: int, found: tuple[Hop, ...], at: int, places: list[tuple[int, str]]) -> bytes:
    """Return RTA_MULTIPATH: a struct rtnexthop and attributes for each; ``at`` is where its content begins."""
    listed = b""
    for via, dev, weight, onlink, _ in found:
        way = _gateway(family, via) if via else b""
        if dev:
            places.append((at + len(listed) + 4, dev))
        listed += RTNEXTHOP.pack(RTNEXTHOP.size + len(way), RTNH_F_ONLINK if onlink else 0, weight - 1, 0) + way
    return attribute(RTA_MULTIPATH, listed)


def _read_options(found: Mapping[int, bytes], devices: Mapping[int, str]) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if RTA_METRICS in found:
        more.update(_read_metrics(found[RTA_METRICS]))
    preference = number(found.get(RTA_PREF, b""))
    more["pref"] = next((word for word, code in PREFERENCES.items() if code == preference), None)
    for word, code in RAW.items():
        if code in found:
            kind = found.get(RTA_ENCAP_TYPE, b"").hex() if code == RTA_ENCAP else ""
            more[word] = f"{kind}:{found[code].hex()}" if kind else found[code].hex()
    if RTA_NH_ID in found:
        more["nexthop"] = number(found[RTA_NH_ID])
    elif RTA_MULTIPATH in found:
        more["nexthops"] = _read_multipath(found[RTA_MULTIPATH], devices)
    return {word: value for word, value in more.items() if value}


def _read_metrics(raw: bytes) -> dict[str, Any]:
    """Read the metrics that have words; the others are kept as they are."""
    found = parse(raw)
    more: dict[str, Any] = {word: number(found.pop(code)) for word, code in METRICS.items() if code in found}
    if number(found.get(RTAX_LOCK, b"")) == 1 << RTAX_MTU:
        del found[RTAX_LOCK]
        more["mtu-lock"] = True
    more["metrics"] = b"".join(attribute(code, payload) for code, payload in sorted(found.items())).hex()
    return more


def _read_multipath(raw: bytes, devices: Mapping[int, str]) -> tuple[Hop, ...]:
    found, at = [], 0
    while at + RTNEXTHOP.size <= len(raw):
        size, flags, weight, index = RTNEXTHOP.unpack_from(raw, at)
        if size < RTNEXTHOP.size:
            break
        via = _via(parse(raw[at + RTNEXTHOP.size : at + size]))
        dead = bool(flags & RTNH_F_DEAD)
        found.append(Hop(via, _name(index, devices), weight + 1, bool(flags & RTNH_F_ONLINK), dead))
        at += (size + 3) & ~3
    return tuple(found)
