"""The fake kernel's settings do what was measured on a real one."""

from __future__ import annotations

import pytest

from reconciler.core.change import CREATE, DELETE, UPDATE, Change
from reconciler.kernel.fake import DeniedError, FakeKernel
from reconciler.resources.address import Address
from reconciler.resources.link.link import Link
from reconciler.resources.registry import KINDS
from reconciler.resources.route import Route
from reconciler.resources.sysctl import Sysctl

ADVERTISED = 9


@pytest.fixture
def kernel():
    return FakeKernel()


def key(value):
    return next(k for k in KINDS.values() if isinstance(value, k.value)).key(value)


def write(kernel, path, number):
    kernel.make(Sysctl(tuple(path.split()), number), 2) or pytest.fail(f"{path} was refused")


def read(kernel, path):
    [found] = [
        held[0].value for k, held in kernel.state().foreign.items() if k[0] == "sysctl" and " ".join(k[2]) == path
    ]
    return found.value


def test_ip_forward_sets_every_interface_and_turns_redirects(kernel):
    write(kernel, "ipv4 ip_forward", 1)
    assert [read(kernel, f"ipv4 conf {dev} forwarding") for dev in ("default", "lo", "eth0")] == [1, 1, 1]
    assert read(kernel, "ipv4 conf all accept_redirects") == 0
    assert read(kernel, "ipv6 conf eth0 forwarding") == 0


def test_writing_the_same_again_does_nothing(kernel):
    write(kernel, "ipv4 ip_forward", 1)
    write(kernel, "ipv4 conf eth0 forwarding", 0)
    write(kernel, "ipv4 ip_forward", 1)
    assert read(kernel, "ipv4 conf eth0 forwarding") == 0


def test_a_default_of_ipv4_reaches_interfaces_that_have_no_address_nor_value_of_their_own(kernel):
    kernel.make(Address("eth0", 4, "10.0.0.1/24"), 0)
    write(kernel, "ipv4 conf lo rp_filter", 1)
    write(kernel, "ipv4 conf default rp_filter", 2)
    assert [read(kernel, f"ipv4 conf {dev} rp_filter") for dev in ("eth0", "eth1", "lo")] == [0, 2, 1]
    write(kernel, "ipv6 conf default accept_ra", 2)
    assert read(kernel, "ipv6 conf eth1 accept_ra") == 1


@pytest.mark.parametrize(("accepts", "stays"), [(1, False), (2, True), (0, True)])
def test_forwarding_of_ipv6_ends_advertised_default_routes(kernel, accepts, stays):
    route = Route(6, 254, "::/0", 1024, "unicast", "fe80::1", "eth0")
    kernel.set_device(KINDS["device"].value("eth0", "up", None, None), "state")
    assert kernel.make(route, ADVERTISED)
    write(kernel, "ipv6 conf eth0 accept_ra", accepts)
    write(kernel, "ipv6 conf eth1 forwarding", 1)
    assert (key(route) in kernel.state().foreign) is stays


def test_an_interface_begins_with_the_defaults_and_ends_with_its_own(kernel):
    write(kernel, "ipv4 conf default rp_filter", 2)
    bridge = Link("br0", "bridge")
    kernel.execute(Change(CREATE, key(bridge), None, bridge))
    assert read(kernel, "ipv4 conf br0 rp_filter") == 2
    kernel.execute(Change(DELETE, key(bridge), bridge, None))
    assert not any("br0" in k[2] for k in kernel.state().foreign if k[0] == "sysctl")


def test_what_is_not_there_cannot_be_written(kernel):
    missing = Sysctl(("ipv4", "conf", "wg0", "rp_filter"), 1)
    with pytest.raises(DeniedError):
        kernel.execute(Change(UPDATE, key(missing), None, missing, 2))
