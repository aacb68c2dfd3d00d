"""The stanza of the schema for routes: the section ``tables``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.tables import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_MTU = 65520
"""What the kernel keeps of an mtu, 15 below the largest packet (net/ipv4/metrics.c, ip_metrics_convert)."""
LARGEST_ADVMSS = 65495

HOP: Mapping[str, Any] = {
    "via": {
        "$ref": "#/$defs/address",
        "description": "The gateway. An IPv4 route may have an IPv6 one.",
        "examples": ["192.168.2.1"],
    },
    "dev": {
        "$ref": "#/$defs/device",
        "description": "The interface. Needed without a gateway.",
        "examples": ["eth1"],
    },
    "onlink": {
        "type": "boolean",
        "description": "The gateway is on the interface's link, although no address reaches it.",
        "examples": [True],
    },
}


def _number(most: int, description: str, example: int, least: int = 1) -> dict[str, Any]:
    return {
        "type": "integer",
        "minimum": least,
        "maximum": most,
        "description": description,
        "examples": [example],
    }


ROUTE: Mapping[str, Any] = {
    "to": {
        "$ref": "#/$defs/prefix-or-default",
        "description": "Where the route leads: a prefix, an address, or default.",
        "examples": ["10.0.0.0/8", "default"],
    },
    **HOP,
    "nexthops": {
        "type": "array",
        "minItems": 1,
        "description": "Several next hops that share the traffic by weight, instead of via and dev.",
        "examples": [[{"via": "192.168.1.1", "dev": "eth0"}, {"via": "192.168.2.1", "dev": "eth1", "weight": 2}]],
        "items": {
            "type": "object",
            "additionalProperties": False,
            "properties": {**HOP, "weight": _number(256, "The share of this next hop. Without it 1.", 2)},
        },
    },
    "nexthop": {
        "$ref": "#/$defs/nexthop",
        "description": "A nexthop object that says the whole way, by name or id.",
        "examples": ["uplink1"],
    },
    "src": {
        "$ref": "#/$defs/address",
        "description": "The source address that the host prefers for its own packets.",
        "examples": ["192.168.2.2"],
    },
    "metric": _number(
        LARGEST, "The lower wins among routes to one prefix. IPv4's default is 0, IPv6's is 1024.", 100, 0
    ),
    "type": {
        "enum": ["unicast", "blackhole", "unreachable", "prohibit", "throw", "local"],
        "description": "What becomes of the packet. blackhole drops it silently; unreachable and prohibit say so "
        "to the sender; throw goes on with the next rule; local takes it for this host.",
        "examples": ["unreachable"],
    },
    "tos": {
        "type": "integer",
        "minimum": 0,
        "maximum": 252,
        "description": "Only for packets with this type of service. IPv4 only; part of what makes a route unique.",
        "examples": [16],
    },
    "scope": {
        "anyOf": [{"enum": ["global", "link", "host"]}, {"type": "integer", "minimum": 0, "maximum": 254}],
        "x-hint": "global, link, host, or a number up to 254",
        "description": "How far away the destination is. IPv4 only. Without it global with a gateway, link "
        "without one, host for type local; one that is there is left alone.",
        "examples": ["link"],
    },
    "mtu": _number(LARGEST_MTU, "The largest packet on this way, in bytes.", 1400, 68),
    "mtu-lock": {
        "type": "boolean",
        "description": "Never look for a smaller mtu, and let routers cut packets up. Goes with mtu.",
        "examples": [True],
    },
    "advmss": _number(LARGEST_ADVMSS, "The largest TCP segment to ask the other end for, in bytes.", 1360),
    "initcwnd": _number(65535, "How many segments TCP sends at first.", 20),
    "initrwnd": _number(65535, "How many segments TCP lets the other end send at first.", 20),
    "hoplimit": _number(255, "The hop limit, or time to live, of packets of this host.", 64),
    "pref": {
        "enum": ["low", "medium", "high"],
        "description": "The preference among routes of routers. IPv6 only; without it medium.",
        "examples": ["high"],
    },
    "family": {"$ref": "#/$defs/family"},
    "name": {"$ref": "#/$defs/name"},
    "comment": {"$ref": "#/$defs/comment"},
    "adopt": {"$ref": "#/$defs/adopt"},
}

SCHEMA: Mapping[str, Any] = {
    "tables.*": {
        "id": {
            "type": "integer",
            "minimum": 1,
            "maximum": LARGEST,
            "description": "The table's number. Not for main, default and local, which have theirs.",
            "examples": [100],
        },
        "exclusive": {
            "type": "boolean",
            "description": "Remove routes of this table that the file does not name, except those of the "
            "kernel, of router advertisements and of DHCP.",
            "examples": [True],
        },
        "routes": {
            "type": "array",
            "description": "The routes of this table.",
            "examples": [[{"to": "default", "via": "192.168.2.1", "dev": "eth1"}]],
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["to"],
                "properties": ROUTE,
            },
        },
    }
}
