"""For each type of link: our requests and the lines of ``ip`` for the same changes lead to the same."""

from __future__ import annotations

import itertools

import pytest

from reconciler.resources.link.device import Device
from reconciler.resources.link.link import Link
from reconciler.resources.link.port_value import Port
from tests.resources.host import create, delete, update
from tests.resources.shown import LINKS
from tests.resources.test_commands import alike, life

BELOW = tuple(
    line.format(number)
    for number in (0, 1)
    for line in ("ip link add name e{0} address 02:00:00:00:00:1{0} type ifb", "ip link set e{0} up")
)
BOOLS = tuple(field for field in Port._fields if field not in ("dev", "cost", "priority"))
DUMMIES = tuple(line.replace("ifb", "dummy") for line in BELOW)


def links(type, *options):
    """Values of one link, each with the options of those before it as well."""
    said = {}
    for more in options:
        said.update(more)
        yield Link("x0", type, tuple(sorted(said.items())))


def lives(type, *options, below=(), needs=()):
    return pytest.param(
        below, list(links(type, *options)), id=f"{type} {len(options)}", marks=pytest.mark.needs(type, *needs)
    )


ENDS = {"local": "192.0.2.1", "remote": "192.0.2.2", "ttl": 0, "pmtudisc": True}
TUNNEL = ({**ENDS}, {"remote": "192.0.2.3"}, {"ttl": 9}, {"ttl": 0, "pmtudisc": False}, {"local": "192.0.2.4"})


@pytest.mark.parametrize(("below", "values"), [
    lives("dummy", {}),
    lives("ifb", {}),
    lives("wireguard", {}),
    lives("vrf", {"table": 9}),
    lives("vlan", {"link": "e0", "id": 5}, below=BELOW, needs=("ifb",)),
    lives("vlan", {"link": "e0", "id": 5, "protocol": "802.1ad"}, below=BELOW, needs=("ifb",)),
    lives("macvlan", {"link": "e0", "mode": "bridge"}, {"mode": "vepa"}, {"mode": "private"}, below=BELOW, needs=("ifb",)),
    lives("macvlan", {"link": "e0", "mode": "passthru"}, below=BELOW, needs=("ifb",)),
    lives("ipvlan", {"link": "e0", "mode": "l2"}, {"mode": "l3"}, {"mode": "l3s"}, below=DUMMIES, needs=("dummy",)),
    lives("bridge", {}, {"forward_delay": 400, "stp_state": True}, {"hello_time": 300}, {"max_age": 2200},
          {"ageing_time": 100}, {"priority": 7}, {"mcast_snooping": False}, {"mcast_querier": True}),
    lives("bridge", {"vlan_filtering": True}, {"vlan_protocol": "802.1ad"}, {"vlan_default_pvid": 7}, needs=("bridge-vlans",)),
    lives("bond", {"mode": "802.3ad", "miimon": 100, "lacp_rate": "fast", "ad_select": "count"},
          {"updelay": 200}, {"downdelay": 300}, {"xmit_hash_policy": "layer3+4"}, {"min_links": 2}),
    lives("bond", {"mode": "balance-tlb"}, {"miimon": 7}),
    lives("vxlan", {"id": 5, "dstport": 4789, "dev": "e0"}, {"remote": "192.0.2.2"}, {"local": "192.0.2.1"},
          {"ttl": 9}, {"ageing": 77}, {"learning": False}, {"learning": True}, below=BELOW, needs=("ifb",)),
    lives("vxlan", {"id": 5, "dstport": 4789, "remote": "2001:db8::1"}, {"local": "2001:db8::2"}, needs=("ipv6",)),
    *(lives(type, *TUNNEL) for type in ("ipip", "sit", "gre", "gretap")),
    *(lives(type, {**ENDS, "dev": "e0"}, {"dev": "e1"}, below=BELOW, needs=("ifb",)) for type in ("ipip", "sit", "gre", "gretap")),
    *(lives(type, {**ENDS, "key": 7}, {"key": 9}) for type in ("gre", "gretap")),
])  # fmt: skip
def test_links(lab, below, values):
    # A first one of the type brings along what the kernel makes with it.
    alike(lab, below, life(*values), LINKS, without=r"link/ether \S+")


@pytest.mark.needs("dummy", "bond")
def test_ports_of_a_bond(lab):
    steps = [
        Device("e0", "up", 1500, "", slave=""),
        Device("e0", "up", 1500, "b0", slave="bond"),
        Device("e0", "up", 1400, "", slave=""),
        Device("e0", "down", 1450, "b0", slave="bond"),
        Device("e0", "up", 1450, "b0", slave="bond"),
        Device("e0", "down", 1300, "", slave=""),
    ]
    below = (*DUMMIES, "ip link add name b0 address 02:00:00:00:00:20 type bond miimon 0")
    alike(lab, below, [update(*pair) for pair in itertools.pairwise(steps)], LINKS)


@pytest.mark.needs("dummy", "vrf")
def test_ports_of_a_vrf(lab):
    steps = [Device("e0", "up", 1500, name, slave=slave) for name, slave in (("", ""), ("v0", "vrf"), ("", ""))]
    below = (*DUMMIES, "ip link add name v0 address 02:00:00:00:00:20 type vrf table 9")
    alike(lab, below, [update(*pair) for pair in itertools.pairwise(steps)], LINKS)


@pytest.mark.needs("dummy", "bond")
def test_a_primary(lab):
    first, second = (Link("b0", "bond", (("mode", "active-backup"), ("primary", name))) for name in ("e0", "e1"))
    below = (*DUMMIES, "ip link set e0 down", "ip link set e1 down")
    joins = [
        update(Device(name, "down", 1500, "", slave=""), Device(name, "up", 1500, "b0", slave="bond"))
        for name in ("e0", "e1")
    ]
    alike(lab, below, [create(first), *joins, update(first, second), delete(second)], LINKS, without=r"link/ether \S+")


@pytest.mark.needs("ifb", "bridge")
def test_the_port_of_a_bridge(lab):
    steps = [
        Port("e0", 100, 32, **dict.fromkeys(BOOLS, False)),
        Port("e0", 7, 5),
        *(Port("e0", **{field: value}) for field in BOOLS for value in (True, False)),
    ]
    whole = [steps[0]]
    for step in steps[1:]:
        whole.append(whole[-1]._replace(**{f: v for f, v in step._asdict().items() if v is not None}))
    off = (
        "guard off",
        "root_block off",
        "hairpin off",
        "learning off",
        "flood off",
        "mcast_flood off",
        "bcast_flood off",
    )
    below = (
        *BELOW,
        "ip link add name br0 address 02:00:00:00:00:20 type bridge",
        "ip link set e0 master br0",
        *(f"ip link set e0 type bridge_slave {word}" for word in off),
    )
    changes = [update(*pair) for pair in itertools.pairwise(whole)]
    alike(lab, below, changes, LINKS)
