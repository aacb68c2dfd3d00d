"""Whose objects are whose: one value from which all marks of ownership follow."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_PROTOCOL = 0x5E
QDISC_MAJORS = 0x5E00
"""The first of the 256 major numbers of root qdiscs for which a file names no handle; one a protocol number."""


class Owner(NamedTuple):
    """One instance of this program in a namespace; two owners never touch each other's objects."""

    name: str = "default"
    """Letters, digits and ``_``, at most 12: a chain's name has room for 28 characters."""
    protocol: int = DEFAULT_PROTOCOL
    """The protocol number on routes, rules and addresses."""

    @property
    def chain_prefix(self) -> str:
        """What the names of our chains begin with; no owner's prefix is the beginning of another's."""
        return f"rc.{self.name}."

    @property
    def qdisc_major(self) -> int:
        """The major number of a root qdisc for which the file names no handle: 5ec0 for the default owner."""
        return QDISC_MAJORS | (self.protocol - DEFAULT_PROTOCOL + 0xC0) & 0xFF

    @property
    def comment_prefix(self) -> str:
        """What the comments on our iptables rules begin with."""
        return f"rc:{self.name}:"

    def altname(self, link: str) -> str:
        """Return the alternative name that marks a link as created by us."""
        return f"reconciler:{self.name}:{link}"
