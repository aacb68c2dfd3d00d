"""What the tools show of a namespace, as text in which only what differs by chance is evened out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.netns.lab import Namespace

CHANCE = (
    (r"(?m)^\d+: ", "N: "),                                          # an interface's index
    (r"@if\d+", "@ifN"),
    (r"\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b", "MAC"),
    (r"\bfe80::[0-9a-f:]*[0-9a-f]\b", "fe80::MAC"),                  # made from it
    (r"_timer +[0-9.]+", "_timer T"),
    (r"direct_packets_stat \d+", "direct_packets_stat N"),
    (r"(?m) +$", ""),
)  # fmt: skip


ROUTES = ("ip -d -4 route show table all", "ip -d -6 route show table all")
RULES = ("ip -d -4 rule show", "ip -d -6 rule show")
LINKS = ("ip -d link show", "ip -d address show")
EVERYTHING = (*LINKS, *ROUTES, *RULES, "tc -d qdisc show")


def queues(device: str) -> tuple[str, ...]:
    """Return the commands that show the queues of a device."""
    return ("tc -d qdisc show", f"tc -d class show dev {device}", f"tc -d filter show dev {device}")


def shown(namespace: Namespace, commands: Iterable[str] = EVERYTHING, without: str | None = None) -> dict[str, str]:
    """Return what commands print; ``without`` is a pattern of what shall not count."""
    texts = {command: _even(namespace.output(*command.split())) for command in commands}
    return {command: re.sub(without, "", text) for command, text in texts.items()} if without else texts


def _even(text: str) -> str:
    for pattern, word in CHANCE:
        text = re.sub(pattern, word, text)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return "\n".join(re.sub(r"^(:\S+ \S+) \[\d+:\d+\]", r"\1", line) for line in lines)
