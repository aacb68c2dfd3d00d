"""Addresses as the file writes them: ``addresses`` of an interface, each as text or as a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.address_value import FOREVER, PREFIX_METRIC_6, Address
from reconciler.resources.address_wire import NAMES, usual_scope
from reconciler.resources.prefix import canonical, family_of, parse, span
from reconciler.resources.scene import Path, Scene, Wanted
from reconciler.resources.wire import address as text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXAMPLE = "an address with its length, such as 192.168.1.2/24"
FLAG = {"type": "boolean", "examples": [True]}
SECONDS = "a number of seconds, or forever"
LIFETIME = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": FOREVER - 1},
        {"type": "string", "pattern": "^forever$", "x-hint": SECONDS},
    ],
    "x-hint": SECONDS,
}
WITH_LENGTH = {
    "type": "string",
    "pattern": "^[0-9a-fA-F.:]{2,45}(/[0-9]{1,3})?$",
    "x-hint": EXAMPLE,
    "description": "An address with the length of its subnet.",
    "examples": ["192.168.1.2/24"],
}
MAP: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["address"],
    "description": "An address with all that can be said of it. What is left out is as the kernel makes it.",
    "examples": [{"address": "192.168.1.2/24", "label": "eth0:1", "preferred-lifetime": 0}],
    "properties": {
        "address": {
            **WITH_LENGTH,
            "description": "The address with the length of its subnet; with a peer, the address alone.",
        },
        "peer": {
            "$ref": "#/$defs/prefix",
            "description": "The other end of a point-to-point link, or the prefix that is there.",
            "examples": ["10.0.0.2", "10.0.0.0/30"],
        },
        "broadcast": {
            "anyOf": [{"const": "auto"}, {"$ref": "#/$defs/address"}],
            "x-hint": "an address, or auto for the last one of the subnet",
            "description": "IPv4: the broadcast address; auto is the last address of the subnet, none for a /31 or "
            "/32. Without it the kernel sets none.",
            "examples": ["auto", "192.168.1.255"],
        },
        "label": {
            "type": "string",
            "pattern": "^[!-.0-~]{1,15}$",
            "x-hint": "at most 15 characters that begin with the interface's name, such as eth0:1",
            "description": "IPv4: the name that ifconfig shows for this address.",
            "examples": ["eth0:1"],
        },
        "scope": {
            "anyOf": [
                {"enum": ["global", "site", "link", "host"]},
                {"type": "integer", "minimum": 0, "maximum": 255},
            ],
            "x-hint": "global, site, link, host, or a number from 0 to 255",
            "description": "IPv4: how far the address is valid; a source address is chosen by it. Without it "
            "global, and host for 127.0.0.0/8.",
            "examples": ["link"],
        },
        "valid-lifetime": {
            **LIFETIME,
            "description": "Seconds until the kernel removes the address. A finite one is renewed when half of it is "
            "over, at every apply and by watch, so that the address goes when nobody looks after it any more.",
            "examples": [3600, "forever"],
        },
        "preferred-lifetime": {
            **LIFETIME,
            "description": "Seconds until the address is deprecated: no new connection chooses it as its source by "
            "itself. 0 is deprecated at once. Without it, as the valid lifetime.",
            "examples": [0],
        },
        "nodad": {
            **FLAG,
            "description": "IPv6: use the address at once, without duplicate address detection. It matters when the "
            "address is made; one that is there is not made again for it.",
        },
        "noprefixroute": {**FLAG, "description": "Make no route to the subnet with the address."},
        "metric": {
            "type": "integer",
            "minimum": 0,
            "maximum": 0xFFFFFFFF,
            "description": "The metric of the route to the subnet. Without it 0, and 256 with IPv6.",
            "examples": [100],
        },
        "name": {"$ref": "#/$defs/name"},
        "comment": {"$ref": "#/$defs/comment"},
        "adopt": {"$ref": "#/$defs/adopt"},
    },
}
SCHEMA: Mapping[str, Any] = {
    "$defs": {
        "interface-address": {
            "anyOf": [WITH_LENGTH, MAP],
            "x-hint": EXAMPLE,
            "description": "An address with the length of its subnet, or a map that says more of it.",
            "examples": ["192.168.1.2/24", {"address": "192.168.1.2/24", "noprefixroute": True}],
        }
    },
    "interfaces.*": {
        "addresses": {
            "type": "array",
            "items": {"$ref": "#/$defs/interface-address"},
            "uniqueItems": True,
            "description": "Addresses with the length of their subnet. Others on the interface are left "
            "alone, unless exclusive is true.",
            "examples": [["192.168.1.2/24", "2001:db8::2/64"]],
        }
    },
}
OPEN = {
    "broadcast": None, "label": None, "scope": None, "metric": None,
    "noprefixroute": None, "nodad": None, "valid": None, "preferred": None,
}  # fmt: skip
ONLY = {
    4: {"nodad": "IPv4 has no duplicate address detection"},
    6: {
        "broadcast": "IPv6 has no broadcast addresses",
        "label": "IPv6 addresses have no labels",
        "scope": "the scope of an IPv6 address follows from the address",
    },
}


class _BadError(Exception):
    """An entry that has been reported."""


def read(scene: Scene, path: Path, dev: str, interface: Mapping[str, Any]) -> Iterator[Wanted]:
    """Yield the addresses of one interface."""
    for at, entry in scene.entries(*path, "addresses"):
        said = entry if isinstance(entry, dict) else {"address": entry}
        try:
            value = _address(scene, at, dev, said, at if said is not entry else (*at, "address"))
        except _BadError:
            continue
        if value.family == 6 and not scene.facts.ipv6:
            scene.notices.append(f"IPv6 is off in this kernel: {value.address} on {dev} is left out")
            continue
        named = "name" in said or "comment" in said
        yield Wanted(value, scene.origin(at, said if named else interface), bool(said.get("adopt")))


def _address(scene: Scene, at: Path, dev: str, said: Mapping[str, Any], where: Path) -> Address:
    word = said["address"]
    try:
        host, length = parse(word)
    except ValueError as error:
        scene.problem(where, str(error), EXAMPLE)
        raise _BadError from error
    if host in ("0.0.0.0", "::"):
        scene.problem(where, f"{host} stands for no address at all", EXAMPLE)
        raise _BadError
    family = family_of(host)
    bits = 32 if family == 4 else 128
    if "/" not in word and "peer" not in said:
        scene.problem(where, f'"{word}" has no length', f"{host}/{length} for the address alone")
        raise _BadError
    if "peer" in said and length != bits:
        scene.problem(where, "with a peer, the length is the peer's", f"address: {host}, and the length behind peer")
        raise _BadError
    for field in sorted(ONLY[family].keys() & said.keys()):
        scene.problem((*at, field), ONLY[family][field], f"leave {field} out")
        raise _BadError
    value = Address(dev, family, f"{host}/{length}", _peer(scene, at, host, said), **OPEN)  # type: ignore[arg-type]
    return value._replace(
        **{field: said[field] for field in ("noprefixroute", "nodad") if field in said},
        **_metric(family, said),
        **_lifetimes(scene, at, family, said),
        **(_old_words(scene, at, value, said) if family == 4 else {}),
    )


def _peer(scene: Scene, at: Path, host: str, said: Mapping[str, Any]) -> str:
    if "peer" not in said:
        return ""
    try:
        far, length = parse(said["peer"])
    except ValueError as error:
        scene.problem((*at, "peer"), str(error), "an address or a prefix, such as 10.0.0.2 or 10.0.0.0/30")
        raise _BadError from error
    if family_of(far) != family_of(host):
        scene.problem((*at, "peer"), f"{far} is of another family than {host}", "use one family")
        raise _BadError
    if far == host:
        scene.problem((*at, "peer"), f"{far} is the address itself", f"leave peer out: {host}/{length}")
        raise _BadError
    return f"{far}/{length}"


def _metric(family: int, said: Mapping[str, Any]) -> dict[str, Any]:
    if "metric" not in said:
        return {}
    return {"metric": 0 if family == 6 and said["metric"] == PREFIX_METRIC_6 else said["metric"]}


def _lifetimes(scene: Scene, at: Path, family: int, said: Mapping[str, Any]) -> dict[str, Any]:
    words = {"valid": "valid-lifetime", "preferred": "preferred-lifetime"}
    found = {f: FOREVER if said[word] == "forever" else said[word] for f, word in words.items() if word in said}
    valid, preferred = found.get("valid", FOREVER), found.get("preferred", 0)
    if valid == 0:
        scene.problem((*at, "valid-lifetime"), "an address that is valid for 0 seconds is none", "leave the entry out")
        raise _BadError
    if preferred > valid:
        scene.problem(
            (*at, "preferred-lifetime"), "an address is not preferred longer than it is valid", f"at most {valid}"
        )
        raise _BadError
    if family == 4 and 0 < preferred < valid == FOREVER:
        scene.problem(
            (*at, "preferred-lifetime"),
            "the kernel never deprecates an IPv4 address that is valid for ever",
            "0 for deprecated, or a valid-lifetime as well",
        )
        raise _BadError
    return found


def _old_words(scene: Scene, at: Path, value: Address, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what only IPv4 addresses have."""
    found = {}
    if "broadcast" in said:
        found["broadcast"] = _broadcast(scene, at, value, said["broadcast"])
    if "label" in said:
        label = str(said["label"])
        if not label.startswith(value.dev):
            scene.problem((*at, "label"), f'"{label}" does not begin with {value.dev}', f"such as {value.dev}:1")
            raise _BadError
        found["label"] = "" if label == value.dev else label
    if "scope" in said:
        scope = NAMES.get(said["scope"], str(said["scope"]))
        found["scope"] = "" if scope == usual_scope(value.host) else scope
    return found


def _broadcast(scene: Scene, at: Path, value: Address, word: str) -> str:
    """``auto`` is what ``ip address add … brd +`` sets."""
    if word == "auto":
        _, net, length = span(value.net)
        free = 32 - length
        return text_of(((net << free) | ((1 << free) - 1)).to_bytes(4, "big")) if free > 1 else ""
    try:
        found = canonical(word)
    except ValueError as error:
        scene.problem((*at, "broadcast"), str(error), "an address, or auto for the last one of the subnet")
        raise _BadError from error
    if family_of(found) == 6:
        scene.problem((*at, "broadcast"), f"{found} is no IPv4 address", "auto for the last one of the subnet")
        raise _BadError
    return found
