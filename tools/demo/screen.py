"""What the demo prints: steps, commands and their output, proofs, the summary. Plain where no terminal is."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.netns.lab import CommandError
from tests.netns.traffic import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable

COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
SIGNS = {"+": "green", "-": "red", "~": "yellow", "-/+": "yellow", "!": "red", "…": "cyan"}
"""The colour of a change, by the first word of its line."""


class UnprovenError(Exception):
    """It is not as claimed; the message holds the figures."""


class Proof(NamedTuple):
    """One line of the summary."""

    claim: str
    proven: bool
    figures: str


class Screen:
    """Prints, and keeps what was proven."""

    def __init__(self) -> None:
        self.proofs: list[Proof] = []
        unwanted = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
        self._colourful = sys.stdout.isatty() and not unwanted
        self._steps = 0

    def step(self, words: str) -> None:
        """Announce a step, in one line."""
        self._steps += 1
        print(f"\n{self._in('bold', f'{self._steps}. {words}')}", flush=True)

    def command(self, line: str) -> None:
        """Show a command that is run."""
        print(f"   {self._in('cyan', f'$ {line}')}", flush=True)

    def text(self, text: str, *, colour: str = "") -> None:
        """Show text as it is; changes in the colour of their sign, unless a colour is given."""
        for line in text.rstrip("\n").splitlines():
            sign = line.split(maxsplit=1)[0] if line.startswith(" ") and line.strip() else ""
            print(f"   {self._in(colour or SIGNS.get(sign, ''), line)}".rstrip())
        sys.stdout.flush()

    def prove(self, claim: str, proof: Callable[..., str], *arguments: Any, **keywords: Any) -> bool:
        """Try a proof, show and keep what came out.

        ``proof`` returns its figures; ``UnprovenError``, or whatever goes wrong with packets and commands, is
        a proof that failed. Returns whether the claim is proven.
        """
        try:
            made = Proof(claim, proven=True, figures=proof(*arguments, **keywords))
        except (UnprovenError, NoAnswerError, CommandError, OSError, subprocess.SubprocessError) as error:
            made = Proof(claim, proven=False, figures=str(error))
        self.proofs.append(made)
        self._show(made, 0)
        return made.proven

    def summary(self) -> bool:
        """Print the table of what was proven; return whether that is all."""
        print(f"\n{self._in('bold', 'What was proven')}")
        width = max(len(proof.claim) for proof in self.proofs)
        for proof in self.proofs:
            self._show(proof, width)
        failed = sum(not proof.proven for proof in self.proofs)
        words = f"{failed} of {len(self.proofs)} FAILED" if failed else f"all {len(self.proofs)} ok"
        print(f"\n   {self._in('red' if failed else 'green', words)}", flush=True)
        return not failed

    def _show(self, proof: Proof, width: int) -> None:
        mark = self._in("green", "ok    ") if proof.proven else self._in("red", "FAILED")
        first, *more = proof.figures.splitlines() or [""]
        print(f"   {mark}  {proof.claim:<{width}}  {first}".rstrip(), flush=True)
        if not width:
            self.text("\n".join(more), colour="dim")

    def _in(self, colour: str, words: str) -> str:
        return f"\033[{COLOURS[colour]}m{words}\033[0m" if colour and self._colourful else words
