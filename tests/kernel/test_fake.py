"""The fake kernel does what was measured on a real one."""

from __future__ import annotations

import errno

import pytest

from reconciler.core.change import CREATE, DELETE, REPLACE, UPDATE, Change
from reconciler.kernel.fake import DeniedError, FakeKernel
from reconciler.resources.address import Address
from reconciler.resources.iptables.chain import Chain
from reconciler.resources.iptables.jump import Jump
from reconciler.resources.iptables.lines import Line
from reconciler.resources.link.device import Device
from reconciler.resources.link.link import Link
from reconciler.resources.registry import KINDS
from reconciler.resources.route import Route
from reconciler.resources.rule import Rule
from reconciler.resources.tc.class_ import Class
from reconciler.resources.tc.filter import Filter
from reconciler.resources.tc.qdisc import Qdisc

ONE, TWO = Address("eth0", 4, "10.0.0.1/24"), Address("eth0", 4, "10.0.0.2/24")
SIX = Address("eth0", 6, "2001:db8::1/64")
VETH, BRIDGE = Link("v0", "veth", (("peer", "p0"),)), Link("br0", "bridge")
ROOT, TOP, LEAF = Qdisc("eth0", "1:", "htb"), Class("eth0", "1:1", "1:", 8, 8), Class("eth0", "1:10", "1:1", 8, 8)
MARKED = Filter("eth0", 5, 1, "fw", 1, 255, "1:10")


def route(to="172.16.0.0/16", via="", dev="eth0", src="", table=100, metric=0, family=4, kind="unicast"):
    return Route(family, table, to, metric, kind, via, dev, src)


def key(value):
    return next(k for k in KINDS.values() if isinstance(value, k.value)).key(value)


@pytest.fixture
def kernel():
    found = FakeKernel(promoting=["eth1"])
    for name in ("eth0", "eth1"):
        found.set_device(Device(name, "up", None, None), "state")
    return found


def make(kernel, *values, mark=None):
    for value in values:
        kernel.execute(Change(CREATE, key(value), None, value, mark))


def delete(kernel, *values, mark=None):
    for value in values:
        kernel.execute(Change(DELETE, key(value), value, None, mark))


def refused(kernel, number, words, action, value, before=None, **more):
    before = value if action == DELETE else before
    after = None if action == DELETE else value
    with pytest.raises(DeniedError) as refusal:
        kernel.execute(Change(action, key(value), before, after, **more))
    assert refusal.value.errno == number
    assert words in refusal.value.text


def there(kernel, kind):
    state = kernel.state()
    found = [v for k, v in state.ours.items() if k[0] == kind]
    return found + [h.value for k, held in state.foreign.items() if k[0] == kind for h in held]


def shown(kernel, table=None):
    """Routes in words; without a table those of table 254 that the kernel made itself."""
    return sorted(
        f"{r.to}{' via ' + r.via if r.via else ''} dev {r.dev}{' src ' + r.src if r.src else ''}"
        for r in there(kernel, "route")
        if r.table == (table or 254) and r.to != "fe80::/64"
    )


