"""The kind ``jump``: the one rule in a built-in chain that leads to our chain for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.change import CREATE
from reconciler.resources.base import Resource
from reconciler.resources.iptables.config import chains
from reconciler.resources.iptables.lines import Line, sign
from reconciler.resources.scene import Scene, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.change import Change
    from reconciler.core.kind import Lack
    from reconciler.core.state import Key
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner


class Jump(NamedTuple):
    """A jump from a chain to a chain of ours."""

    family: int
    table: str
    chain: str
    target: str
    position: str = "first"
    """Where it was put; what others insert before it later is reported, not fought."""
    copy: int = 0
    """0, or a number for a jump that is there a second time."""


class JumpKind(Resource[Jump]):
    """Jumps, known by their comment."""

    name = "jump"
    value = Jump
    label = "iptables"
    rank = 51
    together = True

    def key(self, value: Jump) -> Key:
        """Return family, table, chain, and which copy it is."""
        return (self.name, value.family, value.table, value.chain, value.target, value.copy)

    def channel(self, key: Key) -> str:
        """One call of iptables-restore a family."""
        return f"iptables{key[1]}"

    def scope(self, value: Jump) -> Key:
        """Jumps belong to their table."""
        return (self.name, value.family, value.table)

    def same(self, one: Jump, other: Jump) -> bool:
        """The key says it all."""
        return one[:4] == other[:4]

    def requires(self, value: Jump, world: World) -> Iterable[Key | Lack]:  # noqa: ARG002
        """A jump stands on its chain."""
        return (("chain", value.family, value.table, value.target),)

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield a jump for each built-in chain that we have rules for."""
        for chain in chains(scene):
            if chain.built_in:
                value = Jump(chain.family, chain.table, chain.built_in, chain.own, chain.position)
                yield Wanted(value, scene.origin(chain.path))

    def command(self, change: Change, owner: Owner) -> list[list[str]]:
        """``iptables -I CHAIN 1``, ``-A`` or ``-D``."""
        value: Any = change.after if change.action == CREATE else change.before
        tool = ["iptables" if value.family == 4 else "ip6tables", "-t", value.table]
        verb = ["-D", value.chain]
        if change.action == CREATE:
            verb = ["-A", value.chain] if value.position == "last" else ["-I", value.chain, "1"]
        comment = owner.comment_prefix + line_of(value, owner).hash
        return [[*tool, *verb, "-m", "comment", "--comment", comment, "-j", value.target]]

    def describe(self, value: Jump, names: Names) -> str:  # noqa: ARG002
        """Show both chains."""
        return f"v{value.family} {value.table} {value.chain} → {value.target} ({value.position})"


def line_of(value: Jump, owner: Owner) -> Line:
    """Return the jump's rule."""
    return sign([("", "", f"-j {value.target}")], owner)[0]
