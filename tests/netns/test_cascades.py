"""What Linux removes by itself is foretold: each story is planned, executed and read again on the real kernel."""

from __future__ import annotations

import pytest

from tests.netns.cascades import Story, tell

PROMOTE = ("net.ipv4.conf.e0.promote_secondaries", 1)
KEEP = ("net.ipv6.conf.e0.keep_addr_on_down", 1)
KEEP_ALL = ("net.ipv6.conf.all.keep_addr_on_down", 1)

ONE, TWO, THREE, FAR = "10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24", "10.5.0.1/24"
TABLES = """
tables:
  main: {routes: [{to: 10.9.0.0/16, via: 10.0.0.254, src: 10.0.0.2}]}
  wan: {id: 100, routes: [{to: default, via: 10.0.0.254, dev: e0}, {to: 10.8.0.0/16, via: 10.0.0.254, src: 10.0.0.2}]}
"""
THEIRS = (
    "ip route add 10.20.0.0/16 via 10.0.0.253 table 200",
    "ip route add 10.21.0.0/16 via 10.0.0.253",
    "ip route add 10.22.0.0/16 dev e1 src 10.0.0.1",
)
ON_E1 = ("ip address add 10.0.0.3/24 dev e0",)
SIX = """
tables:
  wan: {id: 100, routes: [{to: "2001:db8:9::/48", via: "2001:db8::fe", dev: e0}]}
"""
SIX_THEIRS = (
    "ip address add 2001:db8::9/64 dev e0 nodad",
    "ip address add 2001:db8:5::9/64 dev e0 nodad valid_lft 5000 preferred_lft 5000",
    "ip address add 2001:db8:6::9/64 dev e0",
    "ip route add 2001:db8:20::/48 via 2001:db8::fd table 200",
    "ip route add 2001:db8:21::/48 dev e0 src 2001:db8::9",
)


def e0(*addresses, state="", more=""):
    words = [f"addresses: [{', '.join(addresses)}]"] if addresses else []
    words += [f"state: {state}"] if state else []
    return f"interfaces:\n  e0: {{{', '.join(words)}}}\n" + more


def said(address, words):
    return f"{{address: '{address}', {words}}}"


PRIMARY = {
    "our secondary comes back": Story(e0(ONE, TWO, THREE), (), e0(TWO, THREE)),
    "our secondary and its routes come back": Story(e0(ONE, TWO, more=TABLES), THEIRS, e0(TWO, more=TABLES)),
    "a foreign secondary": Story(e0(ONE, TWO, more=TABLES), (*ON_E1, *THEIRS), e0(TWO, more=TABLES)),
    "only foreign secondaries": Story(e0(ONE, FAR), (*ON_E1, "ip route add 10.30.0.0/16 via 10.0.0.254"), e0(FAR)),
    "a foreign primary stays": Story(e0(TWO), ("ip address add 10.0.0.1/25 dev e0", *ON_E1), e0(FAR)),
    "an heir with a metric": Story(e0(ONE, said(TWO, "metric: 7")), THEIRS, e0(said(TWO, "metric: 7"))),
    "an heir without a route": Story(
        e0(ONE, said(TWO, "noprefixroute: true")), THEIRS, e0(said(TWO, "noprefixroute: true"))
    ),
    "a primary without a route": Story(e0(said(ONE, "noprefixroute: true"), TWO), (), e0(TWO)),
    "a primary with a metric": Story(e0(said(ONE, "metric: 7"), TWO, THREE), (), e0(TWO, THREE)),
    "a primary is made anew": Story(
        e0(ONE, TWO, THREE, more=TABLES), THEIRS, e0(said(ONE, "label: 'e0:1'"), TWO, THREE, more=TABLES)
    ),
    "a primary changes its scope, with all of its subnet": Story(
        e0(ONE, TWO), (), e0(*(said(word, "scope: link") for word in (ONE, TWO)))
    ),
    "a secondary goes": Story(e0(ONE, TWO, more=TABLES), ON_E1, e0(ONE)),
}


