"""The kind ``policy``: what becomes of a packet at the end of a built-in chain. Recorded, shown, restored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.resources.base import Resource
from reconciler.resources.iptables.config import declared
from reconciler.resources.iptables.lines import BUILT_IN
from reconciler.resources.scene import Scene, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Change
    from reconciler.core.state import Key
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner


class Policy(NamedTuple):
    """The policy of a built-in chain."""

    family: int
    table: str
    chain: str
    policy: str


class PolicyKind(Resource[Policy]):
    """Policies: they exist by themselves, and their former value comes back."""

    name = "policy"
    value = Policy
    label = "iptables"
    rank = 52
    shared = True
    together = True
    gives_back = ("policy",)

    def key(self, value: Policy) -> Key:
        """Return family, table and chain."""
        return (self.name, value.family, value.table, value.chain)

    def channel(self, key: Key) -> str:
        """One call of iptables-restore a family."""
        return f"iptables{key[1]}"

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the policies that the file names, for both families."""
        for path, entry in declared(scene):
            if not isinstance(entry, dict) or "policy" not in entry:
                continue
            table, chain = str(path[1]), str(path[2])
            if chain not in BUILT_IN[table]:
                scene.problem((*path, "policy"), f"{chain} is not a built-in chain: it has no policy")
                continue
            for family in (4, 6) if scene.facts.ipv6 else (4,):
                yield Wanted(Policy(family, table, chain, entry["policy"]), scene.origin(path))

    def command(self, change: Change, owner: Owner) -> list[list[str]]:  # noqa: ARG002
        """``iptables -P``."""
        value: Any = change.after
        tool = "iptables" if value.family == 4 else "ip6tables"
        return [[tool, "-t", value.table, "-P", value.chain, value.policy]]

    def describe(self, value: Policy, names: Names) -> str:  # noqa: ARG002
        """Show the chain and its policy."""
        return f"v{value.family} {value.table} {value.chain}: policy {value.policy}"

    def describe_change(self, before: Policy, after: Policy, names: Names) -> str:  # noqa: ARG002
        """Show both policies."""
        return f"v{after.family} {after.table} {after.chain}: policy {before.policy} → {after.policy}"
