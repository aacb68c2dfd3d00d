"""The section ``rules``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.random_files.names import (
    HOSTS_4,
    HOSTS_6,
    MARKS,
    PREFIXES_4,
    PREFIXES_6,
    PRIORITIES,
    TABLES,
    devices,
    has,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.random_files.sections import Addition


MORE: dict[str, tuple[Any, ...]] = {
    "uid": (0, "1000-1999", "0-4294967294"),
    "ip-protocol": ("tcp", "udp"),
    "sport": (53, "1000-2000"),
    "dport": (53, "54-99"),
    "tos": (8, 16),
}


def draw(dice: Random) -> Iterator[Addition]:
    """Yield rules, most of them of one priority and so with selectors that exclude each other."""
    for _ in range(dice.randint(0, 5)):
        rule: dict[str, Any] = {"priority": dice.choice(PRIORITIES)}
        does = dice.random()
        if does < 0.8:
            table = dice.choice((*TABLES, "main", 100, 300))
            if table in TABLES:
                yield ("tables", table, "id"), TABLES[table]
            rule["table"] = table
            if dice.random() < 0.15:
                rule["suppress-prefixlength"] = dice.choice((0, 1))
        elif does < 0.95:
            rule["action"] = dice.choice(("nop", "blackhole", "unreachable", "prohibit"))
        else:
            rule["goto"] = rule["priority"] + 100
        if dice.random() < 0.3:
            rule["family"] = dice.choice(("ipv4", "ipv6"))
        selectors = _selectors(dice, rule.get("family", ""))
        for mark in {selectors["mark"]} & set(MARKS) if "mark" in selectors else ():
            yield ("marks", mark), MARKS[mark]
        if selectors and dice.random() < 0.15:
            selectors = {"not": selectors}
        yield ("rules", None), {**rule, **selectors}


def _selectors(dice: Random, family: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if dice.random() < 0.5:
        found["mark"] = dice.choice((*MARKS, "0x10/0xff", "0x0/0xff"))
    four = dice.random() < 0.5 if not family else family == "ipv4"
    prefixes = PREFIXES_4 if four else PREFIXES_6
    hosts = [host.partition("/")[0] for host in (HOSTS_4 if four else HOSTS_6)]
    for field, choices in (("from", (*prefixes[1:], *hosts)), ("to", prefixes[1:])):
        if dice.random() < 0.25:
            found[field] = dice.choice(choices)
    for field, words in MORE.items():
        if dice.random() < 0.07:
            found[field] = dice.choice(words)
    if "uid" in found and not has("uidrange"):  # a namespace in which only one user is known
        del found["uid"]
    for field in ("iif", "oif"):
        if dice.random() < 0.15:
            found[field] = devices(dice)
    return found
