"""A router: one advertisement, sent by the far end of a wire, from which the kernel makes a default route by itself."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from tests.netns.program import until

if TYPE_CHECKING:
    from tests.netns.lab import Namespace

ROUTER_ADVERTISEMENT = 134  # RFC 4861, 4.2
LIFETIME = 1800


def advertise(far: Namespace, device: str, near: str, at: Namespace | None = None) -> None:
    """Send an advertisement from ``device``, and wait for the default route on ``near`` at the other end."""
    host = at or far

    def ready() -> bool:
        shown = far.output("ip", "-6", "address", "show", "dev", device, "scope", "link")
        return "fe80:" in shown and "tentative" not in shown

    def send() -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sender:
            index = socket.if_nametoindex(device)
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            packet = struct.pack("!BBHBBHII", ROUTER_ADVERTISEMENT, 0, 0, 64, 0, LIFETIME, 0, 0)
            sender.sendto(packet, ("ff02::1", 0, 0, index))

    def arrived() -> bool:
        far.call(send)
        return "default" in host.output("ip", "-6", "route", "show", "dev", near, "proto", "ra")

    until(ready, lambda: f"no address on {device}")
    until(arrived, lambda: f"no default route on {near}: {host.output('ip', '-6', 'route')}")
