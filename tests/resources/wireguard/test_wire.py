"""Each message that we pack is read by pyroute2 with the same values; what a kernel showed is read by us so, too."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from pyroute2.netlink.generic.wireguard import wgmsg

from reconciler.core.change import UPDATE
from reconciler.kernel.secrets import Secrets, UnknownSecretError
from reconciler.resources.base import Sight
from reconciler.resources.owner import Owner
from reconciler.resources.registry import KINDS
from reconciler.resources.wireguard import wire
from reconciler.resources.wireguard.device import Wireguard
from reconciler.resources.wireguard.keys import Secret, parse, to_bytes
from reconciler.resources.wireguard.peer import Peer
from tests.resources.host import create, delete, replace, update
from tests.resources.wireguard.samples import (
    OFFICE,
    OTHER_PUBLIC,
    PRESHARED,
    PRIVATE,
    PUBLIC,
    ROAD,
    SHARED,
)

OWNER = Owner()
DUMPS = sorted((Path(__file__).parent / "dumps").glob("*.json"))
BARE = Peer("wg0", OFFICE, "", (), 0, "")
WHOLE = Peer("wg0", OFFICE, "192.0.2.1:51820", ("10.9.0.0/24", "fd00:9::/64"), 25, SHARED, "/etc/psk")


@pytest.fixture
def secrets(tmp_path):
    known = Secrets()
    for name, word in (("key", PRIVATE), ("psk", PRESHARED)):
        (tmp_path / name).write_text(word)
        known.read(str(tmp_path / name))
    return known


def read(change, secrets):
    """What pyroute2 makes of our messages."""
    found = []
    for message in KINDS[change.key[0]].encode(change, OWNER):
        body = secrets.put_in(message).body
        parsed = wgmsg(struct.pack("=IHHII", 16 + len(body), 0, 0, 1, 0) + body)
        parsed.decode()
        found.append(parsed)
    return found


def peer_of(message):
    (peer,) = message.get_attr("WGDEVICE_A_PEERS")
    return peer


def prefixes_of(peer):
    return [entry["addr"] for entry in peer.get_attr("WGPEER_A_ALLOWEDIPS") or ()]


def test_all_settings_of_a_device(secrets):
    change = update(Wireguard("wg0", "", 0, 0), Wireguard("wg0", PUBLIC, 51820, 0x10, "/etc/key"))
    (message,) = read(change, secrets)
    assert message["cmd"] == 1
    assert message["version"] == 1
    assert dict(message["attrs"]) == {
        "WGDEVICE_A_IFNAME": "wg0",
        "WGDEVICE_A_LISTEN_PORT": 51820,
        "WGDEVICE_A_FWMARK": 0x10,
        "WGDEVICE_A_PRIVATE_KEY": message.get_attr("WGDEVICE_A_PRIVATE_KEY"),
    }
    assert message.get_attr("WGDEVICE_A_PRIVATE_KEY").decode() == PRIVATE


def test_only_what_differs_of_a_device(secrets):
    change = update(Wireguard("wg0", PUBLIC, 51820, 0x10), Wireguard("wg0", None, 51820, 0))
    (message,) = read(change, secrets)
    assert dict(message["attrs"]) == {"WGDEVICE_A_IFNAME": "wg0", "WGDEVICE_A_FWMARK": 0}


@pytest.mark.parametrize(("endpoint", "host", "port"), [
    ("192.0.2.1:51820", "192.0.2.1", 51820), ("[2001:db8::1]:1", "2001:db8::1", 1),
])  # fmt: skip
def test_a_new_peer(secrets, endpoint, host, port):
    (message,) = read(create(WHOLE._replace(endpoint=endpoint)), secrets)
    peer = peer_of(message)
    assert peer.get_attr("WGPEER_A_PUBLIC_KEY").decode() == OFFICE
    assert peer.get_attr("WGPEER_A_PRESHARED_KEY").decode() == PRESHARED
    assert peer.get_attr("WGPEER_A_FLAGS") == wire.REPLACE_ALLOWEDIPS
    assert (peer.get_attr("WGPEER_A_ENDPOINT")["addr"], peer.get_attr("WGPEER_A_ENDPOINT")["port"]) == (host, port)
    assert peer.get_attr("WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL") == 25
    assert prefixes_of(peer) == ["10.9.0.0/24", "fd00:9::/64"]


def test_never_are_all_peers_replaced_and_nothing_is_said_twice(secrets):
    for change in (create(WHOLE), update(BARE, WHOLE), update(WHOLE, BARE), delete(WHOLE), replace(WHOLE, BARE)):
        for message in read(change, secrets):
            assert message.get_attr("WGDEVICE_A_FLAGS") is None
            names = [name for name, _ in peer_of(message)["attrs"]]
            assert len(names) == len(set(names))


def test_a_peer_that_goes(secrets):
    (message,) = read(delete(WHOLE), secrets)
    assert {name for name, _ in peer_of(message)["attrs"]} == {"WGPEER_A_PUBLIC_KEY", "WGPEER_A_FLAGS"}
    assert peer_of(message).get_attr("WGPEER_A_FLAGS") == wire.REMOVE_ME


def test_a_change_says_only_what_differs_and_makes_no_peer_that_is_gone(secrets):
    (message,) = read(update(WHOLE, WHOLE._replace(keepalive=0)), secrets)
    assert {name for name, _ in peer_of(message)["attrs"]} == {
        "WGPEER_A_PUBLIC_KEY", "WGPEER_A_FLAGS", "WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL",
    }  # fmt: skip
    assert peer_of(message).get_attr("WGPEER_A_FLAGS") == wire.UPDATE_ONLY


def test_prefixes_that_are_added_do_not_touch_the_others(secrets):
    (message,) = read(update(WHOLE, WHOLE._replace(allowed_ips=(*WHOLE.allowed_ips, "10.1.0.0/16"))), secrets)
    assert prefixes_of(peer_of(message)) == ["10.1.0.0/16"]
    assert peer_of(message).get_attr("WGPEER_A_FLAGS") == wire.UPDATE_ONLY


def test_prefixes_that_go_need_all_that_stay(secrets):
    (message,) = read(update(WHOLE, WHOLE._replace(allowed_ips=("10.9.0.0/24",))), secrets)
    assert prefixes_of(peer_of(message)) == ["10.9.0.0/24"]
    assert peer_of(message).get_attr("WGPEER_A_FLAGS") == wire.UPDATE_ONLY | wire.REPLACE_ALLOWEDIPS


def test_a_preshared_key_is_taken_away_by_zeros(secrets):
    (message,) = read(update(WHOLE, WHOLE._replace(preshared_key="")), secrets)
    assert peer_of(message).get_attr("WGPEER_A_PRESHARED_KEY") == b"A" * 43 + b"="


def test_many_prefixes_go_in_several_messages(secrets):
    many = tuple(f"10.{n >> 8}.{n & 255}.0/24" for n in range(2500))
    messages = read(create(BARE._replace(allowed_ips=many)), secrets)
    assert tuple(p for message in messages for p in prefixes_of(peer_of(message))) == many
    assert [peer_of(m).get_attr("WGPEER_A_FLAGS") for m in messages] == [wire.REPLACE_ALLOWEDIPS, 4, 4]


@pytest.mark.parametrize(("change", "word"), [
    (create(WHOLE), PRESHARED), (update(BARE, WHOLE), PRESHARED),
    (update(Wireguard("wg0", "", 0, 0), Wireguard("wg0", PUBLIC, 1, 1)), PRIVATE),
], ids=repr)  # fmt: skip
def test_a_message_holds_no_secret_until_it_is_sent(secrets, change, word):
    (message,) = KINDS[change.key[0]].encode(change, OWNER)
    key = bytes(parse(word.encode()))
    assert key not in message.body
    assert key in secrets.put_in(message).body


def test_a_secret_that_nobody_has_seen_is_not_sent_as_zeros():
    change = update(Wireguard("wg0", PUBLIC, 0, 0), Wireguard("wg0", OTHER_PUBLIC, 0, 0))
    assert change.action == UPDATE
    (message,) = KINDS["wireguard"].encode(change, OWNER)
    with pytest.raises(UnknownSecretError):
        Secrets().put_in(message)


def shown(raw, told=(), keys=()):
    sight = Sight(OWNER, keys)
    sight.devices = {7: "wg0"}
    return [tuple(f) for name in ("wireguard", "wireguard-peer") for f in KINDS[name].shown(raw, sight, dict(told))]


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.stem)
def test_what_a_kernel_dumped(path):
    raw = wire.answer(bytes.fromhex(word) for word in json.loads(path.read_text()))
    assert raw.private_key == parse(PRIVATE.encode())
    found = shown(raw)
    assert found[0] == (Wireguard("wg0", PUBLIC, 51820, 0x10, None, 7), 2)
    peers = {value.public_key: value for value, mark in found[1:] if mark == 0}
    assert peers[OFFICE] == WHOLE._replace(preshared_key_file=None)
    assert len(peers[ROAD].allowed_ips) == 200
    assert peers[ROAD][2:3] + peers[ROAD][4:] == ("[2001:db8::1]:1", 0, "", None)
    assert peers[OTHER_PUBLIC] == Peer("wg0", OTHER_PUBLIC, "", (), 0, "")
    assert not [value for value, _ in found if any(isinstance(field, bytes) for field in value)]


def test_there_are_recorded_dumps():
    assert DUMPS


def test_a_peer_is_where_it_was_told_to_be_and_ours_if_the_record_says_so():
    raw = wire.RawDevice("wg0", Secret(32), to_bytes(PUBLIC), 1, 0, (
        wire.RawPeer(to_bytes(OFFICE), Secret(32), "203.0.113.9:4711", 0, ()),
        wire.RawPeer(to_bytes(ROAD), Secret(32), "", 0, ()),
    ))  # fmt: skip
    office, road = ("wireguard-peer", "wg0", OFFICE), ("wireguard-peer", "wg0", ROAD)
    told = {office: {"endpoint": "192.0.2.1:51820"}, road: {"endpoint": "192.0.2.2:51820"}}
    one, other = shown(raw, told, [office])[1:]
    assert (one[0].endpoint, one[1]) == ("192.0.2.1:51820", None)
    assert (other[0].endpoint, other[1]) == ("", 0), "the kernel forgets no endpoint: this is another peer"
