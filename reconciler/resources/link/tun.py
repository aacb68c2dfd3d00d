"""Interfaces whose packets a program reads and writes: tun carries IP, tap carries Ethernet (drivers/net/tun.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.link.option import Choice, Number, Option, Switch
from reconciler.resources.link.type import LinkType
from reconciler.resources.message import Tap

if TYPE_CHECKING:
    from reconciler.core.world import World
    from reconciler.resources.link.type import Options

MODES = {"tun": 1, "tap": 2}
IFF_NO_PI, IFF_VNET_HDR, IFF_MULTI_QUEUE = 0x1000, 0x4000, 0x0100
NOBODY = 0xFFFFFFFE


class Tun(LinkType):
    """``ip tuntap add dev NAME mode MODE``. It persists, and a program attaches to it."""

    name = "tun"
    table = (
        Option(
            "mode", 3, Choice(1, MODES), "tun for IP packets, tap for Ethernet frames.", "tap", needed=True, fixed=True
        ),
        Option(
            "user",
            1,
            Number(4, 0, NOBODY),
            "The number of the user who may attach to it.",
            1000,
            key="owner",
            fixed=True,
        ),
        Option(
            "group",
            2,
            Number(4, 0, NOBODY),
            "The number of the group that may attach to it.",
            1000,
            key="owner-group",
            fixed=True,
        ),
        Option("pi", 4, Switch(), "Each packet begins with four bytes of information.", False, fixed=True),
        Option("vnet_hdr", 5, Switch(), "Each packet begins with a header for offloading.", True, fixed=True),
        Option("multi_queue", 7, Switch(), "Several programs, or threads, may attach at once.", True, fixed=True),
    )

    def makes(self, name: str, options: Options) -> Tap | None:
        """No netlink message makes one: a program that opens it does, and lets it persist."""
        said: dict[str, Any] = dict(options)
        flags = MODES[said["mode"]] | (0 if said.get("pi") else IFF_NO_PI)
        flags |= IFF_VNET_HDR if said.get("vnet_hdr") else 0
        flags |= IFF_MULTI_QUEUE if said.get("multi_queue") else 0
        return Tap(name, flags, said.get("user"), said.get("group"))

    def line(self, name: str, options: Options) -> list[str]:
        """Return the command that makes one."""
        said: dict[str, Any] = dict(options)
        words = ["ip", "tuntap", "add", "dev", name, "mode", said["mode"]]
        words += [word for key in ("user", "group") if key in said for word in (key, str(said[key]))]
        return words + [word for word in ("pi", "vnet_hdr", "multi_queue") if said.get(word)]

    def first_mtu(self, options: Options, world: World) -> int | None:  # noqa: ARG002
        """It is Ethernet's."""
        return self.mtu
