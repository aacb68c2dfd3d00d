"""All objects of a namespace, as the tools show them, and how two such lists differ.

Left out is what is no object: comments, counters, lifetimes, and iptables tables without a rule or a chain.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from tools.demo.needs import VARIANTS
from tools.demo.screen import UnprovenError

if TYPE_CHECKING:
    from tests.netns.lab import Namespace
    from tools.demo.stage import Stage

COMMANDS = (
    "ip -d address",
    "ip -4 rule",
    "ip -6 rule",
    "ip -4 route show table all",
    "ip -6 route show table all",
    "tc qdisc show",
)
PER_DEVICE = ("tc class show dev {}", "tc filter show dev {}")
COMMENT = re.compile(r' -m comment --comment (?:"[^"]*"|\S+)')
COUNTERS = re.compile(r" \[\d+:\d+\]$")
SHOWN = 12
"""Lines of a difference that are shown."""


class Leaves:
    """The objects of the host before anything was applied."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.before = objects(stage)
        while (again := objects(stage)) != self.before:  # the kernel is not done with the new devices
            self.before = again

    def nothing(self) -> str:
        """Tear down, and prove that all is as it was."""
        said = self.stage.teardown()
        if changed := differences(self.before, objects(self.stage)):
            raise UnprovenError("\n".join(["it is not as before:", *changed]))
        return f"{said}; all {len(self.before)} lines of the dumps as before"


def objects(stage: Stage) -> list[str]:
    """Return every object of the host, one line each, under the command that shows it."""
    host = stage.host
    devices = [link["ifname"] for link in host.json("ip", "-json", "link")]
    commands = [*COMMANDS, *(command.format(device) for device in devices for command in PER_DEVICE)]
    found = []
    for command in commands:
        # Without IPv6 its dumps fail, before and after.
        said = host.run(*command.split(), check="-6" not in command).stdout
        found += [f"{command}: {line.strip()}" for line in said.splitlines() if "valid_lft" not in line]
    for variant in VARIANTS:
        for tool in (f"iptables-{variant}-save", f"ip6tables-{variant}-save"):
            found += [f"{tool}: {line}" for line in _iptables(host, tool, required=variant == stage.variant)]
    return found


def differences(before: list[str], after: list[str]) -> list[str]:
    """Return the lines that went (-) and came (+), as many as are worth showing; empty if there are none."""
    changed = [
        line
        for line in difflib.unified_diff(before, after, "before", "after", n=0, lineterm="")
        if not line.startswith(("---", "+++", "@@"))
    ]
    return changed[:SHOWN] + ([f"and {len(changed) - SHOWN} more"] if len(changed) > SHOWN else [])


def _iptables(host: Namespace, tool: str, *, required: bool) -> list[str]:
    """Return the chains, policies and rules of all tables that have any of ours or anybody's."""
    try:
        said = host.run(tool, check=required and not tool.startswith("ip6")).stdout
    except FileNotFoundError:
        return []
    found: list[str] = []
    table: list[str] = []
    for line in said.splitlines():
        plain = COUNTERS.sub("", COMMENT.sub("", line))
        if plain == "COMMIT":
            found += [] if all(re.fullmatch(r"\*\w+|:[A-Z]+ ACCEPT", entry) for entry in table) else table
            table = []
        elif not plain.startswith("#"):
            table.append(plain)
    return found
