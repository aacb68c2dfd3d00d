"""What was probably meant by a word that is not known.

Belongs here: near misses, for keys, values and the names of marks, tables and devices alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.config.words import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 100
"""So much of a word is compared."""

_SHORT = 3
"""A word with fewer letters is near to too many: it begins none, and is near to none that is much longer."""


def nearest(word: str, candidates: Iterable[str]) -> str:
    """The one of `candidates` that is nearest to `word`, or an empty text if none is near."""
    import difflib

    known = [candidate for candidate in candidates if candidate != word]
    folded = {_fold(candidate): candidate for candidate in reversed(known)}
    if _fold(word) in folded:
        return folded[_fold(word)]
    if len(word) < _SHORT:
        folded = {key: candidate for key, candidate in folded.items() if len(key) <= len(word) + 1}
    else:
        longer = [candidate for key, candidate in folded.items() if key.startswith(_fold(word))]
        if len(longer) == 1:
            return longer[0]
    matches = difflib.get_close_matches(_fold(word[:_LONGEST]), folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else ""


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """``did you mean "x"?``, or an empty text if none of `candidates` is near to `word`.

    It compares the word with each of them: of ten thousand undefined names among ten thousand, ask for a few.
    """
    return question(nearest(word, candidates))


def question(meant: str) -> str:
    """``did you mean "x"?``, or an empty text for none."""
    return f"did you mean {quote(meant)}?" if meant else ""


def _fold(word: str) -> str:
    return word.casefold().replace("_", "-")