class TestAddresses:
    def test_the_second_address_of_a_subnet_is_secondary_and_brings_no_route(self, kernel):
        make(kernel, ONE, TWO)
        assert [a.secondary for a in there(kernel, "address") if a.family == 4] == [False, True]
        assert shown(kernel) == ["10.0.0.0/24 dev eth0 src 10.0.0.1"]

    def test_a_primary_takes_its_secondaries_along(self, kernel):
        make(kernel, ONE, TWO)
        delete(kernel, ONE)
        assert [a for a in there(kernel, "address") if a.family == 4] == []

    def test_a_secondary_takes_the_place_of_its_primary_where_the_interface_says_so(self, kernel):
        make(kernel, ONE._replace(dev="eth1"), TWO._replace(dev="eth1"))
        delete(kernel, ONE._replace(dev="eth1"))
        assert [(a.address, a.secondary) for a in there(kernel, "address") if a.family == 4] == [("10.0.0.2/24", False)]
        assert shown(kernel) == ["10.0.0.0/24 dev eth1 src 10.0.0.2"]

    def test_the_last_address_takes_all_ipv4_routes_of_the_interface_in_all_tables(self, kernel):
        make(kernel, ONE, SIX, route(via="10.0.0.9"), route(table=254), route("2001:db8:5::/64", family=6, metric=9))
        delete(kernel, ONE)
        assert shown(kernel, 100) == ["2001:db8:5::/64 dev eth0"]
        assert shown(kernel) == ["2001:db8::/64 dev eth0"]

    def test_an_address_that_is_not_the_last_leaves_gateway_routes_behind(self, kernel):
        make(kernel, ONE, Address("eth0", 4, "10.1.0.1/24"), route(via="10.0.0.9"))
        delete(kernel, ONE)
        assert shown(kernel, 100) == ["172.16.0.0/16 via 10.0.0.9 dev eth0"]

    def test_routes_of_the_main_table_go_with_their_source_and_those_of_others_stay(self, kernel):
        make(kernel, Address("eth1", 4, "10.9.0.1/24"), ONE)
        make(kernel, route(dev="eth1", src="10.0.0.1"), route(dev="eth1", src="10.0.0.1", table=254))
        delete(kernel, ONE)
        assert shown(kernel, 100) == ["172.16.0.0/16 dev eth1 src 10.0.0.1"]
        assert shown(kernel) == ["10.9.0.0/24 dev eth1 src 10.9.0.1"]

    def test_ipv6_routes_lose_a_source_that_is_nowhere_any_more(self, kernel):
        make(kernel, SIX)
        kernel.finish_detection()
        make(kernel, route("2001:db8:5::/64", dev="eth1", src="2001:db8::1", family=6))
        delete(kernel, SIX)
        assert shown(kernel, 100) == ["2001:db8:5::/64 dev eth1"]

    def test_the_last_ipv6_address_of_a_prefix_takes_the_first_route_to_it_whoever_made_that(self, kernel):
        make(kernel, SIX, route("2001:db8::/64", table=254, metric=100, family=6))
        delete(kernel, SIX)
        assert [(r.metric, r.to) for r in there(kernel, "route") if r.to == "2001:db8::/64"] == [(256, "2001:db8::/64")]

    def test_refusals(self, kernel):
        make(kernel, ONE, SIX)
        refused(kernel, errno.EEXIST, "already assigned", CREATE, ONE)
        refused(
            kernel, errno.EEXIST, "already assigned", CREATE, ONE._replace(peer="10.0.0.9/24", address="10.0.0.1/32")
        )
        refused(kernel, errno.EEXIST, "already assigned", CREATE, SIX._replace(address="2001:db8::1/80"))
        refused(kernel, errno.ENODEV, "wg0", CREATE, ONE._replace(dev="wg0"))
        refused(kernel, errno.EADDRNOTAVAIL, "requested address", DELETE, TWO)
        kernel.set_device(Device("eth0", None, 1000, None), "mtu")
        refused(kernel, errno.EINVAL, "", CREATE, SIX)


