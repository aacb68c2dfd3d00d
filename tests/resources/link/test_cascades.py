"""What interfaces do to each other, foretold and then seen: masters and ports, lower ones and those that stand on them."""

from __future__ import annotations

import pytest

from reconciler.resources.link.link import Link
from tests.resources.host import Host, create, delete, ready, update
from tests.resources.test_cascades import foretold, objects

KERNEL = 2
TWO = tuple(f"ip link add {dev} address 02:00:00:00:00:1{number} type ifb" for number, dev in enumerate(("e0", "e1")))
UP = (*TWO, "ip link set e0 up", "ip link set e1 up")
VRF = ("ip link add v0 type vrf table 9", "ip link set v0 up")
IN_BOTH = (
    "ip address add 192.0.2.2/24 dev e0",
    "ip address add 2001:db8:1::2/64 dev e0 nodad",
    "ip route add 10.1.0.0/16 via 192.0.2.1 dev e0",
)
BOND = ("ip link add b0 address 02:00:00:00:00:20 type bond mode active-backup miimon 100",)
VLAN = ("ip link add link e0 name w5 type vlan id 5",)


def host(lab, *lines):
    return Host.of(lab, "host", *lines)


def now(made, name):
    """The settings of an interface at the moment."""
    return next(value for value in made.values("device") if value.name == name)


def happens(made, change):
    """Make a change; what the kernel does must be what was foretold, but for what it makes anew for itself.

    That is an IPv6 address of the link where one comes up, and a VRF's routes to its ports' own addresses.
    """
    ready(made)
    _, after = foretold(made.state(), change)
    made.ask(change)
    ready(made)
    seen, expected = objects(made.state()), objects(after)
    assert sorted(map(str, expected - seen)) == []
    assert [str(one) for one in seen - expected if not anew(*one)] == []


def anew(value, mark):
    return mark == KERNEL and ("fe80::" in str(value) or getattr(value, "type", "") == "local")


def gone(made, name):
    """Delete a link, whoever made it."""
    happens(made, delete(next(value for value in made.values("link") if value.name == name), 0))


def sets(made, name, **fields):
    """Change settings; what the kernel does must be what was foretold."""
    before = now(made, name)
    return happens(made, update(before, before._replace(**fields)))


NEW = [
    pytest.param("vlan", {"id": 7, "link": "e0"}, id="vlan", marks=pytest.mark.needs("vlan")),
    pytest.param("vlan", {"id": 7, "link": "e0", "protocol": "802.1ad"}, id="802.1ad", marks=pytest.mark.needs("vlan")),
    pytest.param("macvlan", {"mode": "bridge", "link": "e0"}, id="macvlan", marks=pytest.mark.needs("macvlan")),
    pytest.param("ipvlan", {"mode": "l2", "link": "e0"}, id="ipvlan", marks=pytest.mark.needs("ipvlan")),
    pytest.param("vrf", {"table": 9}, id="vrf", marks=pytest.mark.needs("vrf")),
    pytest.param("bond", {"mode": "802.3ad"}, id="bond", marks=pytest.mark.needs("bond")),
    pytest.param("vxlan", {"id": 7, "dstport": 4789}, id="vxlan", marks=pytest.mark.needs("vxlan")),
    pytest.param("vxlan", {"id": 7, "dstport": 4789, "dev": "e0", "remote": "192.0.2.9"}, id="vxlan on one", marks=pytest.mark.needs("vxlan")),
    pytest.param("vxlan", {"id": 7, "dstport": 4789, "dev": "e0", "remote": "2001:db8::9"}, id="vxlan over IPv6", marks=pytest.mark.needs("vxlan")),
    *(
        pytest.param(type, {"local": "192.0.2.1", "remote": "192.0.2.2", "dev": "e0"}, id=type, marks=pytest.mark.needs(type))
        for type in ("gre", "gretap", "ipip", "sit")
    ),
    *(
        pytest.param(type, {"local": "192.0.2.1"}, id=f"{type} to anybody", marks=pytest.mark.needs(type))
        for type in ("gre", "gretap", "ipip", "sit")
    ),
]  # fmt: skip


@pytest.mark.needs("ifb")
class TestANewLink:
    @pytest.mark.parametrize(("type", "options"), NEW)
    def test_has_the_mtu_that_is_foretold(self, lab, type, options):
        made = host(lab, *UP, "ip link set e0 mtu 1400")
        if type in ("gre", "gretap", "ipip", "sit"):  # the first one brings the kernel's own ones along
            made.prepare([f"ip link add name first type {type} local 192.0.2.77", "ip link del first"])
        ask = create(Link("x0", type, tuple(sorted(options.items()))))
        before = made.state()
        happens_but_options(made, ask)
        assert made.state().ours.keys() - before.ours.keys() == {("link", "x0")}
        assert now(made, "x0").mtu is not None


def happens_but_options(made, change):
    """As ``happens``, where the kernel shows more options than were said."""
    _, after = foretold(made.state(), change)
    made.ask(change)
    seen, expected = (
        {(one._replace(options=()) if isinstance(one, Link) else one, mark) for one, mark in objects(state)}
        for state in (made.state(), after)
    )
    assert seen == expected


