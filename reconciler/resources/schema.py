"""The JSON Schema of the language, put together from the stanzas of all kinds.

A stanza's place is where its properties go: ``interfaces.*`` is each interface, ``$defs`` the definitions,
and the empty place the top of the file, for a kind that has a section of its own.

``make schema`` writes it to the file under ``schemas``, and a test holds the two together.
"""

from __future__ import annotations

from typing import Any

from reconciler.resources.owner import Owner
from reconciler.resources.registry import KINDS

DEVICE = "^[!-.0-9;-~]{1,15}$"
VERSION = 1

DEFS: dict[str, Any] = {
    "name": {
        "type": "string",
        "pattern": "^[A-Za-z_][A-Za-z0-9_.-]{0,63}$",
        "x-hint": "a letter, then letters, digits, dots, dashes and underscores",
        "description": "A name for people; shown in diffs.",
        "examples": ["voice"],
    },
    "comment": {
        "type": "string",
        "maxLength": 200,
        "pattern": "^[ -~]*$",
        "description": "A remark for people; shown in diffs.",
        "examples": ["the second uplink"],
    },
    "adopt": {
        "type": "boolean",
        "default": False,
        "description": "Take the object over where somebody else made one with the same key.",
        "examples": [True],
    },
    "family": {
        "enum": ["ipv4", "ipv6"],
        "description": "Only this family. Without it the addresses decide; where there are none, both.",
        "examples": ["ipv4"],
    },
    "device": {
        "type": "string",
        "pattern": DEVICE,
        "x-hint": "at most 15 characters, no blanks, slashes or colons",
        "description": "The name of an interface.",
        "examples": ["eth1"],
    },
    "iptables-device": {
        "type": "string",
        "pattern": "^[^/:\\s\"'\\\\]{1,15}$",
        "description": "The name of an interface; a plus at the end stands for anything.",
        "examples": ["eth+"],
    },
    "mark": {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": 0xFFFFFFFF},
            {"type": "string", "pattern": "^(0x[0-9a-fA-F]{1,8}|[0-9]{1,10})(/(0x[0-9a-fA-F]{1,8}|[0-9]{1,10}))?$"},
            {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"},
        ],
        "x-hint": "a name from marks, or value/mask such as 0x10/0xff",
        "description": "A mark, by name or as value/mask.",
        "examples": ["wan2", "0x10/0xff"],
    },
    "address": {
        "type": "string",
        "pattern": "^[0-9a-fA-F.:]{2,45}$",
        "x-hint": "an IPv4 or IPv6 address",
        "description": "An address.",
        "examples": ["192.168.2.1"],
    },
    "prefix": {
        "type": "string",
        "pattern": "^[0-9a-fA-F.:]{2,45}(/[0-9]{1,3})?$",
        "x-hint": "an address or a prefix, such as 10.0.0.0/8",
        "description": "An address or a prefix.",
        "examples": ["10.0.0.0/8"],
    },
    "prefix-or-default": {
        "anyOf": [{"const": "default"}, {"$ref": "#/$defs/prefix"}],
        "x-hint": "a prefix such as 10.0.0.0/8, or default",
        "description": "A prefix, or default.",
        "examples": ["default"],
    },
    "table": {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 0xFFFFFFFF},
            {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$"},
        ],
        "x-hint": "the name or number of a table",
        "description": "A routing table, by name or number.",
        "examples": ["wan2"],
    },
    "rate": {
        "anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?([kmgtKMGT]i?)?(bit|bps)$"},
        ],
        "x-hint": "500kbit, 10mbit, 1.5gbit",
        "description": "A rate in bits per second (bit) or bytes per second (bps).",
        "examples": ["10mbit"],
    },
}


