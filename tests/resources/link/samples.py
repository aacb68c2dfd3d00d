"""A link of each type, and ports, as ``ip`` makes them, and what they are read as."""

from __future__ import annotations

from reconciler.resources.link.link import Link

LINES = {
    "ifb": ("link add name i0 type ifb",),
    "bridge": ("link add name b0 type bridge forward_delay 400 stp_state 1 priority 4096 ageing_time 6000",),
    "veth": (
        "link add name v0 type veth peer name v1",
        "link set v0 master b0",
        "link set v0 type bridge_slave cost 7 priority 5 hairpin on isolated on learning off",
    ),
    "vxlan": (
        "link add name x0 type vxlan id 5 dstport 4789 remote 192.0.2.9 local 192.0.2.1 ttl 9 nolearning dev i0",
    ),
    "macvlan": ("link add link i0 name m0 type macvlan mode private",),
    "dummy": ("link add name d0 type dummy",),
    "vlan": ("link add link d0 name l0 type vlan id 7 protocol 802.1ad",),
    "vrf": ("link add name f0 type vrf table 4294967295",),
    "ipvlan": ("link add name d1 type dummy", "link add link d1 name p0 type ipvlan mode l3"),
    "bond": (
        "link add name o0 type bond mode active-backup miimon 100 updelay 200",
        "link add name d2 type dummy",
        "link set d2 master o0",
        "link set o0 type bond primary d2",
    ),
    "ipip": ("link add name t0 type ipip local 192.0.2.1 remote 192.0.2.3 ttl 9",),
    "gre": ("link add name g0 type gre local 192.0.2.1 remote 192.0.2.4 ttl 8 key 77",),
}
"""Type of link to commands of ip; in an order in which each finds what it stands on."""
EXPECTED = (
    Link("i0", "ifb"),
    Link("b0", "bridge", (("ageing_time", 6000), ("forward_delay", 400), ("priority", 4096), ("stp_state", True))),
    Link("v0", "veth", (("peer", "v1"),)),
    Link(
        "x0",
        "vxlan",
        (("dev", "i0"), ("dstport", 4789), ("id", 5), ("learning", False), ("local", "192.0.2.1"), ("remote", "192.0.2.9"), ("ttl", 9)),
    ),
    Link("m0", "macvlan", (("link", "i0"), ("mode", "private"))),
    Link("d0", "dummy"),
    Link("l0", "vlan", (("id", 7), ("link", "d0"), ("protocol", "802.1ad"))),
    Link("f0", "vrf", (("table", 4294967295),)),
    Link("p0", "ipvlan", (("link", "d1"), ("mode", "l3"))),
    Link("o0", "bond", (("miimon", 100), ("mode", "active-backup"), ("primary", "d2"), ("updelay", 200))),
    Link("t0", "ipip", (("local", "192.0.2.1"), ("remote", "192.0.2.3"), ("ttl", 9))),
    Link("g0", "gre", (("key", 77), ("local", "192.0.2.1"), ("remote", "192.0.2.4"), ("ttl", 8))),
)  # fmt: skip
"""Options that nobody named are left out: kernels differ in what they show of them."""
