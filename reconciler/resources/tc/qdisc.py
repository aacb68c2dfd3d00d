"""The kind ``qdisc``: the root queueing discipline of a device (``tc qdisc``).

Ours is recognised by the record; without it by the owner's major number (5ec0), which nobody else uses; or, where the
file names a handle, by the fact that the whole tree equals the file's.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.change import CREATE, DELETE, REPLACE
from reconciler.core.kind import Effect
from reconciler.core.state import State
from reconciler.resources.base import Dump, Found, MessageFlags, Resource, Sight
from reconciler.resources.message import Message
from reconciler.resources.scene import Scene, Wanted
from reconciler.resources.tc import handles
from reconciler.resources.tc.message import TCA_KIND, TCA_OPTIONS, TCMSG, body
from reconciler.resources.tc.shaping import CLASS, trees
from reconciler.resources.wire import attribute, nested, parse, string

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.change import Change
    from reconciler.core.kind import Lack
    from reconciler.core.state import Key, Value
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner


RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC = 36, 37, 38
TCA_HTB_INIT, TCA_HTB_DIRECT_QLEN = 2, 5
HTB_GLOB = Struct("=IIIII")
HTB_VERSION = 3
R2Q = 10
"""What tc sends for rate2quantum unless told otherwise."""


class Qdisc(NamedTuple):
    """The root of a device's queues."""

    dev: str
    handle: str
    """``1:``"""
    type: str
    default: str = ""
    """The class for what nothing matches, ``1:20``; empty for none, and for types without classes."""
    r2q: int | None = None
    """Divisor from a rate in bytes to a quantum in bytes."""


