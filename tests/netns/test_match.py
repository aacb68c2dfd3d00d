"""Interfaces by hardware address, alternative name and pattern, on the real kernel."""

from __future__ import annotations

import pytest

from tests.netns.objects import assert_same, objects
from tests.netns.program import Watcher, until

CONFIG = """
interfaces:
  uplink:
    match: {mac: "02:00:00:00:00:01"}
    state: up
    addresses: [192.168.1.2/24]
  ports: {match: {name: "p[0-9]"}, mtu: 1400}
  a-longer-name: {mtu: 1300}
tables:
  main: {routes: [{to: 10.0.0.0/8, via: 192.168.1.1, dev: uplink}]}
rules:
  - {priority: 100, iif: uplink, table: main}
iptables:
  filter:
    INPUT: [{in: uplink, protocol: tcp, jump: ACCEPT, family: ipv4}]
"""
UPLINK = "ip link add a0 address 02:00:00:00:00:01 type veth peer name p0"
OTHERS = ("ip link add a1 type veth peer name p1", "ip link property add dev a1 altname a-longer-name")
MAKES = [
    "~ link p0: mtu 1500 → 1400",
    "~ link a0: state down → up",
    "+ address 192.168.1.2/24 dev a0",
    "+ route v4 table main: 10.0.0.0/8 via 192.168.1.1 dev a0",
    "+ rule v4 100: iif a0 → table main",
    "+ iptables v4 filter INPUT: -p tcp -i a0 -j ACCEPT",
]

pytestmark = pytest.mark.needs("veth")


def tell(host, *lines):
    for line in lines:
        host.run(*line.split())


def rename(host, dev, name):
    """While it is down: before Linux 6.2 one that is up keeps its name."""
    tell(host, f"ip link set {dev} down", f"ip link set {dev} name {name}", f"ip link set {name} up")


def test_an_interface_by_any_name_gets_what_the_file_says(lab, program):
    host = lab.namespace("host")
    tell(host, UPLINK, *OTHERS, "ip link set a0 up", "ip link set a0 down")
    run, before = program(host, text=CONFIG), objects(host, ("a0", "a1", "p0", "p1"))
    applied = run("apply")
    assert {*MAKES, "~ link a1: mtu 1500 → 1300", "~ link p1: mtu 1500 → 1400"} <= set(applied.changes)
    assert applied.pending == []
    assert run("diff", "--exit-code").changes == []
    rename(host, "a0", "b0")
    assert "+ iptables v4 filter INPUT: -p tcp -i b0 -j ACCEPT" in run("apply").changes, (
        "it is the same by another name"
    )
    assert run("diff", "--exit-code").changes == []
    rename(host, "b0", "a0")
    run("teardown")
    tell(host, "ip link set a0 down")
    assert_same(before, objects(host, ("a0", "a1", "p0", "p1")))


def test_what_is_not_found_waits_and_is_set_when_it_comes(lab, program):
    host = lab.namespace("host")
    tell(host, *OTHERS)
    run = program(host, text=CONFIG)
    waiting = run("apply").pending
    assert len(waiting) >= 5
    assert all("no interface is what interfaces.uplink looks for" in line for line in waiting)
    assert run("diff", "--exit-code").changes == []
    with Watcher(run):
        tell(host, UPLINK)
        until(lambda: run.converged() and not run("diff").pending, lambda: "what waited was not made")
    shown = objects(host, ("a0",))
    assert "192.168.1.2/24" in str(shown)
    assert "iif a0" in str(shown)
