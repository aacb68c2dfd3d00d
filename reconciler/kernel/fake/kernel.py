"""The fake kernel as a whole: it executes changes, and gives back its content as a state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.change import CREATE, DELETE, REPLACE, UPDATE, Change
from reconciler.core.state import SURPLUS, Held, Key, State, Value
from reconciler.kernel.fake import addresses, firewall, links, nexthops, routes, rules, settings, traffic, wireguard
from reconciler.kernel.fake.errors import DeniedError
from reconciler.kernel.fake.store import KERNEL, Store
from reconciler.resources.iptables.lines import BUILT_IN
from reconciler.resources.iptables.policy import Policy
from reconciler.resources.link.device import Device
from reconciler.resources.link.link import HARDWARE, Link
from reconciler.resources.registry import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.kernel.fake.store import Thing

DHCP = 16


class FakeKernel:
    """One namespace. ``hardware`` names its interfaces; ``promoting`` those that promote secondaries.

    ``keeping`` names those that keep their IPv6 addresses when they go down.
    """

    def __init__(
        self,
        hardware: Iterable[str] = ("eth0", "eth1"),
        promoting: Iterable[str] = (),
        keeping: Iterable[str] = (),
    ) -> None:
        self.store = Store()
        self.store.add("link", Link("lo", HARDWARE), KERNEL)
        self.store.add("device", Device("lo", "up", 65536, "", promote=False, alias="", group=0, slave=""), KERNEL)
        promoting, keeping = frozenset(promoting), frozenset(keeping)
        for name in hardware:
            links.plug(self.store, name, promote=name in promoting, keep=name in keeping)
        for family in (4, 6):
            for table, chains in BUILT_IN.items():
                for chain in chains:
                    self.store.add("policy", Policy(family, table, chain, "ACCEPT"), KERNEL)
        settings.begin(self.store)

    def copy(self) -> FakeKernel:
        """Return another kernel with the same content."""
        other = FakeKernel.__new__(FakeKernel)
        other.store = self.store.copy()
        return other

    def execute(self, change: Change) -> None:
        """Make a change as the kinds' requests do. DeniedError if the kernel would refuse one of them."""
        getattr(self, f"_{change.kind.replace('-', '_')}")(change)

    def make(self, value: Value, mark: int | None) -> bool:
        """Make an object, as somebody else would if ``mark`` is not None; tell whether the kernel took it."""
        key = _kind(value).key(value)
        try:
            self.execute(Change(CREATE, key, None, value, mark))
        except DeniedError:
            return False
        return True

    def remove(self, value: Value, mark: int | None) -> bool:
        """Remove an object, as somebody else would; tell whether the kernel did."""
        key = _kind(value).key(value)
        try:
            self.execute(Change(DELETE, key, value, None, mark))
        except DeniedError:
            return False
        return True

    def set_device(self, value: Device, *fields: str) -> None:
        """Set some fields of an interface."""
        links.change(self.store, value, fields)

    def finish_detection(self) -> None:
        """Let the time pass that duplicate address detection takes."""
        for thing in self.store.all("address"):
            self.store.write(thing, thing.value._replace(tentative=False))

    def state(self) -> State:
        """Return all objects. Of two of ours with one key the second is surplus."""
        ours: dict[Key, Value] = {}
        foreign: dict[Key, tuple[Held, ...]] = {}
        for key, thing, mark in self._things():
            if mark is None and key not in ours:
                ours[key] = thing.value
            else:
                foreign[key] = (*foreign.get(key, ()), Held(thing.value, SURPLUS if mark is None else mark))
        return State(ours, foreign)

    def generations(self) -> dict[tuple[Key, Value, int | None], int]:
        """Return when each object was last written."""
        return {(key, thing.value, mark): thing.generation for key, thing, mark in self._things()}

    def _things(self) -> Iterator[tuple[Key, Thing, int | None]]:
        """Yield key, object, and whose it seems to be; the other end of a link of ours is part of that link.

        So are the peers of a WireGuard interface of ours.
        """
        links = {thing.value.name for thing in self.store.all("link") if thing.mark is None}
        ends = {
            option
            for thing in self.store.all("link")
            if thing.mark is None
            for option in dict(thing.value.options).values()
        }
        for name, kind in KINDS.items():
            things = self.store.all(name)
            marks = routes.seeming(things) if name == "route" else [thing.mark for thing in things]
            for thing, mark in zip(things, marks, strict=True):
                if name != "link" or thing.value.name not in ends:
                    inside = name == "wireguard-peer" and thing.value.dev in links
                    yield kind.key(thing.value), thing, None if inside else mark

    def _link(self, change: Change) -> None:
        before: Any = change.before
        after: Any = change.after
        if before is not None:
            links.delete(self.store, before.name)
            settings.follow(self.store)
        if after is not None:
            links.create(self.store, after, change.mark)
            settings.follow(self.store)

    def _device(self, change: Change) -> None:
        after: Any = change.after
        links.change(self.store, after, change.fields)

    def _port(self, change: Change) -> None:
        after: Any = change.after
        links.set_port(self.store, after, change.fields)

    def _sysctl(self, change: Change) -> None:
        after: Any = change.after
        settings.write(self.store, after)

    def _wireguard(self, change: Change) -> None:
        after: Any = change.after
        wireguard.change(self.store, after, change.fields)

    def _wireguard_peer(self, change: Change) -> None:
        before: Any = change.before
        after: Any = change.after
        if before is not None and change.action != UPDATE:
            wireguard.remove_peer(self.store, before)
        if after is not None:
            wireguard.put_peer(self.store, after, change.mark)

    def _address(self, change: Change) -> None:
        before: Any = change.before
        after: Any = change.after
        mark = 0 if change.mark == DHCP else change.mark
        if change.action == UPDATE:
            addresses.change(self.store, after, mark)
            return
        if before is not None:
            addresses.delete(self.store, before)
        if after is not None:
            addresses.add(self.store, after, mark)

    def _route(self, change: Change) -> None:
        before: Any = change.before
        after: Any = change.after
        mark = None if change.mark == SURPLUS else change.mark
        old = change.adopts if change.adopts is not None else mark
        if change.action == UPDATE and after.family == 6:
            routes.replace(self.store, after, mark)
        elif change.action == UPDATE:
            routes.add(self.store, after, mark, append=True)
            routes.delete(self.store, before, old)
        else:
            if before is not None:
                routes.delete(self.store, before, old)
            if after is not None:
                append = mark is not None or change.beside or change.action == REPLACE
                routes.add(self.store, after, mark, append=append)

    def _nexthop(self, change: Change) -> None:
        before: Any = change.before
        after: Any = change.after
        if before is not None and change.action != UPDATE:
            nexthops.delete(self.store, before.id)
        if after is not None:
            nexthops.put(self.store, after, change.mark, routes.checked, replace=change.action == UPDATE)

    def _rule(self, change: Change) -> None:
        rule: Any = change.after if change.action == CREATE else change.before
        if change.action == CREATE:
            rules.add(self.store, rule, change.mark)
        else:
            rules.delete(self.store, rule, change.mark)

    def _qdisc(self, change: Change) -> None:
        before: Any = change.before
        after: Any = change.after
        if before is not None:
            traffic.delete_root(self.store, before.dev)
        if after is not None:
            traffic.add_root(self.store, after, change.mark)

    def _class(self, change: Change) -> None:
        before: Any = change.before
        after: Any = change.after
        if change.action == UPDATE:
            traffic.change_class(self.store, after)
            return
        if before is not None:
            traffic.delete_class(self.store, before.dev, before.classid)
        if after is not None:
            traffic.add_class(self.store, after, change.mark)

    def _filter(self, change: Change) -> None:
        before: Any = change.before
        after: Any = change.after
        if before is not None and change.action != UPDATE:
            traffic.delete_filter(self.store, before)
        if after is not None:
            traffic.put_filter(self.store, after, change.mark, replace=change.action == UPDATE)

    def _chain(self, change: Change) -> None:
        before: Any = change.before
        after: Any = change.after
        if after is None:
            firewall.delete_chain(self.store, before)
        elif before is None:
            firewall.put_chain(self.store, after, change.mark)
        else:
            firewall.change_chain(self.store, after)

    def _jump(self, change: Change) -> None:
        value: Any = change.after if change.action == CREATE else change.before
        if change.action == CREATE:
            firewall.add_jump(self.store, value, change.mark)
        else:
            firewall.delete_jump(self.store, value)

    def _policy(self, change: Change) -> None:
        after: Any = change.after
        firewall.set_policy(self.store, after)


def _kind(value: Value) -> Any:
    return next(kind for kind in KINDS.values() if isinstance(value, kind.value))
