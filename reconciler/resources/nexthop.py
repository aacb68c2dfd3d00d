"""The kind ``nexthop``: a nexthop object, which routes can share (``ip nexthop``).

Ours is recognised by its protocol number. With an object go the routes that use it, IPv4's without an event, and
its places in groups; with the last member goes the group (net/ipv4/nexthop.c, remove_nexthop).
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

from reconciler.core.change import CREATE, DELETE, REPLACE
from reconciler.resources.base import Dump, Found, MessageFlags, Resource, Sight
from reconciler.resources.cascade import without_nexthops
from reconciler.resources.message import Message
from reconciler.resources.nexthop_config import REFERENCE, SECTION, Nexthop, read
from reconciler.resources.route.ground import way_lacks
from reconciler.resources.route.value import Hop
from reconciler.resources.scene import Scene, Wanted
from reconciler.resources.tables import MAIN
from reconciler.resources.wire import NLM_F_CREATE, NLM_F_REPLACE, address, attribute, number, packed, parse, u32

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.change import Change
    from reconciler.core.kind import Effect, Lack
    from reconciler.core.state import Key
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner

RTM_NEWNEXTHOP, RTM_DELNEXTHOP, RTM_GETNEXTHOP = 104, 105, 106
NHMSG = Struct("=BBBBI")
ENTRY = Struct("=IBBH")
NHA_ID, NHA_GROUP, NHA_GROUP_TYPE, NHA_BLACKHOLE, NHA_OIF, NHA_GATEWAY = 1, 2, 3, 4, 5, 6
NHA_ENCAP_TYPE, NHA_ENCAP, NHA_FDB, NHA_RES_GROUP = 7, 8, 11, 12
UNKNOWN = (NHA_ENCAP_TYPE, NHA_ENCAP, NHA_FDB, NHA_RES_GROUP)
RTNH_F_ONLINK = 4
AF = {0: 0, 4: 2, 6: 10}
FAMILIES = {number: family for family, number in AF.items()}


class NexthopKind(Resource[Nexthop]):
    """Nexthop objects."""

    name = "nexthop"
    value = Nexthop
    rank = 25
    schema = {"": SECTION, "$defs": {"nexthop": REFERENCE}}

    def key(self, value: Nexthop) -> Key:
        """Return the id."""
        return (self.name, value.id)

    def groups(self, value: Nexthop) -> Iterable[Key]:
        """Nexthop objects are looked up by device, and groups by their members."""
        yield self.scope(value)
        if value.dev:
            yield (self.name, "dev", value.dev)
        for member, _ in value.group:
            yield (self.name, "member", member)

    def replace(self, before: Nexthop, after: Nexthop) -> str:
        """A group stays a group; an IPv4 one cannot take the place of what IPv6 routes may use."""
        if bool(before.group) != bool(after.group):
            return "a group and a single nexthop cannot become one another"
        if before.blackhole != after.blackhole:
            return "one that leads somewhere and one that drops are not one another: whoever uses it must know"
        if before.family == 6 and after.family == 4:
            return "IPv6 routes cannot use an IPv4 nexthop"
        return ""

    def requires(self, value: Nexthop, world: World) -> Iterable[Key | Lack]:
        """A nexthop stands on its device, which must be up and reach the gateway; a group on its members."""
        for member, _ in value.group:
            yield (self.name, member)
        if value.dev:
            hop = Hop(value.via, value.dev, 1, value.onlink)
            yield from way_lacks(value.family, MAIN, "unicast", hop, world)

    def takes(self, before: Nexthop, after: Nexthop | None, world: World) -> Iterable[Effect]:
        """With a nexthop go its routes, and its places in groups."""
        return without_nexthops({before.id}, world) if after is None else ()

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the nexthop objects of the file."""
        for path, entry, value in read(scene):
            yield Wanted(value, scene.origin(path, entry), bool(entry.get("adopt")))

    def dumps(self, sight: Sight) -> Iterable[Dump]:  # noqa: ARG002
        """All nexthop objects of both families."""
        return (Dump(RTM_GETNEXTHOP, NHMSG.pack(0, 0, 0, 0, 0)),)

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:
        """Read one nexthop object."""
        if kind != RTM_NEWNEXTHOP:
            return
        family, _, protocol, _, flags = NHMSG.unpack_from(body)
        found = parse(body, NHMSG.size)
        index = number(found.get(NHA_OIF, b""))
        members = ENTRY.iter_unpack(found.get(NHA_GROUP, b""))
        value = Nexthop(
            number(found[NHA_ID]),
            FAMILIES.get(family, 0),
            address(found[NHA_GATEWAY]) if NHA_GATEWAY in found else "",
            sight.devices.get(index, f"if{index}") if index else "",
            bool(flags & RTNH_F_ONLINK),
            NHA_BLACKHOLE in found,
            tuple(sorted((member, weight + 1) for member, weight, _, _ in members)),
            b"".join(attribute(code, found[code]) for code in UNKNOWN if code in found).hex(),
        )
        yield Found(value, None if protocol == sight.owner.protocol else protocol)

    def encode(self, change: Change, owner: Owner) -> list[Message]:
        """Add, replace or delete; the id is all that a deletion may name."""
        gone = [_gone(change.before)] if change.before is not None else []
        if change.action == DELETE:
            return gone
        mark = owner.protocol if change.mark is None else change.mark
        after: Any = change.after
        if change.action == CREATE:
            return [_made(after, mark, MessageFlags.CREATE)]
        if change.action == REPLACE:
            return [*gone, _made(after, mark, MessageFlags.CREATE)]
        return [_made(after, mark, NLM_F_CREATE | NLM_F_REPLACE)]

    def command(self, change: Change, owner: Owner) -> list[list[str]]:
        """``ip nexthop add``, ``replace`` and ``del``."""
        gone = [["ip", "nexthop", "del", "id", str(change.key[1])]]
        if change.action == DELETE:
            return gone
        mark = owner.protocol if change.mark is None else change.mark
        after: Any = change.after
        if change.action == CREATE:
            return [_words("add", after, mark)]
        return [*gone, _words("add", after, mark)] if change.action == REPLACE else [_words("replace", after, mark)]

    def describe(self, value: Nexthop, names: Names) -> str:
        """Show id and way."""
        return f"{self.title(value, names)}:{_way(value, names)}"

    def title(self, value: Nexthop, names: Names) -> str:
        """Show name and id."""
        return names.nexthop(value.id)

    def describe_change(self, before: Nexthop, after: Nexthop, names: Names) -> str:
        """Show the old way and the new one."""
        return f"{self.title(after, names)}:{_way(before, names)} →{_way(after, names)}"


