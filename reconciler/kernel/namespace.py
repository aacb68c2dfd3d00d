"""Which network namespace we work in: finding it, calling a function in it, telling it from others.

A namespace belongs to a thread: sockets keep the one they were made in, children inherit it, /proc/sys/net
and /proc/thread-self/net follow it. /sys does not (it shows the namespace that it was mounted in), nor does
/proc/net (it is /proc/self/net: the first thread's).
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from typing import TYPE_CHECKING, TypeVar

from reconciler.errors import UnavailableError
from reconciler.kernel.syscall import CLONE_NEWNET, setns

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

T = TypeVar("T")

SO_NETNS_COOKIE = 71  # <asm-generic/socket.h>, since Linux 5.14
NS_GET_NSTYPE = 0xB703  # <linux/nsfs.h>: which kind of namespace a descriptor refers to
NAMED = ("/run/netns", "/var/run/netns")  # where `ip netns` keeps names


class Namespace:
    """One network namespace; ``Namespace()`` is the one that the process runs in.

    The namespace is held by a descriptor, so that it stays the same one when its name is deleted or given to
    another. Close it, or use it as a context manager, when many come and go.
    """

    def __init__(self, descriptor: int | None = None, description: str = "this host") -> None:
        self._descriptor = descriptor
        self._description = description

    @classmethod
    def parse(cls, text: str | None) -> Namespace:
        """The namespace that ``text`` means: None, a name of `ip netns`, a path, or a process number.

        A name wins over a process number, as in iproute2. Raises UnavailableError where there is none.
        """
        if not text:
            return cls()
        if "/" in text:
            hint = "such a path is /run/netns/NAME or /proc/PID/ns/net"
            return cls(_open(text, text, hint), f"namespace {text}")
        for folder in NAMED:
            path = os.path.join(folder, text)
            if text not in (".", "..") and os.path.exists(path):
                hint = f"`ip netns delete {text}` and `ip netns add {text}` make it anew"
                return cls(_open(path, text, hint), f"namespace {text}")
        if text.isascii() and text.isdigit():
            path, hint = f"/proc/{text}/ns/net", "the process must run, and belong to this user"
            return cls(_open(path, f"of process {text}", hint), f"the namespace of process {text}")
        names = _names()
        there_are = f"there are: {', '.join(names)}" if names else "there are none with a name"
        raise UnavailableError(f"network namespace {text} does not exist; {there_are} (`ip netns add {text}` makes it)")

    def run(self, function: Callable[[], T]) -> T:
        """Call ``function`` in this namespace and return what it returns; its exceptions pass through.

        For the process's own namespace that is a plain call; for another one it happens in a thread of its
        own, which ends with it.
        """
        descriptor = self._descriptor
        if descriptor is None:
            return function()
        from threading import Thread

        results: list[T] = []
        failures: list[BaseException] = []

        def work() -> None:
            try:
                self._enter(descriptor)
                results.append(function())
            except BaseException as error:  # noqa: BLE001  it is raised again in the caller's thread
                failures.append(error)

        thread = Thread(target=work, name="namespace")
        thread.start()
        thread.join()
        if failures:
            raise failures[0]
        return results[0]

    def cookie(self) -> int:
        """The number that tells this namespace from all others until the next boot (SO_NETNS_COOKIE).

        Numbers are never given twice. Raises UnavailableError on a kernel older than 5.14.
        """
        return self.run(_cookie)

    def describe(self) -> str:
        """What to call it in a message: "this host", "namespace blue"."""
        return self._description

    def fileno(self) -> int:
        """The descriptor by which another namespace is held; ValueError for the process's own."""
        if self._descriptor is None:
            raise ValueError("the process's own namespace is held by no descriptor")
        return self._descriptor

    def close(self) -> None:
        """Let go of the namespace; it is not usable afterwards."""
        if self._descriptor is not None and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Namespace: {self._description}>"

    def _enter(self, descriptor: int) -> None:
        try:
            setns(descriptor, CLONE_NEWNET)
        except OSError as error:
            need = " (it takes CAP_SYS_ADMIN, in both namespaces)" if error.errno == errno.EPERM else ""
            raise UnavailableError(f"cannot enter {self._description}: {error.strerror}{need}") from error


def _open(path: str, name: str, hint: str) -> int:
    """A descriptor of the namespace at ``path``, after a look that it is one."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        why = f"{error.strerror} ({hint})"
        raise UnavailableError(f"network namespace {name} cannot be opened: {why}") from error
    try:
        kind = fcntl.ioctl(descriptor, NS_GET_NSTYPE)
    except OSError:
        kind = 0
    if kind != CLONE_NEWNET:
        os.close(descriptor)
        raise UnavailableError(f"{path} is not a network namespace ({hint})")
    return descriptor


def _names() -> list[str]:
    """The namespaces that have a name."""
    names: set[str] = set()
    for folder in NAMED:
        try:
            names.update(os.listdir(folder))
        except OSError:
            continue
    return sorted(names)


def _cookie() -> int:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            raw = probe.getsockopt(socket.SOL_SOCKET, SO_NETNS_COOKIE, 8)
        except OSError as error:
            raise UnavailableError(
                f"the kernel gives namespaces no cookie: {error.strerror} (Linux 5.18 or newer is needed)"
            ) from error
    return int.from_bytes(raw, sys.byteorder)
