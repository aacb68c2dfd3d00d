"""One instance of an owner a namespace: an abstract unix socket, which the kernel takes away with its holder.

Abstract names belong to the network namespace, so the same owner may work in several at once.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from typing import TYPE_CHECKING

from reconciler.errors import UnavailableError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from reconciler.kernel.namespace import Namespace

PAUSE = 0.05  # seconds between two attempts
BACKLOG = 4096  # those who asked who holds it stay in the queue, unanswered


class Lock:
    """A lock that is held until it is closed, or its process ends."""

    def __init__(self, held: socket.socket) -> None:
        self._socket = held

    def close(self) -> None:
        """Let go of the lock."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def acquire(namespace: Namespace, owner: str, wait: float = 0.0) -> Lock:
    """Take the lock of ``owner`` in ``namespace``, waiting for it up to ``wait`` seconds.

    Raises UnavailableError that names who holds it.
    """
    name = f"\0reconciler/{owner}".encode()
    deadline = time.monotonic() + wait
    while True:
        held = namespace.run(lambda: _bind(name))
        if held is not None:
            return Lock(held)
        if time.monotonic() >= deadline:
            break
        time.sleep(PAUSE)
    holder = namespace.run(lambda: _holder(name))
    waited = f" (waited {wait:g} s)" if wait else ""
    raise UnavailableError(
        f"{holder} already works as owner {owner} in {namespace.describe()}{waited}:"
        " end it first, or give this file another owner (settings: owner: name)"
    )


def _bind(name: bytes) -> socket.socket | None:
    """The lock; None where somebody has it."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(name)
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            return None
        why = error.strerror or error  # Python's own refusal of a long name has no strerror
        raise UnavailableError(f"the lock {name[1:].decode()} cannot be taken: {why}") from error
    return made


def _holder(name: bytes) -> str:
    """Who holds the lock, for people: "watch (pid 123)"."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)
        try:
            asking.connect(name)
            raw = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        except OSError:  # it is just ending, or too many have asked
            return "another process"
    pid, user, _ = struct.unpack("=iII", raw)
    if pid == 0:  # it lives in a pid namespace that we do not see
        return f"a process of user {user} in another container"
    command = _command(pid)
    of_user = "" if user == os.geteuid() else f", user {user}"
    return f"{command} (pid {pid}{of_user})"


def _command(pid: int) -> str:
    """What a process is called: the command after "reconciler" in its command line, else its program."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = [word.decode("utf-8", "replace") for word in file.read().split(b"\0") if word]
    except OSError:
        words = []
    if not words:
        return "another process"
    for place, word in enumerate(words):
        if word.endswith(("/reconciler", "/reconciler/__main__.py")) or word == "reconciler":
            after = [option for option in words[place + 1 :] if not option.startswith("-")]
            return after[0] if after else "reconciler"
    return os.path.basename(words[0])
