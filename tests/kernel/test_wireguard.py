"""The port to WireGuard, where the kernel says no."""

from __future__ import annotations

import errno
from types import SimpleNamespace

import pytest

from reconciler.errors import UnavailableError
from reconciler.kernel.netlink import NetlinkError
from reconciler.kernel.secrets import Secrets
from reconciler.kernel.wireguard import Wireguard
from reconciler.resources.wire import u16


def port(dump, get=lambda *_: [bytes(4) + u16(1, 33)]):
    made = Wireguard.__new__(Wireguard)
    made.secrets, made._family = Secrets(), 0
    made.netlink = SimpleNamespace(dump=dump, get=get)
    return made


def refusing(number):
    def refuse(*_):
        raise NetlinkError(number, "no")

    return refuse


def test_without_the_privilege_nothing_is_known():
    with pytest.raises(UnavailableError, match="shows wg0 only with CAP_NET_ADMIN"):
        list(port(refusing(errno.EPERM)).read(["wg0"]))


def test_an_interface_that_has_just_gone_is_left_out():
    assert list(port(refusing(errno.ENODEV)).read(["wg0"])) == []


def test_anything_else_is_an_error():
    with pytest.raises(NetlinkError):
        list(port(refusing(errno.EINVAL)).read(["wg0"]))


def test_a_kernel_without_wireguard_is_told_by_the_name_of_the_module():
    with pytest.raises(UnavailableError, match="the module wireguard is missing"):
        list(port(refusing(errno.EINVAL), refusing(errno.ENOENT)).read(["wg0"]))


def test_the_family_is_asked_for_by_its_number_and_only_once():
    asked = []

    def get(*words):
        asked.append(words)
        return [bytes(4) + u16(1, 33)]

    kinds = []
    one = port(lambda kind, _body: kinds.append(kind) or [], get)
    assert list(one.read(["wg0", "wg1"])) == []
    assert (kinds, len(asked)) == ([33, 33], 1)
