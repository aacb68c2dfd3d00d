"""Types of links that have no options."""

from __future__ import annotations

from reconciler.resources.link.type import LinkType


class Dummy(LinkType):
    """An interface that drops all it is given: a place for addresses."""

    name = "dummy"


class Ifb(LinkType):
    """An intermediate functional block: incoming traffic is sent through it to be shaped."""

    name = "ifb"
    has_mac = False


class Wireguard(LinkType):
    """A WireGuard tunnel; its keys and peers are a kind of their own."""

    name = "wireguard"
    has_mac = False
    mtu = 1420
