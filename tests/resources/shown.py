"""What the tools show of a namespace, as text in which only what differs by chance is evened out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


def shown(namespace: Namespace, *, variant: str = "", without: str | None = None) -> dict[str, str]:
    """Return what ``ip``, ``tc`` and, of one variant, ``iptables-save`` print; ``without`` what a pattern matches."""
    links = re.findall(r"^\d+: ([^:@]+)", namespace.output("ip", "-o", "link", "show"), re.MULTILINE)
    commands = [
        "ip -d link show", "ip -d address show", "ip -d -4 route show table all", "ip -d -6 route show table all",
        "ip -d -4 rule show", "ip -d -6 rule show", "tc -d qdisc show",
        *(f"tc -d {what} show dev {name}" for name in links for what in ("class", "filter")),
    ]  # fmt: skip
    commands += [f"{tool}-{variant}-save" for tool in ("iptables", "ip6tables") if variant]
    texts = {command: _even(namespace.output(*command.split())) for command in commands}
    return {command: re.sub(without, "", text) for command, text in texts.items()} if without else texts


def _even(text: str) -> str:
    for pattern, word in CHANCE:
        text = re.sub(pattern, word, text)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return "\n".join(re.sub(r"^(:\S+ \S+) \[\d+:\d+\]", r"\1", line) for line in lines)
