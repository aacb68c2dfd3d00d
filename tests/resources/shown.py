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
    (r" state (UP|DOWN|UNKNOWN|LOWERLAYERDOWN)\b| tentative\b", ""),     # workers of the kernel set both, later
    (r"direct_packets_stat \d+", "direct_packets_stat N"),
    (r"(?m) +$", ""),
)  # fmt: skip


LINKS = ("ip link show", "ip address show")
ROUTES = ("ip -4 route show table all", "ip -6 route show table all")
RULES = ("ip -4 rule show", "ip -6 rule show")
EVERYTHING = (*LINKS, *ROUTES, *RULES, "tc qdisc show")


def queues(device: str) -> tuple[str, ...]:
    """Return the commands that show the queues of a device."""
    return ("tc qdisc show", f"tc class show dev {device}", f"tc filter show dev {device}")


def shown(namespace: Namespace, commands: Iterable[str] = EVERYTHING, without: str | None = None) -> dict[str, str]:
    """Return by tool what commands print with ``-d``; ``without`` is a pattern of what shall not count.

    One process a tool and family: on the user-mode kernel a process costs a tenth of a second.
    """
    lines: dict[str, list[str]] = {}
    for command in commands:
        tool, what = re.fullmatch(r"(tc|ip(?: -[46])?) (.*)", command).groups()
        lines.setdefault(tool, []).append(what)
    texts = {}
    for tool, listed in lines.items():
        words = [*tool.split(), "-d", "-batch", "-"]
        text = _even(namespace.run(*words, stdin="\n".join(listed) + "\n").stdout)
        texts[tool] = re.sub(without, "", text) if without else text
    return texts


def _even(text: str) -> str:
    for pattern, word in CHANCE:
        text = re.sub(pattern, word, text)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return "\n".join(re.sub(r"^(:\S+ \S+) \[\d+:\d+\]", r"\1", line) for line in lines)
