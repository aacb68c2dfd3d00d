"""A host with two uplinks and a far side: the network of the reference case.

    host                                             far
      eth0  192.168.1.2/24  fd00:1::2/64  ---------  uplink1  192.168.1.1/24  fd00:1::1/64
      eth1  192.168.2.2/24  fd00:2::2/64  ---------  uplink2  192.168.2.1/24  fd00:2::1/64
      default via 192.168.1.1, fd00:1::1             lo       198.51.100.1, 2001:db8:51::1  (the server)

The server answers by the uplink that was used, so each is a way to it. ``eth1`` may be at any stage of a boot.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, NamedTuple

from tests.netns.traffic import Arrival, Echo, Sender, rates, send

if TYPE_CHECKING:
    from tests.netns.lab import Lab

SERVER = "198.51.100.1"
SERVER6 = "2001:db8:51::1"


class Uplink(NamedTuple):
    """One way out: the host's device, the far one, and the addresses of both."""

    device: str
    peer: str
    address: str
    address6: str
    gateway: str
    gateway6: str


UPLINKS = {
    "eth0": Uplink("eth0", "uplink1", "192.168.1.2", "fd00:1::2", "192.168.1.1", "fd00:1::1"),
    "eth1": Uplink("eth1", "uplink2", "192.168.2.2", "fd00:2::2", "192.168.2.1", "fd00:2::1"),
}

STAGES = ("absent", "down", "up", "ready")
"""What a device goes through while a host boots: not there, there, up without addresses, with its addresses."""


class TwoUplinks:
    """The network above; ``stage1`` is where ``eth1`` stands, and ``bring`` takes a device further."""

    def __init__(self, lab: Lab, *, stage0: str = "ready", stage1: str = "ready", default: bool = True) -> None:
        self.lab = lab
        self.host = lab.namespace("host")
        self.far = lab.namespace("far")
        self.ipv6 = _has_ipv6()
        for namespace in (self.host, self.far):
            with contextlib.suppress(OSError):  # /proc/sys may be read-only: then it is as the machine has it
                for which in ("all", "default"):
                    namespace.sysctl(f"net.ipv4.conf.{which}.rp_filter", 0)
        self._stages = dict.fromkeys(UPLINKS, "absent")
        self._echoes: list[Echo] = []
        self.far.batch("ip", self._families(f"address add {SERVER} dev lo", f"address add {SERVER6} dev lo"))
        self.bring("eth0", stage0)
        self.bring("eth1", stage1)
        if default and stage0 == "ready":
            route = "route add default via {} dev eth0".format
            first = UPLINKS["eth0"]
            self.host.batch("ip", self._families(route(first.gateway), route(first.gateway6)))

    def bring(self, device: str, stage: str) -> None:
        """Take a device of the host to a later stage, through those between."""
        uplink = UPLINKS[device]
        passed = STAGES[STAGES.index(self._stages[device]) + 1 : STAGES.index(stage) + 1]
        if "down" in passed:
            self._plug(uplink)
        lines = []
        if "up" in passed:
            lines.append(f"link set {device} up")
        if "ready" in passed:
            address = f"address add {{}} dev {device}".format
            lines += self._families(address(f"{uplink.address}/24"), address(f"{uplink.address6}/64"))
        if lines:
            self.host.batch("ip", lines)
        self._stages[device] = stage

    def _plug(self, uplink: Uplink) -> None:
        self.lab.wire(self.host, uplink.device, self.far, uplink.peer, up=False)
        address = f"address add {{}} dev {uplink.peer}".format
        route = f"route append {{}} dev {uplink.peer}".format
        lines = [f"link set {uplink.peer} up"]
        lines += self._families(address(f"{uplink.gateway}/24"), address(f"{uplink.gateway6}/64"))
        # Whatever came in by this uplink finds its way back by it.
        lines += self._families(route("0.0.0.0/0"), route("::/0"))
        self.far.batch("ip", lines)
        echo = Echo(self.far, uplink.peer)
        self.lab.closing(echo.close)
        self._echoes.append(echo)

    def _families(self, line4: str, line6: str) -> list[str]:
        return [line4, line6] if self.ipv6 else [line4]

    @property
    def arrivals(self) -> list[Arrival]:
        """All that arrived at the server so far, answered or not; by uplink, then in order."""
        return [arrival for echo in self._echoes for arrival in echo.arrivals]

    def send(
        self,
        to: str = SERVER,
        *,
        mark: int | None = None,
        bind: str | None = None,
        device: str | None = None,
        protocol: str = "udp",
        timeout: float = 2,
    ) -> Arrival:
        """Send from the host; return the uplink (``uplink1``, ``uplink2``) and the source with which it arrived.

        Raises as ``traffic.send`` does.
        """
        return send(self.host, Sender(to, mark, bind, device), protocol=protocol, timeout=timeout)

    def rate(
        self,
        to: str = SERVER,
        *,
        mark: int | None = None,
        bind: str | None = None,
        device: str | None = None,
        seconds: float = 1.5,
    ) -> float:
        """Return the bit/s that the host gets through to the server, measured for so many seconds."""
        return self.rates(Sender(to, mark, bind, device), seconds=seconds)[0]

    def rates(self, *senders: Sender, seconds: float = 1.5) -> list[float]:
        """Return the bit/s of several senders that compete."""
        return rates(self.host, self.far, senders, seconds=seconds)


def _has_ipv6() -> bool:
    """Tell whether the kernel runs with IPv6 (it may be booted with ipv6.disable=1)."""
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
    except OSError:
        return False
    return True
