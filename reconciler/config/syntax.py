"""What to say of a text that is no YAML: libyaml's words made plain, with what would be right.

Belongs here: nothing that happens to a good file. The parser knows the place and the rule that was broken;
the line itself often shows what was meant: an address or a variable that wants quotes, a tab, a bracket
left open.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from yaml import MarkedYAMLError

from reconciler.config.words import cut, quote
from reconciler.errors import Position, Problem

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What libyaml counts as the end of a line."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML does not allow in a file."""

_PART = r"""[^\s,\[\]{}'"]"""
_WANTS_QUOTES = re.compile(
    rf"{_PART}* (?: :: | \$?\$\{{[^{{}}]*\}}? | (?<={_PART}):(?=\s*(?:[,}}\]]|$)) ) {_PART}*", re.VERBOSE
)
"""A text of which flow style, or a colon at its end, makes something else: ``::/0``, ``${NAME}``, ``1:``."""

_LONGEST_QUOTED = 100
"""How far from the place of an error a text may begin or end that wants quotes."""

_COLON = "values are not allowed"
_FITS_NOWHERE = "this fits nowhere"


class Rule(NamedTuple):
    """What to say where the parser's words hold ``words``.

    In what is said, CHAR is the character at the place, LINE the line in which what surrounds it begins.
    """

    words: str
    message: str
    hint: str
    from_beginning: bool = False
    """Whether the place to point at is the beginning of what was being read, not where the reading failed."""


_RULES = (
    # libyaml's words
    Rule(
        "could not find expected ':'",
        'a key without a ":"',
        'write "key: value" or "- value", with the space',
        True,
    ),
    Rule(_COLON, 'a ":" is not allowed here', "quote a text that holds one"),
    Rule("unexpected ':'", 'a ":" is not allowed here', "quote a text that ends in one"),
    Rule("entries are not allowed", 'a "-" is not allowed here', "a list begins on a line of its own"),
    Rule("keys are not allowed", 'a "?" is not allowed here', "quote a text that begins with it"),
    Rule("expected ',' or '}'", 'a "," or "}" is missing here', 'the "{" in line LINE is still open'),
    Rule("expected ',' or ']'", 'a "," or "]" is missing here', 'the "[" in line LINE is still open'),
    Rule("node content", '"CHAR" is not allowed here', "quote a text that begins with it"),
    Rule("expected key", _FITS_NOWHERE, "indent it like its neighbours in the map that begins in line LINE"),
    Rule("'-' indicator", "this is no entry of the list that begins in line LINE", 'an entry begins with "- "'),
    Rule("end of stream", "the quote that opens here is never closed", "close it", True),
    Rule("unknown escape", "this escape is not known in double quotes", r"write \\, or use single quotes"),
    Rule("hexdecimal", "this escape names no character", r"write \\, or use single quotes"),
    Rule("escape code", "this escape names no character", r"write \\, or use single quotes"),
    Rule("cannot start any token", 'a text cannot begin with "CHAR"', "quote it"),
    Rule("alphabetic or numeric", 'a name is missing after "CHAR"', "quote a text that begins with it", True),
    Rule("%TAG", "this line is not understood", "leave it out", True),
    Rule("tag", "a tag is not allowed", "leave it out; quote a text that begins with !", True),
    Rule(
        "block scalar",
        'the text after "CHAR" begins on the next line',
        "quote a text that begins with it",
        True,
    ),
    Rule("<document start>", "the document has ended before this", "a file holds one map; mind the indentation"),
    Rule("document indicator", "the document ends inside of quotes", "close them"),
    Rule("YAML document", "this version of YAML is not known", "leave the line out"),
    Rule("directive", "this line is not understood", "leave it out; quote a text that begins with %"),
    # PyYAML's, where they differ
    Rule("<block end>", _FITS_NOWHERE, "indent it like its neighbours"),
    Rule("<document start>", "the document has ended before this", "a file holds one map; mind the indentation"),
)


