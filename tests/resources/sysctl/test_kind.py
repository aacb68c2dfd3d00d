"""What the kind says of one setting: its name, its command, what it stands on, what it begins and ends with."""

from __future__ import annotations

import pytest

from reconciler.core.change import UPDATE, Change
from reconciler.core.kind import Lack
from reconciler.core.state import Held, State
from reconciler.core.world import World
from reconciler.resources.base import Sight
from reconciler.resources.link.device import Device
from reconciler.resources.names import Names
from reconciler.resources.owner import Owner
from reconciler.resources.registry import KINDS
from reconciler.resources.sysctl import Sysctl, SysctlKind

KIND = SysctlKind()
KERNEL = 2
FORWARD = Sysctl(("ipv4", "ip_forward"), 0)
OWN = Sysctl(("ipv4", "conf", "eth0", "rp_filter"), 1, 3)
DOTTED = Sysctl(("ipv6", "conf", "eth0.5", "accept_ra"), 2, 4)
DEFAULT = Sysctl(("ipv4", "conf", "default", "rp_filter"), 2)


def world(*values):
    kinds = [(next(k for k in KINDS.values() if isinstance(v, k.value)), v) for v in values]
    return World(KINDS, State({}, {kind.key(value): (Held(value, KERNEL),) for kind, value in kinds}))


def change(before, value):
    after = before._replace(value=value)
    return Change(UPDATE, KIND.key(before), before, after, KERNEL, fields=KIND.changed(before, after))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (FORWARD, ["sysctl", "-w", "net.ipv4.ip_forward=1"]),
        (OWN, ["sysctl", "-w", "net.ipv4.conf.eth0.rp_filter=1"]),
        (DOTTED, ["sysctl", "-w", "net/ipv6/conf/eth0.5/accept_ra=1"]),
    ],
)
def test_the_command_names_it_as_sysctl_reads_it(value, words):
    assert KIND.command(change(value, 1), Owner()) == [words]


def test_the_file_is_written_as_a_number_and_a_line():
    assert KIND.written(change(FORWARD, 1)) == (("ipv4", "ip_forward"), "1\n")


def test_a_change_reads_as_both_values():
    assert KIND.describe_change(FORWARD, FORWARD._replace(value=1), Names()) == "net.ipv4.ip_forward: 0 → 1"
    assert KIND.describe(DOTTED, Names()) == "net/ipv6/conf/eth0.5/accept_ra = 2"


@pytest.mark.parametrize(
    ("wanted", "seen", "alike"),
    [
        (OWN, OWN._replace(ifindex=9), True),
        (OWN, OWN._replace(value=0), False),
        (OWN._replace(value=0), OWN._replace(value=None), True),
        (OWN, OWN._replace(value=None), False),
        (Sysctl(("ipv6", "conf", "eth0", "disable_ipv6"), 1), Sysctl(("ipv6", "conf", "eth0", "disable_ipv6"), None), True),
        (Sysctl(("ipv6", "conf", "eth0", "disable_ipv6"), 0), Sysctl(("ipv6", "conf", "eth0", "disable_ipv6"), None), False),
    ],
)  # fmt: skip
def test_what_is_not_there_is_as_good_as_switched_off(wanted, seen, alike):
    assert KIND.same(wanted, seen) is alike
    assert KIND.same(seen, wanted) is alike


def test_what_has_no_file_waits_for_what_gives_it_one():
    small = Sysctl(("ipv6", "conf", "eth0", "accept_ra"), None, 3)
    wanted = small._replace(value=2)
    assert list(KIND.requires(wanted, world(Device("eth0", "up", 1000, ""), small))) == [
        ("device", "eth0"),
        Lack("eth0 has no IPv6"),
    ]
    old = Sysctl(("ipv4", "tcp_l3mdev_accept"), None)
    assert list(KIND.requires(old._replace(value=1), world(old))) == [
        Lack("this kernel has no net.ipv4.tcp_l3mdev_accept")
    ]


def test_a_new_interface_begins_with_the_default_and_ends_with_its_own():
    here = world(DEFAULT, OWN, Sysctl(("ipv4", "conf", "eth1", "rp_filter"), 0, 4))
    born = Sysctl(("ipv4", "conf", "v0", "rp_filter"), 2)
    assert list(KIND.begins_with(Device("v0", "down", 1500, ""), here)) == [(born, KERNEL)]
    assert list(KIND.begins_with(born, here)) == []
    assert [effect.key for effect in KIND.ends_with(("device", "eth0"), here)] == [KIND.key(OWN)]
    assert list(KIND.ends_with(("link", "eth0"), here)) == []


def test_the_former_value_of_an_interface_of_the_same_name_is_not_given_back():
    assert KIND.stale({"value": 0, "ifindex": 2}, OWN)
    assert not KIND.stale({"value": 0, "ifindex": 3}, OWN)
    assert not KIND.stale({}, OWN)


def test_what_is_copied_comes_before_what_it_is_copied_to():
    names = [
        "ipv6 conf eth0 accept_ra", "ipv4 conf eth0 rp_filter", "ipv4 ip_forward", "ipv6 conf all forwarding",
        "ipv4 conf all accept_redirects", "ipv6 conf all disable_ipv6", "ipv4 conf default rp_filter", "ipv4 conf eth0 forwarding",
        "ipv6 conf eth0 disable_ipv6",
    ]  # fmt: skip
    keys = [KIND.key(Sysctl(tuple(one.split()), 0)) for one in names]
    assert keys == sorted(keys)


class TestWhatIsRead:
    SIGHT = Sight(Owner())
    SIGHT.devices.update({1: "lo", 3: "eth0"})

    def paths(self, *values):
        return [".".join(path) for path in KIND.files([KIND.key(value) for value in values], self.SIGHT)]

    def test_is_nothing_where_nothing_is_asked(self):
        assert self.paths() == []

    def test_is_the_file_alone_where_nothing_follows_it(self):
        assert self.paths(Sysctl(("ipv4", "tcp_fwmark_accept"), 1)) == ["ipv4.tcp_fwmark_accept"]

    def test_is_what_follows_it_too(self):
        assert self.paths(FORWARD) == [
            "ipv4.ip_forward", "ipv4.conf.default.forwarding", "ipv4.conf.eth0.forwarding", "ipv4.conf.lo.forwarding",
            "ipv4.conf.all.accept_redirects",
        ]  # fmt: skip

    def test_is_the_default_of_an_interface_that_may_be_made_anew_and_of_one_that_is_not_there(self):
        assert self.paths(OWN) == ["ipv4.conf.eth0.rp_filter", "ipv4.conf.default.rp_filter", "ipv4.conf.all.rp_filter"]
        assert self.paths(DOTTED) == ["ipv6.conf.default.accept_ra"]

    @pytest.mark.parametrize(("text", "value"), [("1", 1), ("-1", -1), (None, None)])
    def test_is_a_number_or_nothing(self, text, value):
        [found] = KIND.content(OWN.path, text, {"eth0": 3})
        assert found == (OWN._replace(value=value), KERNEL)
