"""What a diff says of a rule."""

from __future__ import annotations

import pytest

from reconciler.resources.names import Names
from reconciler.resources.registry import KINDS
from reconciler.resources.rule import Rule

NAMES = Names(marks={(0x10, 0xFF): "wan2"}, tables={100: "wan2"})


@pytest.mark.parametrize(("rule", "words"), [
    (Rule(4, 17000, 0x10, 0xFF, uid=(1000, 2000), dport=(53, 53), table=100),
     "v4 17000: mark wan2 (0x10/0xff) uid 1000-2000 dport 53 → table wan2 (100)"),
    (Rule(6, 5, ip_protocol=58, tos=0x10, action="goto", goto=18000), "v6 5: ip-protocol ipv6-icmp tos 0x10 → goto 18000"),
    (Rule(4, 5, ip_protocol=99, sport=(1, 9), action="unreachable"), "v4 5: ip-protocol 99 sport 1-9 → unreachable"),
    (Rule(4, 5, table=254, suppress_prefixlength=1), "v4 5: all → table main suppress-prefixlength 1"),
    (Rule(4, 5, l3mdev=True, suppress_interface_group=0), "v4 5: all → l3mdev suppress-interface-group 0"),
    (Rule(4, 5, uid=(0, 0), invert=True, from_="10.0.0.1/32", action="nop"), "v4 5: not from 10.0.0.1 uid 0 → nop"),
    (Rule(4, 5, action="blackhole", table=100), "v4 5: all → blackhole table wan2 (100)"),
    (Rule(4, 5, action="5"), "v4 5: all → action 5"),
    (Rule(4, 5, table=7, more=("25:2e",)), "v4 5: 25:2e → table 7"),
])  # fmt: skip
def test_words(rule, words):
    assert KINDS["rule"].describe(rule, NAMES) == words
