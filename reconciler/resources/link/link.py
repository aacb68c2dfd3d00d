"""The kind ``link``: an interface that the file creates, and its type. What is set on it is a ``device``.

Ours is recognised by the alternative name ``reconciler:OWNER:NAME``, which the kernel keeps for us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.change import UPDATE, Change
from reconciler.core.kind import Effect, Lack
from reconciler.resources.base import Dump, Found, MessageFlags, Resource, Sight
from reconciler.resources.cascade import orphaned, ways
from reconciler.resources.link import together
from reconciler.resources.link.device import Device, DeviceKind
from reconciler.resources.link.device_wire import IFINFOMSG, IFLA_IFNAME, IFLA_LINKINFO, LINK_DUMP, RTM_NEWLINK
from reconciler.resources.link.match import altnames
from reconciler.resources.link.option import a
from reconciler.resources.link.types import TYPES, beyond, schema
from reconciler.resources.message import Message, Request
from reconciler.resources.rule_value import Rule
from reconciler.resources.scene import Path, Scene, Wanted
from reconciler.resources.wire import nested, parse, string, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.state import Key, State, Value
    from reconciler.core.world import World
    from reconciler.resources.link.type import LinkType
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner

RTM_DELLINK, RTM_NEWLINKPROP = 17, 108
IFLA_PROP_LIST, IFLA_ALT_IFNAME = 52, 53
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
ARPHRD_SIT = 776
KERNEL = 2
"""The mark of what the kernel makes along with a link, and of hardware (RTPROT_KERNEL)."""
HARDWARE = "hardware"
VRF_PRIORITY = 1000
HEAD = 4
"""Bytes of an attribute before its payload."""

DEVICE = DeviceKind()


OPTIONS = frozenset(word for kind in TYPES.values() for word in kind.schema)
"""All keys of the file that are options of some type."""


class Link(NamedTuple):
    """A virtual interface and what cannot be changed about it."""

    name: str
    type: str
    options: tuple[tuple[str, Any], ...] = ()
    """Those that the file names, or all that the kernel shows, in alphabetical order."""
    marked: bool = True
    """False for one of ours that lacks its mark: we were killed between making it and marking it."""
    born: str = ""
    """The name that one of ours was made with, if it has another now: its mark says so."""


class LinkKind(Resource[Link]):
    """Virtual interfaces, created and deleted as the file says."""

    name = "link"
    value = Link
    rank = 10
    remembers = "until marked"
    open = ("options",)
    schema = {
        "interfaces.*": {
            "kind": {
                "enum": sorted(TYPES),
                "description": "The type of a virtual interface that this file creates and removes. "
                "Without it the interface is one that exists anyway.",
                "examples": ["veth"],
            },
            **schema(),
        }
    }

    def key(self, value: Link) -> Key:
        """Return the name: a namespace has one interface of a name."""
        return (self.name, value.name)

    def same(self, one: Link, other: Link) -> bool:
        """Compare what the first one says; a mark is never taken away."""
        if one[:2] != other[:2] or (one.marked and not other.marked):
            return False
        if one.options == other.options or set(one.options) <= set(other.options):
            return True
        # The name of a peer in another namespace cannot be seen.
        away = [("peer", word) for said, word in one.options if said == "peer"] if ("peer", "") in other.options else []
        return bool(away) and set(one.options) - set(away) <= set(other.options)

    def decide(self, wanted: Link, seen: Link | None, world: World) -> Link:
        """What the file does not say stays as it is, unless another link takes the place."""
        kind = TYPES[wanted.type]
        there = dict(seen.options) if seen is not None and seen.type == wanted.type else {}
        said = kind.decide(wanted.name, dict(wanted.options), there, world)
        whole = {**there, **said}
        said = said if there and kind.replace(there, whole) else whole
        return wanted._replace(options=tuple(sorted(said.items())))

    def replace(self, before: Link, after: Link) -> str:
        """The type of a link is fixed when it is created, and so are some of its options."""
        if before.type != after.type:
            return f"the type of a link is fixed: {before.type} → {after.type}"
        return TYPES[after.type].replace(dict(before.options), dict(after.options))

    def changed(self, before: Link, after: Link) -> tuple[str, ...]:
        """Name what differs, the options one by one."""
        old, new = dict(before.options), dict(after.options)
        words = [word for word in new if old.get(word) != new[word]] if before.type == after.type else []
        return (*(f for f in super().changed(before, after) if f != "options"), *words)

    def disruptive(self, before: Link, after: Link | None) -> str:
        """Replacing a link drops all that stands on it."""
        return "drops its addresses, routes and queues" if after is not None and self.replace(before, after) else ""

    def claims(self, value: Link) -> Iterable[Key]:
        """The names of other ends are names of links, too; and types have rules of their own."""
        yield from ((self.name, "name", name) for name in (value.name, *_ends(value), value.born) if name)
        if value.type in TYPES:
            yield from TYPES[value.type].claims(value.name, dict(value.options))

    def requires(self, value: Link, world: World) -> Iterable[Key | Lack]:  # noqa: ARG002
        """It stands on the interfaces that its options name."""
        return [(DEVICE.name, name) for name in TYPES[value.type].needs(value.options)] if value.type in TYPES else ()

    def brings(
        self,
        before: Link | None,
        after: Link,
        mark: int | None,
        world: World,
    ) -> Iterable[tuple[Value, int]]:
        """A new link is down, and its type decides about its mtu. The other end of ours is part of it."""
        if before is not None:
            return
        mtu = TYPES[after.type].first_mtu(after.options, world)
        for name in (after.name, *_ends(after)):
            yield Device(name, "down", mtu, "", alias="", group=0, slave=""), KERNEL
        if after.type == "vrf" and not any(rule.l3mdev for _, rule, _ in world.every("rule")):
            for family in (4, 6):  # a namespace's first VRF does, and they stay (drivers/net/vrf.c, vrf_add_fib_rules)
                yield Rule(family, VRF_PRIORITY, l3mdev=True), KERNEL
        if mark is not None:
            for name in _ends(after):
                yield Link(name, after.type, TYPES[after.type].mirrored(after.name)), mark

    def takes(self, before: Link, after: Link | None, world: World) -> Iterable[Effect]:
        """With a link go its other end, the links that stand on either, and all else that does."""
        if after is not None:
            yield from _along(before, after, world)
            return
        names = [before.name, *_ends(before)]
        for name in names:
            names += [link.name for _, link, _ in world.within((self.name, "on", name)) if link.name not in names]
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
        seen: dict[tuple[Key, Value, int | None], Effect] = {}
        for effect in lost:  # a port may first lose its master and then be gone itself
            known = seen.get(effect[:3])
            if known is None or known.after is not None:
                seen[effect[:3]] = effect
        yield from seen.values()

    def groups(self, value: Link) -> Iterable[Key]:
        """Links are looked up by what they stand on, too: with that they go."""
        yield self.scope(value)
        if value.type in TYPES:
            for lower in TYPES[value.type].lowers(value.options):
                yield (self.name, "on", lower)

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield a link for each interface that has a ``kind``."""
        for path, name, entry in scene.interfaces():
            if "kind" not in entry:
                for word in sorted(OPTIONS & set(entry)):
                    scene.problem((*path, word), f"{word} is for an interface that this file creates", "add kind")
                continue
            kind = TYPES[entry["kind"]]
            if not self._fits(kind, entry, path, scene):
                continue
            value = Link(name, kind.name, kind.options(entry, path, scene))
            yield Wanted(value, scene.origin(path, entry), bool(entry.get("adopt")))

    def check(self, scene: Scene, wanted: Mapping[Key, Wanted]) -> None:
        """Report what only all interfaces together show."""
        together.check(scene, wanted)

    def _fits(self, kind: LinkType, entry: Mapping[str, Any], path: Path, scene: Scene) -> bool:
        """Tell whether all options are those of the type; report those that are not."""
        own, good = kind.schema, True
        if "mac" in entry and (not kind.has_mac or (kind.name == "tun" and entry.get("mode") == "tun")):
            scene.problem((*path, "mac"), f"the hardware address of {a(kind.name)} cannot be set", "leave mac out")
        if str(path[-1]) == "lo":
            scene.problem((*path, "kind"), "lo is there anyway, and cannot be made", "leave kind out")
            good = False
        for word in sorted(OPTIONS & set(entry)):
            if word not in own:
                listed = ", ".join(own) or "none"
                scene.problem((*path, word), f"{a(kind.name)} has no {word}", f"it has: {listed}")
                good = False
            elif why := beyond(kind, word, entry[word]):
                scene.problem((*path, word), why)
                good = False
        return good

    def elsewhere(self, value: Link) -> Iterable[str]:
        """Name the namespace of a peer that is in another one."""
        return [said for word, said in value.options if word == "peer_netns" and said]

    def survey(self, messages: Iterable[bytes], sight: Sight) -> None:
        """Learn the names of all interfaces before any message is decoded."""
        for body in messages:
            _, kind, index, _, _ = IFINFOMSG.unpack_from(body)
            sight.devices[index] = string(parse(body, 16)[IFLA_IFNAME])
            if kind == ARPHRD_SIT:
                sight.sits.add(sight.devices[index])

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
        word = sight.types[name] = string(info[IFLA_INFO_KIND])
        options = TYPES[word].unpack(info.get(IFLA_INFO_DATA, b""), attributes, sight) if word in TYPES else ()
        mark = sight.owner.altname("")
        signs = [alt for alt in altnames(attributes.get(IFLA_PROP_LIST, b"")) if alt.startswith(mark)]
        ours = bool(signs) or (self.name, name) in sight.keys
        born = next((sign.removeprefix(mark) for sign in signs if sign != mark + name), "")
        yield Found(Link(name, word, options, bool(signs) or not ours, born), None if ours else 0)

    def claim_ours(self, state: State, desired: Mapping[Key, Value], sight: Sight) -> State:  # noqa: ARG002
        """The other end of a link of ours is part of it, and nobody's link of its own."""
        ends = {(self.name, name) for link in state.ours.values() if isinstance(link, Link) for name in _ends(link)}
        if ends.isdisjoint(state.foreign):
            return state
        return state._replace(foreign={k: held for k, held in state.foreign.items() if k not in ends})

    def encode(self, change: Change, owner: Owner) -> list[Request]:
        """Create and mark as ours, mark only, or delete."""
        messages: list[Request] = []
        if change.before is not None and change.action != UPDATE:
            body = IFINFOMSG.pack(0, 0, 0, 0, 0)
            messages.append(Message(RTM_DELLINK, 0, body, ((4, change.before[0]),)))
        if isinstance(change.after, Link):
            messages += _written(change)
        if isinstance(change.after, Link) and change.mark is None and _unmarked(change):
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
        if isinstance(change.after, Link):
            lines += _said(change)
        if isinstance(change.after, Link) and change.mark is None and _unmarked(change):
            link = change.after
            lines.append(["ip", "link", "property", "add", "dev", link.name, "altname", owner.altname(link.name)])
        return lines

    def describe(self, value: Link, names: Names) -> str:  # noqa: ARG002
        """Show name, type and options."""
        shown = TYPES[value.type].shown(value.options) if value.type in TYPES else ""
        return f"{value.name}: {value.type}{shown}"

    def title(self, value: Link, names: Names) -> str:  # noqa: ARG002
        """Show name and type."""
        return f"{value.name}: {value.type}"

    def describe_change(self, before: Link, after: Link, names: Names) -> str:
        """Show what changes; a mark that was missing is no more than that."""
        if self.changed(before, after) == ("marked",):
            return f"{self.describe(after, names)}   marked as ours"
        if before.type != after.type:
            return f"{after.name}: {before.type} → {self.describe(after, names).partition(': ')[2]}"
        kind, old, new = TYPES[after.type], dict(before.options), dict(after.options)
        words = [word for word in self.changed(before, after) if word in new]
        shown = (f"{kind.key(w)} {kind.text(w, old.get(w))} → {kind.text(w, new[w])}" for w in words)
        return f"{self.title(after, names)}: {', '.join(shown)}"


