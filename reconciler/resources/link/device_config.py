"""Settings of interfaces as the file writes them: ``state``, ``mtu``, ``master`` and so on, and ``ports``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.link.option import a
from reconciler.resources.scene import Path, Scene, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MAC = "^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$"
SETTINGS = ("state", "mtu", "master", "mac", "alias", "group", "txqueuelen")
WITH_PORTS = ("bond", "bridge", "vrf")
SCHEMA: Mapping[str, Any] = {
    "interfaces.*": {
        "state": {
            "enum": ["up", "down"],
            "description": "The administrative state. Left alone if it is not said.",
            "examples": ["up"],
            "x-removed": {
                "absent": "there is no state absent: leave the interface out of the file, "
                "and what the file had made goes"
            },
        },
        "mtu": {
            "type": "integer",
            "minimum": 68,
            "maximum": 65535,
            "description": "The largest packet in bytes. Left alone if it is not said; the former value "
            "returns when it is taken out again.",
            "examples": [1500],
        },
        "master": {
            "$ref": "#/$defs/device",
            "description": "The bridge, bond or VRF that this interface is a port of.",
            "examples": ["br0"],
        },
        "ports": {
            "type": "array",
            "items": {"$ref": "#/$defs/device"},
            "uniqueItems": True,
            "description": "The interfaces that have this bridge, bond or VRF as their master. The same as a "
            "master in each of them.",
            "examples": [["eth1", "eth2"]],
        },
        "mac": {
            "type": "string",
            "pattern": MAC,
            "x-hint": "six pairs of hexadecimal digits, such as 52:54:00:12:34:56",
            "description": "The hardware address. Left alone if it is not said; the former value returns when it "
            "is taken out again.",
            "examples": ["52:54:00:12:34:56"],
        },
        "alias": {
            "type": "string",
            "maxLength": 255,
            "pattern": "^[^\\x00-\\x1f\\x7f]*$",
            "description": "A text for people, shown by ip link. Empty for none.",
            "examples": ["uplink, port 3 of the switch"],
        },
        "group": {
            "anyOf": [{"const": "default"}, {"type": "integer", "minimum": 0, "maximum": 0xFFFFFFFF}],
            "x-hint": "a number, or default",
            "description": "The number of the group that this interface belongs to; default is 0.",
            "examples": [7],
        },
        "txqueuelen": {
            "type": "integer",
            "minimum": 0,
            "maximum": 0x7FFFFFFF,
            "description": "How many packets the interface's own queue holds.",
            "examples": [1000],
        },
    }
}


def read(scene: Scene, make: Callable[..., Any]) -> Iterator[Wanted]:
    """Yield the settings of each interface that has any; ``make`` builds the value."""
    ports = dict(_ports(scene))
    for path, name, entry in scene.interfaces():
        said = {word: entry[word] for word in SETTINGS if word in entry}
        _check(scene, path, said)
        if "master" in said:
            said["master"] = scene.device((*path, "master"), said["master"])
        master, origin = ports.pop(name, ("", path))
        if master and said.setdefault("master", master) != master:
            where = scene.position(origin)
            scene.problem(
                (*path, "master"),
                f"{name} is a port of {master} in line {where.line}, and cannot have {said['master']} as its master",
                "take one of them out",
            )
        if said:
            yield Wanted(_make(make, name, said), scene.origin(path, entry))
    for name, (master, path) in ports.items():
        yield Wanted(_make(make, name, {"master": master}), scene.origin(path))


def _check(scene: Scene, path: Path, said: Mapping[str, Any]) -> None:
    """Report what the kernel refuses whatever there is (is_valid_ether_addr; IFALIASZ counts bytes)."""
    mac = said.get("mac", "").lower()
    if mac and (int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00"):
        problem = f"{mac} is no interface's address but a group's, or nobody's"
        scene.problem((*path, "mac"), problem, "such as 02:00:00:00:00:01")
    if len(said.get("alias", "").encode()) > 255:
        scene.problem((*path, "alias"), "the alias is longer than 255 bytes", "letters beyond ASCII take several")


def _make(make: Callable[..., Any], name: str, said: Mapping[str, Any]) -> Any:
    more = {word: said[word] for word in ("alias", "txqueuelen") if word in said}
    if "mac" in said:
        more["mac"] = said["mac"].lower()
    if "group" in said:
        more["group"] = 0 if said["group"] == "default" else said["group"]
    return make(name, said.get("state"), said.get("mtu"), said.get("master"), **more)


def _ports(scene: Scene) -> Iterator[tuple[str, tuple[str, Path]]]:
    """Yield each port that an interface lists, with its master and where that stands."""
    seen: dict[str, str] = {}
    for path, master, entry in scene.interfaces():
        if "ports" not in entry:
            continue
        if entry.get("kind", WITH_PORTS[0]) not in WITH_PORTS:
            scene.problem((*path, "ports"), f"{a(entry['kind'])} has no ports", f"these have: {', '.join(WITH_PORTS)}")
            continue
        for at, word in scene.entries(*path, "ports"):
            port = scene.device(at, word)
            if seen.setdefault(port, master) != master:
                scene.problem(at, f"{port} is already a port of {seen[port]}", "an interface has one master")
                continue
            yield port, (master, at)
