"""The words of ``ip address`` do the same as the requests that we pack, for every sort of address."""

from __future__ import annotations

import pytest

from reconciler.resources.address_value import FOREVER
from tests.resources.address.stories import IN_PLACE, MADE_ANEW, OF_ALL_SORTS, PAIR, old
from tests.resources.host import create, delete, replace, update
from tests.resources.shown import ROUTES
from tests.resources.test_commands import alike

WATCHED = ("ip address show", *ROUTES)
RUNS_DOWN = r"(?<=[0-9])[0-9]{2}sec"
"""The last digits of a lifetime differ by when it was set; lifetimes here end on 50, so that the others do not."""

pytestmark = pytest.mark.needs("ifb", "ipv6")


def later(value):
    """Lifetimes that have run down for some seconds still have the digits that are compared."""
    return value._replace(
        **{f: getattr(value, f) + 50 for f in ("valid", "preferred") if getattr(value, f) not in (0, FOREVER)}
    )


def test_addresses_of_all_sorts(lab):
    values = [later(value) for value in OF_ALL_SORTS]
    changes = [*map(create, values), *map(delete, reversed(values))]
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
