"""The stanza of the schema for ``rules``: selectors, which ``not`` takes too, and what becomes of the packet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.rule_value import ENDS, PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 0xFFFFFFFF
LAST_UID = LARGEST - 1
LAST_PORT = 0xFFFE
"""net/core/fib_rules.c, fib_rule_port_range_valid: 65535 is refused."""
NUMBER = "(0|[1-9][0-9]{0,9})"
LARGEST_GROUP = 0x7FFFFFFF
"""A device's group is a signed number."""


def _range(least: int, most: int, what: str, hint: str, examples: list[Any]) -> dict[str, Any]:
    return {
        "anyOf": [
            {"type": "integer", "minimum": least, "maximum": most},
            {"type": "string", "pattern": f"^{NUMBER}-{NUMBER}$"},
        ],
        "x-hint": hint,
        "description": what,
        "examples": examples,
    }


def _ports(which: str) -> dict[str, Any]:
    what = (
        f"Packets with this {which} port, or one of a range. Without ip-protocol that of any protocol with ports. "
        "Linux takes ports up to 65534 here."
    )
    return _range(1, LAST_PORT, what, f"a port from 1 to {LAST_PORT}, or a range such as 1000-2000", [53, "1000-2000"])


SELECTORS: Mapping[str, Any] = {
    "mark": {
        "$ref": "#/$defs/mark",
        "description": "Packets that carry this mark.",
        "examples": ["wan2", "0x10/0xff"],
    },
    "from": {
        "$ref": "#/$defs/prefix",
        "description": "Packets whose source address is in this prefix.",
        "examples": ["192.168.2.2", "10.0.5.0/24"],
    },
    "to": {
        "$ref": "#/$defs/prefix",
        "description": "Packets whose destination is in this prefix.",
        "examples": ["10.0.0.0/8"],
    },
    "iif": {
        "$ref": "#/$defs/device",
        "description": "Packets that came in by this interface; lo means those of the host itself.",
        "examples": ["eth0"],
    },
    "oif": {
        "$ref": "#/$defs/device",
        "description": "Packets of sockets that are bound to this interface.",
        "examples": ["eth1"],
    },
    "uid": _range(
        0,
        LAST_UID,
        "Packets of this user's sockets, or of a range of users, by number. What the host forwards counts as that "
        "of user 0.",
        "a user's number, or a range such as 1000-2000",
        [1000, "1000-2000"],
    ),
    "ip-protocol": {
        "anyOf": [{"enum": list(PROTOCOLS)}, {"type": "integer", "minimum": 1, "maximum": 255}],
        "x-hint": "tcp, udp, icmp, ipv6-icmp, sctp, gre, esp or another name that is known here, or a number "
        "from 1 to 255",
        "description": "Packets of this protocol, by name or number. icmp makes an IPv4 rule, ipv6-icmp an IPv6 rule.",
        "examples": ["udp", 89],
    },
    "sport": _ports("source"),
    "dport": _ports("destination"),
    "tos": {
        "type": "integer",
        "minimum": 4,
        "maximum": 252,
        "description": "Packets with this type of service: DSCP times 4. IPv4 compares only the bits 0x1c.",
        "examples": [16],
    },
}

SCHEMA: Mapping[str, Any] = {
    "rules.*": {
        "priority": {
            "type": "integer",
            "minimum": 1,
            "maximum": LARGEST,
            "description": "The rule's place: lower numbers are asked first. Required, because what the "
            "kernel would choose depends on the rules that happen to be there. main has 32766.",
            "examples": [17000],
        },
        **SELECTORS,
        "not": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": SELECTORS,
            "description": "The rule matches what these selectors, taken together, do not match. The kernel "
            "inverts a rule as a whole: there can be no selector beside it.",
            "examples": [{"mark": "wan2"}],
        },
        "table": {
            "$ref": "#/$defs/table",
            "description": "The table that decides, by name or number. Where it has no route, the next rule is asked.",
            "examples": ["wan2", 100, "main"],
        },
        "goto": {
            "type": "integer",
            "minimum": 2,
            "maximum": LARGEST,
            "description": "Go on with the first rule of this priority, which must be larger than the rule's own. "
            "As long as there is none, the next rule is asked.",
            "examples": [18000],
        },
        "action": {
            "enum": list(ENDS),
            "description": "What becomes of the packet. nop asks the next rule; blackhole, unreachable and prohibit "
            "end the search with an error.",
            "examples": ["unreachable"],
        },
        "l3mdev": {
            "const": True,
            "description": "The table of the VRF decides through which the packet goes; a packet of no VRF does "
            "not match.",
            "examples": [True],
        },
        "suppress-prefixlength": {
            "type": "integer",
            "minimum": 0,
            "maximum": 128,
            "description": "Leave out routes of the table whose prefix is this long or shorter: 0 leaves out its "
            "default routes.",
            "examples": [0, 1],
        },
        "suppress-interface-group": {
            "type": "integer",
            "minimum": 0,
            "maximum": LARGEST_GROUP,
            "description": "Leave out routes of the table through interfaces of this group, by number.",
            "examples": [5],
        },
        "family": {"$ref": "#/$defs/family"},
        "name": {"$ref": "#/$defs/name"},
        "comment": {"$ref": "#/$defs/comment"},
    }
}