def _way(value: Nexthop, names: Names) -> str:
    if value.group:
        members = [names.nexthop(m) + (f" weight {weight}" if weight != 1 else "") for m, weight in value.group]
        return f" group {', '.join(members)}"
    words = " blackhole" if value.blackhole else ""
    words += f" via {value.via}" if value.via else ""
    words += f" dev {value.dev}" if value.dev else ""
    return words + (" onlink" if value.onlink else "")


def _gone(value: Any) -> Message:
    return Message(RTM_DELNEXTHOP, 0, NHMSG.pack(0, 0, 0, 0, 0) + u32(NHA_ID, value.id))


def _made(value: Nexthop, protocol: int, flags: int) -> Message:
    body = NHMSG.pack(AF[value.family], 0, protocol, 0, RTNH_F_ONLINK if value.onlink else 0)
    body += u32(NHA_ID, value.id)
    if value.group:
        body += attribute(NHA_GROUP, b"".join(ENTRY.pack(member, weight - 1, 0, 0) for member, weight in value.group))
    if value.blackhole:
        body += attribute(NHA_BLACKHOLE, b"")
    if value.via:
        body += attribute(NHA_GATEWAY, packed(value.via))
    body += bytes.fromhex(value.more)
    if value.dev:
        body += u32(NHA_OIF, 0)
        return Message(RTM_NEWNEXTHOP, flags, body, ((len(body) - 4, value.dev),))
    return Message(RTM_NEWNEXTHOP, flags, body)


def _words(verb: str, value: Nexthop, protocol: int) -> list[str]:
    words = ["ip", *([f"-{value.family}"] if value.family else []), "nexthop", verb, "id", str(value.id)]
    if value.group:
        words += ["group", "/".join(f"{member},{weight}" for member, weight in value.group)]
    words += ["blackhole"] if value.blackhole else []
    words += ["via", value.via] if value.via else []
    words += ["dev", value.dev] if value.dev else []
    return [*words, *(["onlink"] if value.onlink else []), "proto", f"{protocol:#x}"]
