"""Addresses of all sorts are read as what they are: recorded dumps of two kernels, and this kernel's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.resources.base import Sight
from reconciler.resources.registry import KINDS
from tests.netns.probes import older_than
from tests.resources.address.stories import OF_ALL_SORTS, PAIR
from tests.resources.host import OWNER, Host, create, kind_of, ready

DUMPS = sorted((Path(__file__).parent / "dumps").glob("*.json"))
FOREVER = 0xFFFFFFFF


def rounded(value):
    """Lifetimes that have run down for some seconds are as they were."""
    up = {f: getattr(value, f) for f in ("valid", "preferred")}
    return value._replace(**{f: left if left in (0, FOREVER) else -(-left // 500) * 500 for f, left in up.items()})


def read(bodies, sight):
    return [found for kind, body in bodies for found in KINDS["address"].decode(kind, body, sight)]


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.stem)
def test_recorded_dumps(path):
    recorded = json.loads(path.read_text())
    sight = Sight(OWNER)
    KINDS["link"].survey((bytes.fromhex(body) for _, body in recorded["link"]), sight)
    found = read(((kind, bytes.fromhex(body)) for kind, body in recorded["address"]), sight)
    assert {rounded(one.value) for one in found if one.value.dev == "e0"} == set(OF_ALL_SORTS)
    marks = {one.value.address: one.mark for one in found}
    assert marks["192.0.2.2/24"] == 0
    assert marks["10.0.3.2/24"] == 16, "what has a lifetime is a lease"
    assert marks["2001:db8:4::2/64"] == 2


def test_dumps_of_two_kernels_are_recorded():
    assert {path.stem for path in DUMPS} == {"6.1", "6.18"}


@pytest.mark.needs("ifb", "ipv6")
def test_what_we_make_is_read_as_what_it_is(lab):
    host = Host.of(lab, "host", *PAIR)
    for value in OF_ALL_SORTS:
        host.ask(create(value))
    ready(host)
    found = [one for one in host.found()["address"] if one.value.dev == "e0"]
    assert {rounded(one.value) for one in found} == set(OF_ALL_SORTS)
    assert {one.mark for one in found} == {None}


@pytest.mark.needs("ifb", "ipv6")
def test_what_the_record_knows_as_ours_is_known_as_replaced(lab):
    host = Host.of(lab, "host", *PAIR)
    for value in OF_ALL_SORTS[0], OF_ALL_SORTS[10]:
        host.ask(create(value))
        host.prepare([f"ip address replace {value.address} dev e0"])
    keys = [kind_of(value).key(value) for value in OF_ALL_SORTS]
    found = [one for one in host.found(sight=Sight(OWNER, keys))["address"] if one.value.dev == "e0"]
    replaced = not older_than(6, 4)  # IPv4 keeps the mark before (net/ipv4/devinet.c, inet_rtm_newaddr).
    assert [(one.value.overwritten, one.mark) for one in found] == [(replaced, None), (True, None)]
    marks = [one.mark for one in host.found()["address"] if one.value.dev == "e0"]
    assert marks == [0 if replaced else None, 0]
