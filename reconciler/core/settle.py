"""Take out of both sides what is equal byte for byte, before anything is decoded.

A kind that can predict the bytes with which the kernel dumps an object gives them as ``wire``.
A wrong prediction costs time, never correctness: the object then goes the plain way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")


def settle(known: Mapping[bytes, T], dumped: Iterable[bytes]) -> tuple[list[T], list[bytes]]:
    """Return what was recognised, and the messages that have to be decoded.

    ``known`` maps the predicted bytes of a desired object to that object. A prediction that occurs
    twice in the dump is recognised once: the second is another object with equal bytes.
    """
    if not known:
        return [], list(dumped)
    settled: dict[bytes, T] = {}
    rest: list[bytes] = []
    for message in dumped:
        hit = known.get(message)
        if hit is None or message in settled:
            rest.append(message)
        else:
            settled[message] = hit
    return list(settled.values()), rest