def _along(before: Link, after: Link, world: World) -> Iterator[Effect]:
    """Yield the other ipvlans on an interface: they share the mode (ipvlan_set_port_mode)."""
    said = dict(after.options)
    if after.type != "ipvlan" or said.get("mode") == dict(before.options).get("mode"):
        return
    for key, other, mark in world.within(("link", "on", said.get("link", ""))):
        if other.type == "ipvlan" and other.name != after.name:
            yield Effect(
                key,
                other,
                mark,
                other._replace(options=tuple(sorted({**dict(other.options), "mode": said["mode"]}.items()))),
            )


def _unmarked(change: Change) -> bool:
    """Tell whether our mark has still to be set."""
    return change.action != UPDATE or change.adopts is not None or "marked" in change.fields


def _options(change: Change) -> tuple[tuple[str, Any], ...]:
    """Return the options that a request has to name."""
    link: Any = change.after
    if change.action != UPDATE or (TYPES[link.type].whole and _in_place(change)):
        return tuple(link.options)
    return tuple((word, value) for word, value in link.options if word in change.fields)


def _in_place(change: Change) -> bool:
    return any(word in change.fields for word, _ in change.after.options)  # type: ignore[union-attr]


def _written(change: Change) -> Iterator[Request]:
    """Yield the request that creates a link, or changes its options."""
    link: Any = change.after
    if change.action == UPDATE and not _in_place(change):
        return
    made = TYPES[link.type].makes(link.name, link.options)
    if made is not None:
        yield made
        return
    packed = TYPES[link.type].pack(_options(change))
    front = IFINFOMSG.pack(0, 0, 0, 0, 0)
    devices = [] if change.action != UPDATE else [(4, link.name)]
    if change.action != UPDATE:
        front += text(IFLA_IFNAME, link.name)
    devices += [(len(front) + at, name) for at, name in packed.in_head]
    front += packed.head
    kind = text(IFLA_INFO_KIND, link.type)
    inside = len(front) + HEAD + len(kind) + HEAD
    devices += [(inside + at, name) for at, name in packed.in_data]
    info = kind + (nested(IFLA_INFO_DATA, packed.data) if packed.data else b"")
    flags = 0 if change.action == UPDATE else MessageFlags.CREATE
    namespaces = tuple((inside + at, name) for at, name in packed.namespaces)
    yield Message(RTM_NEWLINK, flags, front + nested(IFLA_LINKINFO, info), tuple(devices), namespaces)


def _said(change: Change) -> Iterator[list[str]]:
    """Yield the same as a command line."""
    link: Any = change.after
    if change.action == UPDATE and not _in_place(change):
        return
    if line := TYPES[link.type].line(link.name, link.options):
        yield line
        return
    before, after = TYPES[link.type].words(_options(change))
    if change.action == UPDATE:
        yield ["ip", "link", "set", "dev", link.name, "type", link.type, *after]
    else:
        yield ["ip", "link", "add", *before, "name", link.name, "type", link.type, *after]


def _ends(link: Link) -> tuple[str, ...]:
    """Return the names of the other interfaces that come and go with a link."""
    return tuple(TYPES[link.type].also(link.options)) if link.type in TYPES else ()
