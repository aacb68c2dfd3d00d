"""Golden cases: a recorded host and a file give exactly the diff that is written down, and after it nothing is left.

``UPDATE_CASES=1`` writes the diffs anew, for a reviewer to read.
"""

from __future__ import annotations

import json
import os

import pytest

from reconciler.core.codec import load_state
from reconciler.core.plan import plan
from reconciler.engine.source import read
from reconciler.kernel.record import thaw
from reconciler.render.text import render
from reconciler.resources.desired import desire
from reconciler.resources.facts import Facts
from reconciler.resources.owner import Owner
from reconciler.resources.registry import KINDS

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")
EXAMPLES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "examples")
NAMES = sorted(name for name in os.listdir(CASES) if os.path.exists(os.path.join(CASES, name, "observed.json")))


def load(name):
    folder = os.path.join(CASES, name)
    with open(os.path.join(folder, "observed.json"), encoding="utf-8") as file:
        data = json.load(file)
    facts = Facts.from_json(data["facts"])
    document = read(os.path.join(folder, "config.yaml"))
    desired, names = desire(document, facts)
    former = {thaw(key): fields for key, fields in data["former"]}
    return desired._replace(former=former), names, load_state(KINDS, data["state"])


@pytest.mark.parametrize("name", NAMES)
def test_the_diff_is_the_one_that_is_written_down(name):
    desired, names, observed = load(name)
    found = plan(KINDS, desired, observed)
    text = render(found, desired, observed, names, Owner(), "config.yaml against the recorded kernel")
    path = os.path.join(CASES, name, "plan.txt")
    if os.environ.get("UPDATE_CASES"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    with open(path, encoding="utf-8") as file:
        assert text == file.read()


@pytest.mark.parametrize("name", NAMES)
def test_after_the_plan_nothing_is_left_to_do(name):
    desired, _, observed = load(name)
    found = plan(KINDS, desired, observed)
    again = plan(KINDS, desired, found.predicted)
    assert again.changes == ()
    assert [p.key for p in again.pending] == [p.key for p in found.pending]


def test_every_example_is_a_case():
    used = {os.path.realpath(os.path.join(CASES, name, "config.yaml")) for name in NAMES}
    examples = {os.path.join(EXAMPLES, name, "reconciler.yaml") for name in os.listdir(EXAMPLES)}
    assert examples <= used
