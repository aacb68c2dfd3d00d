"""A story of what the kernel does by itself: what a plan foretells, and what is there after it.

A host is prepared by files and by commands of ``ip``; then another file is planned and executed by the kernel port,
step by step, and what is read afterwards is compared with what the plan foretold.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.config.load import loads
from reconciler.config.schema import load_schema
from reconciler.config.validate import validate
from reconciler.engine import memory
from reconciler.engine.apply import converge
from reconciler.engine.preview import Preview, preview
from reconciler.kernel.live import Kernel
from reconciler.kernel.namespace import Namespace as Where
from reconciler.resources.address import Address
from reconciler.resources.link.device import Device
from reconciler.resources.link.link import Link
from reconciler.resources.owner import Owner
from reconciler.resources.registry import KINDS
from reconciler.resources.route import Route
from tests.cases.record import Silent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.state import Key, State
    from tests.netns.lab import Lab

KERNEL = 2
COMPARED = frozenset({"link", "device", "address", "route", "rule", "qdisc", "class", "filter"})


class Story(NamedTuple):
    """What is there, and what is wanted then."""

    before: str
    """A file that is applied first: what it makes is ours."""
    others: tuple[str, ...]
    """What somebody else does by commands of ``ip``."""
    after: str
    """The file that is planned and executed."""
    settings: tuple[tuple[str, int], ...] = ()
    """Kernel settings to begin with."""
    type: str = "ifb"
    """What e0 and e1 are; ifb, since its carrier never changes."""


class Told(NamedTuple):
    """How a story ended."""

    plan: Preview
    again: Preview
    """A second look."""


class Host:
    """One namespace with the devices e0 and e1, which are up, and the kernel port to it."""

    def __init__(self, lab: Lab, settings: Iterable[tuple[str, int]] = (), kind: str = "ifb") -> None:
        self.namespace = lab.namespace("host")
        for name in ("default.addr_gen_mode", "default.accept_ra", "default.router_solicitations"):
            self.namespace.sysctl(f"net.ipv6.conf.{name}", 1 if "gen" in name else 0)
        for number, dev in enumerate(("e0", "e1")):
            self.run(f"ip link add {dev} address 02:00:00:00:00:1{number} type {kind}", f"ip link set {dev} up")
        for name, value in settings:
            self.namespace.sysctl(name, value)
        self.kernel = Kernel(Where.parse(self.namespace.path), Owner(), "nft")
        self.kernel.facts = self.kernel.facts._replace(iptables="none")
        lab.closing(self.kernel.close)

    def run(self, *lines: str) -> None:
        """Run commands."""
        for line in lines:
            self.namespace.run(*line.split())

    def apply(self, text: str) -> None:
        """Make it as a file says, foreign objects or not."""
        converge(document(text), self.kernel, Silent(), force=True)
        self.ready()

    def ready(self) -> None:
        """Wait until no address is tentative: on ifb and dummy that takes no time, but a worker of the kernel."""
        end = time.monotonic() + 10
        while "tentative" in self.namespace.output("ip", "-6", "address", "show", "up"):
            assert time.monotonic() < end

    def execute(self, text: str) -> Preview:
        """Plan a file, execute the plan whatever it takes along, and return it."""
        found = preview(document(text), self.kernel)
        for step in found.plan.steps(KINDS):
            memory.before(self.kernel.record, step, found.observed, found.desired.values)
            self.kernel.execute(step)
            memory.after(self.kernel.record, step)
        self.ready()
        return found


def document(text: str) -> Any:
    """Return a file that is good."""
    found = loads(text, "story.yaml", {})
    validate(found, load_schema())
    return found


def tell(lab: Lab, story: Story) -> Told:
    """Tell a story; what the kernel did must be what was foretold, and a second plan must be empty."""
    host = Host(lab, story.settings, story.type)
    if story.before:
        host.apply(story.before)
    host.run(*story.others)
    host.ready()
    found = host.execute(story.after)
    assert found.plan.changes, "there was nothing to do"
    now = host.kernel.read({})
    differs = difference(essence(found.plan.predicted), essence(now))
    assert not differs, "foretold, and seen:\n" + "\n".join(map(str, differs))
    again = preview(document(story.after), host.kernel)
    assert not again.plan.changes
    return Told(found, again)


def essence(state: State) -> dict[Key, list[Any]]:
    """Return a state without what changes by itself a moment later, or is read and never written."""
    found: dict[Key, list[Any]] = {}
    for key, value in state.ours.items():
        if key[0] in COMPARED:
            found.setdefault(key, []).append(("ours", plain(value)))
    for key, held in state.foreign.items():
        if key[0] in COMPARED:
            seen = [(mark, plain(value)) for value, mark in held if not _local(value, mark)]
            found.setdefault(key, []).extend(seen)
    return {key: sorted(values, key=repr) for key, values in found.items() if values}


def _local(value: Any, mark: int) -> bool:
    """Tell whether this is the route to an address itself, which the kernel keeps in a VRF's own table."""
    return isinstance(value, Route) and value.type == "local" and mark == KERNEL


def plain(value: Any) -> Any:
    """Return what of a value is to be compared."""
    if isinstance(value, Address):
        return KINDS["address"].steady(value)._replace(tentative=None)
    if isinstance(value, Link):
        return value._replace(options=tuple(o for o in value.options if value.type not in ("bridge", "bond")))
    return Device(*value[:4]) if isinstance(value, Device) else value


def difference(one: dict[Key, list[Any]], other: dict[Key, list[Any]]) -> list[Any]:
    """Return what differs."""
    keys = sorted({*one, *other}, key=repr)
    found = [(key, one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key)]
    return [(key, a, b) for key, a, b in found if key[0] != "device" or _more(a, b)]


def _more(foretold: list[Any] | None, seen: list[Any] | None) -> bool:
    """Tell whether settings of an interface differ in more than an mtu that nobody can foretell."""
    if not foretold or not seen or foretold[0][1].mtu is not None:
        return True
    return bool(foretold != [(mark, device._replace(mtu=None)) for mark, device in seen])
