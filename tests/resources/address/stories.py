"""Addresses of every sort, as the tests make and record them; on e0, which is up."""

from __future__ import annotations

from reconciler.resources.address import Address

PAIR = (
    "ip link add name e0 address 02:00:00:00:00:10 type ifb",
    "ip link set e0 addrgenmode none",
    "ip link set e0 up",
)


def old(word, peer="", **said):
    return Address("e0", 4, word, peer, False, False, **said)


def new(word, peer="", **said):
    return Address("e0", 6, word, peer, False, False, **said)


OF_ALL_SORTS = (
    old("192.0.2.2/24", broadcast="192.0.2.255"),
    old("198.51.100.2/24", broadcast="198.51.100.7", label="e0:1", metric=5),
    old("203.0.113.2/24", scope="link"),
    old("10.0.0.2/24", scope="7"),
    old("10.0.1.2/24", noprefixroute=True, metric=4294967295),
    old("10.0.2.2/24", preferred=0),
    old("10.0.3.2/24", valid=5000, preferred=3000),
    old("10.0.4.2/24", valid=5000, preferred=0),
    old("10.0.5.2/32", "10.0.6.2/32", label="e0:peer"),
    old("10.0.7.2/32", "10.0.8.0/24", broadcast="10.0.8.255"),
    new("2001:db8::2/64", nodad=True),
    new("2001:db8:1::2/64", nodad=True, metric=5),
    new("2001:db8:2::2/64", nodad=True, noprefixroute=True, metric=1),
    new("2001:db8:3::2/64", nodad=True, preferred=0),
    new("2001:db8:4::2/64", nodad=True, valid=5000, preferred=3000),
    new("2001:db8:5::2/128", "2001:db8:6::2/128", nodad=True, metric=7),
)
IN_PLACE = (
    (old("192.0.2.2/24"), {"metric": 7}, {"preferred": 0}, {"metric": 0}, {"preferred": 4294967295}),
    (old("192.0.2.2/24", label="e0:1", noprefixroute=True), {"valid": 5050, "preferred": 450}, {"metric": 7}),
    (
        new("2001:db8::2/64", nodad=True),
        {"metric": 7}, {"noprefixroute": True}, {"metric": 0}, {"noprefixroute": False}, {"preferred": 0},
        {"valid": 5050, "preferred": 450}, {"valid": 4294967295, "preferred": 4294967295, "metric": 1},
    ),
)  # fmt: skip
"""Each address, and what becomes of it, one step after another."""
MADE_ANEW = ({"label": "e0:1"}, {"broadcast": "192.0.2.255"}, {"scope": "link"}, {"noprefixroute": True, "metric": 5})
