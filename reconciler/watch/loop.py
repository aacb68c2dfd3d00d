"""The loop: wait, look, reconcile."""

from __future__ import annotations

import os
import select
import signal
import time
from typing import TYPE_CHECKING

from reconciler.engine.apply import converge
from reconciler.engine.preview import wanted
from reconciler.engine.source import read
from reconciler.errors import ConfigError, ReconcilerError, UnavailableError
from reconciler.kernel.events import Events
from reconciler.render.text import conflict_rows
from reconciler.resources.desired import owner_of
from reconciler.watch.files import FileWatch
from reconciler.watch.pace import Pace

if TYPE_CHECKING:
    from reconciler.config.document import Map
    from reconciler.core.change import Pending
    from reconciler.engine.preview import Preview
    from reconciler.kernel.live import Kernel
    from reconciler.watch.journal import Journal

QUIET = 0.1
"""Seconds without a further file event before the file is read: a half-written one may be valid."""
LONGEST_WAIT = 2.0
"""Seconds after which a file that never comes to rest is read all the same."""


class Loop:
    """Keeps one namespace as one file says."""

    def __init__(self, path: str, document: Map, kernel: Kernel, journal: Journal, poll: float) -> None:
        self.path = path
        self.document = document
        self.kernel = kernel
        self.journal = journal
        self.pace = Pace(poll)
        self.accepted = False
        """Whether the document has been applied wholly once: until then, nothing of it is applied in part."""
        self.stopping = False
        self.reload = False
        self._content: bytes | None = None
        self._pending: tuple[Pending, ...] = ()

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; SIGHUP reads the file again. The state stays as it is."""
        wake, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._signalled)
        with FileWatch(self.path) as files, self._events() as events:
            self._content = files.content()
            poller = select.poll()
            for descriptor in (wake, files.fileno(), *events.filenos):
                poller.register(descriptor, select.POLLIN)
            if files.problem:
                self.journal.say("warning", files.problem)
            self._reconcile("start")
            self.journal.say("info", f"watching {self.path} and {self.kernel.namespace.describe()}")
            while True:
                ready = {descriptor for descriptor, _ in poller.poll(self.pace.wait() * 1000)}
                if wake in ready:
                    os.read(wake, 512)
                if self.stopping:
                    break
                if self._file(files, touched=files.fileno() in ready):
                    self._reconcile("config")
                drained = events.drain()
                if drained.overrun:
                    self.journal.say("note", "events were lost: looking at everything")
                if drained.messages or self.pace.due():
                    self._reconcile("drift")
        self.journal.say("info", "stopped; the state stays in place")

    def _events(self) -> Events:
        return Events(self.kernel.namespace, nftables=self.kernel.facts.iptables == "nft", netconf=True)

    def _signalled(self, number: int, frame: object) -> None:  # noqa: ARG002
        if number == signal.SIGHUP:
            self.reload = True
        else:
            self.stopping = True

    def _file(self, files: FileWatch, *, touched: bool) -> bool:
        """Read the file if its content has changed; tell whether there is a new one in force."""
        if touched:
            self._settle(files)
        content = files.content()
        if content == self._content and not self.reload:
            return False
        self.reload = False
        self._content = content
        try:
            document = read(self.path)
            wanted(document, self.kernel)  # its meaning, too: what is in force must be able to heal
        except (ConfigError, UnavailableError) as error:
            self.journal.problem("file", f"{error}\n{self.path} is not used: the last good version stays in force")
            return False
        if owner_of(document) != self.kernel.owner:
            self.journal.problem(
                "file", "the file names another owner now: the last good version stays; start watch anew"
            )
            return False
        self.document = document
        self.accepted = False
        self.journal.well("file")
        return True

    def _settle(self, files: FileWatch) -> None:
        """Wait until the file's folder comes to rest."""
        end = time.monotonic() + LONGEST_WAIT
        while files.drain() and time.monotonic() < end:
            select.select([files.fileno()], [], [], QUIET)

    def _reconcile(self, reason: str) -> None:
        """Look once, and put right what differs. What goes wrong is said, and tried again later."""
        self.journal.reason = reason
        began = time.monotonic()
        self.pace.looked(began)
        try:
            outcome = converge(self.document, self.kernel, self.journal, around=self.accepted)
        except ReconcilerError as error:
            self.journal.problem("kernel", str(error))
            self.pace.failed()
            return
        self.accepted = True
        self.pace.done(outcome.changed)
        if outcome.changed:
            took = (time.monotonic() - began) * 1000
            self.journal.say("info", f"{reason}: {outcome.changed} changes, converged in {took:.1f} ms")
        self._waiting(outcome.final.plan.pending)
        self._conflicts(outcome.final)

    def _conflicts(self, found: Preview) -> None:
        """Say which foreign objects hold what the file wants, and what cannot be written; the rest is kept."""
        conflicts = conflict_rows(found.plan, found.desired, found.names)
        lines = [*(f"{row.kind} {row.what}  {row.where}" for row in conflicts), *found.sealed]
        if lines:
            self.journal.problem("kernel", "\n".join(lines))
        else:
            self.journal.well("kernel")

    def _waiting(self, pending: tuple[Pending, ...]) -> None:
        """Say what waits, when that changes."""
        if pending != self._pending:
            self._pending = pending
            reasons = "; ".join(dict.fromkeys(p.reason for p in pending))
            self.journal.say("info", f"{len(pending)} pending: {reasons}" if pending else "nothing is pending any more")
