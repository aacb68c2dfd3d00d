"""The record holds what the kernel cannot tell, from before a step until it is settled."""

from __future__ import annotations

import pytest

from reconciler.core.change import CREATE, DELETE, UPDATE, Change, Step
from reconciler.core.desired import Desired
from reconciler.core.state import Held, State
from reconciler.engine import memory
from reconciler.kernel.namespace import Namespace
from reconciler.kernel.record import FOLDER_VARIABLE, Record
from reconciler.resources.address import Address
from reconciler.resources.link.device import Device
from reconciler.resources.link.link import Link

ADDRESS = Address("eth0", 4, "192.0.2.1/24")
ADDRESS_KEY = ("address", "eth0", 4, "192.0.2.1/24", "")
DEVICE_KEY = ("device", "eth0")
OLD, NEW = Device("eth0", "up", 1500, ""), Device("eth0", "up", 1400, "")
MTU = Change(UPDATE, DEVICE_KEY, OLD, NEW, 2, fields=("mtu",))


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "record"))
    return Record.load(Namespace(), "default")


def again():
    return Record.load(Namespace(), "default")


def test_a_key_is_on_disk_before_the_object_is_created(record):
    memory.before(record, Step("netlink", (Change(CREATE, ADDRESS_KEY, None, ADDRESS),)))
    assert again().keys == {ADDRESS_KEY}


def test_a_key_is_dropped_after_the_object_is_deleted(record):
    memory.before(record, Step("netlink", (Change(CREATE, ADDRESS_KEY, None, ADDRESS),)))
    memory.after(record, Step("netlink", (Change(DELETE, ADDRESS_KEY, ADDRESS, None),)))
    assert record.keys == set()


def test_a_link_is_remembered_only_until_the_kernel_has_its_mark(record):
    step = Step("netlink", (Change(CREATE, ("link", "br0"), None, Link("br0", "bridge")),))
    memory.before(record, step)
    assert again().keys == {("link", "br0")}
    memory.after(record, step)
    assert record.keys == set()


def test_the_first_former_value_is_kept_and_not_a_later_one(record):
    memory.before(record, Step("netlink", (MTU,)))
    third = MTU._replace(before=NEW, after=NEW._replace(mtu=1300))
    memory.before(record, Step("netlink", (third,)))
    assert again().former == {DEVICE_KEY: {"mtu": 1500}}


def test_the_state_of_a_device_is_not_given_back(record):
    change = Change(UPDATE, DEVICE_KEY, OLD._replace(state="down"), OLD, 2, fields=("state",))
    memory.before(record, Step("netlink", (change,)))
    assert again().former == {}


def test_a_former_value_is_forgotten_once_it_is_back(record):
    record.former = {DEVICE_KEY: {"mtu": 1500}}
    memory.settle(record, State({}, {DEVICE_KEY: (Held(NEW, 2),)}), Desired({}))
    assert record.former == {DEVICE_KEY: {"mtu": 1500}}
    memory.settle(record, State({}, {DEVICE_KEY: (Held(OLD, 2),)}), Desired({}))
    assert record.former == {}


def test_a_former_value_stays_while_the_file_sets_the_field(record):
    record.former = {DEVICE_KEY: {"mtu": 1500}}
    desired = Desired({DEVICE_KEY: NEW})
    memory.settle(record, State({}, {DEVICE_KEY: (Held(NEW, 2),)}), desired)
    assert record.former == {DEVICE_KEY: {"mtu": 1500}}


def test_a_former_value_stays_while_the_object_waits_and_it_cannot_be_given_back(record):
    record.former = {DEVICE_KEY: {"mtu": 1500}}
    desired = Desired({DEVICE_KEY: Device("eth0", None, None, "br7")})
    memory.settle(record, State({}, {DEVICE_KEY: (Held(NEW, 2),)}), desired)
    assert record.former == {DEVICE_KEY: {"mtu": 1500}}
    memory.settle(record, State({}, {DEVICE_KEY: (Held(OLD, 2),)}), desired)
    assert record.former == {}
