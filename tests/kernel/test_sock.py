from __future__ import annotations

import socket

import pytest

from reconciler.kernel.namespace import Namespace
from reconciler.kernel.sock import NETLINK_ROUTE, cut, open_socket, pack


@pytest.mark.parametrize("bodies", [[], [b""], [b"x"], [b"xy", b"", b"12345678", b"123"]])
def test_messages_that_are_packed_one_after_the_other_are_cut_apart_again(bodies):
    data = b"".join(pack(24, 0x405, number, body) for number, body in enumerate(bodies))
    assert len(data) % 4 == 0
    assert list(cut(data)) == [(24, 0x405, number, body) for number, body in enumerate(bodies)]


def test_what_is_no_message_ends_the_cutting():
    assert list(cut(bytes(64))) == []
    assert list(cut(pack(24, 0, 1, b"body") + b"tail")) == [(24, 0, 1, b"body")]


def test_a_socket_gets_at_least_the_room_that_anybody_gets():
    with (
        open_socket(Namespace(), NETLINK_ROUTE, 16 << 20) as made,
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE) as plain,
    ):
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
        room = [one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) for one in (made, plain)]
        assert room[0] >= room[1]
