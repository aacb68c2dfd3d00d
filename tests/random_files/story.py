"""What is tried at once: a host with things of others, a file, what others do then, and another file."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

import yaml

from tests.random_files import foreign, sections

if TYPE_CHECKING:
    from tests.random_files.foreign import Deed
    from tests.random_files.sections import Document


class Story(NamedTuple):
    """One pair of files and what surrounds it."""

    before: tuple[Deed, ...]
    """What others made before us."""
    first: Document
    between: tuple[Deed, ...]
    """What others do after the first file was applied the first time."""
    second: Document
    adopt: bool = False
    """Whether all is applied with ``--adopt``."""

    @property
    def takes(self) -> bool:
        """Tell whether the files take over or remove what is foreign."""
        return self.adopt or "'exclusive'" in repr(self) or "'adopt'" in repr(self[:4])


def draw(seed: int) -> Story:
    """Draw a story; the same one for the same number, as long as nobody changes how they are drawn."""
    dice = Random(seed)
    first = sections.draw(dice)
    second = sections.draw(dice, first)
    others = tuple(foreign.before(dice)) if dice.random() < 0.7 else ()
    return Story(others, first, tuple(foreign.between(dice, first)), second, dice.random() < 0.1)


def told(story: Story) -> str:
    """Return a story for people: the files as YAML, the deeds as commands."""
    text = ""
    for title, part in zip(story._fields, story, strict=True):
        if isinstance(part, dict):
            text += f"--- # {title}\n" + yaml.safe_dump(part, sort_keys=False, default_flow_style=None, width=110)
        elif isinstance(part, tuple):
            text += "".join(f"# {title}: ip -{deed.family} {deed.line}\n" for deed in part)
        elif part:
            text += f"# with --{title}\n"
    return text
