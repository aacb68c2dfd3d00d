from __future__ import annotations

import json

import pytest

from reconciler.resources.facts import Facts

FACTS = Facts("fw", "loaded", "nft", "the only one installed", ipv6=True, kernel="6.1.0")


@pytest.mark.parametrize("facts", [FACTS, FACTS._replace(tables=(("isp", 7), ("vpn", 4294967295)))])
def test_facts_survive_json(facts):
    assert Facts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


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
        FACTS.to_json() | {"tables": [["isp"]]},
        FACTS.to_json() | {"tables": [["isp", "7"]]},
        FACTS.to_json() | {"tables": 7},
    ],
)
def test_what_is_no_complete_set_of_facts_is_none(data):
    assert Facts.from_json(data) is None
