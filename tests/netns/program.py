"""The program under test, on a namespace of the lab: inside this process, which is fast, or as one of its own.

Both ways take the same words. Nothing but the folder of the test is written: RECONCILER_STATE_DIR is there.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import pytest

from reconciler.cli.main import run
from reconciler.engine.source import read

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.netns.lab import Namespace
    from tests.netns.two_uplinks import TwoUplinks

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "examples")
LONGEST = 20.0
"""Seconds that a test waits for something that takes milliseconds, before it gives up."""


def each_example(*, thorough: bool = True) -> list[Any]:
    """All examples as parameters, each with what its links need; all but the first may be thorough."""
    found = []
    for name in sorted(os.listdir(EXAMPLES)):
        entries = read(f"{EXAMPLES}/{name}/reconciler.yaml").get("interfaces") or {}
        kinds = sorted({entry["kind"] for entry in entries.values() if "kind" in (entry or {})})
        marks = [pytest.mark.needs(*kinds)] if kinds else []
        if thorough and name != "two-uplinks":
            marks.append(pytest.mark.thorough)
        found.append(pytest.param(name, marks=marks))
    return found


WITHOUT_FILE = frozenset({"schema"})
WITHOUT_NAMESPACE = frozenset({"schema", "validate"})


class Ran(NamedTuple):
    """What a run of the program left: its exit status and what it printed."""

    status: int
    out: str
    err: str

    @property
    def changes(self) -> list[str]:
        """The changes of the plan, each as ``+ rule v4 17000: mark …``, without its place in the file."""
        return [line for line in self._rows() if line.split()[0] in {"+", "-", "~", "-/+"}]

    @property
    def pending(self) -> list[str]:
        """What waits, each as ``rule v4 …: reason``, without a guess at what was meant."""
        lines = [line[2:].replace(" pending: ", ": ") for line in self._rows() if line.startswith("…")]
        return [line.split(" (did you mean")[0] for line in lines]

    @property
    def conflicts(self) -> list[str]:
        """What somebody else holds, both sides in one line."""
        return [line[2:] for line in self._rows() if line.startswith("!")]

    @property
    def along(self) -> list[str]:
        """What the kernel takes along with a change."""
        return [line[2:] for line in self._rows() if line.startswith("└")]

    def _rows(self) -> list[str]:
        rows = re.findall(r"^ {1,2}(-/\+|[+~…!└-])(?: |(?<=\+))(.*)$", self.out, re.MULTILINE)
        words = [f"{sign} {re.sub(r'  +[^ ]+:[0-9]+$', '', rest)}" for sign, rest in rows]
        return [re.sub(r" +", " ", line).strip() for line in words]


class Program:
    """The program with one file, on one namespace."""

    def __init__(self, namespace: Namespace, path: Path | str | None, options: tuple[str, ...] = ()) -> None:
        self.namespace = namespace
        self.path = str(path or "")
        """The file; empty to run without one."""
        self.options = options
        """Options of every call, such as ``--iptables legacy``."""

    def write(self, text: str) -> Self:
        """Give the file another text, by rename, as editors do."""
        draft = f"{self.path}.draft"
        with open(draft, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, self.path)
        return self

    def __call__(self, command: str, *options: str, status: int | None = 0) -> Ran:
        """Run a command inside this process; it must end with ``status`` (None: whatever it is)."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            ended = run(self.words(command, *options))
        return _checked(Ran(ended, out.getvalue(), err.getvalue()), status)

    def process(self, command: str, *options: str, status: int | None = 0) -> Ran:
        """Run a command as a process of its own."""
        done = subprocess.run(
            self.argv(command, *options), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        return _checked(Ran(done.returncode, done.stdout, done.stderr), status)

    def start(self, command: str, *options: str) -> subprocess.Popen[bytes]:
        """Start a command as a process that goes on; the caller ends it."""
        return subprocess.Popen(
            self.argv(command, *options), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def words(self, command: str, *options: str) -> list[str]:
        """Return the arguments of a command."""
        file = [] if command in WITHOUT_FILE or not self.path else [self.path]
        where = [] if command in WITHOUT_NAMESPACE else ["--netns", self.namespace.path, *self.options]
        return [command, *file, *where, *options]

    def argv(self, command: str, *options: str) -> list[str]:
        """Return the words of a process."""
        return [sys.executable, "-m", "reconciler", *self.words(command, *options)]

    def converged(self) -> bool:
        """Tell whether there is nothing left to do."""
        return self("diff", "--exit-code", status=None).status == 0


class Watcher:
    """``reconciler watch`` as a process; use it as a context manager. Its log is a file."""

    def __init__(self, program: Program, *options: str, poll: str = "60", prefix: Sequence[str] = ()) -> None:
        name = f"{program.namespace.name}.{os.path.basename(program.path)}.log"
        self.log_path = f"{os.environ['RECONCILER_STATE_DIR']}.{name}"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [*prefix, *program.argv("watch", "--poll", poll, *options)], cwd=ROOT, stdout=log, stderr=log
            )

    def __enter__(self) -> Self:
        try:
            self.says("watching ")
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def log(self) -> str:
        """All that it has said so far."""
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()

    def says(self, words: str, *, after: int = 0) -> int:
        """Wait until the log holds some words (behind ``after`` characters); return where they end."""

        def said() -> bool:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.log}"
            return words in self.log[after:]

        until(said, lambda: f"the log never said {words!r}:\n{self.log}")
        return self.log.index(words, after) + len(words)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self) -> int:
        """Ask it to end, and return its exit status."""
        self.process.terminate()
        return self.process.wait(LONGEST)


def until(condition: Callable[[], bool], otherwise: Callable[[], str], seconds: float = LONGEST) -> None:
    """Look again and again until something is so; fail with ``otherwise`` after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(otherwise())
        time.sleep(0.01)


def quiet(network: TwoUplinks) -> TwoUplinks:
    """Wait until the kernel has done by itself what follows a link that comes up, up to a second later."""

    def at_rest() -> bool:
        up = [link for link in network.host.json("ip", "-json", "address", "show", "up") if link["ifname"] != "lo"]
        # A bond's port and a VRF have no address of their own.
        own = [link for link in up if not {"SLAVE", "NOARP"} & set(link["flags"])]
        local = [a for link in own for a in link["addr_info"] if a["local"].startswith("fe80:")]
        return all(link["operstate"] == "UP" for link in up) and (not network.ipv6 or len(local) >= len(own))

    until(at_rest, lambda: f"not at rest: {network.host.output('ip', 'address')}")
    return network


def _checked(ran: Ran, status: int | None) -> Ran:
    if status is not None:
        assert ran.status == status, f"status {ran.status}, not {status}:\n{ran.out}\n{ran.err}"
    return ran
