"""Rules as the file writes them: the section ``rules``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources import marks
from reconciler.resources.prefix import canonical, family_of, is_default, network
from reconciler.resources.rule_schema import LAST_PORT, LAST_UID, SCHEMA, SELECTORS
from reconciler.resources.rule_value import GOTO, PROTOCOLS, TABLE, WITH_PORTS, Rule, Span
from reconciler.resources.scene import Path, Scene, Wanted
from reconciler.resources.tables import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["SCHEMA", "read"]

SUPPRESSORS = ("suppress-prefixlength", "suppress-interface-group")
ONLY = {"icmp": 4, "ipv6-icmp": 6}
"""Protocols of one family."""
TOS_4 = 0x1C
"""The bits of the type of service that an IPv4 rule may ask for (net/ipv4/fib_rules.c, RT_TOS)."""
ECN = 3


def read(scene: Scene) -> Iterator[Wanted]:
    """Yield the rules of the file, one or two an entry."""
    for path, entry in scene.entries("rules"):
        problems = len(scene.problems)
        selectors, inside = _selectors(scene, path, entry)
        fields = {**_matches(scene, inside, selectors), **_action(scene, path, entry), "invert": "not" in entry}
        prefixes = _prefixes(scene, inside, selectors)
        if len(scene.problems) > problems or None in fields.values():
            continue
        for family in _families(scene, path, entry, prefixes):
            if family == 6 and not scene.facts.ipv6:
                if entry.get("family") == "ipv6":
                    scene.problem((*path, "family"), "this kernel has no IPv6", "turn IPv6 on, or leave it out")
                else:
                    at = scene.position(path)
                    scene.notices.append(f"IPv6 is off in this kernel: the IPv6 rule at {at} is left out")
                continue
            if family == 4 and fields["tos"] & ~TOS_4:
                hint = "add family: ipv6, or use another tos"
                scene.problem((*inside, "tos"), f"an IPv4 rule compares only the bits {TOS_4:#x} of tos", hint)
                continue
            rule = Rule(family, entry["priority"], from_=prefixes["from"], to=prefixes["to"], **fields)
            yield Wanted(rule, scene.origin(path, entry))


def _selectors(scene: Scene, path: Path, entry: Mapping[str, Any]) -> tuple[Mapping[str, Any], Path]:
    """Return the map that holds the selectors, and where it is."""
    if "not" not in entry:
        return entry, path
    for field in SELECTORS:
        if field in entry:
            scene.problem(
                (*path, field),
                "the kernel inverts a rule as a whole: no selector can stand beside not",
                f"move {field} into not, or make two rules",
            )
    if "l3mdev" in entry:
        scene.problem((*path, "not"), "what goes through no VRF has no table of a VRF", "leave not or l3mdev out")
    return entry["not"], (*path, "not")


def _matches(scene: Scene, path: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields for all selectors but prefixes; None stands for a name that is not defined."""
    mark = marks.resolve(scene, (*path, "mark"), entry["mark"]) if "mark" in entry else None
    protocol = entry.get("ip-protocol", 0)
    number = PROTOCOLS.get(protocol, protocol)
    if number and number not in [PROTOCOLS[name] for name in WITH_PORTS]:
        for field in ("sport", "dport"):
            if field in entry:
                hint = f"leave {field} out, or use one of {', '.join(WITH_PORTS)}"
                scene.problem((*path, field), f"the protocol {protocol} has no ports", hint)
    tos = entry.get("tos", 0)
    if tos & ECN:
        scene.problem((*path, "tos"), f"{tos:#x} has bits of ECN, which no rule compares", f"use {tos & ~ECN:#x}")
    return {
        "mark": mark.value if mark else None if "mark" in entry else 0,
        "mask": mark.mask if mark else 0,
        **{word: scene.device((*path, word), entry[word]) if word in entry else "" for word in ("iif", "oif")},
        "uid": _span(scene, path, entry, "uid", (0, LAST_UID)),
        "ip_protocol": number,
        "sport": _span(scene, path, entry, "sport", (1, LAST_PORT)),
        "dport": _span(scene, path, entry, "dport", (1, LAST_PORT)),
        "tos": tos,
    }


def _span(scene: Scene, path: Path, entry: Mapping[str, Any], field: str, bounds: tuple[int, int]) -> Span:
    """Return first and last of a number or range; problems go to the scene."""
    word = entry.get(field)
    if word is None:
        return ()
    if isinstance(word, int):
        return word, word
    first, last = map(int, word.split("-"))
    if first > last:
        scene.problem((*path, field), f"{word} is empty: it ends before it begins", f"did you mean {last}-{first}?")
    elif first < bounds[0] or last > bounds[1]:
        scene.problem((*path, field), f"{word} is too wide", f"from {bounds[0]} to {bounds[1]}")
    return first, last


def _action(scene: Scene, path: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields for what becomes of the packet; the schema has seen that it is one thing."""
    fields: dict[str, Any] = {"l3mdev": "l3mdev" in entry, "action": entry.get("action", TABLE)}
    if "table" in entry:
        fields["table"] = resolve(scene, (*path, "table"), entry["table"])
    if "goto" in entry:
        fields |= {"action": GOTO, "goto": entry["goto"]}
        if entry["goto"] <= entry["priority"]:
            scene.problem((*path, "goto"), "the kernel goes only forward", f"more than {entry['priority']}")
    for word in SUPPRESSORS:
        if word not in entry:
            continue
        fields[word.replace("-", "_")] = entry[word]
        if fields["action"] != TABLE:
            scene.problem((*path, word), "there is no table whose routes could be left out", f"leave {word} out")
    return fields


def _prefixes(scene: Scene, path: Path, entry: Mapping[str, Any]) -> dict[str, str]:
    words = {"from": "", "to": ""}
    for field in ("from", "to"):
        if field not in entry:
            continue
        word = entry[field]
        try:
            words[field] = network(word)
        except ValueError as error:
            scene.problem((*path, field), str(error))
            continue
        if words[field].split("/", 1)[0] != canonical(word.split("/", 1)[0]):
            hint = f"did you mean {words[field]}, or {word.split('/', 1)[0]} alone?"
            scene.problem((*path, field), f"{word} has bits beyond its length set", hint)
    return words


def _families(scene: Scene, path: Path, entry: Mapping[str, Any], prefixes: dict[str, str]) -> Sequence[int]:
    found = {family_of(word) for word in prefixes.values() if word}
    asked = {"ipv4": 4, "ipv6": 6}.get(entry.get("family", ""))
    if len(found) > 1 or (asked and found and asked not in found):
        scene.problem(path, "IPv4 and IPv6 are mixed in one rule", "use one family an entry")
        return ()
    only = ONLY.get(entry.get("ip-protocol", ""))
    if only and {only} != {only, *found, asked or only}:
        hint = "icmp is for IPv4, ipv6-icmp for IPv6"
        scene.problem((*path, "ip-protocol"), f"IPv{10 - only} has no {entry['ip-protocol']}", hint)
        return ()
    for field, word in prefixes.items():
        if word and is_default(word):
            prefixes[field] = ""
    return (asked,) if asked else tuple(found) or ((only,) if only else (4, 6))
