"""What packets prove: by which uplink they leave, which rules count them, how fast they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.netns.traffic import Arrival, Sender
from tests.netns.two_uplinks import SERVER, UPLINKS
from tools.demo.screen import UnprovenError

if TYPE_CHECKING:
    from tools.demo.stage import Stage

MARK, OTHER_MARK = 0x10, 0x20
FIRST, SECOND = UPLINKS["eth0"], UPLINKS["eth1"]
CLASS, DEFAULT_CLASS = "1:10", "1:20"
RATE, CEIL = 5e6, 10e6
"""The class's figures, in bit/s, as the example has them."""
MORE, LESS = 1.1, 0.9
"""How far from a figure a measurement over a second may be."""
SENT = 20
"""Packets of each kind that are sent to be counted."""
SECONDS = 1.5
"""How long a rate is measured."""
FILLED, FREE = 0.8, 1.5
"""Parts of the class's ceil: a busy machine that gets less through shows nothing, and is tried again."""
TRIES = 3


def way(stage: Stage, *, mark: int | None = None, bind: str | None = None) -> Arrival:
    """Send UDP and TCP to the server; return how both arrived. ``UnprovenError`` where they went two ways."""
    udp, tcp = (stage.network.send(mark=mark, bind=bind, protocol=protocol) for protocol in ("udp", "tcp"))
    if udp != tcp:
        raise UnprovenError(f"UDP {_words(udp)}, TCP {_words(tcp)}")
    return udp


def plain(stage: Stage) -> str:
    """A socket without any option."""
    return _left(way(stage), Arrival(FIRST.peer, FIRST.address))


def marked(stage: Stage, before: Arrival) -> str:
    """A socket with SO_MARK; ``before`` is how it arrived before the file was applied."""
    arrived = _left(way(stage, mark=MARK), Arrival(SECOND.peer, SECOND.address))
    return f"{arrived} (before: {_words(before)})"


def bound(stage: Stage) -> str:
    """A socket bound to the address of uplink 2."""
    return _left(way(stage, bind=SECOND.address), Arrival(SECOND.peer, SECOND.address))


class Counted:
    """Exactly so many packets of each kind, and what the rules counted meanwhile."""

    KINDS: tuple[tuple[str, int | None, str | None], ...] = (
        ("marked", MARK, None),
        ("plain", None, None),
        ("marked otherwise", OTHER_MARK, None),
        ("bound", None, SECOND.address),
    )
    """What is sent: how it is called, the socket's mark, the address it is bound to."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._counted: dict[str, dict[tuple[str, str], int]] = {}
        """For each kind of packets what each rule, by chain and target, counted of them."""

    def by(self, chain: str, target: str) -> str:
        """Tell what the rule in a chain counted: each packet of the marked socket and no other."""
        if not self._counted:
            self._counted = {name: self._count(mark, bind) for name, mark, bind in self.KINDS}
        found = {name: _of(counted, chain, target) for name, counted in self._counted.items()}
        others = [name for name in found if name != "marked"]
        kinds = ", ".join(f"{found[name]} of {SENT} {name}" for name in others)
        words = f"{found['marked']} of {SENT} packets; {kinds}"
        if found["marked"] != SENT or any(found[name] for name in others):
            raise UnprovenError(words)
        return words

    def _count(self, mark: int | None, bind: str | None) -> dict[tuple[str, str], int]:
        before = self._read()
        for _ in range(SENT):
            self.stage.network.send(mark=mark, bind=bind)
        return {rule: packets - before.get(rule, 0) for rule, packets in self._read().items()}

    def _read(self) -> dict[tuple[str, str], int]:
        found = {}
        for counted in self.stage.rules():
            words = counted.rule.split()
            found[words[1], words[words.index("-j") + 1]] = counted.packets
        return found


def held(stage: Stage) -> str:
    """Marked traffic alone on uplink 2 gets what its class may have; plain traffic on uplink 1 all it can."""
    before = _class_packets(stage)
    for _ in range(TRIES):
        through, free = stage.network.rates(Sender(SERVER, MARK), Sender(SERVER), seconds=SECONDS)
        if through > CEIL * FILLED and free > CEIL * FREE:
            break
    after = _class_packets(stage)
    in_class, elsewhere = (after.get(name, 0) - before.get(name, 0) for name in (CLASS, DEFAULT_CLASS))
    words = (
        f"{_mbit(through)} (class {CLASS}: rate {RATE / 1e6:.0f}, ceil {CEIL / 1e6:.0f});"
        f" plain traffic beside it, unshaped: {_mbit(free)}"
    )
    if not RATE * LESS < through < CEIL * MORE:
        raise UnprovenError(words)
    if in_class <= elsewhere * 10:
        raise UnprovenError(f"{words}; but {in_class} packets in class {CLASS}, {elsewhere} in {DEFAULT_CLASS}")
    if free < CEIL * FREE:
        raise UnprovenError(f"{words}: too slow a machine to tell the difference")
    return words


def guaranteed(stage: Stage) -> str:
    """Marked and other traffic compete for uplink 2: the class keeps its rate, and both their limit."""
    senders = Sender(SERVER, MARK), Sender(SERVER, bind=SECOND.address)
    for _ in range(TRIES):
        ours, others = stage.network.rates(*senders, seconds=SECONDS)
        if ours + others > CEIL * FILLED:
            break
    words = f"{_mbit(ours)} beside {_mbit(others)} of class {DEFAULT_CLASS}; together {_mbit(ours + others)}"
    # In one queue both would get the same.
    if not (ours > RATE * LESS and ours > 2 * others and ours + others < CEIL * MORE):
        raise UnprovenError(words)
    return words


def _left(arrived: Arrival, wanted: Arrival) -> str:
    if arrived != wanted:
        raise UnprovenError(f"{_words(arrived)}; wanted: {_words(wanted)}")
    return f"UDP and TCP: {_words(arrived)}"


def _words(arrived: Arrival) -> str:
    return f"{arrived.device} from {arrived.source}"


def _of(counted: dict[tuple[str, str], int], chain: str, target: str) -> int:
    """Return what the rules with a target counted; a chain of ours ends in the name of the built-in one."""
    found = [n for (where, to), n in counted.items() if to == target and where.rpartition(".")[2] == chain]
    if not found:
        raise UnprovenError(f"there is no {target} rule on the mark in {chain}")
    return sum(found)


def _class_packets(stage: Stage) -> dict[str, int]:
    """Return the packets that each class of eth1 has sent so far."""
    found = {}
    name = ""
    for line in stage.host.output("tc", "-s", "class", "show", "dev", SECOND.device).splitlines():
        words = line.split()
        if words[:1] == ["class"]:
            name = words[2]
        elif words[:1] == ["Sent"]:  # Sent 1442 bytes 1 pkt (dropped 0, …
            found[name] = int(words[3])
    return found


def _mbit(rate: float) -> str:
    return f"{rate / 1e6:.2f} mbit/s" if rate < 1e8 else f"{rate / 1e6:.0f} mbit/s"
