"""Matches: from the file's words to those of iptables. A new match is one entry in ``MATCHES``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources import marks
from reconciler.resources.iptables.lines import quote
from reconciler.resources.prefix import family_of, network

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reconciler.resources.scene import Path, Scene

STATES = ("INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT")
WITH_PORTS = frozenset({"tcp", "udp", "sctp", "dccp", "udplite", "6", "17", "132", "33", "136"})
ONE_FAMILY = {"icmp": 4, "1": 4, "ipv6-icmp": 6, "icmpv6": 6, "58": 6}
ONCE = ("protocol", "source", "destination", "in", "out", "sport", "dport")
UNKNOWN = {"in": ("OUTPUT", "POSTROUTING"), "out": ("PREROUTING", "INPUT")}
"""Built-in chains where a packet has no such interface; the tool takes the rule in a chain of ours all the same."""
FORBIDDEN = (
    "-t", "--table", "-A", "--append", "-I", "--insert", "-D", "--delete", "-R", "--replace", "-j", "--jump",
    "-g", "--goto", "-N", "-X", "-F", "-P", "-Z", "-E", "-L", "-S", "-C", "-h", "-V", "-w", "-c", "-M",
)  # fmt: skip
PORT = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": 65535},
        {"type": "string", "pattern": "^[0-9]{1,5}(:[0-9]{1,5})?$"},
    ]
}

SCHEMA: Mapping[str, Any] = {
    "mark": {
        "$ref": "#/$defs/mark",
        "description": "Packets that carry this mark; 0x0/0xff means none of these bits.",
        "examples": ["wan2", "0x0/0xff"],
    },
    "connmark": {
        "$ref": "#/$defs/mark",
        "description": "Packets of connections that carry this mark.",
        "examples": ["wan2", "0x0/0xff"],
    },
    "in": {
        "$ref": "#/$defs/iptables-device",
        "description": "Packets that came in by this interface; eth+ means all that begin with eth.",
        "examples": ["eth0"],
    },
    "out": {
        "$ref": "#/$defs/iptables-device",
        "description": "Packets that leave by this interface.",
        "examples": ["eth1"],
    },
    "source": {
        "$ref": "#/$defs/prefix",
        "description": "Packets from this address or prefix.",
        "examples": ["10.0.0.0/8"],
    },
    "destination": {
        "$ref": "#/$defs/prefix",
        "description": "Packets to this address or prefix.",
        "examples": ["192.0.2.10"],
    },
    "protocol": {
        "anyOf": [
            {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,20}$"},
            {"type": "integer", "minimum": 1, "maximum": 255},
        ],
        "description": "The transport protocol, by name or number.",
        "examples": ["tcp", "udp", 47],
    },
    "sport": {**PORT, "description": "The source port or range; needs protocol.", "examples": [53, "1024:65535"]},
    "dport": {**PORT, "description": "The destination port or range; needs protocol.", "examples": [443]},
    "ctstate": {
        "anyOf": [{"enum": list(STATES)}, {"type": "array", "minItems": 1, "items": {"enum": list(STATES)}}],
        "description": "States of the connection, as conntrack has them.",
        "examples": ["NEW", ["RELATED", "ESTABLISHED"]],
    },
    "raw": {
        "type": "string",
        "minLength": 1,
        "maxLength": 1000,
        "pattern": "^[ -~]+$",
        "description": "Matches in iptables' own words, where this language has none. ${mark:NAME} is replaced "
        "by value/mask. It cannot hold a table, a chain or a jump.",
        "examples": ["-m string --string abc --algo bm"],
    },
}


def matches(scene: Scene, path: Path, entry: Mapping[str, Any]) -> str:
    """Return a rule's matches as text; problems go to the scene."""
    words: list[str] = []
    negated = entry.get("not") or {}
    for field in ONCE:
        if field in entry and field in negated:
            scene.problem((*path, "not", field), f"iptables takes {field} only once in a rule", "make two rules of it")
    for field, chains in UNKNOWN.items():
        for source, at in ((entry, path), (negated, (*path, "not"))):
            if field in source and path[2] in chains:
                scene.problem((*at, field), f"a packet in {path[2]} has no such interface", f"leave {field} out")
    for field, make in MATCHES.items():
        for source, at, inverted in ((entry, path, False), (negated, (*path, "not"), True)):
            if field in source:
                words += make(scene, (*at, field), source[field], inverted)
    ports = [field for field in ("sport", "dport") if field in entry or field in negated]
    if ports and str(entry.get("protocol", "")) not in WITH_PORTS:
        scene.problem((*path, ports[0]), "a port needs a protocol that has ports", "add protocol: tcp or udp")
    return " ".join(words)


