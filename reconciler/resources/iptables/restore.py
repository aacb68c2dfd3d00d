"""All changes of one family as the input of one ``iptables-restore --noflush``, deletions included."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.change import CREATE
from reconciler.resources.iptables.chain import Chain
from reconciler.resources.iptables.edit import edits
from reconciler.resources.iptables.jump import Jump, line_of
from reconciler.resources.iptables.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.change import Change
    from reconciler.resources.owner import Owner


class Script(NamedTuple):
    """The tool's input, and which change and part each of its lines comes from."""

    text: str
    origins: tuple[tuple[Change, int | None] | None, ...]
    """One for each line, in order; None for lines such as COMMIT."""


def script(changes: Sequence[Change], owner: Owner) -> Script:
    """Return the input for all changes, table by table.

    Within a table: new chains, rules, jumps, policies, then what goes. A table is all or nothing; the tables
    before one that fails stay, and the way back takes care of them.
    """
    lines: list[str] = []
    origins: list[tuple[Change, int | None] | None] = []
    for table in dict.fromkeys(change.key[2] for change in changes):
        here = [change for change in changes if change.key[2] == table]
        lines.append(f"*{table}")
        origins.append(None)
        for make in (_heads, _rules, _jumps, _policies, _unhooks, _flushes, _removals):
            for change in here:
                for text, index in make(change, owner):
                    lines.append(text)
                    origins.append((change, index))
        lines.append("COMMIT")
        origins.append(None)
    return Script("\n".join([*lines, ""]), tuple(origins))


Lines = "Iterator[tuple[str, int | None]]"


def _heads(change: Change, owner: Owner) -> Iterator[tuple[str, int | None]]:  # noqa: ARG001
    """A chain's declaration makes it, or empties it; so only for new ones."""
    if isinstance(change.after, Chain) and change.before is None:
        yield f":{change.after.name} - [0:0]", None


def _rules(change: Change, owner: Owner) -> Iterator[tuple[str, int | None]]:  # noqa: ARG001
    if not isinstance(change.after, Chain):
        return
    name, new = change.after.name, change.after.rules
    if change.before is None:
        for index, line in enumerate(new):
            yield f"-A {name} {line.text}", index
        return
    old: Any = change.before.rules  # type: ignore[attr-defined]
    for edit in edits([line.hash for line in old], [line.hash for line in new]):
        if edit.delete:
            yield f"-D {name} {edit.number}", None
        else:
            yield f"-I {name} {edit.number} {new[edit.place].text}", edit.place


def _jumps(change: Change, owner: Owner) -> Iterator[tuple[str, int | None]]:
    jump = change.after
    if isinstance(jump, Jump) and change.action == CREATE:
        verb = f"-A {jump.chain}" if jump.position == "last" else f"-I {jump.chain} 1"
        yield f"{verb} {line_of(jump, owner).text}", None


def _policies(change: Change, owner: Owner) -> Iterator[tuple[str, int | None]]:  # noqa: ARG001
    if isinstance(change.after, Policy):
        yield f"-P {change.after.chain} {change.after.policy}", None


def _unhooks(change: Change, owner: Owner) -> Iterator[tuple[str, int | None]]:
    if isinstance(change.before, Jump) and change.after is None:
        yield f"-D {change.before.chain} {line_of(change.before, owner).text}", None


def _flushes(change: Change, owner: Owner) -> Iterator[tuple[str, int | None]]:  # noqa: ARG001
    """All chains that go are emptied before the first is deleted: their rules may lead to each other."""
    if isinstance(change.before, Chain) and change.after is None:
        yield f"-F {change.before.name}", None


def _removals(change: Change, owner: Owner) -> Iterator[tuple[str, int | None]]:  # noqa: ARG001
    if isinstance(change.before, Chain) and change.after is None:
        yield f"-X {change.before.name}", None


def complaint(stderr: str) -> str:
    """Return what the tool says is wrong: without the line of our input, and without advice to read its help."""
    lines = [line for line in stderr.splitlines() if not line.startswith(("Error occurred at line", "Try `"))]
    return " ".join(" ".join(lines or [stderr]).split())


def blame(written: Script, stderr: str) -> tuple[Change, int | None] | None:
    """Return the change and part that the tool complains about, by the line that its message names.

    What the tool checks only when a table is complete (nft: the targets of jumps; legacy: all that the kernel
    refuses) is said of the line COMMIT. Then it is the rule that jumps to the name in the message, or the one
    change of the table; None where that says nothing either.
    """
    number = _line(stderr)
    if not 0 < number <= len(written.origins):
        return None
    if (found := written.origins[number - 1]) is not None:
        return found
    texts = written.text.splitlines()
    first = max((at for at in range(number) if texts[at].startswith("*")), default=0)
    table = range(first, min(number, len(texts)))
    name = stderr.partition("Chain '")[2].partition("'")[0]
    for at in table:
        if name and f"{texts[at]} ".endswith(f" -j {name} "):
            return written.origins[at]
    changes = {id(origin[0]): origin[0] for at in table if (origin := written.origins[at]) is not None}
    return (next(iter(changes.values())), None) if len(changes) == 1 else None


def _line(stderr: str) -> int:
    """Return the number in ``line 5 failed``, ``line 4: RULE_APPEND failed`` or ``at line: 5``; 0 if there is none."""
    words = stderr.replace(":", " ").split()
    for word, number in itertools.pairwise(words):
        if word == "line" and number.isdecimal():
            return int(number)
    return 0
