"""``reconciler``: finds the command, and turns errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from reconciler.errors import ReconcilerError

COMMANDS = {
    "validate": "Check a file: its form, its names, its meaning.",
    "diff": "Show what apply would do.",
    "apply": "Make the kernel as the file says.",
    "watch": "Keep the kernel as the file says, until told to stop.",
    "teardown": "Remove everything that is ours, nothing else.",
    "schema": "Print the JSON Schema of the language.",
}
USAGE, UNEXPECTED, INTERRUPTED = 64, 1, 130
EXIT_CODES = """Exit codes: 0 done (or no difference), 2 differences (diff --exit-code), 3 the config is
wrong, 4 not permitted, or the kernel or a tool lacks something, 5 apply failed and was rolled back, 6 applied
but not converged, 7 refused as unsafe, 64 usage, 1 anything unexpected."""


class Commands(click.Group):
    """A group that imports a command's module only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"reconciler.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Commands, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="net-reconciler", prog_name="reconciler")
def cli() -> None:
    """Marks, rules, routes, iptables and shaping of a Linux host, from one YAML file.

    FILE defaults to $RECONCILER_CONFIG, then /etc/reconciler/reconciler.yaml.
    """


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line; returns the exit code. No input gives a traceback."""
    try:
        result = cli.main(arguments, prog_name="reconciler", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.UsageError as error:
        error.show()
        return USAGE
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except ReconcilerError as error:
        click.echo(f"reconciler: {error}" if error.exit_code != 3 else str(error), err=True)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("RECONCILER_DEBUG"):
            raise
        click.echo(
            f"reconciler: unexpected: {type(error).__name__}: {error}\n"
            "This is a bug of reconciler. RECONCILER_DEBUG=1 shows where it happened; please report it.",
            err=True,
        )
        return UNEXPECTED


if __name__ == "__main__":
    main()
