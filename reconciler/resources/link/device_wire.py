"""Settings of interfaces as bytes and as words of ``ip link`` (net/core/rtnetlink.c)."""

from __future__ import annotations

from struct import Struct
from sys import byteorder
from typing import TYPE_CHECKING, Any

from reconciler.resources.base import Dump, Sight
from reconciler.resources.message import Message
from reconciler.resources.wire import attribute, number, parse, string, text, u32

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change

RTM_NEWLINK, RTM_GETLINK, RTM_SETLINK = 16, 18, 19
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_MASTER, IFLA_TXQLEN, IFLA_LINKINFO = 1, 3, 4, 10, 13, 18
IFLA_IFALIAS, IFLA_AF_SPEC, IFLA_GROUP, IFLA_EXT_MASK = 20, 26, 27, 29
IFLA_INFO_SLAVE_KIND = 4
IFLA_INET_CONF, IFLA_INET6_CONF = 1, 2
AF_INET, AF_INET6 = 2, 10
PROMOTE_SECONDARIES = 20
"""IPV4_DEVCONF_PROMOTE_SECONDARIES (linux/ip.h); the array in IFLA_INET_CONF begins with number 1."""
KEEP_ADDR_ON_DOWN = 42
"""DEVCONF_KEEP_ADDR_ON_DOWN (linux/ipv6.h); the array in IFLA_INET6_CONF begins with number 0."""
RTEXT_FILTER_SKIP_STATS = 8
IFF_UP = 1
IFINFOMSG = Struct("=BxHiII")
BOND = "bond"

LINK_DUMP = Dump(RTM_GETLINK, IFINFOMSG.pack(0, 0, 0, 0, 0) + u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS))


def unpack(body: bytes, sight: Sight) -> dict[str, Any]:
    """Read the settings of one interface, as the fields of ``Device``."""
    found = parse(body, 16)
    master = number(found.get(IFLA_MASTER, b""))
    families = parse(found.get(IFLA_AF_SPEC, b""))
    old = parse(families.get(AF_INET, b"")).get(IFLA_INET_CONF, b"")
    new = parse(families.get(AF_INET6, b"")).get(IFLA_INET6_CONF, b"")
    keep = sight.keep_all or _setting(new, KEEP_ADDR_ON_DOWN)
    return {
        "name": string(found[IFLA_IFNAME]),
        "state": "up" if IFINFOMSG.unpack_from(body)[3] & IFF_UP else "down",
        "mtu": number(found[IFLA_MTU]),
        "master": sight.devices.get(master, str(master)) if master else "",
        "promote": sight.promote_all or bool(_setting(old, PROMOTE_SECONDARIES - 1)),
        "mac": found[IFLA_ADDRESS].hex(":") if len(found.get(IFLA_ADDRESS, b"")) == 6 else None,
        "alias": string(found.get(IFLA_IFALIAS, b"")),
        "group": number(found.get(IFLA_GROUP, b"")),
        "txqueuelen": number(found[IFLA_TXQLEN]) if IFLA_TXQLEN in found else None,
        "slave": string(parse(found.get(IFLA_LINKINFO, b"")).get(IFLA_INFO_SLAVE_KIND, b"")) if master else "",
        "keep": keep > 0,
    }


def _setting(conf: bytes, place: int) -> int:
    """Read one signed number of the array of an interface's settings; 0 where it is not there."""
    return int.from_bytes(conf[4 * place : 4 * place + 4], byteorder, signed=True)


def bounces(before: Any, after: Any) -> bool:
    """Tell whether an interface that is up goes down to join or leave its master.

    A bond takes no port that is up (bond_enslave) and leaves none up; a VRF takes it down and up (cycle_netdev).
    """
    return (
        before.state == "up"
        and before.master != after.master
        and not {before.slave, after.slave}.isdisjoint({BOND, "vrf"})
    )


def pack(change: Change) -> Iterator[Message]:
    """Yield the requests of a change.

    Whether master or flags come first in one request depends on the kernel (do_setlink, changed after 6.1).
    """
    before: Any = change.before
    after: Any = change.after
    devices = [(4, change.key[1])]
    flags = mask = 0
    bond = "master" in change.fields and BOND in (before.slave, after.slave)
    if "state" in change.fields and not bond:
        mask, flags = IFF_UP, IFF_UP if after.state == "up" else 0
    if _must_go_down(change):
        yield Message(RTM_SETLINK, 0, IFINFOMSG.pack(0, 0, 0, 0, IFF_UP), tuple(devices))
    body = IFINFOMSG.pack(0, 0, 0, flags, mask)
    if "mac" in change.fields:
        body += attribute(IFLA_ADDRESS, bytes.fromhex(after.mac.replace(":", "")))
    if "mtu" in change.fields and not bond:
        body += u32(IFLA_MTU, after.mtu)
    if "group" in change.fields:
        body += u32(IFLA_GROUP, after.group)
    if "alias" in change.fields:
        body += text(IFLA_IFALIAS, after.alias) if after.alias else attribute(IFLA_IFALIAS, b"")
    if "master" in change.fields:
        if after.master:
            devices.append((len(body) + 4, after.master))
        body += u32(IFLA_MASTER, 0)
    if "txqueuelen" in change.fields:
        body += u32(IFLA_TXQLEN, after.txqueuelen)
    yield Message(RTM_SETLINK, 0, body, tuple(devices))
    if bond:
        flags = IFF_UP if after.state == "up" else 0
        size = u32(IFLA_MTU, after.mtu) if "mtu" in change.fields else b""  # joining has changed it
        yield Message(RTM_SETLINK, 0, IFINFOMSG.pack(0, 0, 0, flags, IFF_UP) + size, tuple(devices[:1]))


def words(change: Change) -> Iterator[list[str]]:
    """Yield the same as words of ``ip link set``."""
    before: Any = change.before
    after: Any = change.after
    line = ["ip", "link", "set", "dev", after.name]
    if _must_go_down(change):
        yield [*line, "down"]
    bond = "master" in change.fields and BOND in (before.slave, after.slave)
    for field, word in (("mac", "address"), ("mtu", "mtu"), ("group", "group"), ("alias", "alias")):
        if field in change.fields and not (bond and field == "mtu"):
            line += [word, str(getattr(after, field))]
    if "master" in change.fields:
        line += ["master", after.master] if after.master else ["nomaster"]
    if "txqueuelen" in change.fields:
        line += ["txqueuelen", str(after.txqueuelen)]
    if "state" in change.fields and not bond:
        line.append(str(after.state))
    yield line
    if bond:
        size = ["mtu", str(after.mtu)] if "mtu" in change.fields else []
        yield ["ip", "link", "set", "dev", after.name, *size, str(after.state)]


def _must_go_down(change: Change) -> bool:
    before: Any = change.before
    after: Any = change.after
    return "master" in change.fields and after.slave == BOND and before.state == "up"