def bytes_problem(error: UnicodeDecodeError, file: str) -> Problem:
    """What is wrong with a file that is not UTF-8."""
    before = error.object[: error.start]
    if not before and error.object[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Problem(Position(file), "", "the file is in UTF-16", "save it as UTF-8")
    message = f"the byte 0x{error.object[error.start]:02x} is not UTF-8"
    return Problem(_end_of(before.decode(), file), "", message, "save the file as UTF-8")


def text_problem(text: str, file: str) -> Problem | None:
    """What is wrong with a text that UTF-8 cannot hold, or None."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return Problem(_end_of(text[: error.start], file), "", "half a character stands here", "take it out")
    return None


def syntax_problem(error: Exception, text: str, file: str) -> Problem:
    """What is wrong with a text on which the parser gave up, with its place and what would be right."""
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return _marked_problem(error, _BREAK.split(text), file)
    match = _UNPRINTABLE.search(text)
    if match is None:
        return Problem(Position(file), "", f"this is no YAML: {cut(str(error))}")
    message = f"the character U+{ord(match[0]):04X} is not allowed"
    return Problem(_end_of(text[: match.start()], file), "", message, "the file is no text, or it is damaged")


def _marked_problem(error: MarkedYAMLError, lines: list[str], file: str) -> Problem:
    mark = _Place.of(error.problem_mark, lines)
    begin = _Place.of(error.context_mark or error.problem_mark, lines)
    words = f"{error.problem or ''} {error.context or ''}"
    if mark.char == "\t":
        return Problem(mark.position(file), "", "a tab stands where YAML wants spaces", "use spaces")
    if mark.is_last and begin.char in ("{", "["):
        return Problem(begin.position(file), "", f'the "{begin.char}" that opens here is never closed', "close it")
    rule = next((rule for rule in _RULES if rule.words in words), None)
    if rule is None:
        return Problem(mark.position(file), "", f"this is no YAML: {cut(words)}")
    place = begin if rule.from_beginning else mark
    message, hint = rule.message, rule.hint
    if rule.words == "node content" and not mark.char:
        message, hint = "the text ends where a value belongs", "close the brackets"
    elif rule.words == _COLON and ": " not in mark.before:
        hint = "indent it like its neighbours; the line before may want a colon"
    elif mark.unquoted:
        hint = f"quote it: {quote(mark.unquoted)}"
    elif message == _FITS_NOWHERE and mark.before.endswith(("'", '"')):
        message, hint = "the text goes on behind its closing quote", "quote the whole of it"
    message, hint = (
        said.replace("CHAR", cut(place.char)).replace("LINE", str(begin.line + 1)) for said in (message, hint)
    )
    return Problem(place.position(file), "", message, hint)


class _Place(NamedTuple):
    """A place in a text, from 0, and what stands there."""

    line: int
    column: int
    lines: list[str]

    @classmethod
    def of(cls, mark: Any, lines: list[str]) -> _Place:
        return cls(mark.line, mark.column, lines)

    @property
    def text(self) -> str:
        """The line."""
        return self.lines[self.line] if self.line < len(self.lines) else ""

    @property
    def char(self) -> str:
        """The character, if there is one."""
        return self.text[self.column : self.column + 1]

    @property
    def before(self) -> str:
        """What stands before it in its line."""
        return self.text[: self.column].rstrip()

    @property
    def is_last(self) -> bool:
        """Whether nothing follows in the file."""
        return not self.text[self.column :].strip() and not any(map(str.strip, self.lines[self.line + 1 :]))

    @property
    def unquoted(self) -> str:
        """The text round the place that is to be quoted, as far as one can tell, else nothing."""
        begin = max(0, self.column - _LONGEST_QUOTED)
        for match in _WANTS_QUOTES.finditer(self.text[begin : self.column + _LONGEST_QUOTED]):
            if match.start() <= self.column - begin <= match.end():
                return match[0]
        return ""

    def position(self, file: str) -> Position:
        """The place from 1."""
        return Position(file, self.line + 1, self.column + 1)


def _end_of(text: str, file: str) -> Position:
    lines = _BREAK.split(text)
    return Position(file, len(lines), len(lines[-1]) + 1)
