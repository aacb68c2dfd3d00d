"""The kernel's settings below /proc/sys/net: reading, writing, and whether they can be written.

/proc/sys/net shows the namespace of the calling thread (proc_sys_lookup, net_ctl_root), so all of it happens in
``Namespace.run``. In a container /proc/sys is often mounted read-only, even for root.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.kernel.namespace import Namespace

Path = tuple[str, ...]
ROOT = "/proc/sys/net"
READ_ONLY = "it is mounted read-only here"
FORBIDDEN = "this user may not write it (it takes CAP_NET_ADMIN in the namespace's own user namespace)"


class Settings:
    """The settings of one namespace. ``writes`` counts what was written."""

    def __init__(self, namespace: Namespace, root: str = ROOT) -> None:
        self.namespace = namespace
        self.root = root
        self.writes = 0

    def read(self, paths: Iterable[Path]) -> dict[Path, str | None]:
        """Return what files hold; None for one that does not exist. UnavailableError if one cannot be read."""
        asked = tuple(dict.fromkeys(paths))
        return self.namespace.run(lambda: {path: _read(self.file(path)) for path in asked}) if asked else {}

    def write(self, path: Path, text: str) -> None:
        """Write a file; OSError in the kernel's words."""
        self.writes += 1
        self.namespace.run(lambda: _write(self.file(path), text))

    def sealed(self, paths: Iterable[Path]) -> dict[Path, str]:
        """Return why files cannot be written, for those that cannot; one that is not there yet is none of them."""
        asked = tuple(dict.fromkeys(paths))
        found = self.namespace.run(lambda: {path: _sealed(self.file(path)) for path in asked}) if asked else {}
        return {path: why for path, why in found.items() if why}

    def file(self, path: Path) -> str:
        """Return the path of a file from its parts; the name of an interface is one part, dots and all."""
        return "/".join((self.root, *path))


def _read(file: str) -> str | None:
    try:
        with open(file, encoding="ascii") as opened:
            return opened.read().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnavailableError(f"{file} cannot be read: {error.strerror}") from error


def _write(file: str, text: str) -> None:
    # Without O_CREAT: what is not there shall be said to be missing.
    descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode("ascii"))
    finally:
        os.close(descriptor)


def _sealed(file: str) -> str:
    if not os.path.exists(file) or os.access(file, os.W_OK, effective_ids=True):
        return ""
    return READ_ONLY if os.statvfs(file).f_flag & os.ST_RDONLY else FORBIDDEN
