"""A policy rule as a value, and the numbers that its words stand for (linux/fib_rules.h, in.h)."""

from __future__ import annotations

from typing import NamedTuple

TABLE, GOTO = "table", "goto"
ACTIONS = {1: TABLE, 2: GOTO, 3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
"""FR_ACT_* to the word of ``ip rule``; any other number stands for itself."""
ACTION_NUMBERS = {word: code for code, word in ACTIONS.items()}
ENDS = ("nop", "blackhole", "unreachable", "prohibit")
"""The actions that need nothing else."""

PROTOCOLS = {
    "icmp": 1,
    "igmp": 2,
    "ipip": 4,
    "tcp": 6,
    "udp": 17,
    "dccp": 33,
    "ipv6": 41,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "ipv6-icmp": 58,
    "ospf": 89,
    "vrrp": 112,
    "l2tp": 115,
    "sctp": 132,
    "udplite": 136,
}
PROTOCOL_NAMES = {number: name for name, number in PROTOCOLS.items()}
WITH_PORTS = ("tcp", "udp", "dccp", "sctp", "udplite")

Span = tuple[int, ...]
"""First and last number of a range, both within it; empty for no selector."""


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
    """0 where another action than ``table`` or ``l3mdev`` decides."""
    invert: bool = False
    uid: Span = ()
    ip_protocol: int = 0
    """0 is any."""
    sport: Span = ()
    dport: Span = ()
    tos: int = 0
    """0 is any."""
    action: str = TABLE
    goto: int = 0
    """The priority that ``action`` goto leads to."""
    l3mdev: bool = False
    """The table is that of the VRF through which the packet goes."""
    suppress_prefixlength: int = -1
    """-1 is none, as in the kernel."""
    suppress_interface_group: int = -1
    more: tuple[str, ...] = ()
    """Attributes that the file has no words for, as found; empty for what the file makes."""

    @property
    def sourceless(self) -> bool:
        """Tell whether the selectors match what has no source, no mark and no ports, as when a gateway is looked up."""
        said = self.from_ or self.iif or self.ip_protocol or self.sport or self.dport or self.tos or self.more
        return not (said or self.mark & self.mask or (self.uid and self.uid[0]))


def span_text(span: Span) -> str:
    """Return ``53`` or ``1000-2000``."""
    return "-".join(map(str, span[:1] if span[0] == span[1] else span))
