"""Links that stand on one another, on the real kernel: made in one plan, and what becomes of them."""

from __future__ import annotations

import os

import pytest

from tests.netns.objects import assert_same, objects

PORTS = (
    "link add name e0 type dummy", "link add name e1 type dummy",
    "link set e0 up", "link set e1 up",
)  # fmt: skip
RULES_OF_VRFS = ("link add name v type vrf table 99", "link del v")


@pytest.fixture
def host(lab):
    made = lab.namespace("host")
    made.batch("ip", PORTS)
    return made


def link(host, name):
    (found,) = host.json("ip", "-json", "-details", "link", "show", "dev", name)
    return found


def masters(host):
    return {one["ifname"]: one["master"] for one in host.json("ip", "-json", "link", "show") if "master" in one}


def goes_well(run, text):
    """Apply a file: nothing waits, and nothing is left to do."""
    applied = run.write(text)("apply")
    assert applied.pending == []
    assert run.converged(), run("diff").out
    return applied


@pytest.mark.needs("dummy", "bond")
class TestABond:
    PORTS = "interfaces: {b0: {kind: bond, mode: active-backup, miimon: 100, primary: e1, state: up, ports: [e0, e1]}}"
    MASTERS = """
interfaces:
  b0: {kind: bond, mode: active-backup, miimon: 100, primary: e1, state: up}
  e0: {master: b0, state: up}
  e1: {master: b0, state: up}
"""

    @pytest.mark.parametrize("text", [PORTS, MASTERS], ids=["ports", "master"])
    def test_takes_ports_that_are_up_and_gives_them_back(self, host, program, text):
        before = objects(host)
        run = program(host, text=text)
        goes_well(run, text)
        assert masters(host) == {"e0": "b0", "e1": "b0"}
        assert link(host, "b0")["linkinfo"]["info_data"]["primary"] == "e1"
        run("teardown")
        assert_same(before, objects(host))

    def test_is_made_anew_for_another_mode_and_has_its_ports_and_addresses_again(self, host, program):
        text = "interfaces: {b0: {kind: bond, mode: balance-rr, state: up, ports: [e0, e1], addresses: [192.0.2.1/24]}}"
        run = program(host, text=text)
        goes_well(run, text)
        changed = goes_well(run, text.replace("balance-rr", "802.3ad, lacp-rate: fast"))
        assert changed.changes[0].startswith("-/+ link b0: bond: ")
        assert masters(host) == {"e0": "b0", "e1": "b0"}

    def test_lets_a_port_go(self, host, program):
        run = program(host, text=self.PORTS)
        goes_well(run, self.PORTS)
        index = link(host, "b0")["ifindex"]
        goes_well(run, self.PORTS.replace("ports: [e0, e1]", "ports: [e1]"))
        assert masters(host) == {"e1": "b0"}
        assert "UP" in link(host, "e0")["flags"]
        assert link(host, "b0")["ifindex"] == index

    def test_has_another_primary_in_place(self, host, program):
        run = program(host, text=self.PORTS)
        goes_well(run, self.PORTS)
        changed = goes_well(run, self.PORTS.replace("primary: e1", "primary: e0"))
        assert changed.changes == ["~ link b0: bond: primary e1 → e0"]

    def test_gets_a_port_back_that_somebody_took_out(self, host, program):
        run = program(host, text=self.PORTS)
        goes_well(run, self.PORTS)
        host.run("ip", "link", "set", "e1", "nomaster")
        goes_well(run, self.PORTS)
        assert masters(host) == {"e0": "b0", "e1": "b0"}
        assert link(host, "b0")["linkinfo"]["info_data"]["primary"] == "e1"

    @pytest.mark.needs("vlan")
    def test_carries_vlans(self, host, program):
        text = self.MASTERS + "  b0.5: {kind: vlan, link: b0, id: 5, state: up, addresses: [192.0.2.1/24]}\n"
        before = objects(host)
        run = program(host, text=text)
        goes_well(run, text)
        host.run("ip", "link", "del", "b0")
        goes_well(run, text)
        run("teardown")
        assert_same(before, objects(host))


@pytest.mark.needs("dummy", "vrf")
class TestAVrf:
    TEXT = """
tables: {red: {id: 9, routes: [{to: default, via: 192.0.2.9, dev: e0}]}}
interfaces:
  v0: {kind: vrf, table: red, state: up}
  e0: {master: v0, addresses: [192.0.2.1/24]}
  e1: {state: up}
"""

    def test_has_the_subnets_of_its_ports_in_its_table(self, host, program):
        host.batch("ip", [*RULES_OF_VRFS, "address add 198.51.100.1/24 dev e0"])
        before = objects(host)
        run = program(host, text=self.TEXT)
        goes_well(run, self.TEXT)
        table = host.output("ip", "route", "show", "table", "9")
        assert "192.0.2.0/24 dev e0 proto kernel" in table
        assert "198.51.100.0/24 dev e0 proto kernel" in table
        assert "default via 192.0.2.9 dev e0" in table
        assert host.output("ip", "route", "show", "table", "main") == ""
        run("teardown")
        assert_same(before, objects(host))

    def test_is_made_anew_with_another_table(self, host, program):
        run = program(host, text=self.TEXT)
        goes_well(run, self.TEXT)
        goes_well(run, self.TEXT.replace("id: 9", "id: 10"))
        assert "default via 192.0.2.9 dev e0" in host.output("ip", "route", "show", "table", "10")


