#!/usr/bin/env python3
"""The main job for real, proven with packets. ``make demo`` runs this in a throw-away namespace.

    tools/in-namespace PYTHON tools/demo.py [--config FILE]

This file tells the story; how each thing is done and proven stands in ``tools/demo/``. The network is that
of the tests (``tests/netns/two_uplinks.py``): a host and a far side, each a namespace of its own that is gone
when this ends.

Exit status: 0 all was proven; 1 something was not, or went wrong; 4 the kernel or the tools lack something,
or the system does not permit it; 7 this is not a throw-away namespace, so nothing was done; 64 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from typing import NoReturn

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXAMPLE = "examples/two-uplinks/reconciler.yaml"
UNEXPECTED, LACKING, UNSAFE, USAGE, INTERRUPTED = 1, 4, 7, 64, 130


class Parser(argparse.ArgumentParser):
    """Ends with the project's status for wrong usage."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"demo: {message}\n")


def tell(config: str) -> bool:
    """Tell the whole story with one file; return whether all of it was proven."""
    from tests.netns.lab import Lab
    from tests.netns.two_uplinks import TwoUplinks
    from tools.demo import healing, packets
    from tools.demo.objects import Leaves
    from tools.demo.screen import Screen
    from tools.demo.stage import Stage

    screen = Screen()
    with Lab() as lab:
        screen.step("A host with two uplinks and a far side, in namespaces of their own")
        stage = Stage(TwoUplinks(lab, stage1="up"), config, screen)
        screen.text(stage.PICTURE)
        stage.settle()
        leaves = Leaves(stage)

        screen.step(f"What {config} would change")
        before = packets.way(stage, mark=packets.MARK)
        screen.prove("the diff shows what is missing", stage.diff, empty=False)

        screen.step("Apply it")
        if not screen.prove("apply makes it so, and verifies it", stage.apply):
            screen.summary()
            return False

        screen.step("Which way the packets go")
        screen.prove("a plain socket leaves by uplink 1", packets.plain, stage)
        screen.prove("a socket with SO_MARK 0x10 leaves by uplink 2", packets.marked, stage, before)
        screen.prove("a socket bound to 192.168.2.2 leaves by uplink 2", packets.bound, stage)

        screen.step("What the iptables rules count")
        counted = packets.Counted(stage)
        screen.prove("LOG in OUTPUT counts the marked packets, no others", counted.by, "OUTPUT", "LOG")
        screen.prove("ACCEPT in INPUT counts their replies, no others", counted.by, "INPUT", "ACCEPT")

        screen.step("How fast the packets go")
        screen.prove("marked traffic is held to its class", packets.held, stage)
        screen.prove("and has its class's rate where others compete", packets.guaranteed, stage)

        screen.step("Look again")
        screen.prove("a second diff is empty", stage.diff, empty=True)

        screen.step("Watch it, and delete things by hand")
        with healing.Watcher(stage) as watcher:
            if screen.prove("the watcher starts, and finds nothing to do", watcher.starts):
                screen.prove("a rule deleted by hand is put back", healing.rule, stage, watcher)
                screen.prove("an iptables rule deleted by hand is put back", healing.iptables, stage, watcher)
                screen.prove("SIGTERM ends the watcher, and the state stays", watcher.stops)

        screen.step("Take it away again")
        screen.prove("teardown leaves every object as it was before", leaves.nothing)
        return screen.summary()


def main() -> int:
    """Check where we are and what is here, then tell the story."""
    parser = Parser(prog="demo", description="The main job for real, proven with packets.")
    parser.add_argument("--config", metavar="FILE", help=f"tell the story with it, instead of {EXAMPLE}")
    config = parser.parse_args().config
    config = os.path.abspath(config) if config else EXAMPLE
    os.chdir(ROOT)
    sys.path.insert(0, ROOT)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]

    signal.signal(signal.SIGTERM, signal.default_int_handler)

    from tests.netns.lab import CommandError
    from tools.demo.needs import MissingError, check, why_not_throw_away

    if why := why_not_throw_away():
        print(f"demo: refused: {why}", file=sys.stderr)
        print("demo: run `make demo`, or tools/in-namespace PYTHON tools/demo.py", file=sys.stderr)
        return UNSAFE
    try:
        check()
        return 0 if tell(config) else UNEXPECTED
    except MissingError as error:
        print("demo: this machine cannot run the demo:", file=sys.stderr)
        print("\n".join(f"  {line}" for line in str(error).splitlines()), file=sys.stderr)
        return LACKING
    except (OSError, CommandError, subprocess.SubprocessError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return UNEXPECTED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
