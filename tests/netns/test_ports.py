"""What is set on an interface as the port of a bridge, on the real kernel."""

from __future__ import annotations

import pytest

from tests.netns.objects import assert_same, objects

CONFIG = """
interfaces:
  br0: {kind: bridge, state: up}
  v0: {master: br0, bridge-port: {cost: 12, isolated: true, learning: false}}
"""

pytestmark = pytest.mark.needs("veth", "bridge")


@pytest.fixture
def host(lab):
    made = lab.namespace("host")
    made.run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "p0")
    return made


def port(host):
    return host.output("ip", "-d", "-o", "link", "show", "v0")


def test_is_set_changed_in_place_healed_and_given_back(host, program):
    before = objects(host, ())
    run = program(host, text=CONFIG)
    assert run("apply").changes[-1].startswith("~ port v0: cost 12, learning on → off, isolated off → on")
    assert run("diff", "--exit-code").changes == []
    assert "cost 12 " in port(host)
    assert "isolated on" in port(host)
    run.write(CONFIG.replace("cost: 12", "cost: 13").replace(", isolated: true", ""))
    assert run("apply").changes == ["~ port v0: cost 12 → 13, isolated on → off"]
    assert run("diff", "--exit-code").changes == []
    host.run("ip", "link", "set", "v0", "type", "bridge_slave", "cost", "99")
    assert run("apply").changes == ["~ port v0: cost 99 → 13"]
    run("teardown")
    assert_same(before, objects(host, ()))


def test_on_a_bridge_of_somebody_else_the_former_values_come_back(host, program):
    for line in (
        "link add b9 type bridge",
        "link set v0 master b9",
        "link set v0 type bridge_slave cost 50 hairpin on",
    ):
        host.run("ip", *line.split())
    before = objects(host, ())
    run = program(host, text="interfaces: {v0: {bridge-port: {cost: 7, hairpin: false}}}")
    assert run("apply").changes == ["~ port v0: cost 50 → 7, hairpin on → off"]
    run("teardown")
    assert_same(before, objects(host, ()))


def test_waits_for_the_interface_to_be_a_port(host, program):
    run = program(host, text="interfaces: {v0: {bridge-port: {cost: 7}}}")
    assert run("apply").pending == ["port v0: cost 7: v0 is no port of a bridge"]
    assert run("diff", "--exit-code").changes == []
    for line in ("link add b9 type bridge", "link set v0 master b9"):
        host.run("ip", *line.split())
    assert run("apply").changes[0].startswith("~ port v0: cost")
    assert run("diff", "--exit-code").changes == []
