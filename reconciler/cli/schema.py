"""``reconciler schema``: the JSON Schema of the language."""

from __future__ import annotations

import json

import click

from reconciler.config.schema import load_schema


@click.command("schema")
def command() -> None:
    """Print the JSON Schema (draft 2020-12) that files are validated with, for editors and other tools."""
    click.echo(json.dumps(load_schema(), indent=2))
