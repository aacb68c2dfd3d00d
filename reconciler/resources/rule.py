"""The kind ``rule``: which table decides about which packet (``ip rule``).

The kernel has no replace for rules, and equal ones of different protocols stand side by side: the whole
rule is its key, and a changed rule is a new one made before the old one goes. A delete names everything,
since what it does not name matches any rule (net/core/fib_rules.c, fib_nl_delrule).
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.change import CREATE
from reconciler.resources.base import Dump, Found, MessageFlags, Resource, Sight
from reconciler.resources.message import Message
from reconciler.resources.prefix import is_default
from reconciler.resources.rule_config import SCHEMA, check, read
from reconciler.resources.wire import address, attribute, number, packed, parse, string, text, u8, u32

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.change import Change
    from reconciler.core.state import Key
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner
    from reconciler.resources.scene import Scene, Wanted

RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
FIB_RULE_HDR = Struct("=BBBBBBBBI")
FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_PRIORITY, FRA_FWMARK = 1, 2, 3, 6, 10
FRA_SUPPRESS_IFGROUP, FRA_SUPPRESS_PREFIXLEN, FRA_TABLE, FRA_FWMASK, FRA_OIFNAME, FRA_PROTOCOL = 13, 14, 15, 16, 17, 21
FRA_L3MDEV = 19
PLAIN = {0, FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_PRIORITY, FRA_FWMARK, FRA_TABLE, FRA_FWMASK, FRA_OIFNAME, FRA_PROTOCOL}
PADDING = 18
WORDS = {
    4: ("goto", 4),
    11: ("realms", 4),
    13: ("suppress_ifgroup", 4),
    14: ("suppress_prefixlength", 4),
    20: ("uidrange", 4),
    22: ("ipproto", 1),
    23: ("sport", 2),
    24: ("dport", 2),
}
"""Attributes without a field of their own: the word of ``ip rule``, and how long each number is."""
ACTIONS = {3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
FR_ACT_TO_TBL = 1
FIB_RULE_INVERT = 2
NONE = 0xFFFFFFFF
ALL = 0xFFFFFFFF
AF = {4: 2, 6: 10}


class Rule(NamedTuple):
    """One policy rule."""

    family: int
    priority: int
    mark: int = 0
    mask: int = 0
    """No mark selector if both are 0."""
    from_: str = ""
    """A prefix, or empty for all."""
    to: str = ""
    iif: str = ""
    oif: str = ""
    table: int = 0
    invert: bool = False
    more: tuple[str, ...] = ()
    """Attributes that the file has no words for yet, as found; empty for what the file makes."""


class RuleKind(Resource[Rule]):
    """Policy rules of both families."""

    name = "rule"
    value = Rule
    rank = 40
    schema = SCHEMA

    def key(self, value: Rule) -> Key:
        """Return the whole rule (net/core/fib_rules.c, rule_exists), without the protocol."""
        return (self.name, *value)

    def scope(self, value: Rule) -> Key:
        """Rules belong to their family."""
        return (self.name, value.family)

    def excludes(self, before: Rule | None, after: Rule, other: Rule) -> bool:  # noqa: ARG002
        """Equal rules of different protocols stand side by side."""
        return False

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the rules of the file."""
        return read(scene, Rule)

    def check(self, scene: Scene, wanted: Mapping[Key, Wanted]) -> None:
        """Two rules of one priority must not both match a packet: their order would be an accident."""
        check(scene, [(w.value, w.origin) for key, w in wanted.items() if key[0] == self.name])

    def dumps(self, sight: Sight) -> Iterable[Dump]:  # noqa: ARG002
        """Both families; with IPv6 off the kernel has no such rules, and says so."""
        return tuple(Dump(RTM_GETRULE, bytes((family,)) + bytes(11)) for family in (2, 10))

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:
        """Read one rule."""
        if kind != RTM_NEWRULE:
            return
        family, to_length, from_length, tos, _, _, _, action, flags = FIB_RULE_HDR.unpack_from(body)
        if family not in (2, 10):
            return
        found = parse(body, 12)
        more = [f"{code}:{found[code].hex()}" for code in sorted(found) if _special(code, found[code])]
        if action != FR_ACT_TO_TBL:
            more.append(f"action:{action}")
        if tos:
            more.append(f"tos:{tos:#x}")
        rule = Rule(
            4 if family == 2 else 6,
            number(found.get(FRA_PRIORITY, b"")),
            number(found.get(FRA_FWMARK, b"")),
            number(found.get(FRA_FWMASK, b"")),
            f"{address(found[FRA_SRC])}/{from_length}" if FRA_SRC in found else "",
            f"{address(found[FRA_DST])}/{to_length}" if FRA_DST in found else "",
            string(found.get(FRA_IIFNAME, b"")),
            string(found.get(FRA_OIFNAME, b"")),
            number(found.get(FRA_TABLE, b"")),
            bool(flags & FIB_RULE_INVERT),
            tuple(more),
        )
        maker = number(found.get(FRA_PROTOCOL, b""))
        yield Found(rule, None if maker == sight.owner.protocol else maker)

    def encode(self, change: Change, owner: Owner) -> list[Message]:
        """Add or delete, always by the full tuple with priority and protocol."""
        rule: Any = change.after if change.action == CREATE else change.before
        protocol = owner.protocol if change.mark is None else change.mark
        to_length, to = _prefix(FRA_DST, rule.to)
        from_length, from_ = _prefix(FRA_SRC, rule.from_)
        action, tos, extra = FR_ACT_TO_TBL, 0, b""
        for word in rule.more:
            code, _, rest = word.partition(":")
            if code == "action":
                action = int(rest)
            elif code == "tos":
                tos = int(rest, 16)
            else:
                extra += attribute(int(code), bytes.fromhex(rest))
        flags = FIB_RULE_INVERT if rule.invert else 0
        table = rule.table if rule.table < 256 else 252
        body = FIB_RULE_HDR.pack(AF[rule.family], to_length, from_length, tos, table, 0, 0, action, flags)
        body += to + from_ + u32(FRA_PRIORITY, rule.priority) + u32(FRA_TABLE, rule.table)
        if rule.mask:
            body += u32(FRA_FWMARK, rule.mark) + u32(FRA_FWMASK, rule.mask)
        body += text(FRA_IIFNAME, rule.iif) if rule.iif else b""
        body += text(FRA_OIFNAME, rule.oif) if rule.oif else b""
        body += extra + u8(FRA_PROTOCOL, protocol)
        if change.action == CREATE:
            return [Message(RTM_NEWRULE, MessageFlags.CREATE, body)]
        return [Message(RTM_DELRULE, 0, body)]

    def command(self, change: Change, owner: Owner) -> list[list[str]]:
        """``ip rule add`` and ``ip rule del``."""
        rule: Any = change.after if change.action == CREATE else change.before
        protocol = owner.protocol if change.mark is None else change.mark
        words = ["ip", f"-{rule.family}", "rule", "add" if change.action == CREATE else "del"]
        words += ["priority", str(rule.priority)]
        words += ["not"] if rule.invert else []
        words += ["from", rule.from_ or "all"]
        words += ["to", rule.to] if rule.to else []
        words += ["fwmark", f"{rule.mark:#x}/{rule.mask:#x}"] if rule.mask else []
        words += ["iif", rule.iif] if rule.iif else []
        words += ["oif", rule.oif] if rule.oif else []
        words += _words(rule.more)
        words += ["table", str(rule.table)] if rule.table else []
        return [[*words, "protocol", f"{protocol:#x}"]]

    def describe(self, value: Rule, names: Names) -> str:
        """Show priority, selectors and table."""
        words = ["not"] if value.invert else []
        words += [f"mark {names.mark(value.mark, value.mask)}"] if value.mask else []
        words += [f"from {_short(value.from_)}"] if value.from_ else []
        words += [f"to {_short(value.to)}"] if value.to else []
        words += [f"iif {value.iif}"] if value.iif else []
        words += [f"oif {value.oif}"] if value.oif else []
        words += list(value.more)
        selectors = " ".join(words) or "all"
        return f"v{value.family} {value.priority}: {selectors} → table {names.table(value.table)}"


