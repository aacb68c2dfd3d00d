"""What ``iptables-save`` prints, cut into tables, chains and lines. A rule's text is kept, not parsed."""

from __future__ import annotations

from typing import NamedTuple

from reconciler.errors import UnavailableError


class Table(NamedTuple):
    """One table of one family."""

    policies: dict[str, str]
    """Chain to policy; ``-`` for a chain that is not built in."""
    rules: dict[str, list[str]]
    """Chain to the text of its rules, without ``-A CHAIN``."""
    hidden: bool = False
    """Whether it also has chains of nft's own, which the tool does not show: nothing of ours is among them."""


def read(output: str, tool: str) -> dict[str, Table]:
    """Return all tables that a dump names.

    Raises UnavailableError where the tool says that it could not show a table: that is a failed read, and
    must not look like an empty table. (iptables-nft-save then still exits with 0.)
    """
    tables: dict[str, Table] = {}
    table = Table({}, {})
    hidden = set()
    for line in output.splitlines():
        if line.startswith("-A "):
            chain, _, rule = line[3:].partition(" ")
            table.rules.setdefault(chain, []).append(rule)
        elif line.startswith(":"):
            chain, policy, *_ = line[1:].split()
            table.policies[chain] = policy
            table.rules.setdefault(chain, [])
        elif line.startswith("*"):
            table = tables.setdefault(line[1:], Table({}, {}))
        elif "contains incompatible base-chains" in line:
            hidden.add(line.partition("`")[2].partition("'")[0])
        elif "is incompatible, use 'nft' tool" in line:
            msg = (
                f"{tool} cannot show a table: {line.lstrip('# ')} "
                "Rules made by nft itself are in the way; look at them with: nft list ruleset"
            )
            raise UnavailableError(msg)
    return {name: table._replace(hidden=name in hidden) for name, table in tables.items()}