@pytest.mark.needs("ifb")
@pytest.mark.parametrize("name", PRIMARY)
@pytest.mark.parametrize("promote", [0, pytest.param(1, marks=pytest.mark.thorough)])
def test_a_primary_and_its_secondaries(lab, name, promote):
    story = PRIMARY[name]._replace(settings=((PROMOTE[0], promote),))
    if name == "our secondary and its routes come back":
        assert "10.0.0.2/24" in str(tell(lab, story).plan.plan.predicted.ours)
    else:
        tell(lab, story)


@pytest.mark.needs("ifb")
@pytest.mark.parametrize("promote", [0, 1])
def test_secondaries_of_ours_survive_and_those_of_others_are_named(lab, promote):
    settings = ((PROMOTE[0], promote),)
    told = tell(lab, Story(e0(ONE, TWO), ON_E1, e0(TWO), settings))
    ours = {key for key in told.again.observed.ours if key[0] == "address"}
    assert ours == {("address", "e0", 4, TWO, "")}
    named = {effect.key for effect in told.plan.plan.collateral}
    assert named == (set() if promote else {("address", "e0", 4, THREE, "")})


LAST = {
    "the last address of a subnet": Story(e0(ONE, FAR, more=TABLES.replace(", src: 10.0.0.2", "")), THEIRS, e0(FAR)),
    "the last address of a device": Story(e0(ONE, more=TABLES.replace(", src: 10.0.0.2", "")), THEIRS, e0(state="up")),
    "an address beside its twin elsewhere": Story(
        e0(ONE, FAR), ("ip address add 10.0.0.1/24 dev e1 metric 9", *THEIRS), e0(FAR)
    ),
    "an address with a peer": Story(
        e0(said("10.6.0.1", "peer: 10.7.0.0/24"), FAR), ("ip route add 10.30.0.0/16 via 10.7.0.1",), e0(FAR)
    ),
    "an address without a route": Story(e0(said(ONE, "noprefixroute: true"), FAR), (), e0(FAR)),
    "its metric": Story(e0(ONE, more=TABLES.replace(", src: 10.0.0.2", "")), THEIRS, e0(said(ONE, "metric: 9"))),
    "the metric of a secondary": Story(e0(ONE, TWO), THEIRS, e0(ONE, said(TWO, "metric: 9"))),
    "the metric of one without a route": Story(
        e0(said(ONE, "noprefixroute: true")), (), e0(said(ONE, "noprefixroute: true, metric: 9"))
    ),
    "its route": Story(
        e0(ONE, more=TABLES.replace(", src: 10.0.0.2", "")), THEIRS, e0(said(ONE, "noprefixroute: true"))
    ),
}


@pytest.mark.needs("ifb")
@pytest.mark.parametrize("name", LAST)
def test_an_ipv4_address_and_the_routes_that_stand_on_it(lab, name):
    tell(lab, LAST[name])


