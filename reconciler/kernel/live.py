"""The port to one namespace's kernel: read everything as a state, execute a plan's step. It decides nothing."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from reconciler.core.settle import settle
from reconciler.core.state import OURS, SURPLUS, Held, State
from reconciler.errors import ReconcilerError, UnavailableError
from reconciler.kernel import tap
from reconciler.kernel.facts import find_facts
from reconciler.kernel.netlink import Netlink, NetlinkError
from reconciler.kernel.procfs import Settings
from reconciler.kernel.record import Record
from reconciler.kernel.secrets import Secrets, UnknownSecretError
from reconciler.kernel.tools import Iptables
from reconciler.resources.base import Resource, Sight
from reconciler.resources.iptables.decode import decode
from reconciler.resources.iptables.restore import blame, complaint, script
from reconciler.resources.link.device_wire import LINK_DUMP
from reconciler.resources.link.match import interfaces
from reconciler.resources.message import Message
from reconciler.resources.registry import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.core.change import Change, Step
    from reconciler.core.state import Key, Value
    from reconciler.kernel.ack import Ack
    from reconciler.kernel.namespace import Namespace
    from reconciler.kernel.wireguard import Wireguard
    from reconciler.resources.base import Dump, Found
    from reconciler.resources.facts import Facts
    from reconciler.resources.link.match import Interface
    from reconciler.resources.message import Tap
    from reconciler.resources.owner import Owner

    Sender = Callable[[list[Message]], list[Ack]]

ALREADY_GONE = frozenset({errno.ENOENT, errno.ESRCH, errno.ENODEV, errno.EADDRNOTAVAIL})
NO_FAMILY = frozenset({errno.EOPNOTSUPP, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT})
TABLE = "nft-table"
"""In the record's keys: a table that came into being by our first rule in it."""
IPTABLES = ("chain", "jump", "policy")
WIREGUARD = ("wireguard", "wireguard-peer")
PROMOTE_ALL = ("ipv4", "conf", "all", "promote_secondaries")
KEEP_ALL = ("ipv6", "conf", "all", "keep_addr_on_down")


class Refusal(ReconcilerError):  # noqa: N818  (what the kernel does, in its own word)
    """The kernel or a tool said no to one change."""

    def __init__(self, change: Change | None, part: int | None, number: int, words: str) -> None:
        super().__init__(words)
        self.change = change
        self.part = part
        self.errno = number
        self.words = words


