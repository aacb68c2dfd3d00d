"""``reconciler watch``: keep the kernel as the file says."""

from __future__ import annotations

import click

from reconciler.cli.common import file_argument, iptables_option, kernel_of, load, netns_option, options
from reconciler.kernel.lock import acquire
from reconciler.watch.journal import Journal
from reconciler.watch.loop import Loop

POLL = 2.0


@click.command("watch")
@file_argument
@options(netns_option, iptables_option)
@click.option(
    "--poll",
    type=click.FloatRange(min=0.1),
    default=POLL,
    show_default=True,
    metavar="SECONDS",
    help="How often to look at what the kernel sends no events for, such as iptables-legacy.",
)
def command(file: str | None, netns: str | None, iptables: str | None, poll: float) -> None:
    """Keep the kernel as FILE says: repair drift at once, follow changes of the file, until told to stop.

    SIGTERM ends it and leaves the state in place; SIGHUP reads the file again. While the file is wrong, its
    last good version stays in force.
    """
    path, document = load(file)
    with kernel_of(document, netns, iptables) as kernel, acquire(kernel.namespace, kernel.owner.name):
        Loop(path, document, kernel, Journal(kernel.owner), poll).run()