class TestInterfaces:
    def test_link_down_drops_ipv4_routes_and_ipv6_altogether(self, kernel):
        make(kernel, ONE, SIX, route(via="10.0.0.9"), route("2001:db8:5::/64", family=6))
        kernel.set_device(Device("eth0", "down", None, None), "state")
        assert [a.address for a in there(kernel, "address") if a.dev == "eth0"] == ["10.0.0.1/24"]
        assert (shown(kernel), shown(kernel, 100)) == ([], [])

    def test_link_up_brings_back_the_route_to_the_subnet_and_nothing_else(self, kernel):
        make(kernel, ONE, route(via="10.0.0.9"))
        kernel.set_device(Device("eth0", "down", None, None), "state")
        kernel.set_device(Device("eth0", "up", None, None), "state")
        assert (shown(kernel), shown(kernel, 100)) == (["10.0.0.0/24 dev eth0 src 10.0.0.1"], [])

    def test_an_mtu_below_1280_ends_ipv6_on_an_interface(self, kernel):
        make(kernel, ONE, SIX)
        kernel.set_device(Device("eth0", None, 1279, None), "mtu")
        assert [a.address for a in there(kernel, "address") if a.dev == "eth0"] == ["10.0.0.1/24"]
        assert shown(kernel) == ["10.0.0.0/24 dev eth0 src 10.0.0.1"]

    def test_a_veth_comes_and_goes_with_its_other_end_and_all_that_stands_on_them(self, kernel):
        make(kernel, VETH)
        kernel.set_device(Device("p0", "up", None, None), "state")
        make(kernel, ONE._replace(dev="p0"), route(dev="p0"), Qdisc("p0", "1:", "htb"))
        assert ("device", "p0") in kernel.state().foreign
        delete(kernel, VETH)
        assert not any("p0" in repr(value) for kind in KINDS for value in there(kernel, kind))

    def test_a_bridge_takes_the_smallest_mtu_of_its_ports_until_somebody_sets_one(self, kernel):
        make(kernel, BRIDGE)
        kernel.set_device(Device("eth0", None, 1400, "br0"), "mtu", "master")
        assert next(d for d in there(kernel, "device") if d.name == "br0").mtu == 1400
        kernel.set_device(Device("br0", None, 1500, None), "mtu")
        kernel.set_device(Device("eth1", None, 1300, "br0"), "mtu", "master")
        assert next(d for d in there(kernel, "device") if d.name == "br0").mtu == 1500

    def test_the_ports_of_a_bridge_survive_it(self, kernel):
        make(kernel, BRIDGE, ONE)
        kernel.set_device(Device("eth0", None, None, "br0"), "master")
        delete(kernel, BRIDGE)
        assert next(d for d in there(kernel, "device") if d.name == "eth0").master == ""
        assert shown(kernel) == ["10.0.0.0/24 dev eth0 src 10.0.0.1"]

    @pytest.mark.parametrize(
        ("name", "master", "number"),
        [
            ("eth0", "eth1", errno.EOPNOTSUPP),
            ("br1", "br0", errno.ELOOP),
            ("lo", "br0", errno.EINVAL),
            ("eth0", "x", errno.ENODEV),
        ],
    )
    def test_not_everything_can_be_a_port_of_everything(self, kernel, name, master, number):
        make(kernel, BRIDGE, Link("br1", "bridge"))
        with pytest.raises(DeniedError) as refusal:
            kernel.set_device(Device(name, None, None, master), "master")
        assert refusal.value.errno == number

    def test_refusals(self, kernel):
        make(kernel, VETH)
        refused(kernel, errno.EEXIST, "File exists", CREATE, Link("p0", "bridge"))
        refused(kernel, errno.EEXIST, "File exists", CREATE, Link("v1", "veth", (("peer", "eth0"),)))
        refused(kernel, errno.EOPNOTSUPP, "Unknown device type", CREATE, Link("x", "wormhole"))
        refused(kernel, errno.ENODEV, "x", DELETE, Link("x", "bridge"))
        refused(kernel, errno.EOPNOTSUPP, "", DELETE, Link("eth0", "hardware"))