def build() -> dict[str, Any]:
    """Return the whole schema."""
    places: dict[str, dict[str, Any]] = {}
    defs = dict(DEFS)
    for kind in KINDS.values():
        for place, stanza in kind.schema.items():
            (defs if place == "$defs" else places.setdefault(place, {})).update(stanza)
    interface = {
        **places["interfaces.*"],
        "exclusive": {
            "type": "boolean",
            "default": False,
            "description": "Remove addresses that the file does not list, except those of DHCP, of router "
            "advertisements and of the kernel.",
            "examples": [True],
        },
        "name": {"$ref": "#/$defs/name"},
        "comment": {"$ref": "#/$defs/comment"},
        "adopt": {"$ref": "#/$defs/adopt"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "reconciler configuration",
        "description": "Interfaces, marks, route tables, rules, iptables mark matches and shaping of one host "
        "or container.",
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "properties": {
            "version": {
                "const": VERSION,
                "x-hint": f"this program reads version {VERSION}",
                "description": "The version of the language.",
                "examples": [VERSION],
            },
            "marks": _map("Names for marks.", _mark(), {"wan2": "0x10/0xff"}),
            "interfaces": _map(
                "Interfaces and their addresses.",
                {
                    "type": "object",
                    "additionalProperties": False,
                    "x-removed": {
                        "private-key": "a secret does not belong into this file: put the key into a file of its own "
                        "and say private-key-file: /path/of/it",
                    },
                    "properties": interface,
                },
                {"eth1": {"state": "up", "addresses": ["192.168.2.2/24"]}},
                DEVICE,
            ),
            "tables": _map(
                "Route tables.",
                {"type": "object", "additionalProperties": False, "properties": places["tables.*"]},
                {"wan2": {"id": 100, "routes": [{"to": "default", "via": "192.168.2.1"}]}},
            ),
            "rules": {
                "type": ["array", "null"],
                "description": "Policy rules: which table decides about which packet.",
                "examples": [[{"priority": 17000, "mark": "wan2", "table": "wan2"}]],
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["priority"],
                    "oneOf": [{"required": [word]} for word in ("table", "goto", "action", "l3mdev")],
                    "properties": places["rules.*"],
                },
            },
            "iptables": {
                "type": ["object", "null"],
                "description": "Rules of iptables and ip6tables, by table and chain.",
                "examples": [{"filter": {"INPUT": [{"mark": "wan2", "jump": "ACCEPT"}]}}],
                "additionalProperties": False,
                "properties": {
                    table: _map(
                        f"The table {table}: built-in chains, and chains of our own.",
                        {"$ref": "#/$defs/iptables-chain"},
                        {"OUTPUT": [{"mark": "wan2", "jump": "LOG"}]},
                        "^[A-Za-z][A-Za-z0-9_-]{0,27}$",
                    )
                    for table in ("filter", "mangle")
                },
            },
            "shaping": _map(
                "Traffic shaping, by interface.",
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["kind"],
                    "properties": places["shaping.*"],
                },
                {"eth1": {"kind": "htb", "classes": {"all": {"rate": "10mbit"}}}},
                DEVICE,
            ),
            "settings": {
                "type": "object",
                "additionalProperties": False,
                "description": "How this program works on this host.",
                "examples": [{"owner": {"name": "default"}}],
                "properties": {
                    "owner": {
                        "type": "object",
                        "additionalProperties": False,
                        "description": "Whose objects these are; two owners in one namespace leave each other alone.",
                        "examples": [{"name": "default", "protocol": 94}],
                        "properties": {
                            "name": {
                                "type": "string",
                                "pattern": "^[a-z0-9_]{1,12}$",
                                "x-hint": "at most 12 small letters, digits and underscores",
                                "default": Owner().name,
                                "description": "Part of the names of our chains, links and of the record.",
                                "examples": ["default"],
                            },
                            "protocol": {
                                "type": "integer",
                                "minimum": 5,
                                "maximum": 255,
                                "default": Owner().protocol,
                                "description": "The protocol number on our routes, rules and addresses.",
                                "examples": [94],
                            },
                        },
                    },
                    "iptables": {
                        "enum": ["nft", "legacy"],
                        "description": "Which variant of iptables to use. Without it, the one that the host uses.",
                        "examples": ["nft"],
                    },
                },
            },
            **places.get("", {}),
        },
        "$defs": dict(sorted(defs.items())),
    }


def _map(description: str, entry: dict[str, Any], example: Any, names: str = "") -> dict[str, Any]:
    """Return the stanza of a section that maps names to entries."""
    hint = DEFS["device"]["x-hint"] if names == DEVICE else "at most 28 letters, digits, dashes and underscores"
    pattern = {"type": "string", "pattern": names, "x-hint": hint} if names else {"$ref": "#/$defs/table-name"}
    return {
        "type": ["object", "null"],
        "description": description,
        "examples": [example],
        "propertyNames": pattern,
        "additionalProperties": entry,
    }


def _mark() -> dict[str, Any]:
    text = "^(0x[0-9a-fA-F]{1,8}|[0-9]{1,10})(/(0x[0-9a-fA-F]{1,8}|[0-9]{1,10}))?$"
    return {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": 0xFFFFFFFF},
            {"type": "string", "pattern": text},
        ],
        "x-hint": "value/mask, such as 0x10/0xff",
        "description": "The mark as value/mask. A bare value is exact: all 32 bits.",
        "examples": ["0x10/0xff"],
    }


DEFS["table-name"] = {
    "type": "string",
    "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$",
    "x-hint": "letters, digits, dots, dashes and underscores",
    "description": "A name.",
    "examples": ["wan2"],
}
