"""The kind ``filter``: what sends packets with a mark to a class (``tc filter``).

Where the kernel has the classifier ``fw``, that; else a classic BPF program that compares the mark, which
works on every kernel with ``cls_bpf``. Never ``u32``: without CONFIG_CLS_U32_MARK it ignores the mark and
matches every packet. One priority for each mask, since ``fw`` keeps the mask once a priority.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from reconciler.core.change import CREATE, DELETE, REPLACE
from reconciler.resources.base import Dump, Found, MessageFlags, Resource, Sight
from reconciler.resources.message import Message
from reconciler.resources.names import mark_text
from reconciler.resources.scene import Scene, Wanted
from reconciler.resources.tc import handles
from reconciler.resources.tc.class_ import of_this_root
from reconciler.resources.tc.message import TCA_KIND, TCA_OPTIONS, TCMSG, body
from reconciler.resources.tc.shaping import trees
from reconciler.resources.wire import attribute, nested, number, parse, string, u16, u32

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.core.change import Change
    from reconciler.core.kind import Lack
    from reconciler.core.state import Key
    from reconciler.core.world import World
    from reconciler.resources.marks import Mark
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner

RTM_NEWTFILTER, RTM_DELTFILTER, RTM_GETTFILTER = 44, 45, 46
TCA_FW_CLASSID, TCA_FW_MASK = 1, 5
TCA_BPF_CLASSID, TCA_BPF_OPS_LEN, TCA_BPF_OPS = 3, 4, 5
ALL_PROTOCOLS = 0x0300
"""htons(ETH_P_ALL): ``protocol ip`` would miss IPv6, and frames of a VLAN on top of the device."""
EXACT = 0xFFFFFFFF
U32_NODE = 0xFFF
"""The part of a u32 handle that a hash table of filters has not."""
OP = Struct("=HBBI")
LOAD_MARK = 0xFFFFF000 + 20
"""SKF_AD_OFF + SKF_AD_MARK (linux/filter.h)."""


class Filter(NamedTuple):
    """One filter below a root qdisc."""

    dev: str
    prio: int
    handle: int
    """For ``fw`` the mark's value; for ``bpf`` a number made from it."""
    type: str
    value: int
    mask: int
    flowid: str
    more: str = ""
    """A program or attributes that the file has no words for; empty for what the file makes."""