V6 = said("2001:db8::1/64", "nodad: true")
V6_FAR = said("2001:db8:7::1/64", "nodad: true")
V6_STORIES = {
    "the only address of a prefix": Story(e0(V6, V6_FAR, more=SIX), (), e0(V6_FAR)),
    "one of several addresses": Story(e0(V6, V6_FAR, more=SIX), SIX_THEIRS, e0(V6_FAR, more=SIX)),
    "an address beside one with a lifetime": Story(
        e0(V6), ("ip address add 2001:db8::7/64 dev e0 nodad valid_lft 5000 preferred_lft 5000",), e0(V6_FAR)
    ),
    "an address beside one without a route": Story(
        e0(V6), ("ip address add 2001:db8::7/64 dev e0 nodad noprefixroute",), e0(V6_FAR)
    ),
    "an address with a lifetime": Story(e0(said("2001:db8::1/64", "nodad: true, valid-lifetime: 5000")), (), e0(V6_FAR)),
    "an address without a route": Story(e0(said("2001:db8::1/64", "nodad: true, noprefixroute: true")), (), e0(V6_FAR)),
    "its metric": Story(e0(V6, more=SIX), SIX_THEIRS, e0(said("2001:db8::1/64", "nodad: true, metric: 7"), more=SIX)),
    "its metric, and a foreign route": Story(
        e0(V6), ("ip route add 2001:db8::/64 dev e0 metric 5",), e0(said("2001:db8::1/64", "nodad: true, metric: 7"))
    ),
    "its route": Story(e0(V6, V6_FAR), (), e0(said("2001:db8::1/64", "noprefixroute: true"), V6_FAR)),
    "its route beside another": Story(
        e0(V6), SIX_THEIRS, e0(said("2001:db8::1/64", "noprefixroute: true"))
    ),
    "its route comes": Story(e0(said("2001:db8::1/64", "noprefixroute: true")), (), e0(V6, more=SIX)),
    "its lifetime": Story(e0(V6, more=SIX), (), e0(said("2001:db8::1/64", "valid-lifetime: 900"), more=SIX)),
    "its lifetime and metric": Story(
        e0(said("2001:db8::1/64", "nodad: true, valid-lifetime: 5000")), (), e0(said("2001:db8::1/64", "metric: 7"))
    ),
    "a peer": Story(e0(said("2001:db8::1", "peer: '2001:db8:1::1', nodad: true"), V6_FAR), (), e0(V6_FAR)),
    "the metric of one with a peer": Story(
        e0(said("2001:db8::1", "peer: '2001:db8:1::1/64'")), (), e0(said("2001:db8::1", "peer: '2001:db8:1::1/64', metric: 9"))
    ),
    "the route of one with a peer": Story(
        e0(said("2001:db8::1", "peer: '2001:db8:1::1/64'")), (),
        e0(said("2001:db8::1", "peer: '2001:db8:1::1/64', noprefixroute: true")),
    ),
}  # fmt: skip


@pytest.mark.needs("ifb", "ipv6")
@pytest.mark.parametrize("name", V6_STORIES)
def test_an_ipv6_address_and_the_routes_that_stand_on_it(lab, name):
    tell(lab, V6_STORIES[name])


DOWN = {
    "all": Story(
        e0(ONE, TWO, V6, state="up", more=SIX),
        (*ON_E1, *THEIRS, *SIX_THEIRS, "ip route add 10.0.77.0/24 dev e0 table 300"),
        e0(ONE, TWO, state="down"),
    ),
    "all, and what we want waits": Story(
        e0(ONE, V6, state="up", more=SIX), SIX_THEIRS, e0(ONE, V6, state="down", more=SIX)
    ),
    "up again": Story(
        e0(ONE, said(TWO, "metric: 7"), FAR, V6, state="down"),
        ("ip address add 2001:db8::9/64 dev e0 nodad noprefixroute",),
        e0(ONE, said(TWO, "metric: 7"), FAR, V6, state="up", more=SIX),
    ),
}


@pytest.mark.needs("ifb", "ipv6")
@pytest.mark.parametrize("name", DOWN)
@pytest.mark.parametrize("settings", [(), (KEEP,), (KEEP_ALL,), (KEEP_ALL, (KEEP[0], -1)), (KEEP, (KEEP_ALL[0], -1))])
def test_a_link_that_goes_down_or_comes_up(lab, name, settings):
    tell(lab, DOWN[name]._replace(settings=settings))


VETH = "  v0: {{kind: veth, peer: v1, state: up, addresses: [{}]}}\n  v1: {{state: up, addresses: [{}]}}\n"
PAIR = "interfaces:\n" + VETH.format(f"{ONE}, {TWO}, {V6}", "10.4.0.1/24")
ELSEWHERE = (
    "ip route add 10.20.0.0/16 dev e0 src 10.0.0.1",
    "ip route add 10.21.0.0/16 dev e0 src 10.4.0.1",
    "ip route add 10.20.0.0/16 dev e0 src 10.0.0.1 table 200",
    "ip address add 10.0.0.9/24 dev v0",
    "ip route add 10.22.0.0/16 via 10.0.0.254 table 200",
    "ip route add 10.23.0.0/16 via 10.4.0.254 src 10.0.0.1",
)
KEEP_E0 = "interfaces:\n  e0: {state: up, mtu: 1400}\n"


