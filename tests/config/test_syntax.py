"""What is said of a text that is no YAML."""

from __future__ import annotations

import pytest

from reconciler.config.load import loads
from reconciler.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # flow style and what wants quotes in it
        ("{to: ::/0}", '1:6: ":" is not allowed here (quote it: "::/0")'),
        ("a: [::1, x]", '1:5: ":" is not allowed here (quote it: "::1")'),
        ("a: {dev: eth0, to: ::}", '1:20: ":" is not allowed here (quote it: "::")'),
        ("a: {to: 1:}", '1:10: a ":" is not allowed here (quote it: "1:")'),
        ("handle: 1:", '1:10: a ":" is not allowed here (quote it: "1:")'),
        ("{id: ${T}}", '1:7: a "," or "}" is missing here (quote it: "${T}")'),
        ("a: [x${A:-b}c]", '1:7: a "," or "]" is missing here (quote it: "x${A:-b}c")'),
        ("a: {b: $${T}}", '1:10: a "," or "}" is missing here (quote it: "$${T}")'),
        ("a: {b: c: d}", '1:9: a "," or "}" is missing here (the "{" in line 1 is still open)'),
        ("a: [\n 1\nb: 2", '3:2: a "," or "]" is missing here (the "[" in line 1 is still open)'),
        ("a: [1, 2\n\n", '1:4: the "[" that opens here is never closed (close it)'),
        ("a: [1,,2]", '1:7: "," is not allowed here (quote a text that begins with it)'),
        (
            "a: {{ .Values.x }}",
            "1:5: a: a map or a list cannot be a key (is {{ … }} a template that was not filled in?)",
        ),
        # block style
        ("a: b: c", '1:5: a ":" is not allowed here (quote a text that holds one)'),
        (
            "a: 1\n b: 2",
            '2:3: a ":" is not allowed here (indent it like its neighbours; the line before may want a colon)',
        ),
        (
            "a:\n  b: 1\n c: 2",
            "3:2: this fits nowhere (indent it like its neighbours in the map that begins in line 1)",
        ),
        ("- a\nb: 1", '2:1: this is no entry of the list that begins in line 1 (an entry begins with "- ")'),
        ("a: 1\nfoo\nb: 2", '2:1: a key without a ":" (write "key: value" or "- value", with the space)'),
        ("a: - b", '1:4: a "-" is not allowed here (a list begins on a line of its own)'),
        ("a: ?", '1:4: a "?" is not allowed here (quote a text that begins with it)'),
        ("a: }", '1:4: "}" is not allowed here (quote a text that begins with it)'),
        ("{a: 1} x", "1:8: the document has ended before this (a file holds one map; mind the indentation)"),
        # tabs
        ("a:\n\tb: 1", "2:1: a tab stands where YAML wants spaces (use spaces)"),
        ("a:\n  - b\n\t- c", "3:1: a tab stands where YAML wants spaces (use spaces)"),
        ("a: |\n\tx", "2:1: a tab stands where YAML wants spaces (use spaces)"),
        # quotes and what else begins a scalar
        ("a: 'x\n\nb: 2", "1:4: the quote that opens here is never closed (close it)"),
        ("a: 'don't'", "1:9: the text goes on behind its closing quote (quote the whole of it)"),
        (r'a: "\q"', r"1:5: this escape is not known in double quotes (write \\, or use single quotes)"),
        (r'a: "\x1"', r"1:7: this escape names no character (write \\, or use single quotes)"),
        ("a: @x", '1:4: a text cannot begin with "@" (quote it)'),
        ("a: *", '1:4: a name is missing after "*" (quote a text that begins with it)'),
        ("a: |x", '1:4: the text after "|" begins on the next line (quote a text that begins with it)'),
        ("a: !x!y z", "1:4: a tag is not allowed (leave it out; quote a text that begins with !)"),
        # directives and control characters
        ("%YAML 2.0\n---\na: 1", "1:1: this version of YAML is not known (leave the line out)"),
        (
            "%FOO\n---\na: 1",
            "1:5: this line is not understood (leave it out; quote a text that begins with %)",
        ),
        ("a: 1\nb: \x01", "2:4: the character U+0001 is not allowed (the file is no text, or it is damaged)"),
    ],
)
def test_a_syntax_error_says_where_what_and_what_to_do(text, problem):
    with pytest.raises(ConfigError) as caught:
        loads(text, "f", {})
    assert str(caught.value) == f"f:{problem}"


def test_lines_are_counted_as_an_editor_counts_them():
    for end in ("\n", "\r\n", "\r"):
        with pytest.raises(ConfigError, match=r"^f:3:9: .*quote it: \"::1\""):
            loads(end.join(["a: 1", "# ä", "ü: {to: ::1}"]), "f", {})
