"""All objects of a namespace as its own tools show them, evened out where only chance or counting differs.

What is left out: interface indexes and random MAC addresses, lifetimes, counters, comments of the tools' own,
iptables tables in which nothing is; and what the kernel makes by itself some time after the carrier is there:
link-local and multicast entries, and its entries in the table local. Everything else is kept, in the tools' order.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

from tests.netns.probes import lacks

if TYPE_CHECKING:
    from tests.netns.lab import Namespace

Objects = dict[str, tuple[str, ...]]
"""For each command, the lines that it showed."""

SHOWN = (
    "ip -d -o link show",
    "ip -d -o address show",
    "ip -d -4 -o route show table all",
    "ip -d -6 -o route show table all",
    "ip -4 rule show",
    "ip -6 rule show",
    "tc -d qdisc show",
)
OF_A_DEVICE = ("tc -d class show dev {}", "tc -d filter show dev {}")
CHANCE = (
    (r"^\d+: ", ""),  # the index
    (r"@if\d+", "@ifN"),
    (r"\\ *", " "),  # where -o joined lines
    (r" bridge(_slave)? .*?(?= addrgenmode)", " bridge"),  # its timers, and what it has learned
    (r" (valid|preferred)_lft \S+", ""),
    (r" expires -?\d+sec", ""),
    (r"direct_packets_stat \d+", "direct_packets_stat N"),
    (r" refcnt \d+", ""),
    (r" state [A-Z]+ ", " "),  # the carrier follows a moment later; what was set is among the flags
    (r"(?<=[<,])LOWER_UP,?|NO-CARRIER,|,LOWER_UP", ""),
    (r" (promiscuity|allmulti|min_?mtu|max_?mtu|numtxqueues|numrxqueues|gso_\w+|gro_\w+|tso_\w+) \d+", ""),
    (r" (dead|linkdown|tentative)\b", ""),
    (r"\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b", "MAC"),
    (r" +", " "),
    (r" $", ""),
)
BY_ITSELF = r"\bfe80::|^multicast |^(local|broadcast|anycast) .* table local proto kernel"


def variants() -> list[str]:
    """Return the variants of iptables that work here."""
    return [variant for variant in ("nft", "legacy") if not lacks(f"iptables-{variant}")]


def variant() -> str:
    """Return the variant that a host with no rules uses here; empty where none works."""
    return next(iter(variants()), "")


def objects(namespace: Namespace, devices: tuple[str, ...] = ("eth0", "eth1"), *, iptables: bool = True) -> Objects:
    """Return all objects; classes and filters of the devices that are named."""
    commands = [*SHOWN, *(words.format(device) for device in devices for words in OF_A_DEVICE)]
    if iptables:
        commands += [f"{tool}-{name}-save" for tool in ("iptables", "ip6tables") for name in variants()]
    # One shell for all: it is asked often. A device that is not there shows nothing.
    text = namespace.output("sh", "-c", "".join(f"echo '=== {c}'; {c} 2>/dev/null; " for c in commands) + "true")
    found: Objects = {}
    for part in text.split("=== ")[1:]:
        command, _, shown = part.partition("\n")
        found[command] = _tables(shown) if "-save" in command else _lines(shown)
        if " class " in command:  # the order is that of a hash table
            found[command] = tuple(sorted(found[command]))
    return found


def difference(before: Objects, after: Objects) -> list[str]:
    """Return what only one of the two shows, a line each; empty where both are the same, order included."""
    found = []
    for command in {**before, **after}:
        one, other = before.get(command, ()), after.get(command, ())
        found += [f"{command}: - {line}" for line in one if line not in other]
        found += [f"{command}: + {line}" for line in other if line not in one]
        if one != other and sorted(one) == sorted(other):
            found.append(f"{command}: another order: {one} → {other}")
        elif one != other and set(one) == set(other):
            found.append(f"{command}: another number of equal lines: {one} → {other}")
    return found


def assert_same(before: Objects, after: Objects, story: object = "") -> None:
    """Fail with every line that differs."""
    found = difference(before, after)
    assert not found, "\n".join([str(story), *found])


def folder_of_iptables(folder: str, name: str) -> str:
    """Make ``iptables`` and ``ip6tables`` of a variant under their plain names; return the folder, for PATH."""
    for tool in ("iptables", "ip6tables"):
        program = shutil.which(f"{tool}-{name}", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        assert program is not None
        os.symlink(os.path.realpath(program), os.path.join(folder, tool))
    return folder


def _lines(text: str) -> tuple[str, ...]:
    lines = []
    for line in text.splitlines():
        for pattern, word in CHANCE:
            line = re.sub(pattern, word, line)  # noqa: PLW2901
        if line.strip() and not re.search(BY_ITSELF, line):
            lines.append(line)
    return tuple(lines)


def _tables(text: str) -> tuple[str, ...]:
    """Return the lines of iptables-save without comments, counters, and tables that hold nothing."""
    kept: list[str] = []
    for table in text.split("*")[1:] if "*" in text else []:
        name, *lines = table.splitlines()
        lines = [re.sub(r" \[\d+:\d+\]$", "", line) for line in lines if line[:1] in ":-"]
        if any(not line.endswith(" ACCEPT") or line[0] == "-" for line in lines):
            kept += [f"{name} {line}" for line in lines]
    return tuple(kept)
