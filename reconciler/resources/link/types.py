"""What differs from one type of link to another. A new type is one file and one line in ``TYPES``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.link.bond import Bond
from reconciler.resources.link.bridge import Bridge
from reconciler.resources.link.macvlan import Ipvlan, Macvlan
from reconciler.resources.link.option import a
from reconciler.resources.link.plain import Dummy, Ifb, Wireguard
from reconciler.resources.link.tun import Tun
from reconciler.resources.link.tunnel import Gre, Gretap, Ipip, Sit
from reconciler.resources.link.veth import Veth
from reconciler.resources.link.vlan import Vlan
from reconciler.resources.link.vrf import Vrf
from reconciler.resources.link.vxlan import Vxlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.resources.link.type import LinkType

TYPES: Mapping[str, LinkType] = {
    "bond": Bond(),
    "bridge": Bridge(),
    "dummy": Dummy(),
    "gre": Gre(),
    "gretap": Gretap(),
    "ifb": Ifb(),
    "ipip": Ipip(),
    "ipvlan": Ipvlan(),
    "macvlan": Macvlan(),
    "sit": Sit(),
    "tun": Tun(),
    "veth": Veth(),
    "vlan": Vlan(),
    "vrf": Vrf(),
    "vxlan": Vxlan(),
    "wireguard": Wireguard(),
}


def schema() -> dict[str, Any]:
    """Return the properties of all types: where several have a key, it allows what any of them does."""
    found: dict[str, dict[str, Any]] = {}
    for name, kind in TYPES.items():
        for key, stanza in kind.schema.items():
            known = found.setdefault(key, {**stanza, "description": ""})
            if "enum" in stanza:
                known["enum"] = list(dict.fromkeys([*known["enum"], *stanza["enum"]]))
            elif stanza.get("type") == "integer":
                known["minimum"] = min(known["minimum"], stanza["minimum"])
                known["maximum"] = max(known["maximum"], stanza["maximum"])
            _describe(known, name, str(stanza["description"]))
    for stanza in found.values():
        del stanza["x-types"]
    return found


def _describe(known: dict[str, Any], name: str, words: str) -> None:
    """Say for which types a key is, and what it means to each where that differs."""
    meanings: dict[str, list[str]] = known.setdefault("x-types", {})
    meanings.setdefault(words, []).append(name)
    known["description"] = " ".join(f"{meaning} ({', '.join(names)})" for meaning, names in meanings.items())


def beyond(kind: LinkType, key: str, value: Any) -> str:
    """Say why a value that some type has is not one of this type; empty if it is."""
    stanza = kind.schema[key]
    if "enum" in stanza and value not in stanza["enum"]:
        return f"{a(kind.name)} has no {key} {value}: {', '.join(map(str, stanza['enum']))}"
    if stanza.get("type") == "integer" and not stanza["minimum"] <= value <= stanza["maximum"]:
        return f"the {key} of {a(kind.name)} goes from {stanza['minimum']} to {stanza['maximum']}"
    return ""
