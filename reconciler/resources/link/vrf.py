"""A VRF: interfaces that have it as their master use its routing table (drivers/net/vrf.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources import tables
from reconciler.resources.link.option import Number, Option
from reconciler.resources.link.type import LinkType

if TYPE_CHECKING:
    from reconciler.resources.scene import Path, Scene


class _Table(Number):
    """A routing table, by name or number."""

    def __init__(self) -> None:
        super().__init__(4, 1, tables.LARGEST)
        self.stanza = {"$ref": "#/$defs/table"}

    def read(self, word: Any, path: Path, scene: Scene) -> Any:
        """Return the table's number."""
        return tables.resolve(scene, path, word)


class Vrf(LinkType):
    """``ip link add NAME type vrf table TABLE``. With the first one the kernel adds its rules of priority 1000."""

    name = "vrf"
    ports = True
    mtu = 65575
    table = (
        Option("table", 1, _Table(), "The routing table of a VRF, by name or number.", "wan2", fixed=True, needed=True),
    )