@pytest.mark.needs("dummy", "vlan")
class TestVlans:
    @pytest.mark.needs("bridge", "veth", "bond")
    def test_stand_on_a_bridge_a_bond_and_a_veth_of_the_same_file(self, host, program):
        text = """
interfaces:
  a-on-br: {kind: vlan, link: br0, id: 5, state: up, addresses: [192.0.2.1/24]}
  a-on-bond: {kind: vlan, link: bond0, id: 5, state: up}
  a-on-veth: {kind: vlan, link: veth0, id: 5, state: up}
  br0: {kind: bridge, ports: [e0], state: up}
  bond0: {kind: bond, ports: [e1], state: up}
  veth0: {kind: veth, peer: veth1, state: up}
  veth1: {state: up}
"""
        before = objects(host)
        run = program(host, text=text)
        goes_well(run, text)
        run("teardown")
        assert_same(before, objects(host))

    def test_stand_on_one_another(self, host, program):
        text = """
interfaces:
  inner: {kind: vlan, link: outer, id: 7, state: up, addresses: [192.0.2.1/24]}
  outer: {kind: vlan, link: e0, id: 5, protocol: 802.1ad, state: up}
"""
        run = program(host, text=text)
        goes_well(run, text)
        changed = goes_well(run, text.replace("id: 5", "id: 6"))
        assert changed.changes[0].startswith("-/+ link outer: vlan: id 5 → 6")
        assert any(line.startswith("+ link inner: vlan") for line in changed.changes)
        assert "192.0.2.1/24" in host.output("ip", "-o", "address", "show", "inner")

    def test_wait_for_what_they_stand_on(self, host, program):
        text = "interfaces: {w5: {kind: vlan, link: e9, id: 5, state: up}}"
        run = program(host, text=text)
        waiting = run("apply")
        assert waiting.changes == []
        assert any("e9 does not exist yet" in line for line in waiting.pending)
        host.run("ip", "link", "add", "name", "e9", "type", "dummy")
        goes_well_but = run("apply")
        assert goes_well_but.pending == ["link w5: up: e9 is down"] or goes_well_but.pending
        host.run("ip", "link", "set", "e9", "up")
        goes_well(run, text)
        assert "UP" in link(host, "w5")["flags"]
        host.run("ip", "link", "del", "e9")
        assert run("apply").changes == []

    def test_follow_what_happens_below(self, host, program):
        text = """
interfaces:
  e0: {state: up, mtu: 1400}
  w5: {kind: vlan, link: e0, id: 5, state: up, addresses: [192.0.2.1/24, "2001:db8::1/64"]}
tables: {main: {routes: [{to: 10.0.0.0/8, via: 192.0.2.9}]}}
"""
        run = program(host, text=text)
        goes_well(run, text)
        host.run("ip", "link", "set", "e0", "down")
        goes_well(run, text)
        assert "10.0.0.0/8 via 192.0.2.9 dev w5" in host.output("ip", "route")
        taken = goes_well(run, text.replace("state: up, mtu: 1400", "state: up, mtu: 1300"))
        assert "~ link e0: mtu 1400 → 1300" in taken.changes
        goes_well(run, text.replace("state: up, mtu: 1400", "state: up, mtu: 1200").replace(', "2001:db8::1/64"', ""))
        down = goes_well(
            run,
            text.replace(', "2001:db8::1/64"', "")
            .replace("w5: {kind: vlan, link: e0, id: 5, state: up", "w5: {kind: vlan, link: e0, id: 5, state: down")
            .partition("tables")[0],
        )
        assert "~ link w5: state up → down" in down.changes

    def test_are_down_on_what_comes_up_where_the_file_says_so(self, host, program):
        host.run("ip", "link", "set", "e0", "down")
        text = "interfaces: {e0: {state: up}, w5: {kind: vlan, link: e0, id: 5, state: down}}"
        run = program(host, text=text)
        goes_well(run, text)
        host.run("ip", "link", "set", "e0", "down")
        goes_well(run, text)
        assert "UP" not in link(host, "w5")["flags"]


@pytest.mark.needs("gre", "sit", "ipip", "dummy")
class TestTunnels:
    TEXT = """
interfaces:
  a: {kind: gre, local: 192.0.2.1, remote: 192.0.2.2, key: 7, link: e0, state: up}
  b: {kind: sit, local: 192.0.2.1, remote: 192.0.2.2, state: up}
  c: {kind: ipip, local: 192.0.2.1, remote: 192.0.2.2, state: up}
  d: {kind: gretap, local: 192.0.2.1, remote: 192.0.2.2, state: up}
"""

    def test_leave_the_links_alone_that_the_kernel_makes_with_the_first_one(self, host, program):
        run = program(host, text=self.TEXT)
        goes_well(run, self.TEXT)
        names = {one["ifname"] for one in host.json("ip", "-json", "link", "show")}
        assert {"gre0", "gretap0", "erspan0", "tunl0", "sit0"} <= names
        run("teardown")
        assert {"gre0", "gretap0", "erspan0", "tunl0", "sit0"} <= {
            one["ifname"] for one in host.json("ip", "-json", "link", "show")
        }
        assert not host.works("ip", "link", "show", "a")


@pytest.mark.skipif(not os.path.exists("/proc/modules"), reason="this kernel loads no modules")
def test_a_preview_loads_no_module(lab, program):
    def loaded():
        with open("/proc/modules", encoding="ascii") as file:
            return sorted(line.split()[0] for line in file)

    kinds = {"g": "kind: gre", "s": "kind: sit", "v": "kind: vrf, table: 9", "b": "kind: bond"}
    text = "".join(f"  {name}: {{{said}}}\n" for name, said in kinds.items())
    before = loaded()
    program(lab.namespace("host"), text=f"interfaces:\n{text}")("diff")
    assert loaded() == before