class TestRoutes:
    def test_several_ipv4_routes_can_have_one_key(self, kernel):
        make(kernel, route())
        refused(kernel, errno.EEXIST, "File exists", CREATE, route(dev="eth1"))
        make(kernel, route(dev="eth1"), mark=3)
        held = kernel.state()
        assert held.ours[key(route())] == route()
        assert [h.value.dev for h in held.foreign[key(route())]] == ["eth1"]

    def test_an_update_leaves_other_ipv4_routes_of_the_key_alone(self, kernel):
        make(kernel, route())
        make(kernel, route(dev="eth1"), mark=3)
        kernel.execute(Change(UPDATE, key(route()), route(), route(src="", kind="blackhole", dev="")))
        assert [r.type for r in there(kernel, "route") if r.table == 100] == ["blackhole", "unicast"]

    def test_ipv6_routes_with_gateways_are_next_hops_of_one_and_are_replaced_together(self, kernel):
        make(kernel, SIX)
        first, second = (route("2001:db8:5::/64", via=f"2001:db8::{n}", family=6) for n in (8, 9))
        make(kernel, first)
        make(kernel, second, mark=3)
        assert kernel.state().foreign[key(second)][0].mark == 0, "its own protocol is not shown"
        kernel.execute(Change(UPDATE, key(first), first, first._replace(via="2001:db8::7")))
        assert shown(kernel, 100) == ["2001:db8:5::/64 via 2001:db8::7 dev eth0"]

    def test_ipv6_replaces_the_first_route_without_gateway_even_if_it_is_another_one(self, kernel):
        theirs, ours = route("2001:db8:5::/64", dev="eth1", family=6), route("2001:db8:5::/64", family=6)
        make(kernel, theirs, mark=3)
        kernel.execute(Change(CREATE, key(ours), None, ours, beside=True))
        kernel.execute(Change(UPDATE, key(ours), ours, ours._replace(type="blackhole", dev="")))
        left = [(r.type, r.dev) for r in there(kernel, "route") if r.table == 100]
        assert sorted(left) == [("blackhole", ""), ("unicast", "eth0")]

    def test_refusals(self, kernel):
        make(kernel, ONE, SIX)
        kernel.set_device(Device("eth1", "down", None, None), "state")
        refused(kernel, errno.ENETUNREACH, "Nexthop has invalid gateway", CREATE, route(via="10.7.0.1"))
        refused(kernel, errno.ENETDOWN, "not up", CREATE, route(dev="eth1"))
        refused(kernel, errno.ENODEV, "wg0", CREATE, route(dev="wg0"))
        refused(kernel, errno.EINVAL, "Invalid prefsrc", CREATE, route(src="10.7.0.1"))
        refused(kernel, errno.ESRCH, "No such process", DELETE, route())
        six = route("2001:db8:5::/64", family=6)
        refused(kernel, errno.EHOSTUNREACH, "No route to host", CREATE, six._replace(via="2001:db8:7::1"))
        refused(kernel, errno.EINVAL, "local address", CREATE, six._replace(via="2001:db8::1"))
        refused(kernel, errno.EINVAL, "Invalid source", CREATE, six._replace(src="2001:db8::1"))
        refused(kernel, errno.ENETDOWN, "not up", CREATE, six._replace(dev="eth1"))
        refused(kernel, errno.EINVAL, "Egress", CREATE, six._replace(via="fe80::1", dev=None))

    def test_an_address_of_this_host_is_a_gateway_for_ipv4(self, kernel):
        make(kernel, ONE, route(via="10.0.0.1"))

    def test_ipv6_wants_the_longest_prefix_that_covers_a_gateway_to_be_on_the_link(self, kernel):
        make(kernel, SIX, route("2001:db8:0:0:8000::/65", via="2001:db8::9", family=6, table=254))
        refused(
            kernel,
            errno.EHOSTUNREACH,
            "No route",
            CREATE,
            route("2001:db8:5::/64", via="2001:db8::8000:0:0:1", family=6),
        )

    def test_a_deletion_is_for_one_maker(self, kernel):
        make(kernel, route(), mark=3)
        refused(kernel, errno.ESRCH, "No such process", DELETE, route())


class TestRules:
    def test_equal_rules_of_different_makers_stand_side_by_side(self, kernel):
        rule = Rule(4, 100, table=7)
        make(kernel, rule)
        make(kernel, rule, mark=3)
        refused(kernel, errno.EEXIST, "File exists", CREATE, rule)
        delete(kernel, rule, mark=3)
        refused(kernel, errno.ENOENT, "No such file", DELETE, rule, mark=3)
        assert kernel.state().ours == {key(rule): rule}


