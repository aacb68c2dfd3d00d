"""The words of ``ip address`` do the same as the requests that we pack, for every sort of address."""

from __future__ import annotations

import pytest

from tests.resources.address.stories import IN_PLACE, MADE_ANEW, OF_ALL_SORTS, PAIR, old
from tests.resources.host import create, delete, replace, update
from tests.resources.shown import ROUTES
from tests.resources.test_commands import alike

WATCHED = ("ip address show", *ROUTES)
RUNS_DOWN = r"(?<=[0-9])[0-9]{2}sec"
"""The last digits of a lifetime differ by when it was set."""

pytestmark = pytest.mark.needs("ifb", "ipv6")


def test_addresses_of_all_sorts(lab):
    changes = [*map(create, OF_ALL_SORTS), *map(delete, reversed(OF_ALL_SORTS))]
    alike(lab, PAIR, changes, WATCHED, without=RUNS_DOWN, every=4)


@pytest.mark.parametrize("number", range(len(IN_PLACE)))
def test_what_changes_in_place(lab, number):
    value, *steps = IN_PLACE[number]
    changes = [create(value)]
    for said in steps:
        after = value._replace(**said)
        changes.append(update(value, after))
        value = after
    alike(lab, PAIR, [*changes, delete(value)], WATCHED, without=RUNS_DOWN)


def test_what_is_made_anew(lab):
    value = old("192.0.2.2/24")
    changes = [create(value)]
    for said in MADE_ANEW:
        after = value._replace(**said)
        changes.append(replace(value, after))
        value = after
    alike(lab, PAIR, changes, WATCHED)
