"""A story played on a kernel: the first file, what others do, the second file, the first again, and none.

All of it in this process, by the program's own engine, in a namespace that is thrown away.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from reconciler.core.state import SELF_MADE, SURPLUS
from reconciler.engine.apply import converge
from reconciler.engine.preview import preview
from reconciler.errors import ReconcilerError, UnsafeError
from reconciler.kernel.live import Kernel
from reconciler.kernel.namespace import Namespace as Where
from reconciler.resources.owner import Owner
from reconciler.resources.registry import KINDS
from tests.core.compare import plain
from tests.netns.lab import Lab
from tests.netns.objects import difference, objects
from tests.random_files import sections

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.config.document import Map
    from reconciler.core.state import State
    from reconciler.engine.preview import Preview
    from tests.netns.lab import Namespace
    from tests.random_files.foreign import Deed
    from tests.random_files.story import Story

BASE_LINES = (
    "link add eth0 type veth peer name far0",
    "link add eth1 type ifb",
    "link add eth2 type ifb",
    "link set eth0 up",
    "link set far0 up",
    "link set eth1 up",
)
CHECKED = "checked for duplicates"
LONGEST = 5.0
"""Seconds to wait for what takes milliseconds."""


class BrokenError(Exception):
    """A promise was broken."""


class Trial:
    """One story on one namespace."""

    def __init__(self, story: Story, host: Namespace) -> None:
        self.story = story
        self.host = host
        self.kernel = Kernel(Where.parse(host.path), Owner())
        self.rounds: list[int] = []
        """How many plans each file took."""
        self.refused: list[str] = []
        """What was refused as unsafe, and rightly so."""
        self.taken = self.story.takes if story else False
        """Whether something of others' is ours by now."""

    def play(self) -> None:
        """Go through the story; BrokenError where a promise was broken."""
        story = self.story
        self.host.batch("ip", BASE_LINES)
        self._do(story.before)
        states = self._states()
        down = [name for name, state in states.items() if state == "down"]
        # Up once: that is when a link gets its queue.
        self.host.batch("ip", [f"link set {name} {word}" for name in down for word in ("up", "down")])
        self._settle()
        shown = objects(self.host, (), iptables=False)
        before, numbers = theirs(self._read()), self._settings()
        first, second = sections.parsed(story.first), sections.parsed(story.second)
        self._apply("the first file", first, before)
        self._do(story.between)
        self._settle()
        before = theirs(self._read()) if story.between else before
        self._apply("the second file", second, before)
        self._apply("the first file again", first, before)
        whole = self._apply("no file", None, before)
        left = self._read()
        if left.ours:
            raise BrokenError(f"after teardown there is still {list(left.ours.values())}")
        if whole and not story.between and not self.taken:
            self.host.batch("ip", [f"link set {name} {state}" for name, state in states.items()])
            self._settle()
            differs = difference(shown, objects(self.host, (), iptables=False))
            now = self._settings()
            differs += [f"{path}: {n} → {now.get(path)}" for path, n in numbers.items() if now.get(path) != n]
            if differs:
                raise BrokenError("after teardown not all is as before:\n" + "\n".join(differs))

    def _apply(self, what: str, document: Map | None, before: list[Any]) -> bool:
        """Apply a file, as far as it is allowed; False if that was refused."""
        try:
            done = self._converge(document)
        except ReconcilerError as error:
            raise BrokenError(f"{what}: {type(error).__name__}: {error}") from error
        self._settle()
        found = preview(document, self.kernel, adopt=self.story.adopt)
        if done is not None and found.plan.changes and any(CHECKED in one.reason for one in done.plan.pending):
            self._converge(document)
            found = preview(document, self.kernel, adopt=self.story.adopt)
        if done is not None and found.plan.changes:
            raise BrokenError(f"{what}: the second plan is not empty: {list(map(str, found.plan.changes))}")
        after = theirs(self._read())
        forced = document is None and done is None
        if not (self.taken or forced) and after != before:
            gone = [one for one in before if one not in after]
            new = [one for one in after if one not in before]
            ours = self._read().ours
            # What the kernel takes along and the file asks for as well is made again, as ours.
            if new or any(key not in ours or plain(ours[key], None) != value for key, _, value in gone):
                raise BrokenError(f"{what}: of others' objects these changed:\n- {gone}\n+ {new}")
            self.taken = True
        if forced:
            self._converge(document, force=True)
        return done is not None

    def _converge(self, document: Map | None, *, force: bool = False) -> Preview | None:
        """Apply a file; if that is refused as unsafe nothing must change, and what is not in conflict can be done."""
        for around in (False, True):
            hearer = Hearer()
            before, requests = self._read(), self.kernel.requests
            try:
                done = converge(
                    document, self.kernel, hearer, adopt=self.story.adopt, around=around, force=force
                )  # fmt: skip
            except UnsafeError as error:
                self.refused.append(str(error))
                if hearer.rounds or self.kernel.requests != requests or self._read() != before:
                    raise BrokenError(f"a plan was refused, and something changed all the same: {error}") from error
                continue
            if hearer.heard:
                raise BrokenError(f"the plan was not carried out as it was: {hearer.heard}")
            self.rounds.append(hearer.rounds)
            return done.final
        return None

    def _do(self, deeds: Iterable[Deed]) -> None:
        for family in (4, 6):
            lines = [deed.line for deed in deeds if deed.family == family]
            if lines:
                self.host.run("ip", f"-{family}", "-force", "-batch", "-", stdin="\n".join(lines) + "\n", check=False)

    def _states(self) -> dict[str, str]:
        return {key[1]: value.state for key, value in _all(self._read()) if key[0] == "device"}

    def _settings(self) -> dict[str, str]:
        """Return what files may set below /proc/sys/net, by path."""
        listed = self.host.output(
            "sh", "-c", "cd /proc/sys/net && grep -s . ipv?/conf/*/* ipv4/ip_forward ipv?/*fwmark*; true"
        )
        found = dict(line.split(":", 1) for line in listed.splitlines() if "stable_secret" not in line)
        return {path: number for path, number in found.items() if not path.endswith("/mtu")}

    def _read(self) -> State:
        return self.kernel.read({})

    def _settle(self) -> None:
        """Wait until no address is being checked for duplicates."""
        end = time.monotonic() + LONGEST
        while any(key[0] == "address" and value.tentative for key, value in _all(self._read())):  # type: ignore[attr-defined]
            if time.monotonic() > end:
                raise BrokenError("an address stays tentative")
            time.sleep(0.001)

    def close(self) -> None:
        """Let go of the namespace."""
        self.kernel.close()
        self.kernel.namespace.close()


