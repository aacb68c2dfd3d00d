from __future__ import annotations

import json

import pytest

from reconciler.resources.facts import Facts

FACTS = Facts("fw", "loaded", "nft", "the only one installed", ipv6=True, kernel="6.1.0")


def test_facts_survive_json():
    assert Facts.from_json(json.loads(json.dumps(FACTS.to_json()))) == FACTS


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "facts",
        {},
        FACTS.to_json() | {"more": 1},
        FACTS.to_json() | {"classifier": "u32"},
        FACTS.to_json() | {"iptables": "bpfilter"},
        FACTS.to_json() | {"ipv6": 1},
        FACTS.to_json() | {"kernel": None},
    ],
)
def test_what_is_no_complete_set_of_facts_is_none(data):
    assert Facts.from_json(data) is None
