"""What several commands share: options, opening the kernel, and showing warnings and plans."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from reconciler.engine.source import path_of, read
from reconciler.kernel.live import Kernel
from reconciler.kernel.namespace import Namespace
from reconciler.render.text import render
from reconciler.resources.desired import owner_of
from reconciler.resources.owner import Owner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.config.document import Map
    from reconciler.core.desired import Desired
    from reconciler.engine.preview import Preview

COLOURS = {"+": "green", "-": "red", "~": "yellow", "-/+": "yellow", "!": "red", "…": "cyan", "└": "red"}

file_argument = click.argument("file", required=False)
netns_option = click.option(
    "--netns", metavar="NAME|PATH|PID", help="Work in this network namespace instead of the one we run in."
)
iptables_option = click.option(
    "--iptables", type=click.Choice(["nft", "legacy"]), help="Use this variant of iptables, not the host's."
)
adopt_option = click.option("--adopt", is_flag=True, help="Take over foreign objects that are in the way.")
force_option = click.option("--force", is_flag=True, help="Accept that foreign objects are removed along with ours.")


def load(file: str | None) -> tuple[str, Map]:
    """Return path and validated document of the file that the user means."""
    path = path_of(file)
    return path, read(path)


@contextmanager
def kernel_of(document: Map | None, netns: str | None, variant: str | None) -> Iterator[Kernel]:
    """Open the kernel for the owner that a file names."""
    settings: dict[str, Any] = (document.get("settings") if document is not None else None) or {}
    owner = owner_of(document) if document is not None else Owner()
    with Namespace.parse(netns) as namespace:
        kernel = Kernel(namespace, owner, variant or settings.get("iptables"))
        try:
            yield kernel
        finally:
            kernel.close()
            for words in kernel.record.warnings:
                warn(words)


def show_notes(desired: Desired) -> None:
    """Print warnings and notices to standard error."""
    for problem in desired.warnings:
        warn(str(problem))
    for words in desired.notices:
        click.echo(f"note: {words}", err=True)


def show(found: Preview, kernel: Kernel, path: str) -> None:
    """Print a plan as text."""
    title = f"{path} against the live kernel of {kernel.namespace.describe()}"
    text = render(found.plan, found.desired, found.observed, found.names, kernel.owner, title)
    click.echo(coloured(text) if sys.stdout.isatty() else text, nl=False)
    for words in found.dangers:
        warn(f"would cut connections: {words}")


def coloured(text: str) -> str:
    """Return a plan's text with each change's line in the colour of its sign."""
    lines = []
    for line in text.splitlines(keepends=True):
        sign = line[:4].strip() if line.startswith(" ") and line[:4].strip() in COLOURS else ""
        if line.startswith(" -/+"):
            sign = "-/+"
        lines.append(click.style(line, fg=COLOURS[sign]) if sign else line)
    return "".join(lines)


def warn(words: str) -> None:
    """Print a warning."""
    click.echo(f"warning: {words}", err=True)


def options(*given: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Put several options on a command."""

    def decorate(function: Any) -> Any:
        for option in reversed(given):
            function = option(function)
        return function

    return decorate
