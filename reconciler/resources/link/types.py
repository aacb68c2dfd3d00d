"""What differs from one type of link to another. A new type is one file and one line in ``TYPES``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.resources.link.bridge import Bridge
from reconciler.resources.link.veth import Veth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.resources.link.type import LinkType

TYPES: Mapping[str, LinkType] = {
    "bridge": Bridge(),
    "veth": Veth(),
}
