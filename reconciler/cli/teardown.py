"""``reconciler teardown``: remove what is ours."""

from __future__ import annotations

import click

from reconciler.cli.apply import LOCK_WAIT, Speaker
from reconciler.cli.common import (
    file_argument,
    force_option,
    iptables_option,
    kernel_of,
    load,
    netns_option,
    options,
    show,
)
from reconciler.engine.apply import converge
from reconciler.engine.preview import preview
from reconciler.kernel.lock import acquire


@click.command("teardown")
@file_argument
@options(netns_option, iptables_option, force_option)
def command(file: str | None, netns: str | None, iptables: str | None, *, force: bool) -> None:
    """Remove everything that is ours and give back what we changed; nothing else is touched.

    FILE is read only for the owner and the iptables variant that its settings name; without FILE they are
    the default ones.
    """
    document = load(file)[1] if file else None
    with (
        kernel_of(document, netns, iptables) as kernel,
        acquire(kernel.namespace, kernel.owner.name, LOCK_WAIT),
    ):
        first = preview(None, kernel)
        show(first, kernel, "nothing of ours")
        outcome = converge(None, kernel, Speaker(kernel, "nothing of ours"), force=force, first=first)
    click.echo(f"removed: {outcome.changed} changes")
