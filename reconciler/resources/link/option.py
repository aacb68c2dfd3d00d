"""One option of a type of link: its word, its netlink attribute, and how its value is written in each place.

A type of link is a table of these; schema, requests, decoding and command lines follow from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.resources.prefix import canonical, family_of
from reconciler.resources.wire import address, attribute, number, packed, u8, u16, u32

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.resources.scene import Path, Scene
    from reconciler.resources.wire import Attributes

PACK = {1: u8, 2: u16, 4: u32}


def a(word: str) -> str:
    """Return a type's name with its article."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


class Form:
    """How the value of an option looks in the file, in an attribute, and on a command line."""

    stanza: Mapping[str, Any] = {}
    """The value's part of the schema."""

    def read(self, word: Any, path: Path, scene: Scene) -> Any:  # noqa: ARG002
        """Return the value for what the file says; None after reporting a problem."""
        return word

    def pack(self, code: int, value: Any) -> bytes:
        """Return the attribute."""
        raise NotImplementedError

    def unpack(self, payload: bytes) -> Any:
        """Read the attribute's payload."""
        raise NotImplementedError

    def word(self, value: Any) -> str:
        """Return the value as iproute2 writes it."""
        return str(value)

    def shown(self, value: Any) -> str:
        """Return the value as the file writes it."""
        return str(value)


class Number(Form):
    """An unsigned number of ``size`` bytes, in network order if ``big``; the file's is multiplied by ``scale``."""

    def __init__(self, size: int, low: int, high: int, *, big: bool = False, scale: int = 1) -> None:
        self.size, self.big, self.scale = size, big, scale
        self.stanza = {"type": "integer", "minimum": low, "maximum": high}

    def read(self, word: Any, path: Path, scene: Scene) -> Any:  # noqa: ARG002
        """Return the number in the kernel's units."""
        return word * self.scale

    def pack(self, code: int, value: Any) -> bytes:
        """Return the attribute."""
        if self.big:
            return attribute(code, int(value).to_bytes(self.size, "big"))
        return PACK[self.size](code, value)

    def unpack(self, payload: bytes) -> Any:
        """Read the number."""
        return int.from_bytes(payload, "big") if self.big else number(payload)

    def shown(self, value: Any) -> str:
        """Return the number in the file's units."""
        return f"{value / self.scale:g}" if self.scale != 1 else str(value)


class Switch(Form):
    """On or off."""

    stanza: Mapping[str, Any] = {"type": "boolean"}

    def __init__(self, size: int = 1, *, words: tuple[str, str] = ("0", "1")) -> None:
        self.size, self.words = size, words

    def pack(self, code: int, value: Any) -> bytes:
        """Return the attribute."""
        return PACK[self.size](code, int(value))

    def unpack(self, payload: bytes) -> Any:
        """Read it; anything but zero is on."""
        return bool(number(payload))

    def word(self, value: Any) -> str:
        """Return iproute2's words for off and on."""
        return self.words[bool(value)]

    def shown(self, value: Any) -> str:
        """Return words for people."""
        return "on" if value else "off"


class Choice(Form):
    """One of a few words, each with its number."""

    def __init__(self, size: int, numbers: Mapping[str, int], *, big: bool = False) -> None:
        self.size, self.numbers, self.big = size, numbers, big
        self.stanza = {"enum": list(numbers)}

    def pack(self, code: int, value: Any) -> bytes:
        """Return the attribute; a number that has no word stands for itself."""
        found = self.numbers.get(value)
        found = int(value) if found is None else found
        return attribute(code, found.to_bytes(self.size, "big")) if self.big else PACK[self.size](code, found)

    def unpack(self, payload: bytes) -> Any:
        """Read the word; the number as text where there is none."""
        found = int.from_bytes(payload, "big") if self.big else number(payload)
        return next((word for word, value in self.numbers.items() if value == found), str(found))


class Host(Form):
    """An address; of both families only where the option has a code for each."""

    stanza: Mapping[str, Any] = {"$ref": "#/$defs/address"}

    def __init__(self, *families: int) -> None:
        self.families = families

    def read(self, word: Any, path: Path, scene: Scene) -> Any:
        """Return the address in canonical form."""
        try:
            host = canonical(word)
        except ValueError as error:
            scene.problem(path, str(error))
            return None
        if family_of(host) not in self.families:
            scene.problem(path, f"{word} is an IPv{family_of(host)} address", f"give an IPv{self.families[0]} address")
            return None
        return host

    def pack(self, code: int, value: Any) -> bytes:
        """Return the attribute."""
        return attribute(code, packed(value))

    def unpack(self, payload: bytes) -> Any:
        """Read the address; all zeros mean none."""
        return address(payload) if any(payload) else ""


class Text(Form):
    """A word that stands for itself."""

    stanza: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": 255}


class Dev(Form):
    """Another interface, by name; the transport puts its index in."""

    stanza: Mapping[str, Any] = {"$ref": "#/$defs/device"}

    def read(self, word: Any, path: Path, scene: Scene) -> Any:
        """Return the kernel's name of the interface."""
        return scene.device(path, word)

    def pack(self, code: int, value: Any) -> bytes:  # noqa: ARG002
        """Return the attribute with room for the index."""
        return u32(code, 0)

    def unpack(self, payload: bytes) -> Any:
        """Read the index."""
        return number(payload)


class Option(NamedTuple):
    """One option."""

    word: str
    """As iproute2 calls it; the file has dashes for its underscores."""
    code: int
    """The attribute in IFLA_INFO_DATA."""
    form: Form
    description: str
    example: Any
    code6: int = 0
    """The attribute for an IPv6 address, where that is another."""
    fixed: bool = False
    """Only set at creation: the kernel cannot change it."""
    needed: bool = False
    before: bool = False
    """On a command line it stands before ``type``."""
    key: str = ""
    """The key in the file, where it is not the word."""

    @property
    def name(self) -> str:
        """The key in the file."""
        return self.key or self.word.replace("_", "-")

    def pack(self, value: Any) -> bytes:
        """Return the attribute."""
        return self.form.pack(self.code6 if self.code6 and ":" in str(value) else self.code, value)

    def unpack(self, found: Attributes) -> Any:
        """Read the value; None where the kernel shows none."""
        payload = found.get(self.code)
        if self.code6 and (payload is None or not any(payload)):
            payload = found.get(self.code6, payload)
        return None if payload is None else self.form.unpack(payload)
