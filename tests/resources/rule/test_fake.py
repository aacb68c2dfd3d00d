"""The fake kernel takes the same rules for one another as Linux does: each pair of many is tried on both."""

from __future__ import annotations

import errno
from itertools import product

import pytest

from reconciler.core.change import CREATE
from reconciler.kernel.fake import DeniedError, FakeKernel
from reconciler.resources.base import Sight
from reconciler.resources.registry import KINDS
from reconciler.resources.rule import Rule
from tests.netns.probes import lacks
from tests.resources.host import OWNER, Host, create, delete

PLAIN = Rule(4, 100, table=9)
USERS = [PLAIN._replace(uid=(1, 2)), PLAIN._replace(uid=(1, 1))]
RULES = [
    PLAIN,
    PLAIN._replace(invert=True),
    PLAIN._replace(table=300),
    PLAIN._replace(priority=101),
    PLAIN._replace(from_="10.0.0.0/8"),
    PLAIN._replace(from_="10.0.0.0/9"),
    PLAIN._replace(to="10.0.0.0/8"),
    PLAIN._replace(from_="10.0.0.0/8", to="10.0.0.0/8", mark=1, mask=0xFF),
    PLAIN._replace(mark=0, mask=0xFF),
    PLAIN._replace(mark=1, mask=0xFF),
    PLAIN._replace(mark=1, mask=0xF),
    PLAIN._replace(iif="e"),
    PLAIN._replace(oif="e"),
    PLAIN._replace(tos=8),
    PLAIN._replace(tos=16),
    PLAIN._replace(ip_protocol=6),
    PLAIN._replace(ip_protocol=6, dport=(5, 5)),
    PLAIN._replace(sport=(5, 5)),
    PLAIN._replace(dport=(5, 5)),
    PLAIN._replace(dport=(5, 9)),
    PLAIN._replace(suppress_prefixlength=0),
    PLAIN._replace(suppress_prefixlength=1),
    PLAIN._replace(suppress_interface_group=0),
    PLAIN._replace(table=0, l3mdev=True),
    PLAIN._replace(table=0, action="goto", goto=200),
    PLAIN._replace(table=0, action="goto", goto=300),
    PLAIN._replace(table=0, action="goto", goto=300, tos=8),
    PLAIN._replace(table=0, action="nop"),
    PLAIN._replace(table=0, action="blackhole"),
    PLAIN._replace(table=9, action="blackhole"),
]


class Real:
    """The kernel of a namespace, one rule at a time."""

    def __init__(self, host):
        self.host = host

    def does(self, change):
        (ack,) = self.host.netlink.send(KINDS["rule"].encode(change, OWNER))
        return abs(ack.errno)

    def rules(self):
        sight = Sight(OWNER)
        found = [f for kind, body in self.host.bodies("rule", sight) for f in KINDS["rule"].decode(kind, body, sight)]
        return [(value, mark) for value, mark in found if value.priority in (100, 101)]


class Fake:
    """The same of the fake kernel."""

    def __init__(self):
        self.kernel = FakeKernel()

    def does(self, change):
        try:
            self.kernel.execute(change)
        except DeniedError as error:
            return error.errno
        return 0

    def rules(self):
        return [(thing.value, thing.mark) for thing in self.kernel.store.all("rule")]


@pytest.mark.parametrize("family", [4, pytest.param(6, marks=pytest.mark.needs("ipv6"))])
def test_each_pair_of_rules_is_taken_for_the_same_or_not(lab, family):
    real, fake, refusals = Real(Host.of(lab)), Fake(), set()
    for pair in product(RULES + ([] if lacks("uidrange") else USERS), repeat=2):
        one, other = (_of(family, rule) for rule in pair)
        for change in (create(one), create(other), delete(other), delete(one), delete(other)):
            said = real.does(change)
            assert said == fake.does(change), (change, one)
            assert real.rules() == fake.rules(), (change, one)
            refusals.add((change.action == CREATE, said))
        assert real.rules() == []
    assert refusals == {(True, 0), (True, errno.EEXIST), (False, 0), (False, errno.ENOENT)}


@pytest.mark.parametrize("mark", [0, 77])
def test_another_protocol_is_another_rule_but_none_is_any(lab, mark):
    real, fake = Real(Host.of(lab)), Fake()
    rule = PLAIN._replace(tos=8)
    for change in (create(rule), create(rule, 77), create(rule, 0), delete(PLAIN, mark), delete(PLAIN, mark)):
        assert real.does(change) == fake.does(change), change
        assert real.rules() == fake.rules(), change


def _of(family, rule):
    """Return the rule in a family."""
    return rule if family == 4 else rule._replace(family=6, from_=_six(rule.from_), to=_six(rule.to))


def _six(prefix):
    return prefix.replace("10.0.0.0/", "2001:db8::/4") if prefix else ""
