"""What the watcher says: one line an event, with the time, to whoever reads the log."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

from reconciler.render.text import rows_of

if TYPE_CHECKING:
    from reconciler.engine.preview import Preview
    from reconciler.resources.owner import Owner


class Journal:
    """Writes lines; a problem that lasts is said once."""

    def __init__(self, owner: Owner, out: TextIO | None = None) -> None:
        self.owner = owner
        self.out = out if out is not None else sys.stderr
        self.reason = ""
        """Why the loop looks right now: start, config, drift, poll."""
        self._said: dict[str, str] = {}

    def say(self, level: str, words: str) -> None:
        """Write one line."""
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now))
        self.out.write(f"{stamp}.{int(now % 1 * 1000):03d} {level:<7} {words}\n")
        self.out.flush()

    def problem(self, topic: str, words: str) -> None:
        """Write a problem with a topic (the file, the kernel), unless it is what was said of it last."""
        if words != self._said.get(topic):
            self._said[topic] = words
            for line in words.splitlines():
                self.say("error", line)

    def well(self, topic: str) -> None:
        """Forget a topic's problem; say so if there was one."""
        if self._said.pop(topic, None) is not None:
            self.say("info", f"the {topic} is well again")

    def planned(self, found: Preview, *, previewed: bool) -> None:  # noqa: ARG002
        """Write one line a change that is about to be made."""
        for change in found.plan.changes:
            for row in rows_of(change, found.desired, found.names, self.owner):
                where = f"  {row.where}" if row.where else ""
                self.say("change", f"{self.reason}: {row.sign} {row.kind} {row.what}{where}")

    def noticed(self, words: str) -> None:
        """Write a note."""
        self.say("note", words)
