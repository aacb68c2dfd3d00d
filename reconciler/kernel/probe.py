"""Trying what the kernel has in a throw-away network namespace, for kernels that tell no other way.

Only for what cannot load a module by being tried: the caller asks ``modules`` first. A child of ours gets a
namespace of its own, tries there, and ends: nothing is left. u32 is never tried: a kernel without
CONFIG_CLS_U32_MARK takes its mark match, ignores it, and matches every packet.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
from struct import pack as numbers
from typing import TYPE_CHECKING

from reconciler.errors import ReconcilerError, UnavailableError
from reconciler.kernel.ack import parse_error
from reconciler.kernel.namespace import Namespace
from reconciler.kernel.netlink import NLM_F_ACK, NLM_F_REQUEST, NLMSG_ERROR, Netlink
from reconciler.kernel.sock import NETLINK_NETFILTER, RECEIVE, cut, open_socket, pack
from reconciler.kernel.syscall import CLONE_NEWNET, CLONE_NEWUSER, unshare
from reconciler.resources.message import Message
from reconciler.resources.wire import attribute, text, u16, u32

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("fw", "bpf", "nft")  # the classifiers; nft: iptables-nft could make its tables
CAP_NET_ADMIN = 12  # <linux/capability.h>
TIMEOUT = 5.0  # seconds; it takes some milliseconds
NLM_F_EXCL, NLM_F_CREATE = 0x200, 0x400
RTM_NEWQDISC, RTM_NEWTFILTER = 36, 44
TCA_KIND, TCA_OPTIONS = 1, 2
TCA_HTB_INIT = 2
TCA_FW_CLASSID, TCA_FW_MASK = 1, 5
TCA_BPF_CLASSID, TCA_BPF_OPS_LEN, TCA_BPF_OPS = 3, 4, 5
TC_H_ROOT, TC_H_INGRESS = 0xFFFFFFFF, 0xFFFFFFF1
ETH_P_ALL = 3
NFNL_BATCH_BEGIN, NFNL_BATCH_END, NFT_MSG_NEWTABLE = 0x10, 0x11, 0xA00
NFNL_SUBSYS_NFTABLES, NFTA_TABLE_NAME = 10, 1


def probe(names: Sequence[str]) -> dict[str, bool | None]:
    """Whether the kernel takes each of ``names`` (``fw``, ``bpf``, ``nft``); None where that cannot be tried.

    Takes 5 to 30 ms. Needs CAP_SYS_ADMIN, or leave to make user namespaces.
    """
    unknown: dict[str, bool | None] = dict.fromkeys(names)
    reader, writer = os.pipe()
    try:
        child = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        return unknown
    if child == 0:
        os.close(reader)
        _in_child(names, writer)
    os.close(writer)
    try:
        answer = _answer(reader)
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)  # it has ended, or hangs
        os.waitpid(child, 0)
    return unknown | {word[1:]: word[0] == "+" for word in answer.split()}


def _answer(reader: int) -> str:
    """What the child writes before it ends; "" where it takes too long."""
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    return os.read(reader, 256).decode() if poll.poll(TIMEOUT * 1000) else ""


def _in_child(names: Sequence[str], writer: int) -> None:
    """Try, write what is known as "+bpf -fw", and end without any of the parent's clean-up."""
    try:
        _leave()
        found = _classifiers([name for name in names if name != "nft"])
        works = _table_works() if "nft" in names else None
        if works is not None:
            found["nft"] = works
        os.write(writer, " ".join("-+"[works] + name for name, works in found.items()).encode())
    except (OSError, ReconcilerError):  # then nothing is known
        pass
    finally:
        os._exit(0)


