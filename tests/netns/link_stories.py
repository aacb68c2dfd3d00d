"""What each type of link can be told, for ``test_links.py``: a story for each type, as a table."""

from __future__ import annotations

from typing import NamedTuple

import pytest


class Turn(NamedTuple):
    """One option that is changed in place: by the file, and then by hand."""

    key: str
    """As the file calls it."""
    one: str
    other: str
    by_hand: str
    """Words of ``ip link set dev DEVICE type TYPE``."""


class Story(NamedTuple):
    """The life of one link, whose name is ``x0``."""

    type: str
    said: str = ""
    """What the file says of it from the beginning, in flow style."""
    turns: tuple[Turn, ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()
    """Options that need a new link: (key, value)."""
    needs: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    """Lines of ip that make what is there before."""
    name: str = ""


IFB = ("link add name e0 type ifb", "link set e0 up", "link add name e1 type ifb", "link set e1 up")
VETH = ("link add name e0 type veth peer name e1", "link set e0 up", "link set e1 up")
RULES_OF_VRFS = ("link add name v type vrf table 99", "link del v")
"""The kernel makes its rules with a namespace's first VRF, and leaves them there."""
ENDS = "local: 192.0.2.1, remote: 192.0.2.2"
TUNNEL = (
    Turn("remote", "192.0.2.2", "192.0.2.3", "local 192.0.2.1 remote 192.0.2.9 {}"),
    Turn("local", "192.0.2.1", "192.0.2.7", "local 192.0.2.8 remote 192.0.2.2 {}"),
    Turn("ttl", "64", "9", "local 192.0.2.1 remote 192.0.2.2 ttl 7 {}"),
    Turn("pmtudisc", "true", "false", "local 192.0.2.1 remote 192.0.2.2 pmtudisc {}"),
    Turn("link", "e0", "e1", "local 192.0.2.1 remote 192.0.2.2 dev e0 {}"),
)
KEYED = Turn("key", "7", "8", "local 192.0.2.1 remote 192.0.2.2 key 9")


def tunnel(turns: tuple[Turn, ...], more: str = "") -> tuple[Turn, ...]:
    """Return the turns with the words that a change by hand must repeat."""
    return tuple(turn._replace(by_hand=turn.by_hand.format(more).strip()) for turn in turns)


STORIES = (
    Story("dummy", needs=("dummy",)),
    Story("ifb", needs=("ifb",)),
    Story("wireguard", needs=("wireguard",)),
    Story("veth", "peer: x1", fixed=(("peer", "x2"),), needs=("veth",)),
    Story(
        "bridge",
        turns=(
            Turn("forward-delay", "4", "5", "forward_delay 700"),
            Turn("hello-time", "1", "2", "hello_time 300"),
            Turn("max-age", "20", "21", "max_age 2200"),
            Turn("ageing-time", "300", "0", "ageing_time 3100"),
            Turn("stp", "true", "false", "stp_state 1"),
            Turn("priority", "32768", "0", "priority 9"),
            Turn("mcast-snooping", "true", "false", "mcast_snooping 1"),
            Turn("mcast-querier", "true", "false", "mcast_querier 1"),
        ),
        needs=("bridge",),
    ),
    Story(
        "bridge",
        turns=(
            Turn("vlan-filtering", "true", "false", "vlan_filtering 1"),
            Turn("vlan-protocol", "802.1q", "802.1ad", "vlan_protocol 802.1Q"),
            Turn("vlan-default-pvid", "1", "0", "vlan_default_pvid 7"),
        ),
        needs=("bridge-vlans",),
        name="bridge-vlans",
    ),
    Story(
        "vlan",
        "link: e0, id: 5",
        fixed=(("id", "6"), ("protocol", "802.1ad"), ("link", "e1")),
        needs=("vlan", "ifb"),
        below=IFB,
    ),
    Story(
        "macvlan",
        "link: e0",
        turns=(
            Turn("mode", "private", "vepa", "mode bridge"),
            Turn("mode", "bridge", "private", "mode vepa"),
            Turn("mode", "vepa", "source", "mode private"),
        ),
        fixed=(("mode", "passthru"), ("link", "e1")),
        needs=("macvlan", "veth"),
        below=VETH,
    ),
    Story(
        "ipvlan",
        "link: e0",
        turns=(Turn("mode", "l2", "l3", "mode l3s"), Turn("mode", "l3s", "l2", "mode l3")),
        fixed=(("link", "e1"),),
        needs=("ipvlan", "dummy"),
        below=tuple(line.replace("ifb", "dummy") for line in IFB),
    ),
    Story("vrf", "table: 9", fixed=(("table", "10"),), needs=("vrf",), below=RULES_OF_VRFS),
    Story(
        "bond",
        turns=(
            Turn("miimon", "100", "0", "miimon 200"),
            Turn("xmit-hash-policy", "layer2", "layer3+4", "xmit_hash_policy layer2+3"),
            Turn("min-links", "1", "0", "min_links 2"),
        ),
        fixed=(("mode", "active-backup"), ("mode", "802.3ad, lacp-rate: fast, ad-select: count")),
        needs=("bond",),
    ),
    Story(
        "bond",
        "miimon: 100",
        turns=(Turn("updelay", "200", "300", "updelay 400"), Turn("downdelay", "200", "0", "downdelay 500")),
        needs=("bond",),
        name="bond-delays",
    ),
    Story(
        "bond",
        "mode: 802.3ad",
        fixed=(("lacp-rate", "fast"), ("ad-select", "bandwidth")),
        needs=("bond",),
        name="bond-lacp",
    ),
    Story(
        "vxlan",
        "id: 5, port: 4789",
        turns=(
            Turn("ttl", "64", "0", "ttl 9"),
            Turn("ageing", "300", "1", "ageing 77"),
            Turn("learning", "true", "false", "learning"),
            Turn("remote", "192.0.2.2", "192.0.2.3", "remote 192.0.2.9"),
            Turn("local", "192.0.2.1", "192.0.2.7", "local 192.0.2.8"),
        ),
        fixed=(("id", "6"), ("port", "4790")),
        needs=("vxlan",),
    ),
    Story(
        "vxlan",
        'id: 5, remote: "2001:db8::1"',
        turns=(
            Turn("remote", '"2001:db8::2"', '"2001:db8::3"', "remote 2001:db8::9"),
            Turn("local", '"2001:db8::4"', '"2001:db8::5"', "local 2001:db8::6"),
        ),
        fixed=(("remote", "192.0.2.2"),),
        needs=("vxlan", "ipv6"),
        name="vxlan-ipv6",
    ),
    Story(
        "vxlan",
        "id: 5, port: 4789, link: e0",
        turns=(Turn("link", "e0", "e1", ""),),
        needs=("vxlan", "ifb"),
        below=IFB,
        name="vxlan-on",
    ),
    *(
        Story(type, ENDS, turns=tunnel(TUNNEL), needs=(type, "ifb"), below=IFB)
        for type in ("ipip", "sit")
    ),
    *(
        Story(type, ENDS, turns=(*tunnel(TUNNEL), KEYED), needs=(type, "ifb"), below=IFB)
        for type in ("gre", "gretap")
    ),
)  # fmt: skip

EACH = [pytest.param(story, id=story.name or story.type, marks=pytest.mark.needs(*story.needs)) for story in STORIES]
