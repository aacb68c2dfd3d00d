"""What a file asks of WireGuard, what the plan says about it, and that nobody reads a secret in either."""

from __future__ import annotations

import json

import pytest

from reconciler.config.load import loads
from reconciler.core.codec import dump_value
from reconciler.core.plan import plan
from reconciler.core.state import Held, State
from reconciler.errors import ConfigError
from reconciler.render.commands import render as commands
from reconciler.render.text import render
from reconciler.resources.desired import ANYWHERE, desire
from reconciler.resources.link.device import Device
from reconciler.resources.link.link import Link
from reconciler.resources.owner import Owner
from reconciler.resources.registry import KINDS
from reconciler.resources.wireguard.device import Wireguard
from reconciler.resources.wireguard.keys import parse
from reconciler.resources.wireguard.peer import Peer
from tests.resources.wanted import wanted
from tests.resources.wireguard.samples import OFFICE, OTHER_PUBLIC, PRESHARED, PRIVATE, PUBLIC, ROAD, SHARED

FILE = f"""
marks: {{tunnel: 0x10/0xff}}
interfaces:
  wg0:
    kind: wireguard
    private-key-file: /etc/key
    listen-port: 51820
    fwmark: tunnel
    peers:
      - public-key: {OFFICE}
        preshared-key-file: /etc/psk
        endpoint: "192.0.2.1:051820"
        allowed-ips: ["FD00:9::/64", 10.9.0.0/24]
        persistent-keepalive: 25
      - {{public-key: {ROAD}, endpoint: "[2001:DB8:0::1]:7", allowed-ips: [10.9.1.1]}}
"""
SECRETS = {"/etc/key": parse(PRIVATE.encode()), "/etc/psk": parse(PRESHARED.encode())}


def keyed(values):
    return {key: KINDS[key[0]].keyed(value, SECRETS) for key, value in values.items()}


def here(*values, ours=()):
    foreign = {KINDS[k].key(v): (Held(v, mark),) for k, v, mark in values}
    return State({KINDS[k].key(v): v for k, v in ours}, foreign)


def planned(text, observed):
    desired, names = desire(loads(text, "net.yaml", {}), ANYWHERE)
    desired = desired._replace(values=keyed(desired.values))
    found = plan(KINDS, desired, observed)
    return found, render(found, desired, observed, names, Owner(), "t"), commands(found, Owner())


DEVICE = ("device", Device("wg0", "up", 1420, "", alias="", group=0, slave=""), 2)
OURS = [("link", Link("wg0", "wireguard"))]
WHOLE = Peer("wg0", OFFICE, "192.0.2.1:51820", ("10.9.0.0/24", "fd00:9::/64"), 25, SHARED)
ON_THE_ROAD = Peer("wg0", ROAD, "[2001:db8::1]:7", ("10.9.1.1/32",), 0, "")
READY = ("wireguard", Wireguard("wg0", PUBLIC, 51820, 0x10), 2)


def test_the_values_of_a_file_name_files_and_hold_no_key():
    found = wanted(FILE)
    assert found["wireguard", "wg0"] == Wireguard("wg0", None, 51820, 0x10, "/etc/key")
    assert found["wireguard-peer", "wg0", OFFICE] == WHOLE._replace(preshared_key=None, preshared_key_file="/etc/psk")
    assert found["wireguard-peer", "wg0", ROAD] == ON_THE_ROAD
    assert found["link", "wg0"] == Link("wg0", "wireguard")


def test_a_mark_is_its_value():
    for word, value in (("0x20/0xf0", 0x20), ("7", 7), ("0x0/0xff", 0)):
        assert wanted(f"interfaces: {{wg0: {{fwmark: {word}}}}}")["wireguard", "wg0"].fwmark == value


def test_a_new_tunnel():
    found, text, lines = planned(FILE, here())
    assert [(c.action, c.key[0]) for c in found.changes] == [
        ("create", "link"), ("update", "wireguard"), ("create", "wireguard-peer"), ("create", "wireguard-peer"),
    ]  # fmt: skip
    assert f"wg0: public key none → {PUBLIC}, listen-port any → 51820, fwmark off → tunnel (0x10)" in text
    assert (
        f"+ peer      wg0 {OFFICE}: allowed-ips 10.9.0.0/24 fd00:9::/64, endpoint 192.0.2.1:51820, keepalive 25 s,"
        " preshared key" in text
    )
    assert lines.splitlines()[-3:] == [
        "wg set wg0 listen-port 51820 fwmark 0x10 private-key /etc/key",
        f"wg set wg0 peer {ROAD} endpoint '[2001:db8::1]:7' allowed-ips 10.9.1.1/32",
        f"wg set wg0 peer {OFFICE} preshared-key /etc/psk endpoint 192.0.2.1:51820"  # noqa: ISC004
        " persistent-keepalive 25 allowed-ips 10.9.0.0/24,fd00:9::/64",
    ]  # fmt: skip


def test_a_tunnel_that_is_as_it_should_be():
    ours = [*OURS, ("wireguard-peer", WHOLE), ("wireguard-peer", ON_THE_ROAD)]
    found, _, _ = planned(FILE, here(DEVICE, READY, ours=ours))
    assert found.empty
    assert found.satisfied == 4


