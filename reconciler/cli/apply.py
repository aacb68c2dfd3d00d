"""``reconciler apply``: diff, apply, verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.common import (
    adopt_option,
    file_argument,
    force_option,
    iptables_option,
    kernel_of,
    load,
    netns_option,
    options,
    show,
    show_notes,
)
from reconciler.engine.apply import converge
from reconciler.engine.preview import preview
from reconciler.errors import NotConvergedError
from reconciler.kernel.lock import acquire

if TYPE_CHECKING:
    from reconciler.engine.preview import Preview
    from reconciler.kernel.live import Kernel

LOCK_WAIT = 10.0
"""Seconds to wait for another apply; ``watch`` does not let go, and the message says so."""


class Speaker:
    """Tells the user of plans that the first preview did not show."""

    def __init__(self, kernel: Kernel, path: str) -> None:
        self.kernel = kernel
        self.path = path

    def planned(self, found: Preview, *, previewed: bool) -> None:
        """Show a plan that was not shown before."""
        if not previewed:
            click.echo("\nnot previewed, because the kernel changed or answered otherwise:")
            show(found, self.kernel, self.path)

    def noticed(self, words: str) -> None:
        """Print a note."""
        click.echo(f"note: {words}", err=True)


@click.command("apply")
@file_argument
@options(netns_option, iptables_option, adopt_option, force_option)
@click.option("--require-all", is_flag=True, help="Exit with 6 if something is still pending.")
def command(
    file: str | None, netns: str | None, iptables: str | None, *, adopt: bool, force: bool, require_all: bool
) -> None:
    """Make the kernel as FILE says: show the diff, apply it step by step, verify, or roll back."""
    path, document = load(file)
    with kernel_of(document, netns, iptables) as kernel:
        lock = acquire(kernel.namespace, kernel.owner.name, LOCK_WAIT)
        with lock:
            first = preview(document, kernel, adopt=adopt)
            show_notes(first.desired)
            show(first, kernel, path)
            speaker = Speaker(kernel, path)
            outcome = converge(document, kernel, speaker, adopt=adopt, force=force, first=first)
    waiting = outcome.final.plan.pending
    if outcome.changed:
        click.echo(f"applied {outcome.changed} changes and verified: the kernel is as the file says")
    if waiting and require_all:
        reasons = "; ".join(dict.fromkeys(p.reason for p in waiting))
        msg = f"{len(waiting)} still pending: {reasons}"
        raise NotConvergedError(msg)
