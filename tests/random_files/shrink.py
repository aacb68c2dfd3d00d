"""From a story that breaks a promise to the smallest one that still does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.random_files import sections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.random_files.story import Story

MOST = 400
"""How many stories are played to find it."""


def shrunk(story: Story, broken: Callable[[Story], str]) -> tuple[Story, str]:
    """Return the smallest story found that is broken, and how.

    :param broken: plays a story and says what was broken; nothing if all went well.
    """
    why, left = broken(story), MOST
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(story):
            left -= 1
            if left < 0:
                return story, why
            if told := broken(candidate):
                story, why, smaller = candidate, told, True
                break
    return story, why


def _smaller(story: Story) -> Iterator[Story]:
    """Yield stories that lack one part of this one, the larger parts first."""
    for field in ("first", "second"):
        if getattr(story, field) != sections.EMPTY:
            yield story._replace(**{field: sections.EMPTY})
    if story.adopt:
        yield story._replace(adopt=False)
    for field in ("before", "between"):
        deeds = getattr(story, field)
        if len(deeds) > 1:
            yield story._replace(**{field: ()})
        for at in range(len(deeds)):
            yield story._replace(**{field: deeds[:at] + deeds[at + 1 :]})
    for field in ("first", "second"):
        document = getattr(story, field)
        for path in sections.parts(document):
            candidate = sections.without(document, path)
            if candidate is not None and sections.valid(candidate):
                yield story._replace(**{field: candidate})
