"""Which interfaces an entry of the file means: by name, by alternative name, by hardware address, by pattern."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.resources.link.device_config import MAC
from reconciler.resources.link.device_wire import IFINFOMSG, IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINKINFO
from reconciler.resources.scene import UNMATCHED
from reconciler.resources.wire import number, parse, string

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.resources.scene import Scene

IFLA_PROP_LIST, IFLA_PERM_ADDRESS = 52, 54
IFLA_INFO_KIND = 1
BORROWED = frozenset({"vlan", "macvlan", "ipvlan", "macvtap", "ipvtap", "bridge", "bond", "team", "vrf"})
"""Types of links whose hardware address is mostly that of another one."""
SCHEMA: Mapping[str, Any] = {
    "interfaces.*": {
        "match": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "description": "Which interfaces are meant; the key of the entry is then the file's own name for them, "
            "to be used wherever the file names an interface. All that is said must fit.",
            "examples": [{"mac": "52:54:00:12:34:56"}],
            "properties": {
                "mac": {
                    "type": "string",
                    "pattern": MAC,
                    "x-hint": "six pairs of hexadecimal digits, such as 52:54:00:12:34:56",
                    "description": "The hardware address that it was made with.",
                    "examples": ["52:54:00:12:34:56"],
                },
                "name": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 128,
                    "description": "A pattern for its name, or for one of its alternative names: * stands for "
                    "anything, ? for one character, [1-3] for one of these.",
                    "examples": ["eth*"],
                },
            },
        }
    }
}


class Interface(NamedTuple):
    """What an interface can be recognised by."""

    name: str
    altnames: tuple[str, ...] = ()
    mac: str = ""
    """The permanent one where there is such."""
    type: str = ""
    """Empty for hardware."""


def interfaces(bodies: Iterable[bytes]) -> Iterator[Interface]:
    """Read the answers to a dump of links."""
    for body in bodies:
        found = parse(body, IFINFOMSG.size)
        mac = found.get(IFLA_PERM_ADDRESS) or found.get(IFLA_ADDRESS, b"")
        info = parse(found.get(IFLA_LINKINFO, b""))
        yield Interface(
            string(found[IFLA_IFNAME]),
            tuple(altnames(found.get(IFLA_PROP_LIST, b""))),
            mac.hex(":") if len(mac) == 6 else "",
            string(info.get(IFLA_INFO_KIND, b"")),
        )


def altnames(listed: bytes) -> Iterator[str]:
    """Read the alternative names: one attribute a name, so a map of them would lose all but one."""
    offset = 0
    while offset + 4 <= len(listed):
        size = number(listed[offset : offset + 2])
        if size < 4:
            break
        yield string(listed[offset + 4 : offset + size])
        offset += (size + 3) & ~3


def aliases(scene: Scene, seen: Iterable[Interface]) -> dict[str, tuple[str, ...]]:
    """Return what each name of the file means that is not the kernel's own name of an interface."""
    listed = sorted(seen)
    real = {one.name for one in listed}
    found: dict[str, tuple[str, ...]] = {alt: (one.name,) for one in listed for alt in one.altnames if alt not in real}
    entries = [(str(path[-1]), path, entry or {}) for path, entry in scene.entries("interfaces")]
    named = {found.get(key, (key,))[0] for key, _, entry in entries if "match" not in entry}
    for key, path, entry in entries:
        if "match" not in entry:
            continue
        if "kind" in entry:
            scene.problem((*path, "match"), "an interface that this file creates needs no match", "leave match out")
        fitting = [one for one in listed if _fits(one, entry["match"]) and one.name not in named]
        if "mac" in entry["match"]:
            fitting = [one for one in fitting if one.type not in BORROWED] or fitting
        found[key] = tuple(one.name for one in fitting) or (UNMATCHED + key,)
    return found


def _fits(one: Interface, match: Mapping[str, Any]) -> bool:
    """Tell whether an interface is meant; the loopback interface is by no pattern."""
    if "mac" in match and one.mac != match["mac"].lower():
        return False
    if "name" in match:
        return one.name != "lo" and any(fnmatchcase(name, match["name"]) for name in (one.name, *one.altnames))
    return True
