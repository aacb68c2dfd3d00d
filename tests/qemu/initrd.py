"""Makes the initrd of ``tests/qemu``: just enough to mount the host's files as root, from the host's own programs.

    python3 initrd.py FOLDER OUTPUT        FOLDER has lib/modules/VERSION

It holds bash, insmod, mount and switch_root with the libraries that ``ldd`` names, and the modules that 9p over
virtio needs, numbered in the order in which they are loaded. A cpio archive in the format "newc" (the kernel's
driver-api/early-userspace/buffer-format), uncompressed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

PROGRAMS = ("bash", "insmod", "mkdir", "mount", "switch_root")
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
FOLDERS = ("dev", "lower", "proc", "root", "run", "sys", "upper")
INIT = """#!/bin/bash
for module in /modules/*; do insmod "$module"; done
mount -t tmpfs -o size=75%,mode=755 tmpfs /upper
mkdir /upper/files /upper/work
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=524288,cache=loose root /lower
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work root /root
exec switch_root /root "$PRIVATE/init"
"""
"""Changes to the files stay in memory: the folder ``/upper``. PRIVATE comes with the kernel's command line."""


def main(folder: str, output: str) -> None:
    """Write the archive."""
    files = {"init": (0o755, INIT.encode())}
    for name in PROGRAMS:
        path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if path is None:
            sys.exit(f"qemu: there is no {name}")
        files[f"bin/{name}"] = (0o755, _content(path))
        for library in re.findall(r"(/\S+) \(0x", subprocess.check_output(["ldd", path], text=True)):
            files[library.lstrip("/")] = (0o755, _content(library))
    for number, module in enumerate(_modules(folder)):
        files[f"modules/{number:02}-{os.path.basename(module)}"] = (0o644, _content(module))
    with open(output, "wb") as archive:
        archive.write(cpio(files))


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _modules(folder: str) -> list[str]:
    """Return the files of the modules, each after those that it needs."""
    (version,) = os.listdir(f"{folder}/lib/modules")
    found: dict[str, None] = {}
    for name in MODULES:
        command = ["modprobe", "--show-depends", "--dirname", folder, "--set-version", version, name]
        for line in subprocess.check_output(command, text=True).splitlines():
            if line.startswith("insmod "):
                found[line.split()[1]] = None
    return list(found)


def cpio(files: dict[str, tuple[int, bytes]]) -> bytes:
    """Return an archive of files and the folders that they lie in."""
    folders = set(FOLDERS)
    for name in files:
        while name := os.path.dirname(name):
            folders.add(name)
    entries = [(name, 0o040755, b"") for name in sorted(folders)]
    entries += [(name, 0o100000 | mode, content) for name, (mode, content) in files.items()]
    return b"".join(_entry(number, *entry) for number, entry in enumerate([*entries, ("TRAILER!!!", 0, b"")], start=1))


def _entry(number: int, name: str, mode: int, content: bytes) -> bytes:
    raw = name.encode() + b"\0"
    links = 2 if mode & 0o040000 else 1
    fields = (number, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(raw), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + raw
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)


if __name__ == "__main__":
    main(*sys.argv[1:])
