"""``reconciler diff``: what apply would do. Reads only."""

from __future__ import annotations

import click

from reconciler.cli.common import (
    adopt_option,
    file_argument,
    iptables_option,
    kernel_of,
    load,
    netns_option,
    options,
    show,
    show_notes,
    warn,
)
from reconciler.engine.preview import preview
from reconciler.kernel.procfs import FORBIDDEN

DIFFERENT, NOT_PERMITTED = 2, 4


@click.command("diff")
@file_argument
@options(netns_option, iptables_option, adopt_option)
@click.option("--exit-code", is_flag=True, help="Exit with 2 if there are differences.")
@click.option("-o", "--output", type=click.Choice(["text", "commands"]), default="text", help="The form of the diff.")
def command(
    file: str | None, netns: str | None, iptables: str | None, output: str, *, adopt: bool, exit_code: bool
) -> int:
    """Show what apply would do to make the kernel as FILE says, in the order of execution.

    What the kernel does not show without CAP_NET_ADMIN (iptables) is unknown, and the exit code is 4.
    """
    path, document = load(file)
    with kernel_of(document, netns, iptables) as kernel:
        found = preview(document, kernel, adopt=adopt)
        show_notes(found.desired)
        if output == "commands":
            from reconciler.render.commands import render

            click.echo(render(found.plan, kernel.owner), nl=False)
        else:
            show(found, kernel, path)
        for words in found.sealed:
            if not words.endswith(FORBIDDEN):  # an ordinary user may look, and knows that it is no more than that
                warn(words)
    if found.blind:
        return NOT_PERMITTED
    return DIFFERENT if exit_code and not found.plan.empty else 0
