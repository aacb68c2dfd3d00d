"""iptables of both variants and families: reading what it saves, giving it what to restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import UnavailableError
from reconciler.kernel.modules import present
from reconciler.kernel.nft_table import delete, generation
from reconciler.kernel.process import run
from reconciler.kernel.variant import program
from reconciler.resources.iptables.save import Table, read

if TYPE_CHECKING:
    from reconciler.kernel.namespace import Namespace
    from reconciler.kernel.process import Completed

NAMES = {4: "ip_tables_names", 6: "ip6_tables_names"}


class NotPermittedError(UnavailableError):
    """iptables shows nothing to whoever lacks CAP_NET_ADMIN."""


class Iptables:
    """One variant in one namespace."""

    def __init__(self, namespace: Namespace, variant: str) -> None:
        self.namespace = namespace
        self.variant = variant
        self._seen: dict[int, set[str]] = {}
        self.runs = 0
        """How many times a tool was run to change something."""

    def makes(self, family: int, table: str) -> bool:
        """Tell whether writing to a table will bring it into being; only nft's can be removed again."""
        return self.variant == "nft" and table not in self._seen.get(family, {table})

    def drop(self, family: int, table: str) -> bool:
        """Delete a table of nft's if nothing is in it; True if it is gone."""
        try:
            seen = generation(self.namespace)
            found = self.read(family).get(table)
            if found is None:
                return True
            plain = {"ACCEPT"}.issuperset(found.policies.values()) and not any(found.rules.values())
            return plain and not found.hidden and delete(self.namespace, family, table, seen)
        except (OSError, UnavailableError):
            return False

    def read(self, family: int) -> dict[str, Table]:
        """Return all tables of a family.

        Raises NotPermittedError where the tool may not look, UnavailableError where it fails.
        """
        tool = program(self.variant, family, "save")
        if tool is None or not self._in_use(family):
            self._seen[family] = set()
            return {}
        done = run(self.namespace, [tool])
        if done.status:
            raise _failure(tool, done)
        tables = read(done.stdout, tool)
        self._seen[family] = set(tables)
        return tables

    def restore(self, family: int, text: str) -> Completed:
        """Give the tool what to do; the caller looks at the status."""
        tool = program(self.variant, family, "restore")
        if tool is None:
            msg = f"{'ip6tables' if family == 6 else 'iptables'}-{self.variant}-restore is not installed"
            raise UnavailableError(msg)
        self.runs += 1
        wait = ["-w", "10"] if self.variant == "legacy" else []
        return run(self.namespace, [tool, "--noflush", *wait], text)

    def _in_use(self, family: int) -> bool:
        """Tell whether there can be tables: asking where there are none would load modules."""
        if self.variant == "nft":
            return present("nf_tables") is not False

        def look() -> str:
            with open(f"/proc/thread-self/net/{NAMES[family]}", encoding="ascii") as names:
                return names.read()

        try:
            return bool(self.namespace.run(look).strip())
        except FileNotFoundError:
            return False
        except PermissionError as error:
            msg = f"iptables-legacy cannot be read: {error.strerror}: {error.filename} (it takes root)"
            raise NotPermittedError(msg) from error


def _failure(tool: str, done: Completed) -> UnavailableError:
    words = " ".join(done.stderr.split()) or f"status {done.status}"
    if "ermission denied" in words or "must be root" in words or "not permitted" in words:
        return NotPermittedError(f"{tool} needs CAP_NET_ADMIN: {words}")
    return UnavailableError(f"{tool} failed: {words}")
