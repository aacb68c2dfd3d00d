"""What the section ``rules`` asks for, what it refuses, what it doubts."""

from __future__ import annotations

import pytest

from reconciler.config.load import loads
from reconciler.errors import ConfigError
from reconciler.resources.desired import ANYWHERE, desire
from reconciler.resources.rule import Rule
from tests.resources.wanted import FACTS, wanted


def rules(entry, facts=FACTS):
    """Return the rules of one entry."""
    text = f"marks: {{a: 0x10/0xff}}\ntables: {{wan2: {{id: 100}}}}\nrules: [{{{entry}}}]\n"
    return [value for key, value in wanted(text, facts).items() if key[0] == "rule"]


@pytest.mark.parametrize(("entry", "rule"), [
    ("priority: 5, uid: 1000, table: wan2", Rule(4, 5, uid=(1000, 1000), table=100)),
    ("priority: 5, uid: 0-4294967294, table: wan2", Rule(4, 5, uid=(0, 4294967294), table=100)),
    ("priority: 5, uid: 7-7, table: wan2", Rule(4, 5, uid=(7, 7), table=100)),
    ("priority: 5, ip-protocol: udp, dport: 53, table: main", Rule(4, 5, ip_protocol=17, dport=(53, 53), table=254)),
    ("priority: 5, ip-protocol: 132, sport: 1000-2000, table: 7", Rule(4, 5, ip_protocol=132, sport=(1000, 2000), table=7)),
    ("priority: 5, dport: 65534, tos: 0x10, table: 7", Rule(4, 5, dport=(65534, 65534), tos=0x10, table=7)),
    ("priority: 5, table: main, suppress-prefixlength: 0", Rule(4, 5, table=254, suppress_prefixlength=0)),
    ("priority: 5, table: main, suppress-interface-group: 0", Rule(4, 5, table=254, suppress_interface_group=0)),
    ("priority: 5, goto: 32766", Rule(4, 5, action="goto", goto=32766)),
    ("priority: 5, mark: a, action: unreachable", Rule(4, 5, 0x10, 0xFF, action="unreachable")),
    ("priority: 5, l3mdev: true", Rule(4, 5, l3mdev=True)),
    ("priority: 5, l3mdev: true, suppress-prefixlength: 1", Rule(4, 5, l3mdev=True, suppress_prefixlength=1)),
    ("priority: 5, not: {uid: 5-9, ip-protocol: tcp, dport: 80, sport: 9, tos: 8, iif: lo}, action: nop",
     Rule(4, 5, iif="lo", uid=(5, 9), ip_protocol=6, sport=(9, 9), dport=(80, 80), tos=8, invert=True, action="nop")),
])  # fmt: skip
def test_an_entry_without_addresses_is_a_rule_in_each_family(entry, rule):
    assert rules(entry) == [rule, rule._replace(family=6)]
    assert rules(f"{entry}, family: ipv4") == [rule]
    assert rules(entry, FACTS._replace(ipv6=False)) == [rule]


@pytest.mark.parametrize(("entry", "families"), [
    ("ip-protocol: icmp", [4]),
    ("ip-protocol: ipv6-icmp", [6]),
    ("ip-protocol: 1", [4, 6]),
    ("not: {ip-protocol: icmp}", [4, 6]),
    ("tos: 0xb8, family: ipv6", [6]),
    ('ip-protocol: udp, from: "fd00::1"', [6]),
])  # fmt: skip
def test_the_families_follow_from_the_entry(entry, families):
    assert [rule.family for rule in rules(f"priority: 5, table: 7, {entry}")] == families


def warnings(*entries):
    text = "rules:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)
    return [str(problem) for problem in desire(loads(text, "net.yaml", {}), ANYWHERE)[0].warnings]


def test_a_goto_without_a_target_is_doubtful_in_each_family():
    lost = "so goto may lead nowhere (until there is one the kernel asks the next rule instead)"
    assert warnings("priority: 5, goto: 10") == [
        f"net.yaml:2:5: rules[0]: no IPv{family} rule of this file has the priority 10, {lost}" for family in (4, 6)
    ]
    assert warnings("priority: 5, goto: 10", "priority: 10, action: nop, family: ipv4") == [
        f"net.yaml:2:5: rules[0]: no IPv6 rule of this file has the priority 10, {lost}"
    ]
    assert warnings("priority: 5, goto: 10", "priority: 10, action: nop") == []
    assert warnings("priority: 5, goto: 32766") == []
    assert len(warnings("priority: 5, goto: 32767")) == 1, "IPv6 has no rule for the table default"


APART = [
    ("uid: 5", "uid: 6-9"),
    ("ip-protocol: tcp", "ip-protocol: udp"),
    ("dport: 53", "dport: 54-99"),
    ("sport: 1-9", "sport: 10"),
    ("tos: 8", "tos: 16"),
    ("ip-protocol: udp, dport: 53, uid: 7", "ip-protocol: udp, dport: 53, uid: 8"),
    ("mark: 0x1/0xff, uid: 1", "mark: 0x2/0xff, uid: 1"),
]
TOGETHER = [
    ("uid: 5-7", "uid: 7-9"),
    ("uid: 5", "ip-protocol: udp"),
    ("dport: 53", "sport: 53"),
    ("dport: 50-60", "ip-protocol: udp, dport: 53"),
    ("not: {uid: 5}", "uid: 5"),
    ("tos: 8", "iif: lo"),
]


@pytest.mark.parametrize(("one", "other"), APART)
def test_rules_of_one_priority_may_stand_side_by_side_if_no_packet_matches_both(one, other):
    assert warnings(f"priority: 5, {one}, table: 7", f"priority: 5, {other}, table: 8") == []


@pytest.mark.parametrize(("one", "other"), TOGETHER)
@pytest.mark.parametrize("end", ["table: 8", "action: nop", "goto: 32766", "l3mdev: true"])
def test_rules_of_one_priority_for_one_packet_are_refused(one, other, end):
    with pytest.raises(ConfigError, match="priority 5 is also that of the rule in line 2, and one packet can match"):
        warnings(f"priority: 5, {one}, table: 7", f"priority: 5, {other}, {end}")
