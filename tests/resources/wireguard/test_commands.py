"""The command lines of WireGuard do the same as the requests: ``wg`` in one namespace, ours in another."""

from __future__ import annotations

import itertools
import re

import pytest

from reconciler.kernel.namespace import Namespace
from reconciler.kernel.secrets import Secrets
from reconciler.kernel.wireguard import Wireguard as Port
from reconciler.resources.owner import Owner
from reconciler.resources.registry import KINDS
from reconciler.resources.wireguard.device import Wireguard
from reconciler.resources.wireguard.keys import fingerprint, parse
from reconciler.resources.wireguard.peer import Peer
from tests.resources.host import create, delete, replace, update
from tests.resources.wireguard.samples import OFFICE, OTHER_PRIVATE, OTHER_PUBLIC, PRESHARED, PRIVATE, PUBLIC, ROAD

pytestmark = pytest.mark.needs("wireguard", "wg")
OWNER = Owner()


def shown(host):
    """What wg shows, each peer's prefixes in order: the kernel lists them as they came."""
    lines = host.output("wg", "showconf", "wg0").splitlines()
    return [sorted(re.split(", | = ", line)) if line.startswith("AllowedIPs") else line for line in lines]


def test_requests_and_commands_have_one_effect(lab, tmp_path):
    secrets, files = Secrets(), {}
    for name, word in (("key", PRIVATE), ("other", OTHER_PRIVATE), ("psk", PRESHARED)):
        files[name] = str(tmp_path / name)
        (tmp_path / name).write_text(word)
        secrets.read(files[name])
    shared = fingerprint(parse(PRESHARED.encode()))
    settings = [
        Wireguard("wg0", "", 0, 0),
        Wireguard("wg0", PUBLIC, 51820, 0x10, files["key"]),
        Wireguard("wg0", OTHER_PUBLIC, 51821, 0xFFFFFFFF, files["other"]),
        Wireguard("wg0", "", 51821, 0),
    ]
    bare = Peer("wg0", OFFICE, "", (), 0, "")
    lives = [
        bare,
        bare._replace(endpoint="192.0.2.1:51820", allowed_ips=("10.9.0.0/24", "fd00:9::/64"), keepalive=25),
        bare._replace(endpoint="[2001:db8::1]:7", allowed_ips=("10.9.0.0/24",), keepalive=0,
                      preshared_key=shared, preshared_key_file=files["psk"]),
        bare._replace(endpoint="192.0.2.1:51820", allowed_ips=("10.8.0.0/16", "10.9.0.0/24"), keepalive=65535),
    ]  # fmt: skip
    last = lives[-1]
    other = Peer("wg0", ROAD, "192.0.2.2:1", ("10.7.0.0/16", "::/0"), 1, shared, files["psk"])
    changes = [
        *(update(*pair) for pair in itertools.pairwise(settings)),
        create(lives[0]), *(update(*pair) for pair in itertools.pairwise(lives)),
        create(other), replace(last, bare), delete(bare), delete(other),
    ]  # fmt: skip
    told, asked = lab.namespace("told"), lab.namespace("asked")
    for host in (told, asked):
        host.run("ip", "link", "add", "wg0", "type", "wireguard")
    with Namespace.parse(asked.path) as where:
        port = Port(where, secrets)
        lab.closing(port.close)
        before = shown(asked)
        for change in changes:
            kind = KINDS[change.key[0]]
            for words in kind.command(change, OWNER):
                told.run(*words)
            assert [ack.errno for ack in port.send(kind.encode(change, OWNER))] == [0] * len(kind.encode(change, OWNER))
            by_us, by_wg = map(shown, (asked, told))
            assert by_us == by_wg, change
            assert by_us != before, f"nothing is seen of {change}"
            before = by_us