class FilterKind(Resource[Filter]):
    """Filters by mark."""

    name = "filter"
    value = Filter
    rank = 62
    anybodys = False
    inside = ("qdisc", "class")

    def key(self, value: Filter) -> Key:
        """Return device, priority and handle."""
        return (self.name, value.dev, value.prio, value.handle)

    def requires(self, value: Filter, world: World) -> Iterable[Key | Lack]:
        """A filter stands on its qdisc, and leads to a class."""
        yield ("qdisc", value.dev)
        if value.flowid:
            yield from of_this_root(value.dev, value.flowid, world)
            yield ("class", value.dev, value.flowid)

    def replace(self, before: Filter, after: Filter) -> str:
        """Only the class it leads to can change."""
        return "only the class of a filter can be changed" if before._replace(flowid=after.flowid) != after else ""

    def rivals(self, value: Filter, world: World) -> Iterable[Key]:
        """A priority has one classifier and one protocol, and with ``fw`` one mask: for others, all must go."""
        for key, other, _ in world.within((self.name, value.dev)):
            if other.prio == value.prio and _head(other) != _head(value):
                yield key

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield one filter for each mark of each class."""
        kind = scene.facts.classifier
        used = False
        for tree in trees(scene):
            seen: dict[Mark, Any] = {}
            places = priorities([mark for node in tree.nodes for mark in node.marks])
            for node in tree.nodes:
                for number_, mark in enumerate(node.marks):
                    at = (*node.path, "marks", number_)
                    if mark in seen:
                        scene.problem(at, f"the mark {mark} already leads to {seen[mark]}", "a mark has one class")
                        continue
                    seen[mark] = node.name
                    used = True
                    if kind == "classify":
                        continue
                    flowid = handles.text(tree.major << 16 | node.minor)
                    handle = mark.value if kind == "fw" else _number(mark.value)
                    value = Filter(tree.dev, places[mark.mask], handle, kind, mark.value, mark.mask, flowid)
                    yield Wanted(value, scene.origin(at))
        if used:
            scene.notices.append(_choice(kind, scene.facts.classifier_source))

    def dumps(self, sight: Sight) -> Iterable[Dump]:
        """One question for each device that has classes."""
        for dev in sight.roots:
            yield Dump(RTM_GETTFILTER, TCMSG.pack(0, sight.index(dev) or 0, 0, 0, 0))

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:
        """Read one filter; heads of a priority come without options or with handle 0.

        What we never make is somebody else's, even below a root of ours.
        """
        if kind != RTM_NEWTFILTER:
            return
        _, index, handle, _, info = TCMSG.unpack_from(body)
        found = parse(body, 20)
        options = parse(found.get(TCA_OPTIONS, b""))
        word = string(found[TCA_KIND])
        if not options or not handle or (word == "u32" and not handle & U32_NODE):
            return
        dev = sight.devices.get(index, f"if{index}")
        value, mask, more = handle, EXACT, ""
        classid = 0
        if word == "fw":
            mask = number(options[TCA_FW_MASK]) if TCA_FW_MASK in options else EXACT
            classid = number(options.get(TCA_FW_CLASSID, b""))
        elif word == "bpf":
            classid = number(options.get(TCA_BPF_CLASSID, b""))
            compared = _compared(options.get(TCA_BPF_OPS, b""))
            value, mask, more = (*compared, "") if compared else (0, 0, "another program")
        else:
            more = word
        if info & 0xFFFF != ALL_PROTOCOLS:
            more = f"{more} protocol {info & 0xFFFF:#x}".strip()
        flowid = handles.text(classid) if classid else ""
        filter_ = Filter(dev, info >> 16, handle, word, value, mask, flowid, more)
        ours = sight.roots.get(dev) and word in ("fw", "bpf") and info & 0xFFFF == ALL_PROTOCOLS
        yield Found(filter_, None if ours else 0)

    def encode(self, change: Change, owner: Owner) -> list[Message]:  # noqa: ARG002
        """Make, change or delete."""
        messages = []
        if change.action in (DELETE, REPLACE):
            old: Any = change.before
            info = old.prio << 16 | ALL_PROTOCOLS
            gone = body(old.handle, _root(old), old.type, b"", info)
            messages.append(Message(RTM_DELTFILTER, 0, gone, ((4, old.dev),)))
        if change.action != DELETE:
            new: Any = change.after
            flags = MessageFlags.CREATE if change.action in (CREATE, REPLACE) else MessageFlags.REPLACE
            request = body(new.handle, _root(new), new.type, _options(new), new.prio << 16 | ALL_PROTOCOLS)
            messages.append(Message(RTM_NEWTFILTER, flags, request, ((4, new.dev),)))
        return messages

    def command(self, change: Change, owner: Owner) -> list[list[str]]:  # noqa: ARG002
        """``tc filter add``, ``replace`` and ``del``."""
        lines = []
        if change.action in (DELETE, REPLACE):
            lines.append(_words("del", change.before))
        if change.action in (CREATE, REPLACE):
            lines.append(_words("add", change.after))
        elif change.action != DELETE:
            lines.append(_words("replace", change.after))
        return lines

    def describe(self, value: Filter, names: Names) -> str:
        """Show the mark and the class."""
        how = f" {value.more}" if value.more else f" mark {names.mark(value.value, value.mask)}"
        return f"{value.dev} {value.prio} {value.type}{how} → class {names.class_(value.dev, value.flowid)}"


def _head(value: Filter) -> tuple[str, str, int]:
    """Return what all filters of a priority have in common (net/sched/cls_api.c, cls_fw.c)."""
    return value.type, value.more, value.mask if value.type == "fw" else 0


def priorities(marks: Sequence[Mark]) -> dict[int, int]:
    """Give each mask a priority: the more bits it compares, the earlier it is asked.

    It depends on the mask alone as far as they do not collide, so that a new mark renumbers nothing.
    """
    found: dict[int, int] = {}
    for mask in sorted({mark.mask for mark in marks}):
        place = 1000 + 100 * (32 - mask.bit_count()) + crc32(mask.to_bytes(4, "big")) % 100
        while place in found.values():
            place += 1
        found[mask] = place
    return found


def _choice(kind: str, source: str) -> str:
    words = {
        "fw": "marks choose their class by the classifier fw",
        "bpf": "marks choose their class by a BPF program, since this kernel has no classifier fw",
        "classify": "marks choose their class by iptables CLASSIFY, since this kernel has neither fw nor bpf",
    }
    return f"{words[kind]} ({source})"


def _number(value: int) -> int:
    """A handle of cls_bpf has 31 bits and is not 0."""
    return value & 0x7FFFFFFF or 0x7FFFFFFF


def _root(value: Filter) -> int:
    """Filters of ours hang at the qdisc that their class belongs to."""
    return handles.parse(value.flowid) & 0xFFFF0000 if value.flowid else 0


def _program(value: Filter) -> list[tuple[int, int, int, int]]:
    """Load the mark, mask it, compare it; -1 takes the filter's class, 0 goes on to the next."""
    return [
        (0x20, 0, 0, LOAD_MARK),
        (0x54, 0, 0, value.mask),
        (0x15, 0, 1, value.value),
        (0x06, 0, 0, 0xFFFFFFFF),
        (0x06, 0, 0, 0),
    ]


def _compared(raw: bytes) -> tuple[int, int] | None:
    """Return value and mask of a program of ours; None for any other."""
    ops = [tuple(op) for op in OP.iter_unpack(raw)] if len(raw) % OP.size == 0 else []
    if len(ops) != 5:
        return None
    value, mask = ops[2][3], ops[1][3]
    return (value, mask) if ops == _program(Filter("", 0, 0, "bpf", value, mask, "")) else None


def _options(value: Filter) -> bytes:
    classid = handles.parse(value.flowid)
    if value.type == "fw":
        mask = u32(TCA_FW_MASK, value.mask) if value.mask != EXACT else b""
        return nested(TCA_OPTIONS, u32(TCA_FW_CLASSID, classid), mask)
    program = _program(value)
    ops = b"".join(OP.pack(*op) for op in program)
    length = u16(TCA_BPF_OPS_LEN, len(program))
    return nested(TCA_OPTIONS, length, attribute(TCA_BPF_OPS, ops), u32(TCA_BPF_CLASSID, classid))


def _words(verb: str, value: Any) -> list[str]:
    words = ["tc", "filter", verb, "dev", value.dev, "parent", handles.text(_root(value)), "protocol", "all"]
    words += ["prio", str(value.prio)]
    if value.type == "fw":
        mark = mark_text(value.value, value.mask) if value.mask != EXACT else f"{value.value:#x}"
        words += ["handle", mark, "fw"]
        return words if verb == "del" else [*words, "flowid", value.flowid]
    words += ["handle", f"{value.handle:#x}", "bpf"]
    if verb == "del":
        return words
    program = _program(value)
    code = ",".join([str(len(program)), *(" ".join(map(str, op)) for op in program)])
    return [*words, "bytecode", code, "flowid", value.flowid]
