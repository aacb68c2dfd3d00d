"""Where the demo plays: the network, the file, and the real program run on them."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING

from tests.netns.two_uplinks import UPLINKS
from tools.demo.needs import VARIANTS, MissingError
from tools.demo.screen import Screen, UnprovenError

if TYPE_CHECKING:
    import subprocess

    from tests.netns.lab import Counted, Namespace
    from tests.netns.two_uplinks import TwoUplinks

DIFFERENT, LACKING = 2, 4
MARKED = re.compile(r"-m mark --mark 0x10/0xff .*-j (ACCEPT|LOG)\b")
SETTLING = 5.0
"""Seconds that a device may take to come up."""
PATIENCE = 60
"""Seconds that a command of the program may take."""


class Stage:
    """One host, one file, and what is done with them."""

    PICTURE = """
host                                               far side
  eth0  192.168.1.2/24, up     ------ uplink 1 ------  192.168.1.1
  eth1  up, without addresses  ------ uplink 2 ------  192.168.2.1
  default via 192.168.1.1                              198.51.100.1  the server, reached by both
"""

    def __init__(self, network: TwoUplinks, config: str, screen: Screen) -> None:
        self.network = network
        self.config = config
        self.screen = screen
        self._variant = ""

    @property
    def host(self) -> Namespace:
        """The namespace with the two uplinks."""
        return self.network.host

    @property
    def variant(self) -> str:
        """The variant of iptables that holds the example's rules; nft as long as none does."""
        if not self._variant:
            self._variant = next((v for v in VARIANTS if self._read(v)), "")
        return self._variant or VARIANTS[0]

    def rules(self) -> list[Counted]:
        """Return the rules on the mark in the table filter, IPv4, in the order of ``iptables-save``."""
        return self._read(self.variant)

    def settle(self) -> None:
        """Wait until the kernel has the devices up, with link-local addresses: up to a second later."""
        end = time.monotonic() + SETTLING
        while not all(self._settled(device) for device in UPLINKS):
            if time.monotonic() > end:
                msg = f"the devices of the host have not come up within {SETTLING} s"
                raise TimeoutError(msg)
            time.sleep(0.02)

    def _settled(self, device: str) -> bool:
        (link,) = self.host.json("ip", "-json", "address", "show", "dev", device)
        usable = [address["scope"] for address in link["addr_info"] if not address.get("tentative")]
        return link["operstate"] == "UP" and ("link" in usable or not self.network.ipv6)

    def reconciler(self, *arguments: str) -> list[str]:
        """Return the command that runs the program of this checkout."""
        return [sys.executable, "-m", "reconciler", *arguments]

    def diff(self, *, empty: bool) -> str:
        """Show the diff; return its summary. ``UnprovenError`` where it is not (not) empty."""
        done, took = self._run("diff", self.config, "--exit-code")
        if done.returncode != (0 if empty else DIFFERENT):
            raise UnprovenError(_failure(done))
        return f"{_last(done.stdout).partition(';')[0]} ({took:.1f} s)"

    def apply(self) -> str:
        """Apply the file; return what the program says of it."""
        done, took = self._run("apply", self.config, quiet=True)
        if done.returncode:
            raise UnprovenError(_failure(done))
        return f"{_last(done.stdout).partition(':')[0]} ({took:.1f} s)"

    def teardown(self) -> str:
        """Take everything away; return what the program says of it."""
        done, took = self._run("teardown", self.config, quiet=True)
        if done.returncode:
            raise UnprovenError(_failure(done))
        return f"{_last(done.stdout)} ({took:.1f} s)"

    def _run(self, *arguments: str, quiet: bool = False) -> tuple[subprocess.CompletedProcess[str], float]:
        """Run the program in the host; show what it prints, or only its end if the rest was seen before."""
        self.screen.command(" ".join(["reconciler", *arguments]))
        began = time.monotonic()
        done = self.host.run(*self.reconciler(*arguments), check=False, timeout=PATIENCE)
        took = time.monotonic() - began
        if done.returncode == LACKING:
            raise MissingError(done.stderr or done.stdout)
        self.screen.text(_last(done.stdout) if quiet else done.stdout)
        self.screen.text(done.stderr, colour="dim")
        return done, took

    def _read(self, variant: str) -> list[Counted]:
        try:
            counted = self.host.counters(variant)
        except FileNotFoundError:  # only the other variant is installed
            return []
        return [rule for rule in counted if MARKED.search(rule.rule)]


def _last(text: str) -> str:
    """Return the last line of a text that is not empty."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def _failure(done: subprocess.CompletedProcess[str]) -> str:
    return f"exit status {done.returncode}: {_last(done.stderr) or _last(done.stdout)}"
