"""The questions that every type of link answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.resources.base import Sight
    from reconciler.resources.scene import Path, Scene
    from reconciler.resources.wire import Attributes

Options = tuple[tuple[str, Any], ...]
"""A type's own attributes, by their names in iproute2, in alphabetical order."""


class LinkType:
    """One type of link; the defaults fit a type without options."""

    schema: Mapping[str, Any] = {}
    """Properties that an interface of this type has in the file."""

    def options(self, entry: Mapping[str, Any], path: Path, scene: Scene) -> Options:  # noqa: ARG002
        """Read the type's options from the file."""
        return ()

    def pack(self, options: Options) -> bytes:  # noqa: ARG002
        """Return the attributes that go into IFLA_INFO_DATA."""
        return b""

    def unpack(self, data: bytes, attributes: Attributes, sight: Sight) -> Options:  # noqa: ARG002
        """Read the options from IFLA_INFO_DATA and the link's other attributes."""
        return ()

    def words(self, options: Options) -> list[str]:  # noqa: ARG002
        """Return the options as words of ``ip link add``."""
        return []

    def also(self, options: Options) -> Iterable[str]:  # noqa: ARG002
        """Name the other interfaces that come and go with this one."""
        return ()

    def mirrored(self, name: str) -> Options:  # noqa: ARG002
        """Return the options of the other end of a link of this name."""
        return ()
