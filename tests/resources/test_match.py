"""An entry of the file means interfaces by the kernel's name, by another name, by hardware address, or by pattern."""

from __future__ import annotations

import pytest

from reconciler.config.load import loads
from reconciler.errors import ConfigError
from reconciler.resources.desired import desire
from reconciler.resources.link.match import Interface
from tests.resources.wanted import FACTS

SEEN = (
    Interface("lo"),
    Interface("eth0", ("enp1s0", "uplink-a"), "02:00:00:00:00:01"),
    Interface("eth1", (), "02:00:00:00:00:02"),
    Interface("eth1.5", (), "02:00:00:00:00:02", "vlan"),
    Interface("eth2", (), "02:00:00:00:00:03"),
)


def devices(text, seen=SEEN):
    found = desire(loads(text, "test.yaml", {}), FACTS, interfaces=seen)[0].values
    return sorted(key[1] for key in found if key[0] == "device")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("interfaces: {eth0: {state: up}}", ["eth0"]),
        ("interfaces: {enp1s0: {state: up}}", ["eth0"]),
        ("interfaces: {a: {match: {mac: '02:00:00:00:00:01'}, state: up}}", ["eth0"]),
        ("interfaces: {a: {match: {mac: '02:00:00:00:00:02'}, state: up}}", ["eth1"]),
        ("interfaces: {a: {match: {name: 'eth?'}, state: up}}", ["eth0", "eth1", "eth2"]),
        ("interfaces: {a: {match: {name: 'uplink*'}, state: up}}", ["eth0"]),
        ("interfaces: {a: {match: {name: '*', mac: '02:00:00:00:00:03'}, state: up}}", ["eth2"]),
        ("interfaces: {eth1: {mtu: 1400}, a: {match: {name: 'eth?'}, state: up}}", ["eth0", "eth1", "eth2"]),
        ("interfaces: {a: {match: {mac: '02:00:00:00:00:99'}, state: up}}", ["/a"]),
        ("interfaces: {eth9: {state: up}}", ["eth9"]),
    ],
)
def test_an_entry_means_these(text, meant):
    assert devices(text) == meant


def test_an_interface_with_an_entry_of_its_own_is_left_out_of_patterns():
    text = "interfaces: {enp1s0: {mtu: 1400}, a: {match: {name: 'eth?'}, mtu: 1300}}"
    values = desire(loads(text, "test.yaml", {}), FACTS, interfaces=SEEN)[0].values
    assert {key[1]: value.mtu for key, value in values.items()} == {"eth0": 1400, "eth1": 1300, "eth2": 1300}


def test_whatever_names_an_interface_may_use_its_other_names():
    text = """
marks: {m: 0x10/0xff}
interfaces: {wan: {match: {mac: "02:00:00:00:00:01"}, addresses: [192.0.2.2/24]}}
tables: {t: {id: 100, routes: [{to: default, via: 192.0.2.1, dev: wan}]}}
rules: [{priority: 7, iif: enp1s0, oif: wan, table: t, family: ipv4}]
iptables: {mangle: {POSTROUTING: [{out: wan, mark: m, jump: CLASSIFY, set-class: a, family: ipv4}]}}
shaping: {enp1s0: {kind: htb, default: a, classes: {a: {rate: 1mbit}}}}
"""
    values = desire(loads(text, "test.yaml", {}), FACTS, interfaces=SEEN)[0].values
    assert not any("wan" in str(value) or "enp1s0" in str(value) for value in values.values())
    assert sum("eth0" in str(value) for value in values.values()) >= 6


def test_a_name_for_several_is_an_error_where_one_is_meant():
    text = "interfaces: {a: {match: {name: 'eth?'}}}\ntables: {t: {id: 9, routes: [{to: default, dev: a}]}}"
    with pytest.raises(ConfigError, match='"a" means several interfaces: eth0, eth1, eth2'):
        desire(loads(text, "test.yaml", {}), FACTS, interfaces=SEEN)


def test_two_entries_for_one_interface_are_an_error():
    text = "interfaces: {a: {match: {name: eth1}, mtu: 1400}, b: {match: {name: 'eth1*'}, mtu: 1300}}"
    with pytest.raises(ConfigError, match="the kernel can hold this only once"):
        desire(loads(text, "test.yaml", {}), FACTS, interfaces=SEEN)


def test_what_the_file_creates_is_not_looked_for():
    text = "interfaces: {a: {kind: dummy, match: {name: eth1}}}"
    with pytest.raises(ConfigError, match="an interface that this file creates needs no match"):
        desire(loads(text, "test.yaml", {}), FACTS, interfaces=SEEN)
