"""Running a tool (iptables-restore, ip, tc…) in a namespace, without a shell.

Input and output are files in memory, so that no pipe can fill up on either side; the child inherits the
namespace of the thread that spawns it. ``posix_spawn`` is used directly, because importing subprocess costs
10 ms and it does nothing more here.
"""

from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING, NamedTuple

from reconciler.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.kernel.namespace import Namespace

TIMEOUT = 60.0  # seconds
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")
KEPT = ("XTABLES_LOCKFILE", "XTABLES_LIBDIR", "LD_LIBRARY_PATH")
PACKAGES = (  # (start of a program's name, the package that has it)
    ("iptables", "iptables"),
    ("ip6tables", "iptables"),
    ("xtables", "iptables"),
    ("ipset", "ipset"),
    ("ip", "iproute2"),
    ("tc", "iproute2"),
    ("nft", "nftables"),
    ("wg", "wireguard-tools"),
)


class Completed(NamedTuple):
    """How a program ended and what it said."""

    status: int
    """Its exit status; negative: the number of the signal that ended it."""
    stdout: str
    stderr: str
    """Bytes that are not UTF-8 are kept as surrogates."""


def run(
    namespace: Namespace,
    argv: Sequence[str],
    input: str = "",  # noqa: A002
    timeout: float = TIMEOUT,
) -> Completed:
    """Run a program in ``namespace``, give it ``input``, wait for its end; ``timeout`` is in seconds.

    Its language is C, its PATH ours and the system's folders. A status other than 0 is the caller's business.
    Raises UnavailableError where the program is not installed or does not end; then it has been killed.
    """
    program = find(argv[0])
    if program is None:
        raise UnavailableError(f"{argv[0]} is not installed: it is part of the package {_package(argv[0])}")
    files: list[int] = []
    try:
        files.extend(map(os.memfd_create, ("stdin", "stdout", "stderr")))
        _fill(files[0], input.encode("utf-8", "surrogateescape"))
        child = namespace.run(lambda: _spawn(program, argv, files))
        status = _wait(child, argv[0], timeout)
        return Completed(status, _text(files[1]), _text(files[2]))
    finally:
        for descriptor in files:
            os.close(descriptor)


def find(program: str) -> str | None:
    """The path of a program on PATH or in the system's folders; None where it is not installed."""
    folders = [""] if "/" in program else _folders()
    paths = (os.path.join(folder, program) for folder in folders)
    return next((path for path in paths if os.access(path, os.X_OK) and os.path.isfile(path)), None)


def _folders() -> list[str]:
    """PATH, and after it the system's folders that it lacks: an ordinary user's PATH has no sbin."""
    given = [folder for folder in os.environ.get("PATH", "").split(":") if folder]
    return given + [folder for folder in SYSTEM_FOLDERS if folder not in given]


def _package(program: str) -> str:
    name = os.path.basename(program)
    return next((package for start, package in PACKAGES if name.startswith(start)), name)


def _fill(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.lseek(descriptor, 0, os.SEEK_SET)


def _text(descriptor: int) -> str:
    parts = []
    offset = 0
    while part := os.pread(descriptor, 1 << 24, offset):
        parts.append(part)
        offset += len(part)
    return b"".join(parts).decode("utf-8", "surrogateescape")


def _spawn(program: str, argv: Sequence[str], files: list[int]) -> int:
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {"LC_ALL": "C", "PATH": ":".join(_folders())}
    try:
        return os.posix_spawn(
            program,
            list(argv),
            environment,
            # Descriptors ascend, so in this order none is overwritten before its turn, even if 0 was free.
            file_actions=[(os.POSIX_SPAWN_DUP2, descriptor, place) for place, descriptor in enumerate(files)],
            setpgroup=0,  # so that it can be killed with all that it started
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # those that Python itself ignores
        )
    except OSError as error:
        raise UnavailableError(f"{program} cannot be run: {error.strerror}") from error


def _wait(child: int, name: str, timeout: float) -> int:
    """The exit status of the child; it is killed with all that it started where it takes too long."""
    ended = False
    try:
        watched = os.pidfd_open(child)
        try:
            poll = select.poll()
            poll.register(watched, select.POLLIN)
            ended = bool(poll.poll(timeout * 1000))
        finally:
            os.close(watched)
    finally:
        if not ended:
            os.killpg(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not ended:
        raise UnavailableError(
            f"{name} did not end within {timeout:g} s and was killed: does another program hold its lock?"
        )
    return status
