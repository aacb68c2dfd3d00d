"""An Ethernet bridge; its ports name it as their ``master``."""

from __future__ import annotations

from reconciler.resources.link.type import LinkType


class Bridge(LinkType):
    """``ip link add NAME type bridge``."""
