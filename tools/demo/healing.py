"""What is deleted by hand, and the watcher that puts it back: how long that takes."""

from __future__ import annotations

import queue
import shlex
import signal
import socket
import statistics
import struct
import threading
import time
from typing import TYPE_CHECKING, Self

from tools.demo.objects import differences, objects
from tools.demo.screen import UnprovenError

if TYPE_CHECKING:
    from tools.demo.stage import Stage

RULE = ("ip", "rule", "del", "priority", "17000", "fwmark", "0x10/0xff", "table", "100")
RULE_TIMES = 20
PAUSE = 0.1
"""Seconds between two deletions: a faster hand is taken for a program that fights, and is slowed down."""
IPTABLES = {"nft": (5, PAUSE), "legacy": (2, 1.0)}
"""How often, and the seconds before each. iptables-legacy has no events: the watcher looks every two seconds,
and that long it may take; sooner only in the second after a repair, when it looks again anyway."""
PATIENCE = 10.0
"""Seconds after which something that does not happen is taken to never happen."""

RTMGRP_IPV4_RULE = 1 << 7
RTM_NEWRULE, RTM_DELRULE = 32, 33
_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port


class Watcher:
    """``reconciler watch`` on the host."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.lines: list[str] = []
        """What it has logged."""
        self._news = threading.Condition()
        self._state = objects(stage)
        stage.screen.command(f"reconciler watch {stage.config} &")
        self._process = stage.host.start(*stage.reconciler("watch", stage.config))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def starts(self) -> str:
        """Wait until it watches."""
        began = time.monotonic()
        with self._news:
            self._news.wait_for(lambda: self._process.poll() is not None or self._said("watching"), PATIENCE)
        if not self._said("watching"):
            raise UnprovenError("\n".join(self.lines) or "it says nothing")
        if self._said("change"):
            raise UnprovenError("\n".join(["it changed something:", *self.lines]))
        self.stage.screen.text("\n".join(self.lines), colour="dim")
        return f"after {time.monotonic() - began:.1f} s"

    def stops(self) -> str:
        """Send SIGTERM, and compare the state with what it was when the watcher began."""
        self.stage.screen.command(f"kill -TERM {self._process.pid}")
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(PATIENCE)
        took = time.monotonic() - began
        if status:
            raise UnprovenError(f"exit status {status}: {self.lines[-1] if self.lines else ''}")
        if changed := differences(self._state, objects(self.stage)):
            raise UnprovenError("\n".join(["the state has changed:", *changed]))
        return f"exit status 0 after {took:.1f} s, all {len(self._state)} lines of the dumps as before"

    def show(self, since: int) -> None:
        """Show what it has said of the first thing it put back, after its first ``since`` lines."""
        self.stage.screen.text("\n".join(self.lines[since : since + 2]), colour="dim")

    def _said(self, word: str) -> bool:
        return any(word in line.split()[:3] for line in self.lines)

    def _read(self) -> None:
        assert self._process.stderr is not None  # noqa: S101  (for the type checker)
        for line in self._process.stderr:
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify_all()
        self._process.wait()
        with self._news:
            self._news.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._reader.join()


class RuleEvents:
    """The kernel's own word on the IPv4 rules of a namespace, with the time at which it was heard."""

    def __init__(self, stage: Stage) -> None:
        self._socket = stage.host.call(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.bind((0, RTMGRP_IPV4_RULE))
        self._socket.settimeout(0.1)
        self._heard: queue.SimpleQueue[tuple[int, float]] = queue.SimpleQueue()
        self._closed = False
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def next(self, wanted: int) -> float:
        """Return when a rule was next deleted, or added; ``queue.Empty`` if that does not happen."""
        while True:
            kind, when = self._heard.get(timeout=PATIENCE)
            if kind == wanted:
                return when

    def _listen(self) -> None:
        while not self._closed:
            try:
                data = self._socket.recv(1 << 16)
            except TimeoutError:
                continue
            now = time.monotonic()
            offset = 0
            while offset < len(data):
                length, kind, *_ = _HEADER.unpack_from(data, offset)
                self._heard.put((kind, now))
                offset += (length + 3) & ~3

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._listener.join()
        self._socket.close()


def rule(stage: Stage, watcher: Watcher) -> str:
    """Delete the rule on the mark; timed from the kernel's word that it is gone until that it is back."""
    wanted = stage.host.output("ip", "rule")
    said = len(watcher.lines)
    stage.screen.command(f"{' '.join(RULE)}     ({RULE_TIMES} times)")
    took: list[float] = []
    with RuleEvents(stage) as events:
        for _ in range(RULE_TIMES):
            time.sleep(PAUSE)
            stage.host.run(*RULE)
            try:
                gone = events.next(RTM_DELRULE)
                took.append(events.next(RTM_NEWRULE) - gone)
            except queue.Empty:
                raise UnprovenError(f"deleted {len(took) + 1} times, put back {len(took)} times") from None
    _same("rules", wanted, stage.host.output("ip", "rule"))
    watcher.show(said)
    return f"{len(took)} of {RULE_TIMES} times; {_times(took)}"


def iptables(stage: Stage, watcher: Watcher) -> str:
    """Delete the LOG rule; timed from the end of that command until ``iptables-save`` shows it again."""
    counted = [rule.rule for rule in stage.rules()]
    logged = next((rule for rule in counted if "-j LOG" in rule), None)
    if logged is None:
        raise UnprovenError("there is no LOG rule on the mark")
    said = len(watcher.lines)
    delete = [f"iptables-{stage.variant}", "-D", *shlex.split(logged)[1:]]
    times, pause = IPTABLES[stage.variant]
    stage.screen.command(f"{shlex.join(delete)}     ({times} times)")
    took: list[float] = []
    for _ in range(times):
        time.sleep(pause)
        stage.host.run(*delete)
        began = time.monotonic()
        while [rule.rule for rule in stage.rules()] != counted:
            if time.monotonic() - began > PATIENCE:
                raise UnprovenError(f"deleted {len(took) + 1} times, put back {len(took)} times")
        took.append(time.monotonic() - began)
    watcher.show(said)
    return f"{len(took)} of {times} times; {_times(took)} (iptables-{stage.variant})"


def _same(what: str, wanted: str, found: str) -> None:
    if changed := differences(wanted.splitlines(), found.splitlines()):
        raise UnprovenError("\n".join([f"the {what} are not as before:", *changed]))


def _times(took: list[float]) -> str:
    return f"median {statistics.median(took) * 1000:.1f} ms, worst {max(took) * 1000:.1f} ms"
