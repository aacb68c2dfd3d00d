"""Links of all types are read as what they are, from recorded dumps of two kernels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.resources.base import Sight
from reconciler.resources.link.device import Device
from reconciler.resources.link.port_value import Port
from reconciler.resources.registry import KINDS
from tests.resources.host import OWNER
from tests.resources.link.samples import EXPECTED, LINES

DUMPS = sorted((Path(__file__).parent / "dumps").glob("*.json"))


def read(path):
    """The types of a recording, and all that is read from it, by kind and name."""
    recorded = json.loads(path.read_text())
    bodies = [(kind, bytes.fromhex(body)) for kind, body in recorded["link"]]
    sight = Sight(OWNER)
    KINDS["link"].survey((body for _, body in bodies), sight)
    found = {
        (name, one.value[0]): one.value
        for name in ("link", "device", "port")
        for kind, body in bodies
        for one in KINDS[name].decode(kind, body, sight)
    }
    return recorded["types"], found


def test_dumps_of_two_kernels_are_recorded():
    assert {path.stem for path in DUMPS} == {"6.1", "6.18"}
    assert {name for path in DUMPS for name in read(path)[0]} == set(LINES)


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.stem)
def test_recorded_links(path):
    types, found = read(path)
    for expected in EXPECTED:
        if expected.type in types:
            link = found["link", expected.name]
            assert (link.type, link.marked, link.born) == (expected.type, True, "")
            assert set(expected.options) <= set(link.options), expected


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.stem)
def test_recorded_ports_and_settings(path):
    types, found = read(path)
    assert found["port", "v0"] == Port(
        "v0", 7, 5, hairpin=True, guard=False, root_block=False, fastleave=False, learning=False, flood=True,
        mcast_flood=True, bcast_flood=True, neigh_suppress=False, isolated=True,
    )  # fmt: skip
    assert [key for key in found if key[0] == "port"] == [("port", "v0")]
    assert found["device", "v0"][:4] == Device("v0", "down", 1500, "b0")[:4]
    assert found["device", "v0"].slave == "bridge"
    if "bond" in types:
        assert (found["device", "d2"].master, found["device", "d2"].slave) == ("o0", "bond")
