"""The exceptions, drawn; one exit code a branch.

    ReconcilerError                  1   anything unexpected
    ├── ConfigError                  3   the file is wrong: all its problems at once
    ├── UnavailableError             4   not permitted, or the kernel or a tool lacks something
    ├── RefusedByKernelError         5   apply failed and was rolled back
    ├── NotConvergedError            6   applied, but the kernel is not as predicted
    └── UnsafeError                  7   refused: a conflict, collateral, or a lock-out

A message says what happened, to what object, in which line of the file, why, and what to do.
The command line maps ``exit_code`` to the status of the process; nothing else catches the base class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Position(NamedTuple):
    """A place in a file; line and column count from 1, 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """``file:line:column``, as editors and compilers write it."""
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"


class Problem(NamedTuple):
    """One thing that is wrong (or, as a warning, doubtful) in a file."""

    position: Position
    path: str
    """Where in the document: ``tables.wan2.routes[0].via``; empty for the document itself."""
    message: str
    """What is wrong."""
    hint: str = ""
    """What would be right, or what to do."""

    def __str__(self) -> str:
        """``file:line:column: path: what is wrong (what would be right)``."""
        path = f"{self.path}: " if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.position}: {path}{self.message}{hint}"


class ReconcilerError(Exception):
    """The base of all errors that this program raises on purpose."""

    exit_code = 1


class ConfigError(ReconcilerError):
    """The configuration is wrong; carries every problem that was found."""

    exit_code = 3

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: p.position))
        super().__init__("\n".join(map(str, self.problems)))


class UnavailableError(ReconcilerError):
    """A privilege, a kernel feature or a tool is missing."""

    exit_code = 4


class RefusedByKernelError(ReconcilerError):
    """The kernel or a tool refused a change; what was done before it was rolled back."""

    exit_code = 5


class NotConvergedError(ReconcilerError):
    """The changes were applied, but the kernel does not look as predicted."""

    exit_code = 6


class UnsafeError(ReconcilerError):
    """The plan would harm what is not ours, or cut us off; ``--force`` or ``--adopt`` may allow it."""

    exit_code = 7
