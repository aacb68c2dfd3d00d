"""The kind ``chain``: a chain of ours and its rules, of one family."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.resources.base import Part, Resource
from reconciler.resources.iptables.config import SCHEMA, chains
from reconciler.resources.iptables.edit import edits
from reconciler.resources.iptables.lines import Line, unsigned
from reconciler.resources.scene import UNMATCHED, Scene, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.change import Change
    from reconciler.core.kind import Lack
    from reconciler.core.state import Key
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner


class Chain(NamedTuple):
    """A chain and its rules in order."""

    family: int
    table: str
    name: str
    rules: tuple[Line, ...] = ()


class ChainKind(Resource[Chain]):
    """Chains of ours, known by the beginning of their name."""

    name = "chain"
    value = Chain
    label = "iptables"
    rank = 50
    together = True
    schema = SCHEMA

    def key(self, value: Chain) -> Key:
        """Return family, table and name."""
        return (self.name, value.family, value.table, value.name)

    def channel(self, key: Key) -> str:
        """One call of iptables-restore a family."""
        return f"iptables{key[1]}"

    def scope(self, value: Chain) -> Key:
        """Chains belong to their table."""
        return (self.name, value.family, value.table)

    def same(self, one: Chain, other: Chain) -> bool:
        """Compare the hashes in their order; what the tool makes of a rule's text is its own affair."""
        return [line.hash for line in one.rules] == [line.hash for line in other.rules]

    def revive(self, fields: Mapping[str, Any]) -> Chain:
        """Return the chain that a JSON object holds; its rules are lines again."""
        chain = super().revive(fields)
        return chain._replace(rules=tuple(Line(*rule) for rule in chain.rules))

    def requires(self, value: Chain, world: World) -> Iterable[Key | Lack]:  # noqa: ARG002
        """A chain stands on the chains of the same owner to which its rules lead; and on interfaces to be found."""
        prefix = value.name.rpartition(".")[0] + "."
        for target in dict.fromkeys(target for line in value.rules for target in leads_to(line.text)):
            if prefix != "." and target.startswith(prefix) and target != value.name:
                yield (self.name, value.family, value.table, target)
        words = [word.strip('"') for line in value.rules for word in line.text.split()]
        for option, dev in pairwise(words):
            if option in ("-i", "-o") and dev.startswith(UNMATCHED):
                yield ("device", dev)

    def blockers(self, value: Chain, world: World) -> Iterable[Key]:
        """The tools keep a chain to which a rule leads, wherever that rule stands."""
        for key, jump, _ in world.within(("jump", value.family, value.table)):
            if jump.target == value.name:
                yield key
        for key, other, _ in world.within(self.scope(value)):
            if other.name != value.name and any(value.name in leads_to(line.text) for line in other.rules):
                yield key

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield a chain for each family in which it has rules."""
        for chain in chains(scene):
            value = Chain(chain.family, chain.table, chain.own, chain.lines)
            origin = scene.origin(chain.path)._replace(parts=chain.positions)
            yield Wanted(value, origin)

    def parts(self, change: Change) -> tuple[Part, ...]:
        """Return the rules that go and come."""
        old: Any = change.before.rules if isinstance(change.before, Chain) else ()
        new: Any = change.after.rules if isinstance(change.after, Chain) else ()
        found = []
        for edit in edits([line.hash for line in old], [line.hash for line in new]):
            line = (old if edit.delete else new)[edit.place]
            action = "delete" if edit.delete else "create"
            found.append(Part(action, line.text, None if edit.delete else edit.place))
        return tuple(found)

    def command(self, change: Change, owner: Owner) -> list[list[str]]:  # noqa: ARG002
        """``iptables -N``, ``-D`` by number, ``-I`` by number, ``-F`` and ``-X``."""
        family, table, name = change.key[1:]
        tool = ["iptables" if family == 4 else "ip6tables", "-t", table]
        if change.after is None:
            return [[*tool, "-F", name], [*tool, "-X", name]]
        lines = [[*tool, "-N", name]] if change.before is None else []
        old: Any = change.before.rules if isinstance(change.before, Chain) else ()
        new: Any = change.after.rules  # type: ignore[attr-defined]
        for edit in edits([line.hash for line in old], [line.hash for line in new]):
            if edit.delete:
                lines.append([*tool, "-D", name, str(edit.number)])
            else:
                lines.append([*tool, "-I", name, str(edit.number), *_split(new[edit.place].text)])
        return lines

    def describe(self, value: Chain, names: Names) -> str:  # noqa: ARG002
        """Show family, table and name."""
        return f"v{value.family} {value.table} {value.name}: {len(value.rules)} rules"

    def title(self, value: Chain, names: Names) -> str:  # noqa: ARG002
        """Show family, table and name."""
        return f"v{value.family} {value.table} {value.name}"

    def describe_part(self, part: Part, owner: Owner) -> str:
        """Show a rule as its tool writes it, without our comment."""
        return unsigned(part.text, owner)


def leads_to(text: str) -> tuple[str, ...]:
    """Return the target of a rule's jump or goto, as a tuple; empty if it has none."""
    if " -j " not in f" {text}" and " -g " not in f" {text}":
        return ()
    words = _split(text)
    return tuple(words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-j", "-g"))


def _split(text: str) -> list[str]:
    """Cut a line into arguments, as iptables-restore does."""
    words, word, quoted, escaped, started = [], "", False, False, False
    for letter in text:
        if escaped:
            word, escaped = word + letter, False
        elif letter == "\\" and quoted:
            escaped = True
        elif letter == '"':
            quoted, started = not quoted, True
        elif letter == " " and not quoted:
            if word or started:
                words.append(word)
            word, started = "", False
        else:
            word += letter
    return [*words, word] if word or started else words
