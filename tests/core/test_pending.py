"""What has to wait says for what; when that comes, it waits no longer."""

from __future__ import annotations

import pytest

from reconciler.core.desired import Desired
from reconciler.core.plan import plan
from reconciler.kernel.fake import FakeKernel
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
from tests.core.strategies import key_of, keyed, perform

BRIDGE, VETH = Link("br0", "bridge"), Link("v0", "veth", (("peer", "p0"),))
ROOT, TOP = Qdisc("eth0", "1:", "htb"), Class("eth0", "1:1", "1:", 8000, 8000)
UP = Device("eth0", "up", None, None)
ONE = Address("eth0", 4, "192.168.2.2/24")
SIX = Address("eth0", 6, "2001:db8::1/64")
DEFAULT = Route(4, 100, "0.0.0.0/0", 0, "unicast", "192.168.2.1", "eth0")


def kernel(*values, foreign=()):
    found = FakeKernel()
    for value in foreign:
        found.make(value, 3)
    perform(found, plan(KINDS, Desired(keyed(values)), found.state()).changes)
    return found


def reasons(found, *values):
    waits = plan(KINDS, Desired(keyed(values)), found.state()).pending
    return {one.key[0]: one.reason for one in waits}


STORIES = [
    ("an interface that is not there", (Device("wg0", "up", None, None),), (), "device", "wg0 does not exist yet"),
    (
        "an interface that only a mistyped name leads to",
        (Address("eht0", 4, "10.0.0.1/24"),),
        (),
        "address",
        'eht0 does not exist yet (did you mean "eth0"?)',
    ),
    ("its master", (Device("eth0", "up", None, "bond7"),), (), "device", "bond7 does not exist yet"),
    ("a master that is none", (Device("eth0", "up", None, "eth1"),), (), "device", "eth1 is no bridge, bond or VRF"),
    ("an address's interface", (Address("wg0", 4, "10.0.0.1/24"),), (), "address", "wg0 does not exist yet"),
    (
        "an mtu that IPv6 can live with",
        (Device("eth0", "up", 1000, None), SIX),
        (),
        "address",
        "eth0 carries no IPv6: its mtu is below 1280",
    ),
    ("a route's interface to be up", (ONE, DEFAULT), (), "route", "eth0 is down"),
    (
        "a gateway's subnet",
        (UP, Address("eth0", 4, "10.0.0.1/24"), DEFAULT),
        (),
        "route",
        "no address on eth0 reaches 192.168.2.1",
    ),
    (
        "a gateway's subnet on any interface",
        (UP, DEFAULT._replace(dev=None)),
        (),
        "route",
        "no address on any device reaches 192.168.2.1",
    ),
    (
        "a gateway that is not behind the loopback interface, where IPv6 has none",
        (
            Route(6, 100, "::/0", 1024, "unicast", "", "lo"),
            Route(6, 100, "2001:db8:5::/64", 1024, "unicast", "2001:db8::fe", None),
        ),
        (),
        "route",
        "no address on any device reaches 2001:db8::fe",
    ),
    (
        "a source address",
        (UP, ONE, DEFAULT._replace(src="192.168.2.9")),
        (),
        "route",
        "no device has the address 192.168.2.9",
    ),
    (
        "the end of address detection",
        (UP, SIX, Route(6, 100, "::/0", 1024, "unicast", "fe80::1", "eth0", "2001:db8::1")),
        (),
        "route",
        "2001:db8::1 on eth0 is still checked for duplicates",
    ),
    (
        "a chain that a jump leads to",
        (Jump(4, "filter", "INPUT", "rc.default.INPUT"),),
        (),
        "jump",
        "chain 4 filter rc.default.INPUT does not exist yet",
    ),
    (
        "a chain that a rule leads to",
        (Chain(4, "filter", "rc.default.A", (Line("a1", "-j rc.default.B"),)),),
        (),
        "chain",
        "chain 4 filter rc.default.B does not exist yet",
    ),
    ("a root qdisc", (TOP,), (), "class", "qdisc eth0 does not exist yet"),
    (
        "a class's parent",
        (ROOT, Class("eth0", "1:10", "1:1", 8000, 8000)),
        (),
        "class",
        "class eth0 1:1 does not exist yet",
    ),
    (
        "a filter's class",
        (ROOT, Filter("eth0", 1000, 1, "fw", 1, 255, "1:10")),
        (),
        "filter",
        "class eth0 1:10 does not exist yet",
    ),
    (
        "a root qdisc of the right number",
        (Qdisc("eth0", "2:", "htb"), TOP),
        (),
        "class",
        "the root qdisc of eth0 is 2:, to which 1:1 does not belong",
    ),
    ("a root qdisc of ours", (ROOT, TOP), (ROOT,), "class", "the qdisc eth0 is somebody else's"),
]


