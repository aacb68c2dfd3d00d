"""A plan that would lock somebody out is recognised before it is executed."""

from __future__ import annotations

from reconciler.core.state import Held, State
from reconciler.engine.guard import dangers
from reconciler.kernel.peers import Peer
from reconciler.resources.address import Address
from reconciler.resources.link.device import Device
from reconciler.resources.registry import KINDS
from reconciler.resources.route import Route
from reconciler.resources.wireguard.device import Wireguard
from reconciler.resources.wireguard.peer import Peer as WireguardPeer
from tests.resources.wireguard.samples import OFFICE, OTHER_PUBLIC, PUBLIC, ROAD

NEAR = Peer("192.0.2.1", 22, "192.0.2.9")
FAR = Peer("192.0.2.1", 22, "203.0.113.5")
UP = (Device("eth0", "up", 1500, ""), 2)
DOWN = (Device("eth0", "down", 1500, ""), 2)
ADDRESS = (Address("eth0", 4, "192.0.2.1/24"), 0)
DEFAULT = (Route(4, 254, "0.0.0.0/0", 0, "unicast", "192.0.2.254", "eth0"), 3)
CONNECTED = (Route(4, 254, "192.0.2.0/24", 0, "unicast", "", "eth0"), 2)


def state(*held):
    foreign = {}
    for value, mark in held:
        key = next(kind.key(value) for kind in KINDS.values() if isinstance(value, kind.value))
        foreign[key] = (*foreign.get(key, ()), Held(value, mark))
    return State({}, foreign)


WHOLE = state(UP, ADDRESS, DEFAULT, CONNECTED)


def test_a_plan_that_changes_nothing_is_no_danger():
    assert dangers(WHOLE, WHOLE, [NEAR, FAR]) == []


def test_the_address_of_a_connection_must_stay():
    [said] = dangers(WHOLE, state(UP, DEFAULT), [NEAR])
    assert said == "192.0.2.9 is connected to 192.0.2.1 port 22, and the address 192.0.2.1 would be gone from eth0"


def test_the_device_of_a_connection_must_stay_up():
    [said] = dangers(WHOLE, state(DOWN, ADDRESS, DEFAULT), [NEAR])
    assert said.endswith("eth0 would be down")


def test_the_default_route_must_stay_even_when_nobody_is_connected():
    assert dangers(WHOLE, state(UP, ADDRESS), []) == ["the IPv4 default route of the main table would be gone"]


def test_a_far_peer_needs_a_route_and_a_near_one_does_not():
    after = state(UP, ADDRESS, CONNECTED)
    assert [said for said in dangers(WHOLE, after, [FAR]) if "203.0.113.5" in said]
    assert not [said for said in dangers(WHOLE, after, [NEAR]) if "192.0.2.9" in said]


def test_another_route_to_the_peer_is_as_good():
    other = (Route(4, 254, "203.0.113.0/24", 0, "unicast", "192.0.2.253", "eth0"), 3)
    assert not [said for said in dangers(WHOLE, state(UP, ADDRESS, other), [FAR]) if "203.0.113.5" in said]


def test_a_connection_that_is_cut_off_already_is_nobodys_fault():
    before = state(UP, DEFAULT)
    assert dangers(before, before, [NEAR]) == []


INSIDE = Peer("10.9.0.1", 22, "10.9.0.2")
TUNNEL = [UP, ADDRESS, DEFAULT, CONNECTED, (Device("wg0", "up", 1420, ""), 2), (Address("wg0", 4, "10.9.0.1/24"), 0)]
KEY = (Wireguard("wg0", PUBLIC, 51820, 0), 2)
THEIR = WireguardPeer("wg0", OFFICE, "", ("10.9.0.2/32",), 0, "")
WIDE = WireguardPeer("wg0", ROAD, "", ("10.9.0.0/24",), 0, "")
THROUGH = state(*TUNNEL, KEY, (THEIR, 0), (WIDE, 0))


def test_the_wireguard_peer_of_a_connection_must_stay():
    for after in (
        state(*TUNNEL, KEY),
        state(*TUNNEL, KEY, (WIDE, 0)),
        state(*TUNNEL, KEY, (THEIR._replace(allowed_ips=()), 0)),
    ):
        [said] = dangers(THROUGH, after, [INSIDE])
        assert said.endswith("the WireGuard peer of wg0 that has 10.9.0.2 would be gone, or another one")
    assert dangers(THROUGH, state(*TUNNEL, KEY, (THEIR, 0)), [INSIDE]) == []
    assert dangers(THROUGH, state(*TUNNEL, KEY, (THEIR, 0)), [NEAR]) == []


def test_the_private_key_of_the_tunnel_of_a_connection_must_stay():
    other = (Wireguard("wg0", OTHER_PUBLIC, 51820, 0), 2)
    [said] = dangers(THROUGH, state(*TUNNEL, other, (THEIR, 0), (WIDE, 0)), [INSIDE])
    assert said.endswith("wg0 would have another private key")
