"""The two system calls about namespaces that Python has only since 3.12; on 3.11 through the C library.

ctypes costs 5 ms, so it is imported by whoever enters a namespace, and by nobody else.
"""

from __future__ import annotations

import os
import sys

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

if sys.version_info >= (3, 12):

    def setns(descriptor: int, kind: int) -> None:
        """Move the calling thread into the namespace behind ``descriptor``. Raises OSError."""
        os.setns(descriptor, kind)

    def unshare(flags: int) -> None:
        """Give the calling thread new namespaces of its own. Raises OSError."""
        os.unshare(flags)

else:

    def setns(descriptor: int, kind: int) -> None:
        """Move the calling thread into the namespace behind ``descriptor``. Raises OSError."""
        _call("setns", descriptor, kind)

    def unshare(flags: int) -> None:
        """Give the calling thread new namespaces of its own. Raises OSError."""
        _call("unshare", flags)


def _call(name: str, *arguments: int) -> None:
    """Call a function of the C library that returns -1 and sets errno on failure."""
    import ctypes

    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    if function(*map(ctypes.c_int, arguments)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
