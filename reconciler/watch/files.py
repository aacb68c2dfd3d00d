"""Tells when a file may have changed: by inotify on its folder, and by looking from time to time.

The folder is watched, not the file, since editors, git and ConfigMaps put a new file in the place of the old
one. What has changed is decided by content, never by the event.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

READING = frozenset({"opened", "closed_no_write"})
"""Events of those who only look."""


class FileWatch(FileSystemEventHandler):
    """Watches the folder of a file, and that of what it links to. ``fileno`` becomes readable on any event."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._observer = Observer()
        self.problem = ""
        """Why there are no events, where there are none; then only looking from time to time is left."""
        try:
            for folder in self.folders():
                self._observer.schedule(self, folder)
            self._observer.start()
        except OSError as error:
            self.problem = f"no file events ({error}): the file is looked at every few seconds"

    def folders(self) -> list[str]:
        """Return the folders whose entries lead to the file's content."""
        found = [os.path.dirname(os.path.abspath(self.path)), os.path.dirname(os.path.realpath(self.path))]
        return [folder for folder in dict.fromkeys(found) if os.path.isdir(folder)]

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Wake the loop; called by watchdog's thread."""
        if event.event_type in READING:
            return
        try:
            os.write(self._write, b"x")
        except BlockingIOError:
            return

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._read

    def drain(self) -> bool:
        """Forget the events so far; tell whether there were any."""
        try:
            return bool(os.read(self._read, 4096))
        except BlockingIOError:
            return False

    def content(self) -> bytes | None:
        """Return what the file holds, to tell whether it has changed; None if it cannot be read."""
        try:
            with open(self.path, "rb") as file:
                return file.read()
        except OSError:
            return None

    def close(self) -> None:
        """Stop watching."""
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()
        os.close(self._read)
        os.close(self._write)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
