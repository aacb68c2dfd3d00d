"""Recorded dumps of routes and nexthop objects of every sort are read as what was made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.core.state import Held, State
from reconciler.resources.base import Sight
from reconciler.resources.registry import KINDS
from tests.resources.host import OWNER, kind_of
from tests.resources.route import record

DUMPS = sorted((Path(__file__).parent / "dumps").glob("*.json"))


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.stem)
def test_recorded_dumps(path):
    recorded, sight = json.loads(path.read_text()), Sight(OWNER)
    ours, foreign = {}, {}
    for name in record.KINDS:
        bodies = [(kind, bytes.fromhex(body)) for kind, body in recorded[name]]
        KINDS[name].survey((body for _, body in bodies), sight)
        for kind, body in bodies:
            for found in KINDS[name].decode(kind, body, sight):
                key = kind_of(found.value).key(found.value)
                if found.mark is None:
                    ours[key] = found.value
                else:
                    foreign[key] = (*foreign.get(key, ()), Held(found.value, found.mark))
    made = {kind_of(value).key(value): value for value in record.values()}
    state = KINDS["route"].claim_ours(State(ours, foreign), made, sight)
    assert state.ours.keys() == made.keys()
    for key, value in made.items():
        assert kind_of(value).same(state.ours[key], value)