@pytest.mark.needs("veth", "ifb", "ipv6")
@pytest.mark.parametrize("more", ["", "tables: {wan: {id: 100, routes: [{to: default, via: 10.0.0.254, dev: v0}]}}\n"])
def test_a_link_that_goes_takes_its_other_end_and_all_that_stands_on_either(lab, more):
    tell(lab, Story(PAIR + more, ELSEWHERE, KEEP_E0))


@pytest.mark.needs("veth", "ifb")
def test_a_link_that_becomes_another_loses_all_and_what_is_wanted_comes_back(lab):
    after = PAIR.replace("v1", "v2").replace(f", {V6}", "")
    tell(lab, Story(PAIR.replace(f", {V6}", ""), ELSEWHERE, after))


BRIDGE = "interfaces:\n  b0: {kind: bridge, state: up, addresses: [10.0.0.1/24, 10.0.0.2/24]}\n"
PORTS = "  e0: {master: b0, mtu: 1400}\n  e1: {master: b0, mtu: 1300}\n"


@pytest.mark.needs("bridge", "ifb", "veth")
@pytest.mark.parametrize(
    ("before", "others", "after"),
    [
        (BRIDGE + PORTS, (), "interfaces:\n  e0: {mtu: 1400}\n  e1: {mtu: 1300}\n"),
        (BRIDGE + PORTS, (), BRIDGE + "  e0: {master: b0, mtu: 1400}\n"),
        (BRIDGE, (), BRIDGE + PORTS),
        (BRIDGE + PORTS, (), BRIDGE + PORTS.replace("1300", "1200")),
        (BRIDGE + VETH.format("", ""), ("ip link set v1 mtu 1300 master b0",), BRIDGE),
        (BRIDGE + "  v1: {master: b0, mtu: 1300}\n  v0: {kind: veth, peer: v1}\n", (), BRIDGE),
    ],
)
def test_a_bridge_and_its_ports(lab, before, others, after):
    tell(lab, Story(before, others, after))


VLAN = PAIR + "  x5: {kind: vlan, link: v0, id: 5, state: up, addresses: [10.6.0.1/24, 10.6.0.2/24]}\n"
ON_VLAN = ("ip route add 10.40.0.0/16 via 10.6.0.254 table 200", "ip route add 10.41.0.0/16 dev e0 src 10.6.0.1")


@pytest.mark.needs("vlan", "veth", "ifb")
@pytest.mark.parametrize("after", [KEEP_E0, PAIR, VLAN.replace("peer: v1, state: up", "peer: v1, state: down")])
def test_a_vlan_and_the_interface_below_it(lab, after):
    tell(
        lab,
        Story(
            VLAN,
            ON_VLAN,
            after.replace("x5: {kind: vlan, link: v0, id: 5, state: up", "x5: {kind: vlan, link: v0, id: 5"),
        ),
    )


LOADED = f"interfaces:\n  e0: {{addresses: [{ONE}, {TWO}, {V6}]}}\n"
BOND, VRF = "  m0: {kind: bond, state: up}\n", "  m0: {kind: vrf, table: 77, state: up}\n"


def port_of(address, master):
    return address.replace("e0: {", "e0: {" + master)


def _masters():
    for kind, text, device in (("bond", BOND, "dummy"), ("vrf", VRF, "ifb")):
        marks = pytest.mark.needs(kind, device)
        for settings in ((), (KEEP,)):
            name = f"{kind} {'keeps' if settings else 'loses'}"
            port = port_of(LOADED, "master: m0, ")
            joins = Story(LOADED + text, THEIRS, port + text, settings, device)
            yield pytest.param(joins, marks=marks, id=f"{name}: joins")
            yield pytest.param(
                Story(port + text, (), LOADED + text, settings, device), marks=marks, id=f"{name}: leaves"
            )
            yield pytest.param(Story(port + text, (), LOADED, settings, device), marks=marks, id=f"{name}: master goes")


@pytest.mark.needs("ipv6")
@pytest.mark.parametrize("story", list(_masters()))
def test_a_port_of_a_bond_or_vrf(lab, story):
    tell(lab, story)