def test_each_peer_that_differs_is_one_line():
    stranger = Peer("wg0", OTHER_PUBLIC, "", ("10.7.0.0/16",), 0, "")
    other = WHOLE._replace(preshared_key="f1", allowed_ips=("10.1.0.0/16", "10.9.0.0/24"), keepalive=0)
    ours = [*OURS, ("wireguard-peer", other), ("wireguard-peer", ON_THE_ROAD), ("wireguard-peer", stranger)]
    found, text, _ = planned(FILE, here(DEVICE, READY, ours=ours))
    assert [c.action for c in found.changes] == ["update", "delete"]
    assert (
        f"~ peer wg0 {OFFICE}: allowed-ips -10.1.0.0/16 +fd00:9::/64, keepalive none → 25, another preshared key"
        "   disruptive: no handshake until the peer has the same preshared key" in text
    )
    assert f"- peer wg0 {OTHER_PUBLIC}: allowed-ips 10.7.0.0/16" in text


def test_another_private_key_ends_all_sessions():
    device = ("wireguard", Wireguard("wg0", OTHER_PUBLIC, 51820, 0x10), 2)
    ours = [*OURS, ("wireguard-peer", WHOLE), ("wireguard-peer", ON_THE_ROAD)]
    _, text, _ = planned(FILE, here(DEVICE, device, ours=ours))
    assert f"wg0: public key {OTHER_PUBLIC} → {PUBLIC}   disruptive: no peer knows the new key yet" in text


def test_prefixes_that_peers_exchange_are_two_changes_in_place():
    ours = [
        *OURS,
        ("wireguard-peer", WHOLE._replace(allowed_ips=ON_THE_ROAD.allowed_ips)),
        ("wireguard-peer", ON_THE_ROAD._replace(allowed_ips=WHOLE.allowed_ips)),
    ]
    found, _, _ = planned(FILE, here(DEVICE, READY, ours=ours))
    assert [c.action for c in found.changes] == ["update", "update"]


def test_a_prefix_of_a_foreign_peer_is_a_conflict():
    stranger = Peer("wg0", OTHER_PUBLIC, "", ("10.9.1.1/32",), 0, "")
    text = FILE.replace("    kind: wireguard\n", "")
    found, _, _ = planned(
        text, here(("link", Link("wg0", "wireguard"), 0), DEVICE, READY, ("wireguard-peer", stranger, 0))
    )
    assert [conflict.key for conflict in found.conflicts] == [("wireguard-peer", "wg0", ROAD)]
    assert [change.key for change in found.changes] == [("wireguard-peer", "wg0", OFFICE)]


def test_what_is_no_wireguard_interface_is_waited_for():
    text = FILE.replace("    kind: wireguard\n", "")
    found, _, _ = planned(text, here(("link", Link("wg0", "bridge"), 0), DEVICE))
    assert {pending.reason for pending in found.pending} == {"wg0 does not exist yet, or is no WireGuard interface"}


def test_a_peer_with_the_interfaces_own_key_is_waited_for_in_vain():
    text = f"interfaces: {{wg0: {{kind: wireguard, private-key-file: /etc/key, peers: [{{public-key: {PUBLIC}}}]}}}}"
    found, _, _ = planned(text, here())
    assert [pending.reason for pending in found.pending] == ["this is the public key of wg0 itself"]


def test_without_the_key_files_the_keys_are_left_open():
    """As in a check far from the host: nobody there has them."""
    desired, _ = desire(loads(FILE, "net.yaml", {}), ANYWHERE)
    ours = [*OURS, ("wireguard-peer", WHOLE._replace(preshared_key="f1")), ("wireguard-peer", ON_THE_ROAD)]
    device = ("wireguard", Wireguard("wg0", OTHER_PUBLIC, 51820, 0x10), 2)
    assert plan(KINDS, desired, here(DEVICE, device, ours=ours)).empty


@pytest.mark.parametrize("place", ["private-key-file: KEY", "peers: [{public-key: PEER, preshared-key-file: KEY}]",
                                   "private-key: KEY", "peers: [{public-key: PEER, preshared-key: KEY}]"])  # fmt: skip
def test_a_secret_in_the_file_is_refused_and_not_repeated(place):
    said = place.replace("KEY", PRIVATE).replace("PEER", OFFICE)
    with pytest.raises(ConfigError) as caught:
        wanted(f"interfaces: {{wg0: {{kind: wireguard, {said}}}}}")
    assert "put the key into a file of its own" in str(caught.value)
    assert PRIVATE not in str(caught.value)


def test_nothing_that_leaves_the_process_holds_a_secret():
    found, text, lines = planned(FILE, here())
    values = [dump_value(c.key, c.after) for c in found.changes]
    requests = [m for c in found.changes for m in KINDS[c.kind].encode(c, Owner())]
    said = "\n".join([text, lines, json.dumps(values), repr(found), repr(requests), repr(SECRETS)])
    for key, word in zip(SECRETS.values(), (PRIVATE, PRESHARED), strict=True):
        raw = bytes(key)
        for shape in (word, raw.hex(), repr(raw)[2:-1]):
            assert shape not in said
