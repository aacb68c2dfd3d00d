"""A laboratory of throw-away network namespaces: what every test on the real kernel stands on.

``Lab`` makes namespaces, wires them together, and takes all away again. A namespace is held by nothing but an
open file of this process: it is gone when the lab is closed, and also when the test run dies in whatever way.
It is addressed as ``/proc/PID/fd/N``, so neither ``/run/netns`` nor any other place of the machine is written.
Works as root and, by ``tools/in-namespace``, as anybody.

    with Lab() as lab:
        host = lab.namespace("host")
        far = lab.namespace("far")
        lab.wire(host, "eth0", far, "uplink1")
        host.run("ip", "address", "add", "192.168.1.2/24", "dev", "eth0")

Nothing here knows the program under test.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import re
import socket
import struct
import subprocess
import tempfile
import threading
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
_libc = ctypes.CDLL(None, use_errno=True)


class NotPermittedError(Exception):
    """This process may not make network namespaces."""


class CommandError(Exception):
    """A command in a namespace failed; ``said`` is what it printed, the message all that is known."""

    def __init__(self, namespace: str, command: tuple[str, ...], status: int, said: str) -> None:
        self.command = command
        self.status = status
        self.said = said
        super().__init__(f"{namespace}: {' '.join(command)}: status {status}: {said}")


class Counted(NamedTuple):
    """One iptables rule as ``iptables-save -c`` shows it, and what it has counted."""

    packets: int
    bytes: int
    rule: str
    """``-A OUTPUT -m mark --mark 0x10 -j LOG``"""


class Namespace:
    """One network namespace; made by ``Lab.namespace``."""

    def __init__(self, name: str, file: int, environment: dict[str, str]) -> None:
        self.name = name
        self.path = f"/proc/{os.getpid()}/fd/{file}"
        """For ``nsenter --net=PATH``, ``ip link set … netns PATH``, and setns in other processes."""
        self.environment = environment
        """What commands run with; ``XTABLES_LOCKFILE`` is the lab's own."""
        self._started: list[subprocess.Popen[str]] = []

    def __repr__(self) -> str:
        return f"<namespace {self.name} {self.path}>"

    def call(self, function: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
        """Call a function in here, in a thread of its own: for sockets, /proc/sys/net, /proc/thread-self/net.

        What it starts stays in here, and a socket belongs for ever to the namespace it was made in, so both
        may be used anywhere afterwards. Returns what the function returns, raises what it raises.
        """

        def inside() -> T:
            with open(self.path, "rb") as namespace:
                _system_call("setns", namespace.fileno(), CLONE_NEWNET)
            return function(*arguments, **keywords)

        return _in_thread(inside)

    def run(
        self, *command: str, stdin: str = "", check: bool = True, timeout: float = 30
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in here and wait for it; ``CommandError`` where it fails and ``check`` is on."""
        done = self.call(
            subprocess.run, command, input=stdin, capture_output=True, text=True, timeout=timeout,
            check=False, env=self.environment,
        )  # fmt: skip
        if check and done.returncode:
            raise CommandError(self.name, command, done.returncode, (done.stderr or done.stdout).strip())
        return done

    def output(self, *command: str) -> str:
        """Return what a command prints."""
        return self.run(*command).stdout

    def works(self, *command: str) -> bool:
        """Tell whether a command succeeds."""
        return self.run(*command, check=False).returncode == 0

    def json(self, *command: str) -> Any:
        """Return what ``ip -json …`` or the like prints, decoded; nothing printed is an empty list."""
        return json.loads(self.output(*command) or "[]")

    def batch(self, tool: str, lines: Iterable[str]) -> None:
        """Give many lines to ``ip``, ``ip -6`` or ``tc`` in one process; the first bad one ends it."""
        self.run(*tool.split(), "-batch", "-", stdin="\n".join(lines) + "\n")

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command in here that goes on; killed with the lab. Its output is the caller's to read."""
        process = self.call(
            subprocess.Popen, command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=self.environment,
        )  # fmt: skip
        self._started.append(process)
        return process

    def sysctl(self, name: str, value: object = None) -> str:
        """Write, if a value is given, and return ``net.…`` of this namespace (dots in a device name as slashes)."""

        def access() -> str:
            path = "/proc/sys/" + name.translate(str.maketrans("./", "/."))
            if value is not None:
                with open(path, "w", encoding="ascii") as file:
                    file.write(str(value))
            with open(path, encoding="ascii") as file:
                return file.read().strip()

        return self.call(access)

    def counters(self, variant: str = "nft", table: str = "filter", family: int = 4) -> list[Counted]:
        """Return the rules of an iptables table with what they counted, as ``iptables-VARIANT-save -c`` does."""
        tool = {4: "iptables", 6: "ip6tables"}[family]
        text = self.output(f"{tool}-{variant}-save", "-c", "-t", table)
        rules = re.findall(r"^\[(\d+):(\d+)\] (-A .*)$", text, re.MULTILINE)
        return [Counted(int(packets), int(size), rule) for packets, size, rule in rules]

    def stop(self) -> None:
        """Kill what ``start`` started."""
        for process in self._started:
            process.kill()
            process.communicate()
        self._started.clear()


class Lab:
    """The namespaces of one test, and a folder of their own."""

    def __init__(self) -> None:
        self._closing = contextlib.ExitStack()
        self.folder = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="reconciler-lab-"))
        self._environment = {
            **os.environ,
            "LC_ALL": "C.UTF-8",
            "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
            "XTABLES_LOCKFILE": os.path.join(self.folder, "xtables.lock"),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take everything away; what was added last goes first."""
        self._closing.close()

    def closing(self, action: Callable[[], object]) -> None:
        """Have something done when the lab is closed, before the namespaces go."""
        self._closing.callback(action)

    def namespace(self, name: str) -> Namespace:
        """Return a new namespace with only ``lo`` in it, up; ``NotPermittedError`` where that is not allowed."""
        file = _in_thread(_new_namespace)
        self._closing.callback(os.close, file)
        made = Namespace(name, file, self._environment)
        self._closing.callback(made.stop)
        return made

    def wire(
        self, one: Namespace, device: str, other: Namespace, peer: str, *, up: bool = True, mtu: int = 1500
    ) -> None:
        """Join two namespaces by a veth pair, one end in each."""
        pair = f"name {device} mtu {mtu} type veth peer name {peer} mtu {mtu} netns {other.path}"
        one.batch("ip", [f"link add {pair}", *([f"link set {device} up"] if up else [])])
        if up:
            other.run("ip", "link", "set", peer, "up")


def _new_namespace() -> int:
    """Move the calling thread into a new namespace, make that usable, and return an open file of it."""
    try:
        _system_call("unshare", CLONE_NEWNET)
    except PermissionError as error:
        raise NotPermittedError(str(error)) from None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    for which in ("all", "default"):
        # No duplicate detection: an IPv6 address can be used at once. (Without IPv6 there is no such file.)
        with (
            contextlib.suppress(OSError),
            open(f"/proc/sys/net/ipv6/conf/{which}/accept_dad", "w", encoding="ascii") as file,
        ):
            file.write("0")
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _system_call(name: str, *arguments: int) -> None:
    """Call unshare or setns, which Python has only since 3.12; ``OSError`` where it fails."""
    if getattr(_libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _in_thread(function: Callable[[], T]) -> T:
    """Call a function in a thread that ends with it: a namespace belongs to a thread, not to a process."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(function())
        except BaseException as error:  # noqa: BLE001  (raised again in the caller's thread)
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]
