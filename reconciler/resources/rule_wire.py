"""Policy rules as bytes: struct fib_rule_hdr and its attributes (linux/fib_rules.h), both ways."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from reconciler.resources.prefix import is_default
from reconciler.resources.rule_value import ACTION_NUMBERS, ACTIONS, Rule, Span
from reconciler.resources.wire import address, attribute, number, packed, parse, string, text, u8, u32

if TYPE_CHECKING:
    from reconciler.resources.wire import Attributes

RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
HEADER = Struct("=BBBBBBBBI")
UIDS, PORTS = Struct("=II"), Struct("=HH")
FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_GOTO, FRA_PRIORITY, FRA_FWMARK = 1, 2, 3, 4, 6, 10
FRA_SUPPRESS_IFGROUP, FRA_SUPPRESS_PREFIXLEN, FRA_TABLE, FRA_FWMASK, FRA_OIFNAME = 13, 14, 15, 16, 17
FRA_PAD, FRA_L3MDEV, FRA_UID_RANGE, FRA_PROTOCOL, FRA_IP_PROTO = 18, 19, 20, 21, 22
FRA_SPORT_RANGE, FRA_DPORT_RANGE, FRA_SPORT_MASK, FRA_DPORT_MASK = 23, 24, 28, 29
PLAIN = {
    0, FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_GOTO, FRA_PRIORITY, FRA_FWMARK, FRA_SUPPRESS_IFGROUP,
    FRA_SUPPRESS_PREFIXLEN, FRA_TABLE, FRA_FWMASK, FRA_OIFNAME, FRA_PAD, FRA_L3MDEV, FRA_UID_RANGE,
    FRA_PROTOCOL, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE,
}  # fmt: skip
"""Attributes that the fields of a rule hold."""
PORT_MASKS = (FRA_SPORT_MASK, FRA_DPORT_MASK)
WHOLE_PORT = 0xFFFF
"""The mask that Linux shows beside a single port since 6.15."""
FIB_RULE_INVERT = 2
"""The only flag that a request has; DETACHED and UNRESOLVED tell of the surroundings."""
COMPATIBLE = 252
"""RT_TABLE_COMPAT: a table whose number does not fit into the header."""
AF = {4: 2, 6: 10}
FAMILIES = {2: 4, 10: 6}
NONE = 0xFFFFFFFF


def read(body: bytes) -> tuple[Rule, int] | None:
    """Return a rule and its protocol from the body of a message; None if it is of another family."""
    family, to_length, from_length, tos, _, _, _, action, flags = HEADER.unpack_from(body)
    if family not in FAMILIES:
        return None
    found = parse(body, HEADER.size)
    rule = Rule(
        FAMILIES[family],
        number(found.get(FRA_PRIORITY, b"")),
        number(found.get(FRA_FWMARK, b"")),
        number(found.get(FRA_FWMASK, b"")),
        f"{address(found[FRA_SRC])}/{from_length}" if FRA_SRC in found else "",
        f"{address(found[FRA_DST])}/{to_length}" if FRA_DST in found else "",
        string(found.get(FRA_IIFNAME, b"")),
        string(found.get(FRA_OIFNAME, b"")),
        number(found.get(FRA_TABLE, b"")),
        bool(flags & FIB_RULE_INVERT),
        _span(UIDS, found, FRA_UID_RANGE),
        number(found.get(FRA_IP_PROTO, b"")),
        _span(PORTS, found, FRA_SPORT_RANGE),
        _span(PORTS, found, FRA_DPORT_RANGE),
        tos,
        ACTIONS.get(action, str(action)),
        number(found.get(FRA_GOTO, b"")),
        bool(number(found.get(FRA_L3MDEV, b""))),
        _suppressor(found, FRA_SUPPRESS_PREFIXLEN),
        _suppressor(found, FRA_SUPPRESS_IFGROUP),
        tuple(f"{code}:{found[code].hex()}" for code in sorted(found) if _special(code, found[code])),
    )
    return rule, number(found.get(FRA_PROTOCOL, b""))


def write(rule: Rule, protocol: int) -> bytes:
    """Return the body of a request: all that the rule says, nothing that it does not say."""
    to_length, to = _prefix(FRA_DST, rule.to)
    from_length, from_ = _prefix(FRA_SRC, rule.from_)
    table = rule.table if rule.table < 256 else COMPATIBLE
    action = ACTION_NUMBERS[rule.action] if rule.action in ACTION_NUMBERS else int(rule.action)
    flags = FIB_RULE_INVERT if rule.invert else 0
    body = HEADER.pack(AF[rule.family], to_length, from_length, rule.tos, table, 0, 0, action, flags)
    body += to + from_ + u32(FRA_PRIORITY, rule.priority) + u32(FRA_TABLE, rule.table)
    if rule.mask:
        body += u32(FRA_FWMARK, rule.mark) + u32(FRA_FWMASK, rule.mask)
    body += text(FRA_IIFNAME, rule.iif) if rule.iif else b""
    body += text(FRA_OIFNAME, rule.oif) if rule.oif else b""
    body += attribute(FRA_UID_RANGE, UIDS.pack(*rule.uid)) if rule.uid else b""
    body += u8(FRA_IP_PROTO, rule.ip_protocol) if rule.ip_protocol else b""
    body += attribute(FRA_SPORT_RANGE, PORTS.pack(*rule.sport)) if rule.sport else b""
    body += attribute(FRA_DPORT_RANGE, PORTS.pack(*rule.dport)) if rule.dport else b""
    body += u32(FRA_GOTO, rule.goto) if rule.goto else b""
    body += u8(FRA_L3MDEV, 1) if rule.l3mdev else b""
    if rule.suppress_prefixlength >= 0:
        body += u32(FRA_SUPPRESS_PREFIXLEN, rule.suppress_prefixlength)
    if rule.suppress_interface_group >= 0:
        body += u32(FRA_SUPPRESS_IFGROUP, rule.suppress_interface_group)
    for word in rule.more:
        code, _, rest = word.partition(":")
        body += attribute(int(code), bytes.fromhex(rest))
    return body + u8(FRA_PROTOCOL, protocol)


def _span(form: Struct, found: Attributes, code: int) -> Span:
    return form.unpack(found[code]) if code in found else ()


def _suppressor(found: Attributes, code: int) -> int:
    """Return what is suppressed; the kernel dumps "nothing" as all ones."""
    value = number(found[code]) if code in found else NONE
    return -1 if value == NONE else value


def _special(code: int, payload: bytes) -> bool:
    """Tell what the fields do not say."""
    return code not in PLAIN and not (code in PORT_MASKS and number(payload) == WHOLE_PORT)


def _prefix(code: int, prefix: str) -> tuple[int, bytes]:
    if not prefix or is_default(prefix):
        return 0, b""
    host, _, length = prefix.partition("/")
    return int(length), attribute(code, packed(host))
