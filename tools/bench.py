"""Measure `reconciler diff` on the reference case beside the nearest peer's check, as whole processes.

Runs inside a throw-away namespace (tools/in-namespace). The two take turns, so that a noisy machine is noisy
for both; the median of each and their ratio are printed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 15
GOAL = 0.5
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Both as they are installed: with their modules compiled."""
EXAMPLE = "examples/two-uplinks/reconciler.yaml"
PEER = """\
interfaces:
  eth0:
    addresses: [192.168.1.2/24]
    link: {kind: veth, state: up, peer: far0}
  eth1:
    addresses: [192.168.2.2/24]
    link: {kind: veth, state: up, peer: far1}
    tc: {qdisc: {kind: htb, handle: "1:"}}
routing:
  routes:
    - {to: 0.0.0.0/0, via: 192.168.2.1, dev: eth1, table: 100}
  rules:
    - {priority: 17000, fwmark: 0x10, table: 100}
    - {priority: 17020, from: 192.168.2.2/32, table: 100}
"""


def main() -> int:
    """Return 1 if the ratio misses the goal."""
    folder = os.path.dirname(sys.executable)
    ours = [os.path.join(folder, "reconciler"), "diff", EXAMPLE]
    _run(["ip", "link", "set", "lo", "up"])
    for number in (0, 1):
        _run(["ip", "link", "add", f"eth{number}", "type", "veth", "peer", "name", f"far{number}"])
        _run(["ip", "link", "set", f"far{number}", "up"])
    _run([ours[0], "apply", EXAMPLE])
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(PEER)
        file.flush()
        theirs = [os.path.join(folder, "ifstatecli"), "-c", file.name, "check"]
        times: dict[str, list[float]] = {"reconciler diff": [], "ifstatecli check": []}
        for _ in range(ROUNDS):
            for name, command in (("reconciler diff", ours), ("ifstatecli check", theirs)):
                times[name].append(_run(command))
    medians = {name: statistics.median(found) for name, found in times.items()}
    for name, median in medians.items():
        print(f"{name:<18} {median:6.3f} s  (median of {ROUNDS}, fastest {min(times[name]):.3f} s)")
    ratio = medians["reconciler diff"] / medians["ifstatecli check"]
    print(f"ratio              {ratio:6.2f}    (goal: at most {GOAL})")
    return 0 if ratio <= GOAL else 1


def _run(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=False, capture_output=True, env=ENVIRONMENT)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
