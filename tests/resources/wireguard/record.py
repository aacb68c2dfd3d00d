"""Records what this kernel dumps of a WireGuard interface, for ``test_wire.py``; prints it behind ``DUMP``.

    tests/qemu/run tests/resources/wireguard/record.py -s       (what is written there reaches no file)

Not a test by its name, so that it runs only when it is asked for.
"""

from __future__ import annotations

import json

import pytest

from reconciler.kernel.namespace import Namespace
from reconciler.kernel.netlink import NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE
from reconciler.kernel.secrets import Secrets
from reconciler.kernel.sock import cut, open_socket, pack
from reconciler.kernel.wireguard import NETLINK_GENERIC, Wireguard
from reconciler.resources.wireguard import wire
from tests.resources.wireguard.samples import OFFICE, OTHER_PUBLIC, PRESHARED, PRIVATE, ROAD

pytestmark = pytest.mark.needs("wireguard", "wg")


def test_record(lab, tmp_path):
    host = lab.namespace("host")
    for name, word in (("key", PRIVATE), ("psk", PRESHARED)):
        (tmp_path / name).write_text(word)
    host.run("ip", "link", "add", "wg0", "type", "wireguard")
    many = ",".join(f"10.{n >> 8}.{n & 255}.0/24" for n in range(256, 456))
    host.run("wg", "set", "wg0", "private-key", f"{tmp_path}/key", "listen-port", "51820", "fwmark", "0x10")
    host.run("wg", "set", "wg0", "peer", OFFICE, "preshared-key", f"{tmp_path}/psk", "endpoint", "192.0.2.1:51820",
             "persistent-keepalive", "25", "allowed-ips", "10.9.0.0/24,fd00:9::/64")  # fmt: skip
    host.run("wg", "set", "wg0", "peer", ROAD, "endpoint", "[2001:db8::1]:1", "allowed-ips", many)
    host.run("wg", "set", "wg0", "peer", OTHER_PUBLIC)
    with Namespace.parse(host.path) as where:
        port = Wireguard(where, Secrets())
        family = port._id()
        port.close()
        socket = open_socket(where, NETLINK_GENERIC, 1 << 16)
        socket.send(pack(family, NLM_F_REQUEST | NLM_F_DUMP, 1, wire.question("wg0")))
        messages = []
        while not messages or messages[-1][0] != NLMSG_DONE:
            messages += list(cut(socket.recv(4096)))  # small, so that the kernel has to cut
        socket.close()
    bodies = [body.hex() for kind, _, _, body in messages if kind == family]
    assert len(bodies) > 1, "all is in one message"
    print("\nDUMP", json.dumps(bodies, indent=0).replace("\n", ""))
