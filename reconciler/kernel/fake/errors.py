"""The one way in which the fake kernel says no."""

from __future__ import annotations

from errno import errorcode


class DeniedError(Exception):
    """A request was refused; ``errno`` and ``text`` are what Linux and its tools would say."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(f"{errorcode[number]}: {text}")
        self.errno = number
        self.text = text