class Kernel:
    """One namespace, for one owner. ``requests`` counts all that was sent to change something."""

    def __init__(self, namespace: Namespace, owner: Owner, variant: str | None = None) -> None:
        self.namespace = namespace
        self.owner = owner
        self.record = Record.load(namespace, owner.name)
        self.facts: Facts = find_facts(
            namespace, cached=self.record.facts or None, iptables=variant, ours=owner.chain_prefix
        )
        self.record.facts = self.facts.to_json()
        self.netlink = Netlink(namespace)
        self.iptables = Iptables(namespace, self.facts.iptables)
        self.settings = Settings(namespace)
        self.secrets = Secrets()
        self._wireguard: Wireguard | None = None
        self.settled = 0
        """How many objects the last reading recognised byte for byte."""

    @property
    def requests(self) -> int:
        """Return how many requests that change something were sent so far."""
        sent = self._wireguard.netlink.requests if self._wireguard is not None else 0
        return self.netlink.requests + self.iptables.runs + self.settings.writes + sent

    def close(self) -> None:
        """Close the sockets."""
        self.netlink.close()
        if self._wireguard is not None:
            self._wireguard.close()

    def read(self, desired: Mapping[Key, Value]) -> State:
        """Return all objects that there are. What is desired only saves time, and settles whose a qdisc is.

        Raises UnavailableError where something cannot be read. Where iptables does not show all (it takes a
        privilege, and tables that nft itself did not make), its kinds are unknown in the state that is returned.
        """
        of_all = self.settings.read((PROMOTE_ALL, KEEP_ALL))
        keep_all = int(of_all[KEEP_ALL] or 0)
        sight = Sight(self.owner, self.record.keys, promote_all=of_all[PROMOTE_ALL] == "1", keep_all=keep_all)
        ours: dict[Key, Value] = {}
        foreign: dict[Key, tuple[Held, ...]] = {}
        unknown: dict[str, str] = {}
        answers: dict[Dump, list[bytes]] = {}
        self.settled = 0
        sight.namespaces = self._namespaces(desired)
        for kind in KINDS.values():
            for dump in kind.dumps(sight):
                if dump not in answers:
                    answers[dump] = self._dump(dump)
                bodies = answers[dump]
                kind.survey(bodies, sight)
                settled, rest = settle(self._known(kind, desired, sight), bodies)
                ours.update(settled)
                self.settled += len(settled)
                for body in rest:
                    _file(kind, kind.decode(dump.type - 2, body, sight), desired, ours, foreign)
        self._read_files(sight, desired, ours, foreign)
        try:
            self._read_wireguard(sight, desired, ours, foreign)
        except UnavailableError as error:
            unknown.update(dict.fromkeys(WIREGUARD, str(error)))
        if self.facts.iptables != "none":
            try:
                tables = {family: self.iptables.read(family) for family in ((4, 6) if self.facts.ipv6 else (4,))}
            except UnavailableError as error:  # then nothing of it is known: half of it would look like the whole
                tables = {}
                unknown.update(dict.fromkeys(IPTABLES, str(error)))
            for family, listed in tables.items():
                for found in decode(family, listed, self.owner, self.record.texts):
                    _file(_kind_of(found.value), (found,), desired, ours, foreign)
        state = State(ours, foreign, unknown)
        for kind in KINDS.values():
            state = kind.claim_ours(state, desired, sight)
        return state

    def interfaces(self) -> list[Interface]:
        """Return the interfaces that there are, by all that a file may call them."""
        return list(interfaces(self._dump(LINK_DUMP)))

    def tidy(self, state: State) -> None:
        """Delete the tables that iptables-nft made for us, once nothing is in them any more."""
        for key in [key for key in self.record.keys if key[0] == TABLE]:
            family, table = key[1:]
            used = any(k[0] in ("chain", "jump") and k[1:3] == (family, table) for k in state.ours)
            if not used and "chain" not in state.unknown and self.iptables.drop(family, table):
                self.record.keys.discard(key)

    def execute(self, step: Step) -> None:
        """Carry out one step; Refusal if the kernel or a tool says no.

        After a refusal it is not known what else of the step was done: read again.
        """
        if step.channel == "netlink":
            self._netlink(step.changes, self.netlink.send)
        elif step.channel == "sysctl":
            self._files(step.changes)
        elif step.channel == "wireguard":
            self._netlink(step.changes, self.wireguard.send)
        else:
            self._iptables(int(step.channel.removeprefix("iptables")), step.changes)

    def _netlink(self, changes: Iterable[Change], send: Sender) -> None:
        sent: list[tuple[Change, Message]] = []
        for change in changes:
            for request in KINDS[change.kind].encode(change, self.owner):
                if isinstance(request, Message):
                    sent.append((change, request))
                else:
                    self._send(sent, send)
                    sent = []
                    self._tap(change, request)
        self._send(sent, send)

    def _tap(self, change: Change, request: Tap) -> None:
        try:
            if self.netlink.index(request.name) is not None:
                raise FileExistsError(errno.EEXIST, "File exists")
            tap.make(self.namespace, request)
        except OSError as error:
            words = f"{error.strerror} ({error.filename})" if error.filename else str(error.strerror)
            raise Refusal(change, None, error.errno or 0, words) from error
        self.netlink.requests += 1

    def _send(self, sent: list[tuple[Change, Message]], send: Sender) -> None:
        while sent:
            try:
                acks = send([message for _, message in sent])
            except UnknownSecretError as error:
                raise Refusal(sent[0][0], None, 0, str(error)) from error
            for (change, _), ack in zip(sent, acks, strict=False):
                gone = change.action == "delete" and ack.errno in ALREADY_GONE
                if ack.errno and not gone:
                    raise Refusal(change, None, ack.errno, ack.text)
            sent = sent[len(acks) :]

    @property
    def wireguard(self) -> Wireguard:
        """The port to WireGuard; it is opened, and its module loaded, when first asked for."""
        if self._wireguard is None:
            from reconciler.kernel.wireguard import Wireguard

            self._wireguard = Wireguard(self.namespace, self.secrets)
        return self._wireguard

    def _read_wireguard(
        self,
        sight: Sight,
        desired: Mapping[Key, Value],
        ours: dict[Key, Value],
        foreign: dict[Key, tuple[Held, ...]],
    ) -> None:
        """Read the WireGuard interfaces that are ours, or that file or record name; of others nothing is asked."""
        there = [name for name, word in sight.types.items() if word == "wireguard"]
        if not there:
            return
        named = {key[1] for key in (*desired, *self.record.keys, *self.record.former) if key[0] in WIREGUARD}
        devices = [name for name in there if ("link", name) in ours or name in named]
        if not devices:
            return
        settings, peers = KINDS["wireguard"], KINDS["wireguard-peer"]
        for raw in self.wireguard.read(devices):
            _file(settings, settings.shown(raw, sight, {}), desired, ours, foreign)
            _file(peers, peers.shown(raw, sight, self.record.texts), desired, ours, foreign)

    def sealed(self, changes: Iterable[Change]) -> dict[Key, str]:
        """Return why files that changes would write cannot be written, for those that cannot."""
        paths = {c.key: KINDS[c.kind].written(c)[0] for c in changes if KINDS[c.kind].channel(c.key) == "sysctl"}
        why = self.settings.sealed(paths.values())
        return {key: why[path] for key, path in paths.items() if path in why}

    def _files(self, changes: Iterable[Change]) -> None:
        for change in changes:
            try:
                self.settings.write(*KINDS[change.kind].written(change))
            except OSError as error:
                raise Refusal(change, None, error.errno or 0, error.strerror or str(error)) from error

    def _read_files(
        self,
        sight: Sight,
        desired: Mapping[Key, Value],
        ours: dict[Key, Value],
        foreign: dict[Key, tuple[Held, ...]],
    ) -> None:
        """Read what is desired or remembered and has a file; nothing where there is none of it."""
        indexes = {name: index for index, name in sight.devices.items()}
        for kind in KINDS.values():
            if type(kind).files is not Resource.files:
                keys = [key for key in desired if key[0] == kind.name]
                keys += [key for key in self.record.former if key[0] == kind.name and key not in desired]
                for path, text in self.settings.read(kind.files(keys, sight)).items():
                    _file(kind, kind.content(path, text, indexes), desired, ours, foreign)

    def _iptables(self, family: int, changes: tuple[Change, ...]) -> None:
        for table in {change.key[2] for change in changes}:
            if self.iptables.makes(family, table):
                self.record.keys.add((TABLE, family, table))
                self.record.save()
        written = script(changes, self.owner)
        done = self.iptables.restore(family, written.text)
        if done.status:
            change, part = blame(written, done.stderr) or (None, None)
            raise Refusal(change, part, 0, complaint(done.stderr))

    def _namespaces(self, desired: Mapping[Key, Value]) -> dict[int, str]:
        """Return the kernel's numbers of the other namespaces that the file names; of those that there are."""
        names = {name for key, value in desired.items() for name in KINDS[key[0]].elsewhere(value)}
        found = ((self.netlink.number_of(name), name) for name in sorted(names))
        return {number: name for number, name in found if number is not None}

    def _dump(self, dump: Dump) -> list[bytes]:
        try:
            return self.netlink.dump(dump.type, dump.body)
        except NetlinkError as error:
            if error.errno in NO_FAMILY and not self.facts.ipv6:
                return []
            raise

    def _known(self, kind: Resource[Any], desired: Mapping[Key, Value], sight: Sight) -> dict[bytes, tuple[Key, Value]]:
        """Return the predicted bytes of the desired objects of a kind that can predict any."""
        if type(kind).wire is Resource.wire:
            return {}
        indexes = {name: index for index, name in sight.devices.items()}
        known = {}
        for key, value in desired.items():
            if key[0] == kind.name:
                wire = kind.wire(value, indexes, self.owner)
                if wire is not None:
                    known[wire] = (key, value)
        return known


def _file(
    kind: Resource[Any],
    found: Iterable[Found],
    desired: Mapping[Key, Value],
    ours: dict[Key, Value],
    foreign: dict[Key, tuple[Held, ...]],
) -> None:
    """Put decoded objects where they belong. Of two of ours with one key, the one not desired is surplus."""
    for value, mark in found:
        key = kind.key(value)
        if mark is not OURS:
            foreign[key] = (*foreign.get(key, ()), Held(value, mark))
        elif key not in ours:
            ours[key] = value
        else:
            keep, drop = (value, ours[key]) if desired.get(key) == value else (ours[key], value)
            ours[key] = keep
            foreign[key] = (*foreign.get(key, ()), Held(drop, SURPLUS))


def _kind_of(value: Value) -> Resource[Any]:
    return next(kind for kind in KINDS.values() if isinstance(value, kind.value))