@pytest.mark.needs("ifb", "vlan")
class TestAVlan:
    def test_goes_down_with_its_lower_link_and_comes_up_with_it(self, lab):
        made = host(
            lab,
            *UP,
            *VLAN,
            "ip link set w5 up",
            "ip address add 192.0.2.2/24 dev w5",
            "ip route add 10.0.0.0/8 via 192.0.2.1",
        )
        sets(made, "e0", state="down")
        assert now(made, "w5").state == "down"
        sets(made, "e0", state="up")
        assert now(made, "w5").state == "up"

    def test_comes_up_with_its_lower_link_though_it_never_was(self, lab):
        made = host(lab, *TWO, *VLAN, "ip link add link w5 name w6 type vlan id 6")
        sets(made, "e0", state="up")
        assert now(made, "w6").state == "up"

    def test_gets_a_smaller_mtu_with_its_lower_link_and_no_larger_one(self, lab):
        made = host(lab, *UP, *VLAN, "ip link add link w5 name w6 type vlan id 6")
        sets(made, "e0", mtu=1400)
        assert now(made, "w6").mtu == 1400
        sets(made, "e0", mtu=1500)
        assert now(made, "w6").mtu == 1400

    def test_loses_ipv6_with_a_lower_link_that_is_too_small(self, lab):
        made = host(lab, *UP, *VLAN, "ip link set w5 up", "ip address add 2001:db8::2/64 dev w5 nodad")
        sets(made, "e0", mtu=1200)

    def test_goes_with_its_lower_link(self, lab):
        made = host(
            lab,
            *UP,
            *VLAN,
            "ip link add link w5 name w6 type vlan id 6",
            "ip link set w5 up",
            "ip link set w6 up",
            "ip address add 192.0.2.2/24 dev w6",
        )
        gone(made, "e0")

    @pytest.mark.needs("bridge")
    def test_on_a_bridge_follows_what_the_bridge_takes_from_its_ports(self, lab):
        made = host(
            lab,
            *UP,
            "ip link add name br0 type bridge",
            "ip link set br0 up",
            "ip link add link br0 name w5 type vlan id 5",
        )
        sets(made, "e0", mtu=1400)
        sets(made, "e0", master="br0", slave="bridge")
        assert now(made, "w5").mtu == 1400


@pytest.mark.needs("ifb", "ipvlan")
class TestAnIpvlan:
    def test_gets_each_mtu_of_its_lower_link(self, lab):
        made = host(lab, *UP, "ip link add link e0 name i0 type ipvlan mode l2")
        sets(made, "e0", mtu=1400)
        sets(made, "e0", mtu=1500)
        assert now(made, "i0").mtu == 1500

    def test_shares_the_mode_with_the_others_on_its_lower_link(self, lab):
        made = host(lab, *UP, *(f"ip link add link e0 name i{n} type ipvlan mode l2" for n in (0, 1)))
        one, other = (Link("i0", "ipvlan", (("link", "e0"), ("mode", mode))) for mode in ("l2", "l3"))
        happens(made, update(one, other, mark=0))


@pytest.mark.needs("ifb", "macvlan")
def test_a_macvlan_gets_a_smaller_mtu_and_goes_with_its_lower_link(lab):
    made = host(lab, *UP, "ip link add link e0 name m0 type macvlan mode bridge", "ip link set m0 up")
    sets(made, "e0", mtu=1400)
    sets(made, "e0", mtu=1500)
    assert now(made, "m0").mtu == 1400
    sets(made, "e0", state="down")
    assert now(made, "m0").state == "up"
    gone(made, "e0")


@pytest.mark.needs("ifb", "vrf", "ipv6")
class TestAPortOfAVrf:
    def test_has_its_subnets_in_the_table_of_the_vrf(self, lab):
        made = host(lab, *UP, *VRF, *IN_BOTH)
        sets(made, "e0", master="v0", slave="vrf")
        made.prepare(["ip address add 198.51.100.2/24 dev e0"])
        sets(made, "e0", state="down")
        sets(made, "e0", state="up")
        sets(made, "e0", master="", slave="")

    def test_is_free_when_the_vrf_goes(self, lab):
        made = host(lab, *UP, *VRF, *IN_BOTH, "ip link set e0 master v0")
        gone(made, "v0")


@pytest.mark.needs("ifb", "bond")
class TestAPortOfABond:
    def test_that_is_up_joins_and_leaves(self, lab):
        made = host(lab, *UP, *BOND, *IN_BOTH)
        sets(made, "e0", master="b0", slave="bond")
        assert now(made, "e0").state == "up"
        sets(made, "e0", master="", slave="")
        assert now(made, "e0").state == "up"

    def test_that_is_down_stays_so(self, lab):
        made = host(lab, *TWO, *BOND)
        sets(made, "e0", master="b0", slave="bond")
        assert now(made, "e0").state == "down"

    def test_gets_the_mtu_of_the_bond(self, lab):
        made = host(lab, *TWO, *BOND, "ip link set e0 master b0")
        sets(made, "b0", mtu=1400)
        assert now(made, "e0").mtu == 1400

    def test_has_the_mtu_that_is_asked_for(self, lab):
        made = host(lab, *TWO, *BOND, "ip link set b0 mtu 1400")
        sets(made, "e0", master="b0", slave="bond", mtu=1450)
        sets(made, "e0", master="", slave="", mtu=1460)

    def test_is_free_when_the_bond_goes(self, lab):
        made = host(lab, *UP[:3], *BOND, "ip link set e0 down", "ip link set e0 master b0", "ip link set b0 up")
        gone(made, "b0")