def families(scene: Scene, path: Path, entry: Mapping[str, Any]) -> Sequence[int]:
    """Return the families that a rule is for: of its addresses, else both."""
    negated = entry.get("not") or {}
    found = set()
    for field in ("source", "destination"):
        for source in (entry, negated):
            if field in source:
                found.add(family_of(source[field]))
    protocol = str(entry.get("protocol", ""))
    if protocol in ONE_FAMILY:
        found.add(ONE_FAMILY[protocol])
    asked = {"ipv4": 4, "ipv6": 6}.get(entry.get("family", ""))
    if asked == 6 and not scene.facts.ipv6:
        scene.problem((*path, "family"), "this kernel has no IPv6", "turn IPv6 on, or leave the rule out")
    if len(found) > 1 or (asked and found and asked not in found):
        scene.problem(path, "IPv4 and IPv6 are mixed in one rule", "use one family an entry")
        return ()
    return (asked,) if asked else tuple(found) or (4, 6)


def _not(inverted: bool) -> list[str]:
    return ["!"] if inverted else []


def _mark(module: str) -> Callable[[Scene, Path, Any, bool], list[str]]:
    def make(scene: Scene, path: Path, word: Any, inverted: bool) -> list[str]:
        mark = marks.resolve(scene, path, word)
        return ["-m", module, *_not(inverted), "--mark", str(mark)] if mark else []

    return make


def _plain(option: str) -> Callable[[Scene, Path, Any, bool], list[str]]:
    def make(scene: Scene, path: Path, word: Any, inverted: bool) -> list[str]:  # noqa: ARG001
        return [*_not(inverted), option, quote(str(word))]

    return make


def _device(option: str) -> Callable[[Scene, Path, Any, bool], list[str]]:
    def make(scene: Scene, path: Path, word: Any, inverted: bool) -> list[str]:
        return [*_not(inverted), option, quote(scene.device(path, word))]

    return make


def _prefix(option: str) -> Callable[[Scene, Path, Any, bool], list[str]]:
    def make(scene: Scene, path: Path, word: Any, inverted: bool) -> list[str]:
        try:
            return [*_not(inverted), option, network(word)]
        except ValueError as error:
            scene.problem(path, str(error))
            return []

    return make


def _port(option: str) -> Callable[[Scene, Path, Any, bool], list[str]]:
    def make(scene: Scene, path: Path, word: Any, inverted: bool) -> list[str]:
        ends = [int(end) for end in str(word).split(":")]
        if max(ends) > 65535 or ends != sorted(ends):
            scene.problem(path, f"{word} is not a port or range of ports", "from 0 to 65535, the lower one first")
        return [*_not(inverted), option, str(word)]

    return make


def _ctstate(scene: Scene, path: Path, word: Any, inverted: bool) -> list[str]:  # noqa: ARG001
    states = [word] if isinstance(word, str) else word
    ordered = [state for state in STATES if state in states]
    return ["-m", "conntrack", *_not(inverted), "--ctstate", ",".join(ordered)]


def _raw(scene: Scene, path: Path, word: Any, inverted: bool) -> list[str]:  # noqa: ARG001
    """Take the text as it is, after a look for what would lead out of the rule."""
    text = str(word)
    while "${mark:" in text:
        before, _, rest = text.partition("${mark:")
        name, closed, after = rest.partition("}")
        mark = marks.resolve(scene, path, name) if closed else None
        if mark is None:
            if not closed:
                scene.problem(path, "${mark: has no closing brace", "${mark:NAME}")
            return []
        text = f"{before}{mark}{after}"
    for token in text.replace('"', " ").split():
        name = token.split("=", 1)[0]
        cluster = name.startswith("-") and not name.startswith("--") and name[:2] in FORBIDDEN
        if (
            name in FORBIDDEN
            or cluster
            or any(f.startswith(name) for f in FORBIDDEN if len(name) > 3 and f[:2] == "--")
        ):
            scene.problem(path, f"raw holds only matches, and {token} is none", "use jump: for the target")
            return []
    if text.count('"') % 2:
        scene.problem(path, "raw has a quote that is not closed")
        return []
    return [text]


MATCHES: Mapping[str, Callable[[Scene, Path, Any, bool], list[str]]] = {
    "protocol": _plain("-p"),
    "source": _prefix("-s"),
    "destination": _prefix("-d"),
    "in": _device("-i"),
    "out": _device("-o"),
    "sport": _port("--sport"),
    "dport": _port("--dport"),
    "mark": _mark("mark"),
    "connmark": _mark("connmark"),
    "ctstate": _ctstate,
    "raw": _raw,
}
