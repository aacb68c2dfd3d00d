"""The kind ``port``: what is set on an interface as the port of a bridge (net/bridge/br_netlink.c).

It comes and goes with being one: a bridge gives each new port the same settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.kind import Lack
from reconciler.resources.base import Dump, Found, Resource, Sight
from reconciler.resources.link.device_wire import (
    IFINFOMSG,
    IFLA_IFNAME,
    IFLA_INFO_SLAVE_KIND,
    IFLA_LINKINFO,
    LINK_DUMP,
    RTM_NEWLINK,
)
from reconciler.resources.link.port_value import Port
from reconciler.resources.message import Message
from reconciler.resources.scene import Scene, Wanted
from reconciler.resources.wire import nested, number, parse, string, text, u8, u16, u32

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.change import Change
    from reconciler.core.state import Key
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner

KERNEL = 2
IFLA_INFO_SLAVE_DATA = 5
BRIDGE = "bridge"
CODES = {
    "priority": 2,
    "cost": 3,
    "hairpin": 4,
    "guard": 5,
    "root_block": 6,
    "fastleave": 7,
    "learning": 8,
    "flood": 9,
    "mcast_flood": 27,
    "bcast_flood": 30,
    "neigh_suppress": 32,
    "isolated": 33,
}
"""Fields to attributes (linux/if_link.h, IFLA_BRPORT_*); the names are those of ``ip link … type bridge_slave``."""
MEANINGS: Mapping[str, tuple[dict[str, Any], str, Any]] = {
    "cost": ({"type": "integer", "minimum": 1, "maximum": 65535}, "What the spanning tree counts for a way here.", 10),
    "priority": ({"type": "integer", "minimum": 0, "maximum": 63}, "The spanning tree prefers the lowest.", 32),
    "hairpin": ({"type": "boolean"}, "Send frames back through the port they came by.", True),
    "guard": ({"type": "boolean"}, "Shut the port when it receives messages of a spanning tree.", True),
    "root-block": ({"type": "boolean"}, "Never take the port for the way to the root.", True),
    "fastleave": ({"type": "boolean"}, "Stop multicast at once when a member leaves.", True),
    "learning": ({"type": "boolean"}, "Learn addresses from incoming frames.", False),
    "flood": ({"type": "boolean"}, "Send frames for unknown addresses here, too.", False),
    "mcast-flood": ({"type": "boolean"}, "Send multicast here that nobody asked for.", False),
    "bcast-flood": ({"type": "boolean"}, "Send broadcasts here.", False),
    "neigh-suppress": ({"type": "boolean"}, "Answer ARP and neighbour discovery in place of others.", True),
    "isolated": ({"type": "boolean"}, "Exchange no frames with other isolated ports.", True),
}


class PortKind(Resource[Port]):
    """Settings of a bridge's ports: changed wherever they are, never created."""

    name = "port"
    value = Port
    label = "port"
    rank = 13
    shared = True
    open = Port._fields[1:]
    gives_back = Port._fields[1:]
    schema = {
        "interfaces.*": {
            "bridge-port": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "description": "What is set on this interface as the port of a bridge. Left alone if it is not said; "
                "the former value returns when it is taken out again.",
                "examples": [{"cost": 10}],
                "properties": {
                    word: {**stanza, "description": meaning, "examples": [example]}
                    for word, (stanza, meaning, example) in MEANINGS.items()
                },
            }
        }
    }

    def key(self, value: Port) -> Key:
        """Return the interface's name."""
        return (self.name, value.dev)

    def missing(self, key: Key) -> str:
        """Say that the interface is no port."""
        return f"{key[1]} is no port of a bridge"

    def requires(self, value: Port, world: World) -> Iterable[Key | Lack]:
        """A port's interface must be there, and be a port."""
        yield ("device", value.dev)
        device = world.get(("device", value.dev))
        if device is not None and device.slave not in (BRIDGE, None):
            yield Lack(self.missing((self.name, value.dev)))

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the settings of each interface that has any as a port."""
        for path, name, entry in scene.interfaces():
            if "bridge-port" in entry:
                said = {word.replace("-", "_"): value for word, value in entry["bridge-port"].items()}
                yield Wanted(Port(name, **said), scene.origin((*path, "bridge-port"), entry))

    def dumps(self, sight: Sight) -> Iterable[Dump]:  # noqa: ARG002
        """All links; the same question that the kind ``link`` asks."""
        return (LINK_DUMP,)

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:  # noqa: ARG002
        """Read the settings of one interface that is a bridge's port."""
        if kind != RTM_NEWLINK:
            return
        found = parse(body, IFINFOMSG.size)
        info = parse(found.get(IFLA_LINKINFO, b""))
        if string(info.get(IFLA_INFO_SLAVE_KIND, b"")) != BRIDGE:
            return
        held = parse(info.get(IFLA_INFO_SLAVE_DATA, b""))
        said = {field: number(held[code]) for field, code in CODES.items() if code in held}
        plain = {f: value if f in ("cost", "priority") else bool(value) for f, value in said.items()}
        yield Found(Port(string(found[IFLA_IFNAME]), **plain), KERNEL)  # type: ignore[arg-type]

    def encode(self, change: Change, owner: Owner) -> list[Message]:  # noqa: ARG002
        """Set what differs; only RTM_NEWLINK hears of a port's settings."""
        data = b"".join(_pack(field, getattr(change.after, field)) for field in change.fields)
        info = text(IFLA_INFO_SLAVE_KIND, BRIDGE) + nested(IFLA_INFO_SLAVE_DATA, data)
        body = IFINFOMSG.pack(0, 0, 0, 0, 0) + nested(IFLA_LINKINFO, info)
        return [Message(RTM_NEWLINK, 0, body, ((4, change.key[1]),))]

    def command(self, change: Change, owner: Owner) -> list[list[str]]:  # noqa: ARG002
        """``ip link set dev NAME type bridge_slave``."""
        line = ["ip", "link", "set", "dev", change.key[1], "type", "bridge_slave"]
        for field in change.fields:
            value = getattr(change.after, field)
            line += [field, ("on" if value else "off") if isinstance(value, bool) else str(value)]
        return [line]

    def changed(self, before: Port, after: Port) -> tuple[str, ...]:
        """Name what differs; what nobody has said is no difference."""
        return tuple(f for f in super().changed(before, after) if getattr(after, f) is not None)

    def same(self, one: Port, other: Port) -> bool:
        """Compare what is said."""
        return one == other or not self.changed(other, one)

    def describe(self, value: Port, names: Names) -> str:  # noqa: ARG002
        """Show the settings."""
        said = [(f, getattr(value, f)) for f in self.gives_back if getattr(value, f) is not None]
        return f"{value.dev}: " + " ".join(f"{field.replace('_', '-')} {_word(v)}" for field, v in said)

    def title(self, value: Port, names: Names) -> str:  # noqa: ARG002
        """Show the interface."""
        return value.dev

    def describe_change(self, before: Port, after: Port, names: Names) -> str:  # noqa: ARG002
        """Show what changes; what was not known is left out."""
        shown = []
        for field in self.changed(before, after):
            old, new = getattr(before, field), getattr(after, field)
            was = "" if old is None else f"{_word(old)} → "
            shown.append(f"{field.replace('_', '-')} {was}{_word(new)}")
        return f"{after.dev}: {', '.join(shown)}"


def _pack(field: str, value: Any) -> bytes:
    pack = {"cost": u32, "priority": u16}.get(field, u8)
    return pack(CODES[field], int(value))


def _word(value: Any) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
