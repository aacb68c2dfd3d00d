"""The ``ip rule`` lines of rules of all sorts do the same as the requests that we pack."""

from __future__ import annotations

import pytest

from reconciler.core.change import CREATE
from reconciler.resources.owner import Owner
from reconciler.resources.registry import KINDS
from reconciler.resources.rule import Rule
from tests.resources.host import create, delete
from tests.resources.shown import RULES
from tests.resources.test_commands import alike

SORTS = [
    {"ip_protocol": 17, "dport": (53, 53)},
    {"ip_protocol": 6, "sport": (1000, 2000)},
    {"sport": (1, 65534), "dport": (65534, 65534)},
    {"ip_protocol": 58},
    {"ip_protocol": 255},
    {"tos": 0x10},
    {"table": 254, "suppress_prefixlength": 0},
    {"table": 254, "suppress_prefixlength": 128, "suppress_interface_group": 0},
    {"suppress_interface_group": 2147483647},
    {"table": 0, "action": "nop"},
    {"table": 0, "action": "blackhole"},
    {"table": 0, "action": "unreachable", "mark": 0x10, "mask": 0xFF},
    {"table": 0, "action": "prohibit", "ip_protocol": 17},
    {"table": 0, "action": "goto", "goto": 32766},
    {"table": 0, "action": "goto", "goto": 4294967295, "tos": 8},
    {"table": 0, "l3mdev": True},
    {"table": 0, "l3mdev": True, "suppress_prefixlength": 1},
    {"more": ("11:07000300",)},
    {"mark": 1, "mask": 3, "iif": "lo", "oif": "eth9", "ip_protocol": 132, "sport": (5, 5), "dport": (6, 7), "tos": 4},
]
BY_USER = [{"uid": (0, 0)}, {"uid": (1000, 2000), "ip_protocol": 17}, {"uid": (0, 4294967294), "dport": (53, 53)}]


def made(family, sorts, **more):
    return [Rule(**{"family": family, "priority": 17000 + at // 2, "table": 100, **more, **sort}) for at, sort in enumerate(sorts)]  # fmt: skip


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("invert", [False, True])
def test_rules_of_all_sorts(lab, family, invert):
    rules = [rule for rule in made(family, SORTS, invert=invert) if not (invert and rule.l3mdev)]
    alike(lab, [], [*map(create, rules), *map(delete, rules)], RULES, every=6)


@pytest.mark.needs("uidrange")
@pytest.mark.parametrize("family", [4, 6])
def test_rules_by_user(lab, family):
    rules = [*made(family, BY_USER), *made(family, BY_USER, priority=18000, invert=True)]
    alike(lab, [], [*map(create, rules), *map(delete, rules)], RULES, every=3)


def test_a_line_reads_as_people_write_it():
    rule = Rule(4, 17000, 0x10, 0xFF, uid=(1000, 1000), ip_protocol=17, dport=(53, 53), table=254, suppress_prefixlength=1)  # fmt: skip
    (line,) = KINDS["rule"].command(create(rule), Owner())
    assert create(rule).action == CREATE
    assert " ".join(line) == (
        "ip -4 rule add priority 17000 from all fwmark 0x10/0xff uidrange 1000-1000 ipproto 17 dport 53 "
        "table 254 suppress_prefixlength 1 protocol 0x5e"
    )