@pytest.mark.parametrize(("wish", "foreign", "kind", "reason"), [s[1:] for s in STORIES], ids=[s[0] for s in STORIES])
def test_what_waits_says_for_what(wish, foreign, kind, reason):
    found = kernel(foreign=foreign)
    assert reasons(found, *wish)[kind] == reason
    perform(found, plan(KINDS, Desired(keyed(wish)), found.state()).changes)
    assert reasons(found, *wish)[kind] == reason, "it says so after everything else was made, too"


def test_what_stands_on_a_waiting_object_waits_for_the_same_thing():
    wish = (Device("wg0", "up", None, None), Address("wg0", 4, "192.168.2.2/24"), DEFAULT._replace(dev="wg0"))
    assert reasons(kernel(), *wish) == dict.fromkeys(("device", "address", "route"), "wg0 does not exist yet")


def test_what_the_file_makes_itself_is_not_waited_for():
    wish = (BRIDGE, Device("br0", "up", None, None), Device("eth0", "up", None, "br0"))
    assert reasons(kernel(), *wish) == {}


def test_what_is_in_the_kernel_already_does_not_wait():
    found = kernel(UP, ONE, DEFAULT)
    found.set_device(Device("eth0", None, None, None))
    assert reasons(found, UP, ONE, DEFAULT) == {}


def test_when_the_address_comes_the_route_is_made():
    found = kernel(UP, DEFAULT)
    assert reasons(found, UP, DEFAULT) == {"route": "no address on eth0 reaches 192.168.2.1"}
    found.make(ONE, 16)
    done = plan(KINDS, Desired(keyed((UP, DEFAULT))), found.state())
    assert [change.key for change in done.changes] == [key_of(DEFAULT)]
    assert done.pending == ()


def test_what_waits_keeps_the_value_that_it_has():
    found = kernel(UP, ONE, DEFAULT)
    moved = DEFAULT._replace(via="172.16.0.1")
    done = plan(KINDS, Desired(keyed((UP, ONE, moved))), found.state())
    assert done.changes == ()
    assert done.predicted.ours[key_of(DEFAULT)] == DEFAULT
    assert [one.reason for one in done.pending] == ["no address on eth0 reaches 172.16.0.1"]


def test_what_cannot_go_says_who_still_needs_it():
    chain = Chain(4, "filter", "rc.default.INPUT")
    found = kernel(chain)
    found.make(Chain(4, "filter", "DOCKER", (Line("", "-j rc.default.INPUT"),)), 0)
    done = plan(KINDS, Desired({}), found.state())
    assert done.changes == ()
    assert [(one.key, one.reason) for one in done.pending] == [
        (key_of(chain), "the chain 4 filter DOCKER still needs it")
    ]


def test_a_wish_that_waited_only_for_another_that_waits_itself_is_made_without_it():
    """eth0 would go down as a port of br0; br0 is not wanted, so eth0 stays as it is, and its route is made."""
    found = kernel(UP, BRIDGE)
    wish = (Device("eth0", "down", None, "br0"), ONE, DEFAULT)
    done = plan(KINDS, Desired(keyed(wish)), found.state())
    assert {one.key[0] for one in done.pending} == {"device"}
    assert key_of(DEFAULT) in done.predicted.ours


def test_what_waits_only_for_what_goes_in_this_very_plan_is_in_conflict_at_once():
    """Else the plan is executed, and the next one is refused with the words that nothing was applied."""
    found = kernel(UP, BRIDGE, foreign=(SIX,))
    found.finish_detection()
    port = Device("eth0", "down", None, "br0")
    route = Route(6, 254, "2001:db8::/64", 256, "unicast", "", "br0")
    first = plan(KINDS, Desired(keyed((port, route))), found.state())
    assert [one.key for one in first.conflicts] == [key_of(route)]
    assert [one.key for one in first.pending] == [key_of(port)]


def test_a_gateway_to_which_a_rule_sends_by_another_gateway_is_out_of_reach_until_the_rule_has_gone():
    rule, away = Rule(6, 100, table=101), Route(6, 101, "::/0", 1024, "unicast", "fe80::1", "eth0")
    wish = Route(6, 100, "2001:db8:5::/64", 1024, "unicast", "2001:db8::fe", "eth0")
    found = kernel(UP, SIX, away, rule)
    assert reasons(found, UP, SIX, away, rule, wish) == {"route": "no address on eth0 reaches 2001:db8::fe"}
    done = plan(KINDS, Desired(keyed((UP, SIX, away, wish))), found.state())
    assert [(change.action, change.kind) for change in done.changes] == [("delete", "rule"), ("create", "route")]
    perform(found, done.changes)
