"""What is read of rules that two kernels dumped (``record.py``), and what of attributes that have no words."""

from __future__ import annotations

import json

import pytest

from reconciler.resources.base import Sight
from reconciler.resources.registry import KINDS
from reconciler.resources.rule import Rule
from reconciler.resources.rule_wire import read, write
from tests.resources.host import OWNER, Host, create, delete
from tests.resources.rule.record import FOLDER, LINES, OURS

KERNEL = 2
BUILT_IN = [
    (Rule(4, 0, table=255), KERNEL),
    (Rule(4, 32766, table=254), KERNEL),
    (Rule(4, 32767, table=253), KERNEL),
    (Rule(6, 0, table=255), KERNEL),
    (Rule(6, 32766, table=254), KERNEL),
]
FOREIGN = [
    (Rule(4, 50, uid=(0, 0), ip_protocol=17, dport=(53, 53), action="unreachable"), 0),
    (Rule(4, 51, uid=(1000, 2000), ip_protocol=6, sport=(1000, 2000), table=300, invert=True), 77),
    (Rule(4, 52, tos=0x10, table=9, suppress_prefixlength=0, suppress_interface_group=0), 0),
    (Rule(4, 53, action="goto", goto=60), 0),
    (Rule(4, 54, action="goto", goto=61), 0),
    (Rule(4, 60, action="nop"), 0),
    (Rule(4, 62, l3mdev=True), KERNEL),
    (Rule(4, 63, table=9, more=("11:07000300",)), 0),
    (Rule(4, 64, action="blackhole", table=7), 0),
    (Rule(4, 65, table=9, more=("12:0000000000000009",)), 0),
    (Rule(6, 50, tos=0xB8, ip_protocol=58, table=9, suppress_interface_group=5), 0),
    (Rule(6, 51, dport=(1, 65534), action="prohibit"), 0),
    (Rule(6, 52, l3mdev=True, suppress_prefixlength=128), 0),
    (Rule(6, 53, action="goto", goto=32767, iif="eth9"), 0),
]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_recorded_dumps(path):
    sight = Sight(OWNER)
    bodies = [bytes.fromhex(body) for body in json.loads(path.read_text())]
    found = [tuple(f) for body in bodies for f in KINDS["rule"].decode(32, body, sight)]
    expected = [*BUILT_IN, *FOREIGN, *((rule, None) for rule in OURS)]
    assert sorted(found, key=repr) == sorted(expected, key=repr)


@pytest.mark.needs("uidrange")
def test_what_is_foreign_is_taken_away_and_put_back_as_it_was(lab):
    host = Host.of(lab)
    host.prepare(LINES.strip().splitlines())
    shown = host.namespace.output("ip", "-d", "rule"), host.namespace.output("ip", "-d", "-6", "rule")
    foreign = [f for f in host.found()["rule"] if tuple(f) in FOREIGN]
    assert len(foreign) == len(FOREIGN)
    for value, mark in foreign:
        host.ask(delete(value, mark))
    assert [tuple(f) for f in host.found()["rule"]] == BUILT_IN
    for value, mark in foreign:
        host.ask(create(value, mark))
    assert shown == (host.namespace.output("ip", "-d", "rule"), host.namespace.output("ip", "-d", "-6", "rule"))


@pytest.mark.parametrize("more", [("25:2e",), ("26:00000001", "27:000fffff"), ("28:ff00",), ("29:00f0", "30:3f")])
def test_what_has_no_word_is_kept_as_it_was_found(more):
    """DSCP, flow labels, masks of ports: newer kernels have them."""
    rule = Rule(4, 50, table=9, more=more)
    assert read(write(rule, 94)) == (rule, 94)


def test_the_mask_of_a_whole_port_is_no_detail():
    """Linux shows it since 6.15."""
    rule = Rule(4, 50, sport=(5, 5), dport=(53, 53), table=9)
    assert read(write(rule._replace(more=("28:ffff", "29:ffff")), 94)) == (rule, 94)


@pytest.mark.parametrize("flags", [0x4, 0x8, 0x10, 0x10000, 0x1001C])
def test_what_the_kernel_tells_of_the_surroundings_is_not_part_of_the_rule(flags):
    rule = Rule(4, 50, iif="eth9", action="goto", goto=60)
    body = bytearray(write(rule, 94))
    body[8:12] = (int.from_bytes(body[8:12], "little") | flags).to_bytes(4, "little")
    assert read(bytes(body)) == (rule, 94)


def test_an_action_that_is_not_known_is_kept():
    rule = Rule(6, 50, action="5", table=9)
    assert read(write(rule, 94)) == (rule, 94)


def test_rules_of_newer_kernels_come_back_as_they_were_sent(lab):
    """An older kernel takes the request, and leaves out what it does not know."""
    host = Host.of(lab)
    rule = Rule(4, 17000, table=9, dport=(0x1000, 0x1000), more=("29:00f0",))
    host.ask(create(rule))
    found = host.ours("rule")
    host.ask(delete(rule))
    assert found in ([rule], [rule._replace(more=())])
    assert host.ours("rule") == []