class Hearer:
    """Hears what the engine does."""

    def __init__(self) -> None:
        self.rounds = 0
        self.heard: list[str] = []

    def planned(self, found: Preview, *, previewed: bool) -> None:  # noqa: ARG002
        """Count the plans."""
        self.rounds += 1

    def noticed(self, words: str) -> None:
        """Keep what was noticed: that somebody interfered, where nobody did."""
        self.heard.append(words)


def play(story: Story) -> str:
    """Play a story; return what was broken, or nothing."""
    with Lab() as lab:
        trial = Trial(story, lab.namespace("host"))
        try:
            trial.play()
        except BrokenError as error:
            return str(error)
        finally:
            trial.close()
    return ""


def theirs(state: State) -> list[Any]:
    """Return what others made, in a form in which it stays the same whatever else there is.

    Settings of interfaces are not theirs alone. An IPv6 route is shown as a next hop of ours or as a route of its own.
    """
    found = []
    for key, held in state.foreign.items():
        for one in held if not KINDS[key[0]].shared else ():
            value = plain(one.value, one.mark)
            if one.mark in SELF_MADE or one.mark == SURPLUS or value is None:
                continue
            hop = key[0] == "route" and value.family == 6 and value.via
            found.append((key, 0 if hop else one.mark, value))
    return sorted(found, key=repr)


def _all(state: State) -> Iterable[tuple[Any, Any]]:
    yield from state.ours.items()
    for key, held in state.foreign.items():
        yield from ((key, one.value) for one in held)
