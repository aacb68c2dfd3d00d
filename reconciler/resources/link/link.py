"""The kind ``link``: an interface that the file creates, and its type. What is set on it is a ``device``.

Ours is recognised by the alternative name ``reconciler:OWNER:NAME``, which the kernel keeps for us.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.change import CREATE, REPLACE, UPDATE, Change
from reconciler.core.kind import Effect
from reconciler.resources.base import Dump, Found, MessageFlags, Resource, Sight
from reconciler.resources.cascade import orphaned, ways
from reconciler.resources.link.device import Device, DeviceKind
from reconciler.resources.link.types import TYPES
from reconciler.resources.message import Message
from reconciler.resources.scene import Scene, Wanted
from reconciler.resources.wire import nested, number, parse, string, text, u32

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.state import Key, State, Value
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINKPROP = 16, 17, 18, 108
IFLA_IFNAME, IFLA_LINKINFO, IFLA_EXT_MASK, IFLA_PROP_LIST, IFLA_ALT_IFNAME = 3, 18, 29, 52, 53
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
RTEXT_FILTER_SKIP_STATS = 8
IFINFOMSG = Struct("=BxHiII")
KERNEL = 2
"""The mark of what the kernel makes along with a link, and of hardware (RTPROT_KERNEL)."""
HARDWARE = "hardware"

LINK_DUMP = Dump(RTM_GETLINK, IFINFOMSG.pack(0, 0, 0, 0, 0) + u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS))

DEVICE = DeviceKind()


class Link(NamedTuple):
    """A virtual interface and what cannot be changed about it."""

    name: str
    type: str
    options: tuple[tuple[str, Any], ...] = ()
    marked: bool = True
    """False for one of ours that lacks its mark: we were killed between making it and marking it."""


class LinkKind(Resource[Link]):
    """Virtual interfaces, created and deleted as the file says."""

    name = "link"
    value = Link
    rank = 10
    remembers = "until marked"
    schema = {
        "interfaces.*": {
            "kind": {
                "enum": sorted(TYPES),
                "description": "The type of a virtual interface that this file creates and removes. "
                "Without it the interface is one that exists anyway.",
                "examples": ["veth"],
            },
            **{name: stanza for kind in TYPES.values() for name, stanza in kind.schema.items()},
        }
    }

    def key(self, value: Link) -> Key:
        """Return the name: a namespace has one interface of a name."""
        return (self.name, value.name)

    def same(self, one: Link, other: Link) -> bool:
        """Compare; a mark is never taken away."""
        return one[:3] == other[:3] and (other.marked or not one.marked)

    def replace(self, before: Link, after: Link) -> str:
        """Type and peer of a link are fixed when it is created."""
        if before.type != after.type:
            return f"the type of a link is fixed: {before.type} → {after.type}"
        return f"the options of a {after.type} link are fixed" if before.options != after.options else ""

    def disruptive(self, before: Link, after: Link | None) -> str:
        """Replacing a link drops all that stands on it."""
        return "drops its addresses, routes and queues" if after is not None and self.replace(before, after) else ""

    def claims(self, value: Link) -> Iterable[Key]:
        """The names of other ends are names of links, too."""
        return ((self.name, "name", name) for name in (value.name, *_ends(value)))

    def brings(
        self,
        before: Link | None,  # noqa: ARG002
        after: Link,
        mark: int | None,
        world: World,  # noqa: ARG002
    ) -> Iterable[tuple[Value, int]]:
        """A new link is down; a bridge and a veth have the standard MTU. The other end of ours is part of it."""
        for name in (after.name, *_ends(after)):
            yield Device(name, "down", 1500, "", promote=None), KERNEL
        if mark is not None:
            for name in _ends(after):
                yield Link(name, after.type, TYPES[after.type].mirrored(after.name)), mark

    def takes(self, before: Link, after: Link | None, world: World) -> Iterable[Effect]:
        """With a link go its other end and all that stands on either."""
        if after is not None:
            return
        names = [before.name, *_ends(before)]
        addresses = [one for name in names for one in world.within(("address", name))]
        lost = [Effect(key, address, mark) for key, address, mark in addresses]
        for name in names:
            if name != before.name:
                lost += [Effect((self.name, name), *other) for other in world.holders((self.name, name))]
            lost += DEVICE.gone(name, world)
            for kind in ("qdisc", "class", "filter"):
                lost += [Effect(key, value, mark) for key, value, mark in world.within((kind, name))]
            lost += ways(name, world)
        lost += orphaned([address for _, address, _ in addresses if not address.secondary], world)
        yield from dict.fromkeys(lost)

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield a link for each interface that has a ``kind``."""
        for path, name, entry in scene.interfaces():
            if "kind" not in entry:
                for word in {w for t in TYPES.values() for w in t.schema} & set(entry):
                    scene.problem((*path, word), f"{word} is for an interface that this file creates", "add kind")
                continue
            options = TYPES[entry["kind"]].options(entry, path, scene)
            value = Link(name, entry["kind"], options)
            yield Wanted(value, scene.origin(path, entry), bool(entry.get("adopt")))

    def survey(self, messages: Iterable[bytes], sight: Sight) -> None:
        """Learn the names of all interfaces before any message is decoded."""
        for body in messages:
            index = IFINFOMSG.unpack_from(body)[2]
            sight.devices[index] = string(parse(body, 16)[IFLA_IFNAME])

    def dumps(self, sight: Sight) -> Iterable[Dump]:  # noqa: ARG002
        """All links, without their counters."""
        return (LINK_DUMP,)

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:
        """Read a link; what has no type is hardware, which nobody creates, and whose name nobody can have."""
        if kind != RTM_NEWLINK:
            return
        attributes = parse(body, 16)
        info = parse(attributes.get(IFLA_LINKINFO, b""))
        name = string(attributes[IFLA_IFNAME])
        if IFLA_INFO_KIND not in info:
            yield Found(Link(name, HARDWARE), KERNEL)
            return
        word = string(info[IFLA_INFO_KIND])
        options = TYPES[word].unpack(info.get(IFLA_INFO_DATA, b""), attributes, sight) if word in TYPES else ()
        marked = sight.owner.altname(name) in _altnames(attributes)
        ours = marked or (self.name, name) in sight.keys
        yield Found(Link(name, word, options, marked or not ours), None if ours else 0)

    def claim_ours(self, state: State, desired: Mapping[Key, Value], sight: Sight) -> State:  # noqa: ARG002
        """The other end of a link of ours is part of it, and nobody's link of its own."""
        ends = {(self.name, name) for link in state.ours.values() if isinstance(link, Link) for name in _ends(link)}
        if ends.isdisjoint(state.foreign):
            return state
        return state._replace(foreign={k: held for k, held in state.foreign.items() if k not in ends})

    def encode(self, change: Change, owner: Owner) -> list[Message]:
        """Create and mark as ours, mark only, or delete."""
        messages = []
        if change.before is not None and change.action != UPDATE:
            body = IFINFOMSG.pack(0, 0, 0, 0, 0)
            messages.append(Message(RTM_DELLINK, 0, body, ((4, change.before[0]),)))
        if change.action in (CREATE, REPLACE) and isinstance(change.after, Link):
            link = change.after
            data = TYPES[link.type].pack(link.options)
            info = text(IFLA_INFO_KIND, link.type) + (nested(IFLA_INFO_DATA, data) if data else b"")
            body = IFINFOMSG.pack(0, 0, 0, 0, 0) + text(IFLA_IFNAME, link.name) + nested(IFLA_LINKINFO, info)
            messages.append(Message(RTM_NEWLINK, MessageFlags.CREATE, body))
        if isinstance(change.after, Link) and change.mark is None:
            link = change.after
            alt = nested(IFLA_PROP_LIST, text(IFLA_ALT_IFNAME, owner.altname(link.name)))
            body = IFINFOMSG.pack(0, 0, 0, 0, 0) + alt
            messages.append(Message(RTM_NEWLINKPROP, MessageFlags.CREATE, body, ((4, link.name),)))
        return messages

    def command(self, change: Change, owner: Owner) -> list[list[str]]:
        """``ip link add``, ``ip link property add``, ``ip link del``."""
        lines = []
        if change.before is not None and change.action != UPDATE:
            lines.append(["ip", "link", "del", "dev", change.before[0]])
        if change.action in (CREATE, REPLACE) and isinstance(change.after, Link):
            link = change.after
            words = TYPES[link.type].words(link.options)
            lines.append(["ip", "link", "add", link.name, "type", link.type, *words])
        if isinstance(change.after, Link) and change.mark is None:
            link = change.after
            lines.append(["ip", "link", "property", "add", "dev", link.name, "altname", owner.altname(link.name)])
        return lines

    def describe(self, value: Link, names: Names) -> str:  # noqa: ARG002
        """Show name, type and options."""
        options = "".join(f" {word} {option}" for word, option in value.options)
        return f"{value.name}: {value.type}{options}"

    def describe_change(self, before: Link, after: Link, names: Names) -> str:
        """Show what changes; a mark that was missing is no more than that."""
        if self.changed(before, after) == ("marked",):
            return f"{self.describe(after, names)}   marked as ours"
        return super().describe_change(before, after, names)


def _altnames(attributes: dict[int, bytes]) -> set[str]:
    """Read the alternative names: one attribute a name, so a map of them would lose all but one."""
    found, listed, offset = set(), attributes.get(IFLA_PROP_LIST, b""), 0
    while offset + 4 <= len(listed):
        size = number(listed[offset : offset + 2])
        if size < 4:
            break
        found.add(string(listed[offset + 4 : offset + size]))
        offset += (size + 3) & ~3
    return found


def _ends(link: Link) -> tuple[str, ...]:
    """Return the names of the other interfaces that come and go with a link."""
    return tuple(TYPES[link.type].also(link.options)) if link.type in TYPES else ()
