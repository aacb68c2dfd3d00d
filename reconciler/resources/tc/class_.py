"""The kind ``class``: a class of an HTB qdisc (``tc class``).

A change always sends the full parameter set, since what is left out falls back to a default. The parent of
a class cannot be changed, and the kernel does not say so: a class with another parent is made anew.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.change import CREATE, DELETE, REPLACE
from reconciler.core.kind import Lack
from reconciler.resources.base import Dump, Found, MessageFlags, Resource, Sight
from reconciler.resources.message import Message
from reconciler.resources.scene import Scene, Wanted
from reconciler.resources.tc import handles, rates
from reconciler.resources.tc.message import TCA_KIND, TCA_OPTIONS, TCMSG, body
from reconciler.resources.tc.shaping import trees
from reconciler.resources.wire import attribute, nested, number, parse, string, u64

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.change import Change
    from reconciler.core.state import Key
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner

RTM_NEWTCLASS, RTM_DELTCLASS, RTM_GETTCLASS = 40, 41, 42
TCA_HTB_PARMS, TCA_HTB_RATE64, TCA_HTB_CEIL64 = 1, 6, 7
RATESPEC = Struct("=BBHhHI")
PARMS = Struct("=IIIII")
ETHERNET = 1
"""TC_LINKLAYER_ETHERNET; it shares a byte of struct tc_ratespec that used to be reserved."""
FULL = 0xFFFFFFFF


class Class(NamedTuple):
    """One class; rates in bits per second, bursts in ticks of 64 ns, quantum in bytes."""

    dev: str
    classid: str
    parent: str
    """Another class, or the qdisc (``1:``)."""
    rate: int
    ceil: int
    burst: int | None = None
    cburst: int | None = None
    quantum: int | None = None
    prio: int | None = None


class ClassKind(Resource[Class]):
    """HTB classes."""

    name = "class"
    value = Class
    rank = 61
    anybodys = False
    inside = ("qdisc", "class")
    open = ("burst", "cburst", "quantum", "prio")

    def key(self, value: Class) -> Key:
        """Return device and class id."""
        return (self.name, value.dev, value.classid)

    def fill(self, wanted: Class, seen: Class | None, former: Mapping[str, Any]) -> Class:
        """Keep what the file leaves open; with another rate, let bursts and quantum follow it."""
        if seen is not None and (seen.rate, seen.ceil) != (wanted.rate, wanted.ceil):
            return wanted._replace(prio=wanted.prio if wanted.prio is not None else seen.prio)
        return super().fill(wanted, seen, former)

    def same(self, one: Class, other: Class) -> bool:
        """Compare; bursts may differ by one tick, since tools round them up or down."""
        if one[:5] != other[:5]:
            return False
        pairs = ((one.burst, other.burst), (one.cburst, other.cburst))
        if any(a is not None and b is not None and abs(a - b) > 1 for a, b in pairs):
            return False
        return all(a is None or b is None or a == b for a, b in zip(one[7:], other[7:], strict=True))

    def changed(self, before: Class, after: Class) -> tuple[str, ...]:
        """Name what differs; what follows from a rate is not named beside it."""
        names = super().changed(before, after)
        return tuple(n for n in names if n not in self.open or getattr(after, n) is not None)

    def requires(self, value: Class, world: World) -> Iterable[Key | Lack]:
        """A class stands on its qdisc and its parent; the kernel would quietly put it at the root."""
        yield ("qdisc", value.dev)
        yield from of_this_root(value.dev, value.classid, world)
        if not value.parent.endswith(":"):
            yield (self.name, value.dev, value.parent)

    def replace(self, before: Class, after: Class) -> str:
        """Another parent means another class."""
        return (
            f"the parent of a class is fixed: {before.parent} → {after.parent}" if before.parent != after.parent else ""
        )

    def disruptive(self, before: Class, after: Class | None) -> str:
        """What waits in the class's queue is lost."""
        return "drops its queue" if after is not None and before.parent != after.parent else ""

    def blockers(self, value: Class, world: World) -> Iterable[Key]:
        """The kernel keeps a class that has classes, or that a filter leads to (EBUSY)."""
        for key, filter_, _ in world.within(("filter", value.dev)):
            if filter_.flowid == value.classid:
                yield key
        for key, other, _ in world.within((self.name, value.dev)):
            if other.parent == value.classid:
                yield key

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield all classes of all devices."""
        for tree in trees(scene):
            top = tree.major << 16
            for node in tree.nodes:
                own, parent = handles.text(top | node.minor), handles.text(top | node.parent)
                value = Class(tree.dev, own, parent, node.rate, node.ceil)
                yield Wanted(value, scene.origin(node.path))

    def dumps(self, sight: Sight) -> Iterable[Dump]:
        """One question for each device that has classes."""
        for dev in sight.roots:
            yield Dump(RTM_GETTCLASS, TCMSG.pack(0, sight.index(dev) or 0, 0, 0, 0))

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:
        """Read one class; it belongs to whom the qdisc belongs to."""
        if kind != RTM_NEWTCLASS:
            return
        _, index, handle, parent, _ = TCMSG.unpack_from(body)
        found = parse(body, 20)
        if string(found[TCA_KIND]) != "htb":
            return
        options = parse(found[TCA_OPTIONS])
        parms = options[TCA_HTB_PARMS]
        rate, ceil = (RATESPEC.unpack_from(parms, at)[5] for at in (0, RATESPEC.size))
        burst, cburst, quantum, _, prio = PARMS.unpack_from(parms, 2 * RATESPEC.size)
        rate = number(options[TCA_HTB_RATE64]) if TCA_HTB_RATE64 in options else rate
        ceil = number(options[TCA_HTB_CEIL64]) if TCA_HTB_CEIL64 in options else ceil
        dev = sight.devices.get(index, f"if{index}")
        above = handles.text(handle & 0xFFFF0000 if parent == handles.ROOT else parent)
        value = Class(dev, handles.text(handle), above, rate * 8, ceil * 8, burst, cburst, quantum, prio)
        yield Found(value, None if sight.roots.get(dev) else 0)

    def encode(self, change: Change, owner: Owner) -> list[Message]:  # noqa: ARG002
        """Make, change or delete."""
        messages = []
        if change.action in (DELETE, REPLACE):
            old: Any = change.before
            gone = body(handles.parse(old.classid), 0, "htb")
            messages.append(Message(RTM_DELTCLASS, 0, gone, ((4, old.dev),)))
        if change.action != DELETE:
            new: Any = change.after
            flags = 0 if change.action not in (CREATE, REPLACE) else MessageFlags.CREATE
            request = body(handles.parse(new.classid), handles.parse(new.parent), "htb", _options(new))
            messages.append(Message(RTM_NEWTCLASS, flags, request, ((4, new.dev),)))
        return messages

    def command(self, change: Change, owner: Owner) -> list[list[str]]:  # noqa: ARG002
        """``tc class add``, ``change`` and ``del``."""
        lines = []
        if change.action in (DELETE, REPLACE):
            old: Any = change.before
            lines.append(["tc", "class", "del", "dev", old.dev, "classid", old.classid])
        if change.action != DELETE:
            new: Any = change.after
            verb = "add" if change.action in (CREATE, REPLACE) else "change"
            words = ["rate", f"{new.rate}bit", "ceil", f"{new.ceil}bit"]
            words += ["prio", str(new.prio)] if new.prio else []
            words += ["quantum", str(new.quantum)] if new.quantum else []
            words += _burst("burst", new.burst, new.rate) + _burst("cburst", new.cburst, new.ceil)
            lines.append(
                ["tc", "class", verb, "dev", new.dev, "parent", new.parent, "classid", new.classid, "htb", *words]
            )
        return lines

    def describe(self, value: Class, names: Names) -> str:
        """Show name, id and rates."""
        ceil = f" ceil {rates.text(value.ceil)}" if value.ceil != value.rate else ""
        return f"{self.title(value, names)}: rate {rates.text(value.rate)}{ceil}"

    def title(self, value: Class, names: Names) -> str:
        """Show device, name and id."""
        return f"{value.dev} {names.class_(value.dev, value.classid)}"

    def describe_change(self, before: Class, after: Class, names: Names) -> str:
        """Show what changes."""
        shown = []
        for field in self.changed(before, after):
            pair = [getattr(v, field) for v in (before, after)]
            pair = [rates.text(bits) for bits in pair] if field in ("rate", "ceil") else pair
            shown.append(f"{field} {pair[0]} → {pair[1]}")
        return f"{self.title(after, names)}: {', '.join(shown)}"


def _burst(word: str, ticks: int | None, bits: int) -> list[str]:
    """Return a burst as words of tc; none where tc would choose the same."""
    if ticks is None or ticks == rates.default_burst(bits):
        return []
    return [word, f"{rates.burst_bytes(ticks, bits)}b"]


def of_this_root(dev: str, classid: str, world: World) -> Iterator[Lack]:
    """Yield a lack if a device's root has another major number than a class of it would have."""
    root = world.get(("qdisc", dev))
    if root is not None and not classid.startswith(root.handle):
        yield Lack(f"the root qdisc of {dev} is {root.handle}, to which {classid} does not belong")


def _options(value: Class) -> bytes:
    """Return TCA_OPTIONS with the full parameter set."""
    specs, wide = b"", b""
    for bits, code in ((value.rate, TCA_HTB_RATE64), (value.ceil, TCA_HTB_CEIL64)):
        rate = bits // 8
        specs += RATESPEC.pack(0, ETHERNET, 0, 0, 0, min(rate, FULL))
        wide += u64(code, rate) if rate >= FULL else b""
    burst = value.burst if value.burst is not None else rates.default_burst(value.rate)
    cburst = value.cburst if value.cburst is not None else rates.default_burst(value.ceil)
    parms = specs + PARMS.pack(burst, cburst, value.quantum or 0, 0, value.prio or 0)
    return nested(TCA_OPTIONS, wide, attribute(TCA_HTB_PARMS, parms))
