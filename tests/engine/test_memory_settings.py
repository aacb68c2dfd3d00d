"""The record of settings: what changed along is remembered, and nothing of an interface that was made anew."""

from __future__ import annotations

import pytest

from reconciler.core.change import UPDATE, Change, Step
from reconciler.core.desired import Desired
from reconciler.core.kind import Effect
from reconciler.core.plan import asked
from reconciler.core.state import Held, State
from reconciler.engine import memory
from reconciler.kernel.namespace import Namespace
from reconciler.kernel.record import FOLDER_VARIABLE, Record
from reconciler.resources.registry import KINDS
from reconciler.resources.sysctl import Sysctl

KIND = KINDS["sysctl"]
FORWARD = Sysctl(("ipv4", "ip_forward"), 0)
OWN = Sysctl(("ipv4", "conf", "eth0", "forwarding"), 1, 3)
FILTER = Sysctl(("ipv4", "conf", "eth0", "rp_filter"), 1, 3)


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "record"))
    return Record.load(Namespace(), "default")


def state(*values):
    return State({}, {KIND.key(value): (Held(value, 2),) for value in values})


def step(before, value, *along):
    after = before._replace(value=value)
    takes = tuple(Effect(KIND.key(one), one, 2, one._replace(value=value)) for one in along)
    return Step("sysctl", (Change(UPDATE, KIND.key(before), before, after, 2, fields=("value",), takes=takes),))


def wish(*values):
    return Desired({KIND.key(value): value for value in values})


def test_what_changes_along_is_remembered_with_the_value_before_the_plan(record):
    here = state(FORWARD, OWN)
    wanted = wish(FORWARD._replace(value=1))
    memory.before(record, step(FORWARD, 1, OWN), here, wanted.values)
    assert record.former[KIND.key(OWN)] == {"value": 1, "ifindex": 3}
    later = OWN._replace(value=1)
    memory.before(record, step(later, 0), here, wanted.values)
    assert record.former[KIND.key(OWN)] == {"value": 1, "ifindex": 3}


def test_what_changes_along_on_the_way_back_is_not(record):
    memory.before(record, step(FORWARD, 1, OWN), state(FORWARD, OWN))
    assert set(record.former) == {KIND.key(FORWARD)}


def test_what_changed_along_is_kept_as_long_as_its_cause_is_wanted_and_then_wanted_back(record):
    record.former = {KIND.key(FORWARD): {"value": 0, "ifindex": None}, KIND.key(OWN): {"value": 0, "ifindex": 3}}
    now = state(FORWARD._replace(value=1), OWN)
    memory.settle(record, now, wish(FORWARD._replace(value=1)))
    assert set(record.former) == {KIND.key(FORWARD), KIND.key(OWN)}
    held = wish(FORWARD._replace(value=1))._replace(former=record.former)
    assert KIND.key(OWN) not in asked(KINDS, held, now)
    wanted = asked(KINDS, Desired({}, former=record.former), now)
    assert {key: value.value for key, value in wanted.items()} == {KIND.key(FORWARD): 0, KIND.key(OWN): 0}


def test_an_interface_made_anew_has_nothing_to_be_given_back(record):
    anew = FILTER._replace(value=0, ifindex=9)
    record.former = {KIND.key(FILTER): {"value": 1, "ifindex": 3}}
    wanted = wish(FILTER._replace(value=2))
    assert asked(KINDS, Desired({}, former=record.former), state(anew)) == {}
    memory.settle(record, state(anew), wanted)
    assert record.former == {}


def test_an_interface_made_anew_between_two_looks_is_remembered_anew(record):
    record.former = {KIND.key(FILTER): {"value": 1, "ifindex": 3}}
    anew = FILTER._replace(value=0, ifindex=9)
    memory.before(record, step(anew, 2), state(anew), wish(FILTER._replace(value=2)).values)
    assert record.former == {KIND.key(FILTER): {"value": 0, "ifindex": 9}}


def test_a_former_value_is_kept_with_its_interface_while_the_file_sets_it(record):
    record.former = {KIND.key(FILTER): {"value": 0, "ifindex": 3}}
    memory.settle(record, state(FILTER), wish(FILTER._replace(ifindex=None)))
    assert record.former == {KIND.key(FILTER): {"value": 0, "ifindex": 3}}
