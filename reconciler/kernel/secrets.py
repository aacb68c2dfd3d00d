"""Keys that must not be shown: read from their files and from the kernel, kept in this process's memory only.

Who plans knows a key by something that may be shown; who sends asks here for the key itself.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from reconciler.resources.wireguard.keys import SIZE, Secret, fingerprint, parse, public

if TYPE_CHECKING:
    from reconciler.resources.message import Message

LIMIT = 4096


class UnknownSecretError(Exception):
    """A key is to be sent that this process has never seen."""


class Secrets:
    """The keys that this process knows."""

    def __init__(self) -> None:
        self._known: dict[str, Secret] = {}
        self.open: dict[str, str] = {}
        """Paths of files that everybody may read, with their modes."""

    def read(self, path: str) -> Secret:
        """Return the key in a file. OSError where it cannot be read, ValueError where it holds no key."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                msg = "it is no file"
                raise ValueError(msg)
            content = file.read(LIMIT)
        self.open.pop(path, None)
        if mode & stat.S_IROTH:
            self.open[path] = f"{stat.S_IMODE(mode):04o}"
        key = parse(content)
        self._known[public(key)] = self._known[fingerprint(key)] = key
        return key

    def know(self, private: Secret, public_key: str) -> None:
        """Remember a private key that the kernel has."""
        self._known[public_key] = private

    def share(self, preshared: Secret) -> None:
        """Remember a preshared key that the kernel has."""
        self._known[fingerprint(preshared)] = preshared

    def put_in(self, message: Message) -> Message:
        """Return the message with its secrets. UnknownSecretError where one is not known."""
        body = bytearray(message.body)
        for offset, known_by in message.secrets:
            if known_by not in self._known:
                msg = "the key that belongs here is not known any more: only the kernel had it, and it was never kept"
                raise UnknownSecretError(msg)
            body[offset : offset + SIZE] = self._known[known_by]
        return message._replace(body=bytes(body), secrets=())
