"""A type of link: a table of options, and the questions that some types answer in their own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.resources.link.option import Dev, Option, Switch, a
from reconciler.resources.wire import number, parse, u32

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.state import Key
    from reconciler.core.world import World
    from reconciler.resources.base import Sight
    from reconciler.resources.message import Tap
    from reconciler.resources.scene import Path, Scene
    from reconciler.resources.wire import Attributes

Options = tuple[tuple[str, Any], ...]
"""A type's own attributes, by their names in iproute2, in alphabetical order."""

IFLA_LINK, IFLA_LINK_NETNSID = 5, 37
STANDARD_MTU = 1500


class Packed(NamedTuple):
    """Options as attributes."""

    head: bytes
    """Those of the link message itself."""
    data: bytes
    """Those in IFLA_INFO_DATA."""
    in_head: tuple[tuple[int, str], ...] = ()
    """(offset in ``head``, device name): where that device's index goes."""
    in_data: tuple[tuple[int, str], ...] = ()
    namespaces: tuple[tuple[int, str], ...] = ()
    """(offset in ``data``, name): where the descriptor of that network namespace goes."""


class LinkType:
    """One type of link; the defaults fit a type without options."""

    name = ""
    """As in ``ip link add type NAME``."""
    table: tuple[Option, ...] = ()
    lower = ""
    """Whether it stands on another interface (IFLA_LINK): ``needed``, or empty."""
    whole = False
    """A change must say all options: what it leaves out, the kernel resets."""
    mtu: int | None = STANDARD_MTU
    """Of a new one; None where it depends."""
    has_mac = True
    """Whether its hardware address can be set: not if it has none, or the driver does not let it."""
    ports = False
    """Whether other interfaces can have it as their master."""

    @property
    def options_table(self) -> tuple[Option, ...]:
        """All options, ``link`` among them."""
        return (LINK, *self.table) if self.lower else self.table

    def options(self, entry: Mapping[str, Any], path: Path, scene: Scene) -> Options:
        """Read the type's options from the file."""
        found = {}
        for option in self.options_table:
            if option.name in entry:
                value = option.form.read(entry[option.name], (*path, option.name), scene)
                if value is not None:
                    found[option.word] = value
            elif option.needed:
                scene.problem(
                    path, f"{a(self.name)} needs {option.name}", f"add {option.name}: {option.example}, for example"
                )
        self.check(found, path, scene)
        return tuple(sorted(found.items()))

    def check(self, found: dict[str, Any], path: Path, scene: Scene) -> None:
        """Report what does not go together."""

    def pack(self, options: Options) -> Packed:
        """Return the options as attributes."""
        said, head, data = dict(options), b"", b""
        in_head: tuple[tuple[int, str], ...] = ()
        in_data: list[tuple[int, str]] = []
        if said.get("link"):
            head, in_head = u32(IFLA_LINK, 0), ((4, said["link"]),)
        for option in self.table:
            if said.get(option.word) not in (None, ""):
                value = said[option.word]
                if isinstance(option.form, Dev):
                    in_data.append((len(data) + 4, value))
                data += option.pack(value)
        return Packed(head, data, in_head, tuple(in_data))

    def makes(self, name: str, options: Options) -> Tap | None:  # noqa: ARG002
        """Return how one is made, where that is not by a message."""
        return None

    def line(self, name: str, options: Options) -> list[str]:  # noqa: ARG002
        """Return the command that makes one, where that is not ``ip link add``."""
        return []

    def unpack(self, data: bytes, attributes: Attributes, sight: Sight) -> Options:
        """Read the options from IFLA_INFO_DATA and the link's other attributes."""
        found, held = {}, parse(data)
        for option in self.table:
            value = option.unpack(held)
            if value is not None:
                found[option.word] = _named(value, sight) if isinstance(option.form, Dev) else value
        if self.lower:
            found["link"] = self.stands_on(attributes, sight)
        return tuple(sorted(found.items()))

    def stands_on(self, attributes: Attributes, sight: Sight) -> str:
        """Name the lower interface; one in another namespace has no name here."""
        index = number(attributes.get(IFLA_LINK, b""))
        return f"if{index}@" if index and IFLA_LINK_NETNSID in attributes else _named(index, sight)

    def words(self, options: Options) -> tuple[list[str], list[str]]:
        """Return the options as words of ``ip link add``: those before ``type``, and those after it."""
        front: list[str] = []
        back: list[str] = []
        said = dict(options)
        for option in self.options_table:
            if said.get(option.word) not in (None, ""):
                word = option.form.word(said[option.word])
                alone = isinstance(option.form, Switch) and not word.isdecimal()
                (front if option.before else back).extend([word] if alone else [option.word, word])
        return front, back

    def shown(self, options: Options) -> str:
        """Return the options for people, in the words of the file."""
        return "".join(
            f" {self.key(word)} {self.text(word, value)}" for word, value in options if value not in ("", None)
        )

    def key(self, word: str) -> str:
        """Return the file's key of an option."""
        return next((option.name for option in self.options_table if option.word == word), word)

    def text(self, word: str, value: Any) -> str:
        """Return an option's value for people."""
        if value in (None, ""):
            return "none"
        return next((o.form.shown(value) for o in self.options_table if o.word == word), str(value))

    def replace(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
        """Say why the kernel cannot make these options of those; empty when it can."""
        changed = [o.word for o in self.options_table if o.fixed and before.get(o.word) != after.get(o.word)]
        return f"{', '.join(changed)} of {a(self.name)} is fixed when it is created" if changed else ""

    def decide(
        self,
        name: str,  # noqa: ARG002
        wanted: dict[str, Any],
        seen: Mapping[str, Any],  # noqa: ARG002
        world: World,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Take out of the wanted options what cannot be seen at the moment; ``seen`` is empty for a new link."""
        return wanted

    def claims(self, name: str, said: Mapping[str, Any]) -> Iterable[Key]:  # noqa: ARG002
        """Yield what else must be unique among links of this type."""
        return ()

    def needs(self, options: Options) -> Iterable[str]:
        """Name the interfaces without which this cannot be made."""
        devices = {option.word for option in self.options_table if isinstance(option.form, Dev)}
        return [value for word, value in options if word in devices and value]

    def lowers(self, options: Options) -> Iterable[str]:
        """Name the interfaces with which this one goes."""
        return [value for word, value in options if word == "link" and value] if self.lower else ()

    def first_mtu(self, options: Options, world: World) -> int | None:
        """Return the mtu of a new one."""
        device = world.get(("device", dict(options).get("link", ""))) if self.lower else None
        return device.mtu if device is not None else self.mtu

    def also(self, options: Options) -> Iterable[str]:  # noqa: ARG002
        """Name the other interfaces that come and go with this one."""
        return ()

    def mirrored(self, name: str) -> Options:  # noqa: ARG002
        """Return the options of the other end of a link of this name."""
        return ()

    @property
    def schema(self) -> Mapping[str, Any]:
        """Properties that an interface of this type has in the file."""
        return {
            option.name: {**option.form.stanza, "description": option.description, "examples": [option.example]}
            for option in self.options_table
        }


def _named(index: Any, sight: Sight) -> str:
    return sight.devices.get(index, f"if{index}") if index else ""


LINK = Option(
    "link",
    IFLA_LINK,
    Dev(),
    "The interface that this one stands on.",
    "eth0",
    fixed=True,
    needed=True,
    before=True,
)
