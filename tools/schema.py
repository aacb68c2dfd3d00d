"""Write schemas/ from the stanzas of all kinds, or with --check say whether they are current."""

from __future__ import annotations

import json
import os
import sys

from reconciler.resources.schema import build

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "schemas", "reconciler.schema.json")


def main() -> int:
    """Return 1 if --check finds the file out of date."""
    text = json.dumps(build(), indent=2) + "\n"
    if "--check" in sys.argv[1:]:
        with open(PATH, encoding="utf-8") as file:
            if file.read() == text:
                return 0
        print(f"{PATH} is not what the kinds say: run make schema")
        return 1
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
