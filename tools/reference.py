"""Write docs/reference.md from the JSON Schema of the language, or with --check say whether it is current."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

import yaml

from reconciler.resources.schema import build

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "docs", "reference.md")
INTRODUCTION = """\
# Reference

Every key of the language, made from the [JSON Schema](../schemas/reconciler.schema.json) by `make schema`: do not edit
this page. [How the language works](language.md) is told elsewhere.

`NAME` in a heading stands for a name that the file gives, `[]` for each entry of a list. What has no default and is not
required is left alone, or does not apply, where the file does not say it.
"""
HEAD = "| key | value | default | meaning | example |\n|---|---|---|---|---|"
Schema = dict[str, Any]


class Page:
    """The page, made of one schema."""

    def __init__(self, schema: Schema) -> None:
        self.defs: Schema = schema["$defs"]
        self.sections: Schema = schema["properties"]

    def text(self) -> str:
        """Return the whole page."""
        blocks = [INTRODUCTION, self._contents()]
        for key, stanza in self.sections.items():
            blocks += self._opening(f"## {key}", stanza)
            blocks += self._tables(key, stanza)
        blocks.append("## Values\n\nWhat several keys take.\n")
        for name, stanza in self.defs.items():
            blocks += self._opening(f"### value {name}", stanza)
            blocks += self._tables(f"value {name}", stanza)
        return "\n".join(blocks)

    def _contents(self) -> str:
        rows = [f"- {_link(key, f'`{key}`')}: {_sentence(stanza)}" for key, stanza in self.sections.items()]
        return "\n".join([*rows, f"- {_link('Values', 'Values')} that several keys take\n"])

    def _opening(self, heading: str, stanza: Schema) -> Iterator[str]:
        """Yield the heading and the words of a section, with its examples."""
        yield f"{heading}\n\n{stanza.get('description', '')}\n"
        facts = [f"Value: {self._value(heading.lstrip('# '), stanza, own=True)}."]
        if "default" in stanza:
            facts.append(f"Default: {_code(_yaml(stanza['default']))}.")
        entries = stanza.get("additionalProperties")
        if isinstance(entries, dict) and "description" in entries:
            facts.append(entries["description"])
        yield " ".join(facts) + "\n"
        compound = any(isinstance(example, (dict, list)) and example for example in stanza.get("examples", ()))
        if compound:
            name = heading.rsplit(maxsplit=1)[-1]
            for example in stanza["examples"]:
                whole = yaml.safe_dump({name: example}, sort_keys=False, default_flow_style=None, width=110)
                yield f"```yaml\n{whole}```\n"
        elif "examples" in stanza:
            yield f"Example: {self._examples(stanza)}\n"

    def _tables(self, path: str, stanza: Schema) -> Iterator[str]:
        """Yield the table of each map below a path, with a heading wherever it is not the path itself."""
        for place, node in _maps(path, stanza):
            if place not in (path, f"{path}[]"):
                yield f"### {place}\n"
            required = node.get("required", ())
            rows = [self._row(place, key, part, key in required) for key, part in node["properties"].items()]
            yield "\n".join([HEAD, *rows, ""])

    def _row(self, path: str, key: str, stanza: Schema, required: bool) -> str:
        words = self._whole(stanza)
        default = "required" if required else _code(_yaml(words["default"])) if "default" in words else "—"
        value = self._value(f"{path}.{key}", stanza)
        cells = (_code(key), value, default, words.get("description", ""), self._examples(words))
        return f"| {' | '.join(map(_cell, cells))} |"

    def _examples(self, stanza: Schema) -> str:
        return ", ".join(_code(_yaml(example)) for example in stanza.get("examples", ()))

    def _whole(self, stanza: Schema) -> Schema:
        """Return a stanza with what it refers to, its own words first."""
        return {**self._whole(self.defs[_name(stanza)]), **stanza} if "$ref" in stanza else stanza

    def _value(self, path: str, stanza: Schema, *, own: bool = False) -> str:
        """Say what a key takes; ``own`` on the section of a value that is explained here."""
        if "$ref" in stanza:
            return _link(f"value {_name(stanza)}", _name(stanza))
        if "enum" in stanza or "const" in stanza:
            return ", ".join(_code(_yaml(value)) for value in stanza.get("enum", [stanza.get("const")]))
        types = [t for t in _types(stanza) if t != "null"]
        if types == ["object"]:
            return self._map(path, stanza, own=own)
        if types == ["array"]:
            entries = self._value(f"{path}[]", stanza.get("items", {}))
            return f"list of {entries}" + (", each only once" if stanza.get("uniqueItems") else "")
        for several in ("anyOf", "oneOf"):
            if several in stanza:
                plain = all("$ref" not in part and "object" not in _types(part) for part in stanza[several])
                if plain and "x-hint" in stanza:
                    return str(stanza["x-hint"])
                return ", or ".join(self._value(path, part, own=own) for part in stanza[several])
        return " or ".join(_scalar(kind, stanza) for kind in types) or "anything"

    def _map(self, path: str, stanza: Schema, *, own: bool) -> str:
        entries = stanza.get("additionalProperties")
        if isinstance(entries, dict):
            names = self._value("", {"type": "string", **stanza.get("propertyNames", {})})
            return f"map of names ({names}) to {self._value(f'{path}.NAME', entries)}"
        return "a map with the keys below" if own else f"map, see {_link(path, f'`{path}`')}"


def _maps(path: str, stanza: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield path and stanza of each map with keys of its own, down to what is only referred to."""
    if "properties" in stanza:
        yield path, stanza
    for key, part in stanza.get("properties", {}).items():
        yield from _maps(f"{path}.{key}", part)
    if isinstance(stanza.get("additionalProperties"), dict):
        yield from _maps(f"{path}.NAME", stanza["additionalProperties"])
    if "items" in stanza:
        yield from _maps(f"{path}[]", stanza["items"])
    for several in ("anyOf", "oneOf", "allOf"):
        for part in stanza.get(several, ()):
            yield from _maps(path, part)


def _cell(text: str) -> str:
    """Return a text that neither ends a cell nor a row of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _scalar(kind: str, stanza: Schema) -> str:
    """Say in words what a scalar may be."""
    if kind == "boolean":
        return "`true` or `false`"
    if kind == "integer":
        least, most = stanza.get("minimum"), stanza.get("maximum")
        if least is not None and most is not None:
            return f"integer, {least} to {most}"
        return "integer" if least is None else f"integer, at least {least}"
    if "x-hint" in stanza:
        return str(stanza["x-hint"])
    if "pattern" in stanza:
        return f"text like {_code(stanza['pattern'])}"
    return "text"


def _types(stanza: Schema) -> list[str]:
    types = stanza.get("type", [])
    return [types] if isinstance(types, str) else types


def _name(stanza: Schema) -> str:
    return str(stanza["$ref"]).rsplit("/", 1)[1]


def _link(heading: str, shown: str) -> str:
    """Return a link to a heading, by the anchor that GitHub makes of it."""
    anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return f"[{shown}](#{anchor})"


def _sentence(stanza: Schema) -> str:
    first = re.match(r"(.*?)\.(?= |$)", str(stanza.get("description", "")))
    return first[1] if first else ""


def _yaml(value: Any) -> str:
    """Return a value as one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def main() -> int:
    """Return 1 if --check finds the page out of date."""
    text = Page(build()).text()
    if "--check" in sys.argv[1:]:
        with open(PATH, encoding="utf-8") as file:
            if file.read() == text:
                return 0
        print(f"{PATH} is not what the schema says: run make schema")
        return 1
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
