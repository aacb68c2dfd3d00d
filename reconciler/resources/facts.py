"""What kernel and tools of a namespace can do, as a value: planning depends on it, ``kernel`` finds it."""

from __future__ import annotations

from typing import Any, NamedTuple

CLASSIFIERS = ("fw", "bpf", "classify")
VARIANTS = ("nft", "legacy", "none")


class Facts(NamedTuple):
    """The choices that depend on the host; each says where it comes from."""

    classifier: str
    """How a marked packet finds its class: ``fw``, ``bpf`` (cls_fw, cls_bpf), ``classify`` (iptables)."""
    classifier_source: str
    """``loaded``, ``built in``, ``loadable module``, ``probed``, ``assumed`` (nobody can tell)…"""
    iptables: str
    """The variant this host uses: ``nft``, ``legacy``, or ``none``: no iptables that works."""
    iptables_source: str
    """Why that variant, in words for people."""
    ipv6: bool
    """False when the kernel runs without IPv6 (``ipv6.disable=1``)."""
    kernel: str
    """The kernel's release, as ``uname -r`` prints it."""
    tables: tuple[tuple[str, int], ...] = ()
    """Name and number of each routing table that the host names (``rt_tables``), the kernel's own excepted."""

    def to_json(self) -> dict[str, Any]:
        """The facts as a JSON object; :meth:`from_json` reads it back."""
        data = self._asdict()
        if not self.tables:
            del data["tables"]
        return data

    @classmethod
    def from_json(cls, data: object) -> Facts | None:
        """The facts that ``data`` holds; None where it is anything but a complete set of them."""
        if not isinstance(data, dict) or {*data, "tables"} != set(cls._fields):
            return None
        tables = data.get("tables", ())
        if not isinstance(tables, (list, tuple)) or not all(_names_a_table(entry) for entry in tables):
            return None
        types = (str, str, str, str, bool, str)
        if not all(isinstance(data[name], kind) for name, kind in zip(cls._fields, types, strict=False)):
            return None
        if data["classifier"] not in CLASSIFIERS or data["iptables"] not in VARIANTS:
            return None
        return cls(**{**data, "tables": tuple((name, number) for name, number in tables)})


def _names_a_table(entry: object) -> bool:
    return isinstance(entry, (list, tuple)) and len(entry) == 2 and [type(part) for part in entry] == [str, int]
