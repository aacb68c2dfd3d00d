"""The generic netlink family "wireguard": its devices are read and written through a socket of its own."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from reconciler.errors import UnavailableError
from reconciler.kernel.netlink import Netlink, NetlinkError
from reconciler.resources.wire import number, parse, text
from reconciler.resources.wireguard import wire
from reconciler.resources.wireguard.keys import to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.kernel.ack import Ack
    from reconciler.kernel.namespace import Namespace
    from reconciler.kernel.secrets import Secrets
    from reconciler.resources.message import Message

NETLINK_GENERIC = 16
GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 0x10, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 1, 2


class Wireguard:
    """The family in one namespace. Secrets pass only between it and ``secrets``."""

    def __init__(self, namespace: Namespace, secrets: Secrets) -> None:
        self.netlink = Netlink(namespace, NETLINK_GENERIC)
        self.secrets = secrets
        self._family = 0

    def read(self, names: Iterable[str]) -> Iterator[wire.RawDevice]:
        """Yield those of the devices that there are. UnavailableError where the kernel does not show them."""
        for name in names:
            try:
                raw = wire.answer(self.netlink.dump(self._id(), wire.question(name)))
            except NetlinkError as error:
                if error.errno == errno.ENODEV:
                    continue
                if error.errno == errno.EPERM:
                    msg = f"WireGuard shows {name} only with CAP_NET_ADMIN: its answer holds keys"
                    raise UnavailableError(msg) from error
                raise
            if raw is None:
                continue
            self.secrets.know(raw.private_key, to_text(raw.public_key))
            for peer in raw.peers:
                self.secrets.share(peer.preshared_key)
            yield raw

    def send(self, messages: Iterable[Message]) -> list[Ack]:
        """Send messages as ``Netlink.send`` does, secrets put in; UnknownSecretError where one is not known."""
        family = self._id()
        return self.netlink.send([self.secrets.put_in(message._replace(type=family)) for message in messages])

    def close(self) -> None:
        """Close the socket."""
        self.netlink.close()

    def _id(self) -> int:
        """Return the number that the family has on this kernel, since it was started."""
        if not self._family:
            body = wire.GENLMSGHDR.pack(CTRL_CMD_GETFAMILY, 1, 0) + text(CTRL_ATTR_FAMILY_NAME, wire.FAMILY)
            try:
                (answer, *_) = self.netlink.get(GENL_ID_CTRL, body)
            except NetlinkError as error:
                if error.errno == errno.ENOENT:
                    msg = "the kernel has no WireGuard: the module wireguard is missing"
                    raise UnavailableError(msg) from error
                raise
            self._family = number(parse(answer, wire.GENLMSGHDR.size)[CTRL_ATTR_FAMILY_ID])
        return self._family
