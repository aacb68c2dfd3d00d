"""A namespace of the lab as the kinds see it: changes go in by our requests or by the tools, states come out.

It reads and writes by the package's own kinds and netlink socket, and by nothing above them.
"""

from __future__ import annotations

from socket import AF_INET6
from typing import TYPE_CHECKING, Any, Self

from reconciler.core.change import CREATE, DELETE, REPLACE, UPDATE, Change
from reconciler.core.state import Held, State
from reconciler.kernel.namespace import Namespace as Where
from reconciler.kernel.netlink import Netlink
from reconciler.resources.base import Sight
from reconciler.resources.iptables.decode import decode
from reconciler.resources.iptables.restore import script
from reconciler.resources.iptables.save import read as read_tables
from reconciler.resources.owner import Owner
from reconciler.resources.registry import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.core.state import Value
    from reconciler.resources.base import Found, Resource
    from tests.netns.lab import Lab, Namespace

OWNER = Owner()
ORDER = ("link", "device", "port", "address", "nexthop", "route", "rule", "qdisc", "class", "filter")
"""The netlink kinds, in the order in which each gives the next one what it needs to decode."""
TOOLS = {4: "iptables", 6: "ip6tables"}


def kind_of(value: Value) -> Resource[Any]:
    """Return the kind that a value is of."""
    return next(kind for kind in KINDS.values() if kind.value is type(value))


def create(value: Value, mark: int | None = None) -> Change:
    """The change that makes an object: ours, or one with a foreign maker's mark."""
    return Change(CREATE, kind_of(value).key(value), None, value, mark)


def update(before: Value, after: Value, **more: Any) -> Change:
    """The change in place."""
    kind = kind_of(after)
    return Change(UPDATE, kind.key(after), before, after, fields=kind.changed(before, after), **more)


def replace(before: Value, after: Value) -> Change:
    """The change that takes the object away and makes another."""
    kind = kind_of(after)
    fields = kind.changed(before, after)
    return Change(REPLACE, kind.key(after), before, after, fields=fields, why=kind.replace(before, after))


def delete(value: Value, mark: int | None = None) -> Change:
    """The change that takes the object away."""
    return Change(DELETE, kind_of(value).key(value), value, None, mark)


RTN_LOCAL = 2


def ready(host: Host) -> None:
    """Wait until every IPv6 address is in use: a worker of the kernel does that, even without duplicate detection."""
    while True:
        addresses = [value for value in host.values("address") if value.family == 6]
        bodies = [body for _, body in host.bodies("route", Sight(host.owner)) if body[0] == AF_INET6]
        if not any(value.tentative for value in addresses) and len(addresses) == sum(b[7] == RTN_LOCAL for b in bodies):
            return


class Host:
    """One namespace, and a netlink socket in it."""

    def __init__(self, namespace: Namespace, variant: str = "nft", owner: Owner = OWNER) -> None:
        self.namespace = namespace
        self.variant = variant
        self.owner = owner
        self._where = Where.parse(namespace.path)
        self.netlink = Netlink(self._where)

    @classmethod
    def of(cls, lab: Lab, name: str = "host", *lines: str, variant: str = "nft") -> Self:
        """Return a fresh one, after some lines for ``ip -batch`` or, if they begin with it, ``tc -batch``."""
        made = cls(lab.namespace(name), variant)
        lab.closing(made.close)
        made.prepare(lines)
        return made

    def close(self) -> None:
        """Let go of the socket and the namespace."""
        self.netlink.close()
        self._where.close()

    def prepare(self, lines: Iterable[str]) -> None:
        """Run lines by ``ip`` and ``tc``, as they begin."""
        for line in lines:
            self.namespace.run(*line.split())

    def ask(self, change: Change) -> None:
        """Make a change by our own requests; all must succeed."""
        if change.key[0] in ORDER:
            messages = KINDS[change.key[0]].encode(change, self.owner)
            acks = self.netlink.send(messages)
            refused = [ack for ack in acks if ack.errno]
            assert not refused, f"{change.action} {change.key}: {refused}"
            assert len(acks) == len(messages)
        else:
            self.restore([change])

    def restore(self, changes: Sequence[Change]) -> None:
        """Make changes of iptables by one call of the restoring tool for each family."""
        for family in dict.fromkeys(change.key[1] for change in changes):
            text = script([change for change in changes if change.key[1] == family], self.owner).text
            tool = f"{TOOLS[family]}-{self.variant}-restore"
            self.namespace.run(tool, "--noflush", stdin=text)

    def tell(self, change: Change) -> None:
        """Make a change by the command lines that the kind gives for it."""
        for words in KINDS[change.key[0]].command(change, self.owner):
            tool = f"{words[0]}-{self.variant}" if words[0] in TOOLS.values() else words[0]
            self.namespace.run(tool, *words[1:])

    def bodies(self, name: str, sight: Sight) -> Iterator[tuple[int, bytes]]:
        """Yield type and bytes of all that the kernel dumps of a kind."""
        for question in KINDS[name].dumps(sight):
            for body in self.netlink.dump(question.type, question.body):
                yield question.type - 2, body

    def found(self, kinds: Iterable[str] = ORDER, sight: Sight | None = None) -> dict[str, list[Found]]:
        """Return all objects of some netlink kinds, in the order of their dumps."""
        sight = sight or Sight(self.owner)
        found: dict[str, list[Found]] = {}
        for name in ORDER:
            bodies = list(self.bodies(name, sight))
            KINDS[name].survey((body for _, body in bodies), sight)
            found[name] = [f for kind, body in bodies for f in KINDS[name].decode(kind, body, sight)]
        return {name: found[name] for name in kinds}

    def values(self, kind: str) -> list[Value]:
        """Return the values of one netlink kind, whoever made them."""
        return [found.value for found in self.found()[kind]]

    def ours(self, kind: str) -> list[Value]:
        """Return the values of one netlink kind that are known as ours."""
        return [found.value for found in self.found()[kind] if found.mark is None]

    def tables(self, family: int) -> list[Found]:
        """Return the objects of iptables of one family."""
        tool = f"{TOOLS[family]}-{self.variant}-save"
        return list(decode(family, read_tables(self.namespace.output(tool), tool), self.owner, {}))

    def state(self, *, iptables: bool = False) -> State:
        """Return all that is in the namespace."""
        sight = Sight(self.owner)
        listed = [found for group in self.found(sight=sight).values() for found in group]
        if iptables:
            listed += [found for family in TOOLS for found in self.tables(family)]
        ours, foreign = {}, {}
        for value, mark in listed:
            key = kind_of(value).key(value)
            if mark is None:
                assert key not in ours, f"two objects of ours have the key {key}"
                ours[key] = value
            else:
                foreign[key] = (*foreign.get(key, ()), Held(value, mark))
        state = State(ours, foreign)
        for kind in KINDS.values():
            state = kind.claim_ours(state, {}, sight)
        return state