def _leave() -> None:
    """Move into a new namespace in which we may do all: of a new user namespace, where we may not by ourselves."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            effective = next(line.split()[1] for line in file if line.startswith("CapEff:"))
        if int(effective, 16) >> CAP_NET_ADMIN & 1:
            unshare(CLONE_NEWNET)
            return
    except OSError:
        pass
    unshare(CLONE_NEWUSER | CLONE_NEWNET)


def _classifiers(names: Sequence[str]) -> dict[str, bool]:
    """What filters the kernel takes in the namespace of this thread; leaves out what it refuses otherwise."""
    found: dict[str, bool] = {}
    if not names:
        return found
    with Netlink(Namespace()) as netlink:
        parent = _qdisc(netlink)
        if parent is None:
            return found
        for priority, name in enumerate(names, 1):
            number = netlink.send([_filter(name, parent, priority)])[0].errno
            if number in (0, errno.ENOENT):  # "TC classifier not found"
                found[name] = number == 0
    return found


def _qdisc(netlink: Netlink) -> int | None:
    """Give ``lo`` something that filters can hang on; its handle."""
    htb = attribute(TCA_OPTIONS, attribute(TCA_HTB_INIT, numbers("=5I", 3, 10, 0, 0, 0)))  # version, r2q
    kinds = (("htb", 0x10000, TC_H_ROOT, htb), ("ingress", 0xFFFF0000, TC_H_INGRESS, b""))
    for kind, handle, parent, options in kinds:
        body = _tcmsg(handle, parent, 0) + text(TCA_KIND, kind) + options
        message = Message(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, body, ((4, "lo"),))
        if netlink.send([message])[0].errno == 0:
            return handle
    return None


def _filter(name: str, parent: int, priority: int) -> Message:
    """The filter that gives mark 0x10/0xff a class, in one of the two ways."""
    if name == "fw":
        handle = 0x10
        options = u32(TCA_FW_MASK, 0xFF) + u32(TCA_FW_CLASSID, 0x10010)
    else:
        handle = 0
        mark = 0xFFFFF014  # SKF_AD_OFF + SKF_AD_MARK
        take, leave = (6, 0, 0, 0xFFFFFFFF), (6, 0, 0, 0)
        program = ((0x20, 0, 0, mark), (0x54, 0, 0, 0xFF), (0x15, 0, 1, 0x10), take, leave)
        options = u32(TCA_BPF_CLASSID, 0x10010) + u16(TCA_BPF_OPS_LEN, len(program))
        options += attribute(TCA_BPF_OPS, b"".join(numbers("=HBBI", *line) for line in program))
    info = priority << 16 | socket.htons(ETH_P_ALL)
    body = _tcmsg(handle, parent, info) + text(TCA_KIND, name) + attribute(TCA_OPTIONS, options)
    return Message(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, body, ((4, "lo"),))


def _table_works() -> bool | None:
    """Whether nf_tables takes a table for IPv4: a kernel may have nf_tables without it. None: we may not ask."""
    fence = numbers("=BBH", 0, 0, socket.htons(NFNL_SUBSYS_NFTABLES))  # nfgenmsg
    table = numbers("=BBH", socket.AF_INET, 0, 0) + text(NFTA_TABLE_NAME, "mangle")
    batch = pack(NFNL_BATCH_BEGIN, NLM_F_REQUEST, 1, fence)
    batch += pack(NFT_MSG_NEWTABLE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 2, table)
    batch += pack(NFNL_BATCH_END, NLM_F_REQUEST, 3, fence)
    try:
        one = open_socket(Namespace(), NETLINK_NETFILTER, 1 << 16)
    except UnavailableError:
        return False
    with one:
        one.send(batch)  # not through Netlink: older kernels acknowledge no fence
        for kind, flags, _, reply in cut(one.recv(RECEIVE)):
            if kind == NLMSG_ERROR:  # the table's; or the fence's, where there is no nf_tables
                refused = parse_error(reply, flags).errno
                return None if refused in (errno.EPERM, errno.EACCES) else refused == 0
    return False


def _tcmsg(handle: int, parent: int, info: int) -> bytes:
    return numbers("=BxxxiIII", 0, 0, handle, parent, info)