class TestQueues:
    def test_a_class_without_its_parent_lands_at_the_root_without_a_word(self, kernel):
        make(kernel, ROOT, LEAF)
        assert [c.parent for c in there(kernel, "class")] == ["1:"]

    def test_another_parent_is_ignored_without_a_word(self, kernel):
        make(kernel, ROOT, TOP, LEAF)
        kernel.execute(Change(UPDATE, key(LEAF), LEAF, LEAF._replace(parent="1:", rate=16)))
        assert [(c.parent, c.rate) for c in there(kernel, "class") if c.classid == "1:10"] == [("1:1", 16)]

    def test_a_class_stays_while_it_has_classes_or_filters_that_found_it(self, kernel):
        make(kernel, ROOT, TOP, LEAF, MARKED)
        refused(kernel, errno.EBUSY, "in use", DELETE, TOP)
        refused(kernel, errno.EBUSY, "in use", DELETE, LEAF)
        delete(kernel, MARKED, LEAF, TOP)

    def test_a_filter_does_not_hold_a_class_that_came_after_it(self, kernel):
        make(kernel, ROOT, MARKED, LEAF)
        delete(kernel, LEAF)

    def test_a_new_root_has_no_classes_and_no_filters(self, kernel):
        make(kernel, ROOT, TOP, LEAF, MARKED)
        kernel.execute(Change(REPLACE, key(ROOT), ROOT, ROOT._replace(default="1:10")))
        assert (there(kernel, "class"), there(kernel, "filter")) == ([], [])

    def test_refusals(self, kernel):
        refused(kernel, errno.EINVAL, "Parent Qdisc", CREATE, TOP)
        refused(kernel, errno.ENOENT, "handle of zero", DELETE, ROOT)
        make(kernel, ROOT, TOP, LEAF, MARKED)
        refused(kernel, errno.EEXIST, "NLM_F_REPLACE", CREATE, ROOT._replace(handle="2:"))
        refused(kernel, errno.EEXIST, "File exists", CREATE, TOP)
        refused(kernel, errno.EINVAL, "", CREATE, TOP._replace(classid="2:1"))
        refused(kernel, errno.EEXIST, "already exists", CREATE, MARKED)
        refused(kernel, errno.EINVAL, "does not match", CREATE, MARKED._replace(handle=2, mask=15))
        refused(kernel, errno.ENOENT, "not found", DELETE, MARKED._replace(handle=7))
        refused(kernel, errno.ENOENT, "No such file", DELETE, TOP._replace(classid="1:9"))
        refused(kernel, errno.ENOENT, "No such file", UPDATE, TOP._replace(classid="1:9"), before=TOP)


class TestIptables:
    A, B = Chain(4, "filter", "rc.default.A"), Chain(4, "filter", "rc.default.B", (Line("b", "-j rc.default.A"),))
    JUMP = Jump(4, "filter", "INPUT", "rc.default.A")

    def test_a_chain_stays_while_something_leads_to_it(self, kernel):
        make(kernel, self.A, self.B, self.JUMP)
        refused(kernel, errno.EBUSY, "busy", DELETE, self.A)
        delete(kernel, self.JUMP)
        refused(kernel, errno.EBUSY, "busy", DELETE, self.A)
        delete(kernel, self.B, self.A)

    def test_a_second_jump_is_no_error_but_another_one(self, kernel):
        make(kernel, self.A, self.JUMP, self.JUMP)
        assert [jump.copy for jump in there(kernel, "jump")] == [0, 1]
        delete(kernel, self.JUMP)
        assert [jump.copy for jump in there(kernel, "jump")] == [0]

    def test_refusals(self, kernel):
        refused(kernel, errno.ENOENT, "load target", CREATE, self.B)
        refused(kernel, errno.ENOENT, "load target", CREATE, self.JUMP)
        refused(kernel, errno.ENOENT, "No chain", DELETE, self.A)
        refused(kernel, errno.ENOENT, "No chain", UPDATE, self.A, before=self.A)
        refused(kernel, errno.ENOENT, "Bad rule", DELETE, self.JUMP)


def test_a_copy_goes_its_own_way(kernel):
    other = kernel.copy()
    make(other, ONE)
    other.set_device(Device("eth0", "down", None, None), "state")
    assert kernel.state() != other.state()
    assert next(d for d in there(kernel, "device") if d.name == "eth0").state == "up"


def test_a_generation_tells_what_was_written(kernel):
    make(kernel, ONE, TWO)
    before = kernel.generations()
    delete(kernel, TWO)
    after = kernel.generations()
    assert {k: v for k, v in before.items() if k[1][:3] != TWO[:3]} == after


def test_two_of_ours_with_one_key_are_shown_as_one_and_a_surplus(kernel):
    make(kernel, route())
    kernel.execute(Change(CREATE, key(route()), None, route(dev="eth1"), beside=True))
    assert [h.mark for h in kernel.state().foreign[key(route())]] == [-1]
