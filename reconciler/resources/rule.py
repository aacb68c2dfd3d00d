"""The kind ``rule``: which table decides about which packet (``ip rule``).

The kernel has no replace for rules, and equal ones of different protocols stand side by side: the whole
rule is its key, and a changed rule is a new one made before the old one goes. A delete names everything;
still it is only a filter (net/core/fib_rules.c, rule_find): what a rule does not say matches any rule, and
the first match goes. So a rule of ours for which the kernel could take another of ours is not made beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.change import CREATE
from reconciler.resources.base import Dump, Found, MessageFlags, Resource, Sight
from reconciler.resources.message import Message
from reconciler.resources.rule_check import check
from reconciler.resources.rule_config import SCHEMA, read
from reconciler.resources.rule_value import Rule
from reconciler.resources.rule_wire import AF, RTM_DELRULE, RTM_GETRULE, RTM_NEWRULE
from reconciler.resources.rule_wire import read as read_wire
from reconciler.resources.rule_wire import write as write_wire
from reconciler.resources.rule_words import command, describe
from reconciler.resources.scene import UNMATCHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.change import Change
    from reconciler.core.kind import Lack
    from reconciler.core.state import Key, Scope
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner
    from reconciler.resources.scene import Scene, Wanted

__all__ = ["Rule", "RuleKind"]

UNSAID = {"iif": "", "oif": "", "mark": 0, "mask": 0, "from_": "", "to": "", "uid": (), "ip_protocol": 0, "sport": (),
          "dport": (), "tos": 0, "table": 0, "l3mdev": False, "suppress_prefixlength": -1,
          "suppress_interface_group": -1}  # fmt: skip
"""What in a deletion matches every rule. Its flags and the target of a goto are not compared at all."""


class RuleKind(Resource[Rule]):
    """Policy rules of both families."""

    name = "rule"
    value = Rule
    rank = 40
    schema = SCHEMA

    def key(self, value: Rule) -> Key:
        """Return the whole rule (net/core/fib_rules.c, rule_exists), without the protocol."""
        return (self.name, *value)

    def scope(self, value: Rule) -> Key:
        """Rules belong to their family."""
        return (self.name, value.family)

    def groups(self, value: Rule) -> Iterable[Scope]:
        """Yield the family, the rules of one place, and those that are asked for the way to a gateway."""
        groups: list[Scope] = [self.scope(value), (self.name, value.family, value.priority)]
        return [*groups, (self.name, value.family, "sourceless")] if value.sourceless or value.invert else groups

    def excludes(self, before: Rule | None, after: Rule, other: Rule) -> bool:  # noqa: ARG002
        """Equal rules of different protocols stand side by side."""
        return False

    def requires(self, value: Rule, world: World) -> Iterable[Key | Lack]:  # noqa: ARG002
        """A rule may name an interface that is not there, but not one that is still to be found."""
        return [("device", dev) for dev in (value.iif, value.oif) if dev.startswith(UNMATCHED)]

    def rivals(self, value: Rule, world: World) -> Iterator[Key]:
        """Yield rules of ours that the kernel would take for this one; those of other protocols it never does."""
        for key, other, mark in world.within((self.name, value.family, value.priority)):
            if mark is None and other != value and _covers(value, other):
                yield key

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the rules of the file."""
        return read(scene)

    def check(self, scene: Scene, wanted: Mapping[Key, Wanted]) -> None:
        """Two rules of one priority must not both match a packet: their order would be an accident."""
        check(scene, [(w.value, w.origin) for key, w in wanted.items() if isinstance(w.value, Rule)])

    def dumps(self, sight: Sight) -> Iterable[Dump]:  # noqa: ARG002
        """Both families; with IPv6 off the kernel has no such rules, and says so."""
        return tuple(Dump(RTM_GETRULE, bytes((family,)) + bytes(11)) for family in AF.values())

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:
        """Read one rule."""
        found = read_wire(body) if kind == RTM_NEWRULE else None
        if found is not None:
            rule, maker = found
            yield Found(rule, None if maker == sight.owner.protocol else maker)

    def encode(self, change: Change, owner: Owner) -> list[Message]:
        """Add or delete, always by the full tuple with priority and protocol."""
        if change.action == CREATE:
            return [Message(RTM_NEWRULE, MessageFlags.CREATE, write_wire(*_said(change, owner)))]
        return [Message(RTM_DELRULE, 0, write_wire(*_said(change, owner)))]

    def command(self, change: Change, owner: Owner) -> list[list[str]]:
        """``ip rule add`` and ``ip rule del``."""
        return [command("add" if change.action == CREATE else "del", *_said(change, owner))]

    def describe(self, value: Rule, names: Names) -> str:
        """Show priority, selectors and table."""
        return describe(value, names)


def _said(change: Change, owner: Owner) -> tuple[Rule, int]:
    """Return the rule that a change is about, and its protocol."""
    rule: Any = change.after if change.action == CREATE else change.before
    return rule, owner.protocol if change.mark is None else change.mark


def _covers(rule: Rule, other: Rule) -> bool:
    """Tell whether a deletion of the first would match the second too, one protocol given."""
    return rule.action == other.action and all(
        getattr(rule, field) in (nothing, getattr(other, field)) for field, nothing in UNSAID.items()
    )
