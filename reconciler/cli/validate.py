"""``reconciler validate``: form and meaning, without looking at the kernel."""

from __future__ import annotations

import click

from reconciler.cli.common import file_argument, load, warn
from reconciler.errors import ConfigError
from reconciler.kernel.rt_tables import host_tables
from reconciler.resources.desired import ANYWHERE, desire


@click.command("validate")
@file_argument
@click.option("--strict", is_flag=True, help="Warnings are errors.")
def command(file: str | None, *, strict: bool) -> None:
    """Check FILE: its form, its names, its meaning. Needs no privilege and no kernel."""
    path, document = load(file)
    desired, _ = desire(document, ANYWHERE._replace(tables=host_tables()))
    if strict and desired.warnings:
        raise ConfigError(desired.warnings)
    for problem in desired.warnings:
        warn(str(problem))
    click.echo(f"{path}: {len(desired.values)} objects, no errors, {len(desired.warnings)} warnings")