class QdiscKind(Resource[Qdisc]):
    """Root qdiscs."""

    name = "qdisc"
    value = Qdisc
    rank = 60
    anybodys = False
    remembers = "always"
    open = ("r2q",)
    schema = {
        "shaping.*": {
            "kind": {
                "const": "htb",
                "description": "The queueing discipline: htb, a tree of classes with guaranteed rates.",
                "examples": ["htb"],
            },
            "handle": {
                "type": "string",
                "pattern": "^[0-9a-fA-F]{1,4}:$",
                "x-hint": 'a hexadecimal number and a colon, quoted: "1:"',
                "description": "The qdisc's handle as in tc, hexadecimal. Without it, it is 5ec0:.",
                "examples": ["1:"],
            },
            "default": {
                "$ref": "#/$defs/name",
                "description": "The class, by name, for ARP and for what nothing matches. Without it such "
                "packets are not shaped.",
                "examples": ["bulk"],
            },
            "classes": {
                "type": "object",
                "propertyNames": {"$ref": "#/$defs/name"},
                "additionalProperties": {"$ref": "#/$defs/class"},
                "description": "The classes directly below the qdisc, by name.",
                "examples": [{"all": {"rate": "10mbit"}}],
            },
            "exclusive": {
                "type": "boolean",
                "default": False,
                "description": "Take the place of a root qdisc that somebody else made.",
                "examples": [True],
            },
            "adopt": {"$ref": "#/$defs/adopt"},
            "comment": {"$ref": "#/$defs/comment"},
        },
        "$defs": {"class": CLASS},
    }

    def key(self, value: Qdisc) -> Key:
        """Return the device: it has one root."""
        return (self.name, value.dev)

    def recorded(self, value: Qdisc) -> Key:
        """The record remembers which qdisc it was: somebody may have put another in its place."""
        return (self.name, value.dev, value.handle, value.type)

    def requires(self, value: Qdisc, world: World) -> Iterable[Key | Lack]:  # noqa: ARG002
        """A qdisc stands on its device."""
        return (("device", value.dev),)

    def replace(self, before: Qdisc, after: Qdisc) -> str:
        """HTB's own parameters cannot be changed (net/sched/sch_htb.c has no change operation)."""
        if before.type != after.type:
            return f"{before.type} → {after.type}"
        if before.handle != after.handle:
            return f"handle {before.handle} → {after.handle}"
        return "htb cannot change its parameters"

    def disruptive(self, before: Qdisc, after: Qdisc | None) -> str:  # noqa: ARG002
        """A new root starts with empty queues and no classes."""
        return "drops all classes" if after is not None else ""

    def takes(self, before: Qdisc, after: Qdisc | None, world: World) -> Iterable[Effect]:
        """With the root go all classes and filters."""
        if after is not None:
            return
        for kind in ("class", "filter"):
            for key, value, mark in world.within((kind, before.dev)):
                yield Effect(key, value, mark)

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the root of each device that is shaped."""
        for tree in trees(scene):
            default = handles.text(tree.major << 16 | tree.default) if tree.default else ""
            value = Qdisc(tree.dev, handles.text(tree.major << 16), "htb", default)
            adopt = bool(tree.entry.get("adopt") or tree.entry.get("exclusive"))
            yield Wanted(value, scene.origin(tree.path, tree.entry), adopt)

    def dumps(self, sight: Sight) -> Iterable[Dump]:  # noqa: ARG002
        """All qdiscs of all devices."""
        return (Dump(RTM_GETQDISC, TCMSG.pack(0, 0, 0, 0, 0)),)

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:
        """Read a root; one with handle 0 is the kernel's default, which comes back by itself."""
        if kind != RTM_NEWQDISC:
            return
        _, index, handle, parent, _ = TCMSG.unpack_from(body)
        if parent != handles.ROOT or not handle:
            return
        found = parse(body, 20)
        word = string(found[TCA_KIND])
        dev = sight.devices.get(index, f"if{index}")
        default, r2q = "", None
        if word == "htb":
            init = parse(found[TCA_OPTIONS]).get(TCA_HTB_INIT, b"")
            _, r2q, minor, _, _ = HTB_GLOB.unpack_from(init)
            default = handles.text(handle | minor & 0xFFFF) if minor & 0xFFFF else ""
        value = Qdisc(dev, handles.text(handle), word, default, r2q)
        known = self.recorded(value)
        ours = known in sight.keys or handle >> 16 == sight.owner.qdisc_major
        if word == "htb":
            sight.roots[dev] = ours
        yield Found(value, None if ours else 0)

    def claim_ours(self, state: State, desired: Mapping[Key, Value], sight: Sight) -> State:
        """Recognise a tree that equals the file's in every part, where the record is lost."""
        for dev, ours in sight.roots.items():
            tree = [k for k in state.foreign if k[0] in ("qdisc", "class", "filter") and k[1] == dev]
            wanted = {k: v for k, v in desired.items() if k[0] in ("qdisc", "class", "filter") and k[1] == dev}
            if ours or (self.name, dev) not in wanted or set(tree) != set(wanted):
                continue
            if all(_equal(wanted[key], state.foreign[key][0].value) for key in tree):
                found = {key: state.foreign[key][0].value for key in tree}
                rest = {k: v for k, v in state.foreign.items() if k not in found}
                state = State({**state.ours, **found}, rest, state.unknown)
                sight.roots[dev] = True
        return state

    def encode(self, change: Change, owner: Owner) -> list[Message]:  # noqa: ARG002
        """Delete the old root, make the new one."""
        messages = []
        if change.action in (DELETE, REPLACE):
            messages.append(_message(RTM_DELQDISC, 0, change.before, b""))
        if change.action in (CREATE, REPLACE):
            after: Any = change.after
            minor = handles.parse(after.default) & 0xFFFF if after.default else 0
            init = HTB_GLOB.pack(HTB_VERSION, after.r2q or R2Q, minor, 0, 0)
            options = nested(TCA_OPTIONS, attribute(TCA_HTB_INIT, init)) if after.type == "htb" else b""
            messages.append(_message(RTM_NEWQDISC, MessageFlags.CREATE, after, options))
        return messages

    def command(self, change: Change, owner: Owner) -> list[list[str]]:  # noqa: ARG002
        """``tc qdisc del`` and ``tc qdisc add``."""
        lines = []
        if change.action in (DELETE, REPLACE):
            lines.append(["tc", "qdisc", "del", "dev", change.key[1], "root"])
        if change.action in (CREATE, REPLACE):
            after: Any = change.after
            words = ["default", f"{handles.parse(after.default) & 0xFFFF:x}"] if after.default else []
            words += ["r2q", str(after.r2q)] if after.r2q not in (None, R2Q) else []
            lines.append(["tc", "qdisc", "add", "dev", after.dev, "root", "handle", after.handle, after.type, *words])
        return lines

    def describe(self, value: Qdisc, names: Names) -> str:
        """Show device, type, handle and default."""
        default = f" default {names.class_(value.dev, value.default)}" if value.default else ""
        return f"{value.dev} {value.type} {value.handle}{default}"

    def describe_change(self, before: Qdisc, after: Qdisc, names: Names) -> str:
        """Show what changes, below the name."""
        title = f"{after.dev} {after.type} {after.handle}"
        shown = [] if before.type == after.type else [f"{before.type} → {after.type}"]
        shown += [] if before.handle == after.handle else [f"{before.handle} → {after.handle}"]
        if before.default != after.default:
            pair = [names.class_(v.dev, v.default) if v.default else "none" for v in (before, after)]
            shown.append(f"default {pair[0]} → {pair[1]}")
        return f"{title} {', '.join(shown)}"


def _equal(wanted: Any, seen: Any) -> bool:
    """Compare what the file says; what it leaves open is equal to anything."""
    return all(w is None or w == s for w, s in zip(wanted, seen, strict=True))


def _message(kind: int, flags: int, value: Any, options: bytes) -> Message:
    handle = handles.parse(value.handle) if kind == RTM_NEWQDISC else 0
    return Message(kind, flags, body(handle, handles.ROOT, value.type, options), ((4, value.dev),))
