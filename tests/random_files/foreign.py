"""What others make: before there is any file of ours, and after the first one was applied.

Each deed is a line for ``ip`` or ``ip -6``; one that the kernel refuses has not happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.random_files import routes
from tests.random_files.names import (
    BASE,
    GATEWAYS_4,
    HOSTS_4,
    HOSTS_6,
    MADE,
    PRIORITIES,
    TABLES,
    has,
    some,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.random_files.sections import Document

PROTOCOLS = ("77", "static", "boot")


class Deed(NamedTuple):
    """One thing that somebody else does."""

    family: int
    line: str
    """``route append 10.0.0.0/8 dev eth1 table 100 proto 77``."""


FURNITURE = (
    Deed(4, "address add 10.0.0.250/24 dev eth0"),
    Deed(4, "address add 10.0.1.250/24 dev eth1"),
    Deed(6, "address add 2001:db8::fa/64 dev eth0"),
    Deed(6, "address add 2001:db8:1::fa/64 dev eth1"),
)
"""Addresses of the host's own: through their subnets there is a way whatever becomes of ours."""


def before(dice: Random) -> list[Deed]:
    """Draw what is there before us. Little of it: most of what has our key is a conflict."""
    deeds = [deed for deed in FURNITURE if dice.random() < 0.6]
    makers = (_address, _address, _route, _route, _rule, _rule, _link)
    return deeds + [made for maker in some(dice, makers, 4) if (made := maker(dice)) is not None]


def between(dice: Random, document: Document) -> list[Deed]:
    """Draw what others do once a file is applied: mostly to objects that have the keys of ours."""
    if dice.random() < 0.4:
        return []
    makers: list[Callable[[Random, Document], Deed | None]]
    makers = [_replaced_address, _replaced_address, _appended_route, _appended_route, _equal_rule]
    deeds = [made for maker in some(dice, makers, 3) if (made := maker(dice, document)) is not None]
    return deeds + [made for maker in some(dice, (_route, _rule, _address), 1) if (made := maker(dice)) is not None]


def _address(dice: Random) -> Deed:
    word = dice.choice((*HOSTS_4, *HOSTS_6, "10.0.0.4/24", "10.0.0.5/25", "10.0.1.9/24"))
    if dice.random() < 0.1:
        return Deed(4, f"address add 10.9.0.9 peer 10.9.0.{dice.choice((8, 9))}/32 dev {dice.choice(BASE[:2])}")
    # What is down loses its IPv6 addresses when it has been up in between.
    family = 6 if ":" in word else 4
    return Deed(family, f"address add {word} dev {dice.choice(BASE[:2] if family == 6 else BASE)}")


def _route(dice: Random) -> Deed:
    family = dice.choice((4, 4, 6))
    route = routes.route_4(dice) if family == 4 else routes.route_6(dice)
    return Deed(family, f"route append {_words(route)} table {_table(dice)} proto {dice.choice(PROTOCOLS)}")


def _rule(dice: Random) -> Deed:
    words = dice.choice(("fwmark 0x10/0xff", "from 10.0.0.1", "not fwmark 0x20/0xff", "iif eth0", "to 10.9.0.0/16"))
    family = dice.choice((4, 4, 6)) if "." not in words else 4
    table = dice.choice((*TABLES.values(), 254))
    return Deed(family, f"rule add priority {dice.choice(PRIORITIES)} {words} table {table} protocol 77")


def _link(dice: Random) -> Deed | None:
    name = dice.choice((*MADE, "x0", "x1", "x2", "x3"))
    kind = dice.choice([kind for kind in ("bridge", "ifb", "dummy", "veth") if has(kind)])
    return Deed(4, f"link add {name} type {kind}" + (" peer name x9" if kind == "veth" else ""))


def _replaced_address(dice: Random, document: Document) -> Deed | None:
    """Somebody says one of our addresses again: that erases who made it."""
    found = [
        (n, a)
        for n, entry in (document.get("interfaces") or {}).items()
        for a in entry.get("addresses", ())
        if isinstance(a, str)
    ]
    if not found:
        return None
    name, word = dice.choice(found)
    return Deed(6 if ":" in word else 4, f"address replace {word} dev {name}")


def _appended_route(dice: Random, document: Document) -> Deed | None:
    """A route under the key of one of ours."""
    found = [
        (entry.get("id", 254), route)
        for entry in (document.get("tables") or {}).values()
        for route in entry.get("routes", ())
    ]
    if not found:
        return None
    table, ours = dice.choice(found)
    words = {key: ours[key] for key in ("to", "metric", "family") if key in ours}
    family = 6 if ":" in f"{ours}" or ours.get("family") == "ipv6" else 4
    if dice.random() < 0.2:
        words["type"] = "prohibit"
    elif family == 6:
        words |= {"via": "fe80::7", "dev": dice.choice(BASE[:2])} if dice.random() < 0.7 else {"dev": "eth1"}
    else:
        words |= {"via": dice.choice(GATEWAYS_4)} if dice.random() < 0.5 else {"dev": dice.choice(BASE[:2])}
    return Deed(family, f"route append {_words(words)} table {table} proto {dice.choice(PROTOCOLS)}")


def _equal_rule(dice: Random, document: Document) -> Deed | None:
    """A rule with the selectors of one of ours."""
    marks, tables = document.get("marks") or {}, {"main": 254} | TABLES
    found = [rule for rule in document.get("rules") or () if "not" not in rule and "table" in rule]
    if not found:
        return None
    rule = dice.choice(found)
    words = f"rule add priority {rule['priority']}"
    for field, word in (("from", "from"), ("to", "to"), ("mark", "fwmark"), ("iif", "iif"), ("oif", "oif")):
        if field in rule:
            words += f" {word} {marks.get(rule[field], rule[field])}"
    family = 6 if ":" in f"{rule.get('from')}{rule.get('to')}" or rule.get("family") == "ipv6" else 4
    return Deed(family, f"{words} table {tables.get(rule['table'], rule['table'])} protocol 77")


def _table(dice: Random) -> int:
    return dice.choice((*TABLES.values(), 254))


def _words(route: dict[str, Any]) -> str:
    words = [route["type"]] if "type" in route else []
    words.append(route["to"])
    for field in ("via", "dev", "metric", "src"):
        words += [field, str(route[field])] if field in route else []
    return " ".join(words)
