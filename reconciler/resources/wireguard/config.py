"""WireGuard in the file: from words to the fields of values, and what is wrong with them.

No message says the content of what may be a secret: somebody may have put a key where a path belongs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.prefix import canonical, network, parse
from reconciler.resources.wireguard.keys import TEXT, looks_like_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.resources.scene import Path, Scene

WIREGUARD = "wireguard"
WORDS = ("private-key-file", "listen-port", "fwmark", "peers")
KEY_FILE = {
    "type": "string",
    "minLength": 1,
    "x-hint": "the absolute path of a file",
}
PEER: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["public-key"],
    "x-removed": {
        "preshared-key": "a secret does not belong into this file: put the key into a file of its own and say "
        "preshared-key-file: /path/of/it",
    },
    "properties": {
        "public-key": {
            "type": "string",
            "pattern": TEXT,
            "x-hint": "44 characters of base64, as wg pubkey prints them",
            "description": "The public key of the peer: by it the peer is known.",
            "examples": ["xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="],
        },
        "preshared-key-file": {
            **KEY_FILE,
            "description": "A file with the key that both ends share besides their own, as wg genpsk prints it.",
            "examples": ["/etc/wireguard/office.psk"],
        },
        "endpoint": {
            "type": "string",
            "minLength": 1,
            "description": "Address and port of the peer; no host name. It is written when the peer is made or when "
            "the file changes; while the peer moves from address to address, the kernel follows it.",
            "examples": ["192.0.2.1:51820", "[2001:db8::1]:51820"],
        },
        "allowed-ips": {
            "type": "array",
            "items": {"$ref": "#/$defs/prefix"},
            "uniqueItems": True,
            "description": "What is sent to this peer and accepted from it. These are no routes: say them in tables.",
            "examples": [["10.9.0.2/32", "fd00:9::2/128"]],
        },
        "persistent-keepalive": {
            "type": "integer",
            "minimum": 0,
            "maximum": 65535,
            "default": 0,
            "description": "Seconds after which something is sent even if there is nothing to say; 0 is never.",
            "examples": [25],
        },
        "name": {"$ref": "#/$defs/name"},
        "comment": {"$ref": "#/$defs/comment"},
        "adopt": {"$ref": "#/$defs/adopt"},
    },
}
DEVICE: dict[str, Any] = {
    "private-key-file": {
        **KEY_FILE,
        "description": "A file with the private key of a WireGuard interface, as wg genkey prints it. The key "
        "itself is never shown and stands nowhere else; when this is taken out, the key stays.",
        "examples": ["/etc/wireguard/wg0.key"],
    },
    "listen-port": {
        "type": "integer",
        "minimum": 1,
        "maximum": 65535,
        "description": "The UDP port of a WireGuard interface. Without it the kernel chooses one.",
        "examples": [51820],
    },
    "fwmark": {
        "$ref": "#/$defs/mark",
        "description": "The mark of the encrypted packets of a WireGuard interface. They begin with the mark's value; "
        "a mask says nothing here.",
        "examples": ["wan2", "0x10/0xff"],
    },
    "peers": {
        "type": "array",
        "items": PEER,
        "description": "The peers of a WireGuard interface. One that this file creates has no others; on "
        "another one the peers that the file does not name are left alone.",
        "examples": [[{"public-key": "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=", "allowed-ips": ["10.9.0.2/32"]}]],
    },
}


def entries(scene: Scene) -> Iterator[tuple[Path, str, Mapping[str, Any]]]:
    """Yield path, interface and content of the entries that say something of WireGuard."""
    for path, name, entry in scene.interfaces():
        if not set(WORDS).isdisjoint(entry) and entry.get("kind", WIREGUARD) == WIREGUARD:
            yield path, name, entry


def check_kinds(scene: Scene) -> None:
    """Report words of WireGuard at an interface of another kind."""
    for path, _, entry in scene.interfaces():
        if entry.get("kind", WIREGUARD) != WIREGUARD:
            for word in WORDS:
                if word in entry:
                    scene.problem((*path, word), f"{word} is for a WireGuard interface", "kind: wireguard")


def key_file(scene: Scene, path: Path, entry: Mapping[str, Any], word: str) -> str | None:
    """Return the path of a key's file; None if the entry names none, or none that is one."""
    given = entry.get(word)
    if given is None:
        return None
    if looks_like_key(given):
        hint = "put the key into a file of its own, and name that; this one is no secret any more"
        scene.problem((*path, word), "this is a key, and not the path of a file", hint)
        return None
    if not given.startswith("/") or "\0" in given:
        scene.problem((*path, word), "this is no absolute path", "such as /etc/wireguard/wg0.key")
        return None
    return str(given)


def endpoint(scene: Scene, path: Path, entry: Mapping[str, Any]) -> str | None:
    """Return the endpoint as the kernel would show it; None if there is none."""
    word = entry.get("endpoint")
    if word is None:
        return None
    host, colon, port = word.rpartition(":")
    hint = "192.0.2.1:51820, or [2001:db8::1]:51820"
    bare = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not colon or not (port.isascii() and port.isdigit() and 0 < int(port) <= 65535):
        scene.problem((*path, "endpoint"), f'"{word}" is not an address with a port', hint)
        return None
    try:
        found = canonical(bare)
    except ValueError:
        message = f'"{bare}" is not an IP address, and names are not looked up: where they lead to may change'
        scene.problem((*path, "endpoint"), message, hint)
        return None
    if ":" in found and not host.startswith("["):
        scene.problem((*path, "endpoint"), "an IPv6 address with a port needs brackets", f"[{found}]:{port}")
        return None
    return f"[{found}]:{int(port)}" if ":" in found else f"{found}:{int(port)}"


def prefixes(scene: Scene, path: Path, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the allowed prefixes in order; those that are wrong are reported and left out."""
    found = []
    for at, word in scene.entries(*path, "allowed-ips") if entry.get("allowed-ips") else ():
        try:
            host, length = parse(word)
            whole = network(word)
        except ValueError as error:
            scene.problem(at, str(error), "a prefix such as 10.9.0.2/32")
            continue
        if whole != f"{host}/{length}":
            scene.problem(at, f'"{word}" has bits beyond its length', whole)
            continue
        found.append(whole)
    return tuple(sorted(found))