def _special(code: int, payload: bytes) -> bool:
    """Tell what the plain fields do not say; "none" of the suppressors is always dumped."""
    if code in PLAIN or code == PADDING:
        return False
    return code not in (FRA_SUPPRESS_IFGROUP, FRA_SUPPRESS_PREFIXLEN) or number(payload) != NONE


def _words(more: Iterable[str]) -> list[str]:
    """Return in words of ``ip rule`` what the plain fields do not say, as far as that tool has words."""
    words = []
    for word in more:
        code, _, rest = word.partition(":")
        if code == "tos":
            words += ["tos", rest]
        elif code == "action":
            words += [ACTIONS[int(rest)]] if int(rest) in ACTIONS else []
        elif int(code) == FRA_L3MDEV:
            words.append("l3mdev")
        elif int(code) in WORDS:
            name, size = WORDS[int(code)]
            raw = bytes.fromhex(rest)
            words += [name, "-".join(str(number(raw[at : at + size])) for at in range(0, len(raw), size))]
    return words


def _prefix(code: int, prefix: str) -> tuple[int, bytes]:
    if not prefix or is_default(prefix):
        return 0, b""
    host, _, length = prefix.partition("/")
    return int(length), attribute(code, packed(host))


def _short(prefix: str) -> str:
    """Leave out the length of a whole address, as iproute2 does."""
    return prefix.removesuffix("/128" if ":" in prefix else "/32")
