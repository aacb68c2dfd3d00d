"""What a kind of kernel object is to everything above the core: how it is declared, read, written, shown.

A new kind is one file with a subclass of ``Resource`` and one line in ``resources.registry``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from reconciler.core.kind import Kind
from reconciler.core.state import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.core.change import Change
    from reconciler.core.state import Key, State
    from reconciler.resources.message import Request
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner
    from reconciler.resources.scene import Scene, Wanted
    from reconciler.resources.wireguard.keys import Secret

V = TypeVar("V", bound=Value)


class Found(NamedTuple):
    """One decoded object: its value, and its maker's mark; None marks ours."""

    value: Value
    mark: int | None


class Dump(NamedTuple):
    """One question to the kernel: a message type, and the body that narrows the answer."""

    type: int
    body: bytes


class Part(NamedTuple):
    """One part of a change to an object that has parts, such as one rule of a chain."""

    action: str
    """``create`` or ``delete``."""
    text: str
    place: int | None = None
    """Which part of the desired object it is, for its line in the file."""


class Sight:
    """What decoding needs to know besides the message: who we are, and what has been read before it."""

    def __init__(self, owner: Owner, keys: Iterable[Key] = (), *, promote_all: bool = False, keep_all: int = 0) -> None:
        self.owner = owner
        self.keys = frozenset(keys)
        """Keys that the record says are ours."""
        self.promote_all = promote_all
        """net.ipv4.conf.all.promote_secondaries of the namespace."""
        self.keep_all = keep_all
        """net.ipv6.conf.all.keep_addr_on_down of the namespace: 0 leaves it to each interface."""
        self.devices: dict[int, str] = {}
        """Interface index to name, filled by the link kind."""
        self.sits: set[str] = set()
        """Interfaces whose IPv6 addresses the kernel makes of IPv4 ones, without saying so; filled by the link kind."""
        self.namespaces: dict[int, str] = {}
        """What the kernel calls other network namespaces (nsid), to the names that the file has for them."""
        self.types: dict[str, str] = {}
        """Virtual interface to its type, filled by the link kind."""
        self.roots: dict[str, bool] = {}
        """Devices with a root qdisc that has classes, and whether it is ours; filled by the qdisc kind."""

        self.hops: dict[Key, tuple[Any, ...]] = {}
        """Next hops of our IPv6 routes that have several, in whosever name; filled by the route kind."""

    def index(self, device: str) -> int | None:
        """Return the index of a device by its name."""
        return next((i for i, name in self.devices.items() if name == device), None)


class Resource(Kind[V]):
    """A kind with its ways in and out. Pure, like its base."""

    label = ""
    """The word that people see for the kind, where it is not its name."""
    remembers = ""
    """When the record keeps ``recorded``: ``always``, or only ``until marked`` (from before the creation
    until it has succeeded); empty where the kernel's own mark comes with the creation."""
    schema: Mapping[str, Any] = {}
    """Stanzas of the schema: place in the schema (``interfaces.*``; empty for the top) to properties that go there."""

    def desire(self, scene: Scene) -> Iterator[Wanted]:  # noqa: ARG002
        """Yield what the file asks for; problems go to the scene, all of them at once."""
        return iter(())

    def check(self, scene: Scene, wanted: Mapping[Key, Wanted]) -> None:
        """Report what is wrong or doubtful about all wanted objects together."""

    def dumps(self, sight: Sight) -> Iterable[Dump]:  # noqa: ARG002
        """Yield the questions that show all objects of this kind."""
        return ()

    def survey(self, messages: Iterable[bytes], sight: Sight) -> None:
        """Look at all messages of a dump before any is decoded, to learn what decoding needs."""

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:  # noqa: ARG002
        """Read one message of a dump; nothing if it is of another kind."""
        return ()

    def claim_ours(self, state: State, desired: Mapping[Key, Value], sight: Sight) -> State:  # noqa: ARG002
        """Recognise as ours what only the state as a whole can show to be."""
        return state

    def recorded(self, value: V) -> Key | None:
        """Return what the record keeps of an object of ours to recognise it by: at least its key. None for nothing."""
        return self.key(value)

    def wire(self, value: V, indexes: Mapping[str, int], owner: Owner) -> bytes | None:  # noqa: ARG002
        """Predict the bytes of the kernel's dump of this object; None where that is not possible."""
        return None

    def elsewhere(self, value: V) -> Iterable[str]:  # noqa: ARG002
        """Name the other network namespaces that an object has to do with."""
        return ()

    def files(self, keys: Iterable[Key], sight: Sight) -> Iterable[tuple[str, ...]]:  # noqa: ARG002
        """Yield the files below /proc/sys/net, as parts of their paths, that show some objects of this kind.

        :param keys: what the file wants and what the record remembers of this kind.
        """
        return ()

    def content(self, path: tuple[str, ...], text: str | None, indexes: Mapping[str, int]) -> Iterable[Found]:  # noqa: ARG002
        """Read one of these files; ``text`` is None where there is none."""
        return ()

    def written(self, change: Change) -> tuple[tuple[str, ...], str]:
        """Return the file that a change writes, and its new content."""
        raise NotImplementedError

    def shown(self, raw: Any, sight: Sight, told: Mapping[Key, Mapping[str, str]]) -> Iterable[Found]:  # noqa: ARG002
        """Read what a family of generic netlink shows of one of its devices.

        :param told: what the record keeps of some objects besides that they are ours.
        """
        return ()

    def key_files(self, value: V) -> Iterable[str]:  # noqa: ARG002
        """Yield the paths of the files with secrets that stand behind a value."""
        return ()

    def keyed(self, value: V, secrets: Mapping[str, Secret]) -> V:  # noqa: ARG002
        """Return the value with what may be shown of the secrets in its files, by path."""
        return value

    def encode(self, change: Change, owner: Owner) -> Sequence[Request]:
        """Return the requests that make a change; device names are left for the transport to fill in."""
        raise NotImplementedError

    def command(self, change: Change, owner: Owner) -> list[list[str]]:
        """Return the same as command lines of ip, tc or iptables."""
        raise NotImplementedError

    def describe(self, value: V, names: Names) -> str:
        """Show an object in the words of its own tool."""
        raise NotImplementedError

    def describe_change(self, before: V, after: V, names: Names) -> str:
        """Show what changes in an object."""
        fields = self.changed(before, after)
        shown = ", ".join(f"{f} {getattr(before, f)} → {getattr(after, f)}" for f in fields)
        return f"{self.title(after, names)}: {shown}"

    def parts(self, change: Change) -> tuple[Part, ...]:  # noqa: ARG002
        """Return the parts that a change touches; none for a kind without parts."""
        return ()

    def describe_part(self, part: Part, owner: Owner) -> str:  # noqa: ARG002
        """Show a part."""
        return part.text

    def title(self, value: V, names: Names) -> str:
        """Name an object, without its attributes."""
        return self.describe(value, names)


class MessageFlags:
    """Flags of requests, by what they do."""

    CREATE = 0x400 | 0x200
    """Make it; it must not exist (NLM_F_CREATE, NLM_F_EXCL)."""
    APPEND = 0x400 | 0x800
    REPLACE = 0x400 | 0x100
    CHANGE = 0x100
