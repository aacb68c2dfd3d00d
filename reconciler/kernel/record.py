"""The record: one small file that remembers what the kernel itself cannot tell of our work.

It is named by boot, network namespace and owner, so that it never speaks of objects that are gone with a
reboot or belong to another namespace. Whatever is wrong with it costs a warning and makes it empty: then
nothing is ours by the record, so nothing is deleted by it. (json is imported only where there is a record.)

    {"version": 1, "boot": …, "cookie": …, "owner": …,
     "keys": [KEY…], "former": [[KEY, {field: value}]…], "texts": [[KEY, {hash: text}]…], "facts": {…}}
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.kernel.namespace import Namespace

VERSION = 1
FOLDER = "/run/reconciler"
FOLDER_VARIABLE = "RECONCILER_STATE_DIR"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
UNKNOWN = "unknown"
LIMIT = 256 << 20  # bytes: more is no record of ours

Key = tuple[Any, ...]


class Record:
    """What we made and changed in one namespace, for one owner. Change the fields, then ``save``.

    A file that cannot be read or written gives a line in ``warnings``; the record then lives in memory.
    """

    def __init__(self, folder: str, name: str, head: dict[str, Any]) -> None:
        self.path = os.path.join(folder, name)
        """The file."""
        self.keys: set[Key] = set()
        """Keys of what we created: added and saved before the creation, dropped after the deletion."""
        self.former: dict[Key, dict[str, Any]] = {}
        """Key to the former values of the fields that we changed of something that we did not create."""
        self.texts: dict[Key, dict[str, str]] = {}
        """Key of a chain to {hash of a rule: the text that the tool gave back for it}."""
        self.facts: dict[str, Any] = {}
        """What was found out about the host; alone it keeps no file alive."""
        self.warnings: list[str] = []
        """What went wrong, for people; each once."""
        self._head = head
        self._written: bytes | None = None

    @classmethod
    def load(cls, namespace: Namespace, owner: str) -> Record:
        """The record of ``owner`` in ``namespace``; an empty one where there is none that can be trusted.

        The folder is $RECONCILER_STATE_DIR, or /run/reconciler. Raises UnavailableError only where the kernel
        cannot tell namespaces apart (before 5.14).
        """
        head = {"version": VERSION, "boot": _boot(), "cookie": namespace.cookie(), "owner": owner}
        name = f"{head['boot']}-{head['cookie']}-{_file_name(owner)}.json"
        record = cls(os.environ.get(FOLDER_VARIABLE) or FOLDER, name, head)
        record._read()
        return record

    @property
    def empty(self) -> bool:
        """Whether it remembers nothing of ours."""
        return not (self.keys or self.former or self.texts)

    def save(self) -> None:
        """Write the file, all or nothing; remove it where the record is empty. Never raises OSError."""
        data = None if self.empty else self._data()
        if data == self._written:
            return
        if self._head["boot"] == UNKNOWN:
            self._warn(f"{BOOT_ID} cannot be read: the record is kept in memory only")
            return
        try:
            if data is None:
                _remove(self.path)
            else:
                _write(self.path, data)
        except OSError as error:
            self._warn(
                f"the record {self.path} cannot be written: {error.strerror}; until that is mended, what only"
                " the record tells (former values, addresses and qdiscs that are ours) is lost when this ends"
            )
            return
        self._written = data

    def _read(self) -> None:
        if self._head["boot"] == UNKNOWN:  # it could be of another boot: other objects, same keys
            return
        try:
            data = _trusted(self.path)
            if data is None:
                return
            self._written = data  # so that an empty record removes a broken file
            self._take(_parse(data))
        except OSError as error:
            self._distrust(error.strerror or str(error))
        except (ValueError, TypeError, RecursionError):
            self._distrust("it is truncated or no record")

    def _take(self, data: object) -> None:
        """Fill the fields from the file's JSON, all or none; TypeError or ValueError: it is none of ours."""
        if not isinstance(data, dict):
            raise TypeError
        for name, expected in self._head.items():
            if data.get(name) != expected:
                self._distrust(f"its {name} is {data.get(name)!r} and not {expected!r}")
                return
        keys = {_key(entry) for entry in _list(data.get("keys"))}
        former = _pairs(data.get("former"), _values)
        texts = _pairs(data.get("texts"), _strings)
        facts = data.get("facts")
        if not isinstance(facts, dict):
            raise TypeError
        self.keys, self.former, self.texts, self.facts = keys, former, texts, facts

    def _distrust(self, why: str) -> None:
        self._warn(
            f"the record {self.path} is left out of account: {why}. What only it told to be ours counts"
            " as foreign: it stays, and is not put back"
        )

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    def _data(self) -> bytes:
        import json

        content = {
            **self._head,
            "keys": sorted(self.keys, key=repr),
            "former": sorted(self.former.items(), key=repr),
            "texts": sorted(self.texts.items(), key=repr),
            "facts": self.facts,
        }
        return json.dumps(content, separators=(",", ":")).encode() + b"\n"


def _parse(data: bytes) -> Any:
    import json

    return json.loads(data)


def thaw(value: Any) -> Any:
    """The value that was written, from its JSON: arrays are tuples, at any depth."""
    if isinstance(value, list):
        return tuple(map(thaw, value))
    if isinstance(value, dict):
        return {name: thaw(entry) for name, entry in value.items()}
    return value


def _key(value: object) -> Key:
    """A key from its JSON array; TypeError where it is no array, or an object is in it."""
    key = thaw(value)
    hash(key)
    if not isinstance(key, tuple):
        raise TypeError
    return key


def _pairs(value: object, take: Callable[[object], dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    """Key to object, from a JSON array of pairs."""
    pairs = {}
    for entry in _list(value):
        key, content = _list(entry)  # ValueError where there are not two
        pairs[_key(key)] = take(content)
    return pairs


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _values(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    thawed: dict[str, Any] = thaw(value)
    return thawed


def _strings(value: object) -> dict[str, str]:
    values = _values(value)
    if not all(isinstance(entry, str) for entry in values.values()):
        raise ValueError
    return values


def _boot() -> str:
    """The identity of this boot; UNKNOWN where /proc does not tell."""
    try:
        with open(BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return UNKNOWN


def _file_name(owner: str) -> str:
    """The owner's name, with what a file name cannot hold written as %XX."""
    return "".join(
        letter if letter.isalnum() or letter in "-_" else "".join(f"%{byte:02x}" for byte in letter.encode())
        for letter in owner
    )


def _trusted(path: str) -> bytes | None:
    """What the file holds; None where there is none. OSError also where somebody else has written it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if status.st_uid not in (0, os.geteuid()):
            raise PermissionError(1, f"it belongs to user {status.st_uid}")
        return file.read(LIMIT)


def _write(path: str, data: bytes) -> None:
    """Put a new file in the place of the old one, so that whoever reads finds one or the other."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    draft = f"{path}.new"  # one writer holds the lock, so one name does
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(draft, flags, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    os.rename(draft, path)


def _remove(path: str) -> None:
    for name in (path, f"{path}.new"):
        try:
            os.unlink(name)
        except FileNotFoundError:
            continue
