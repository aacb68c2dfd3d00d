"""Reading files: a document, or a `ConfigError`."""

from __future__ import annotations

import contextlib
import gc
import os
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.config import load as module
from reconciler.config.document import Map
from reconciler.config.load import load, loads
from reconciler.errors import ConfigError

DOCUMENTS = int(os.environ.get("HYPOTHESIS_DOCUMENTS", "500"))


def problems(text):
    with pytest.raises(ConfigError) as caught:
        loads(text, "f", {})
    return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def without_libyaml(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(module, "import_module", missing)


def test_a_file_is_read(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text("marks: {wan: 0x10/0xff}\n")
    document = load(str(path), {})
    assert document == {"marks": {"wan": "0x10/0xff"}}
    assert str(document["marks"].at("wan")) == f"{path}:1:9"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/no/such/file", "no such file or directory"),
        ("/", "is a directory"),
        ("/etc/passwd/x", "not a directory"),
        ("x" * 5000, "file name too long"),
        ("a\0b", "this cannot be the name of a file"),
        ("\ud800", "this cannot be the name of a file"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_of_the_configuration(path, why):
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert str(caught.value) == f"{path}: the file cannot be read: {why} (nothing is changed)"


def test_an_endless_file_is_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 1 << 20)
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        load("/dev/zero", {})


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "---\n...\n", "null\n", "\ufeff", b""])
def test_an_empty_file_is_an_error(text):
    assert problems(text) == [
        "f: the file is empty (an empty file changes nothing; what was made is removed with: reconciler teardown)"
    ]


def test_the_bom_of_utf_8_is_skipped():
    for text in ("\ufeffa: 1", b"\xef\xbb\xbfa: 1"):
        assert str(loads(text, "f", {}).at("a")) == "f:1:1"
    assert problems("\ufeff{to: ::/0}") == ['f:1:6: ":" is not allowed here (quote it: "::/0")']


def test_an_error_of_encoding_names_its_place():
    assert problems("ä: 1\nü: ".encode() + b"\xff") == ["f:2:4: the byte 0xff is not UTF-8 (save the file as UTF-8)"]
    assert problems("a: 1\nb: \ud800") == ["f:2:4: half a character stands here (take it out)"]
    assert problems("a: 1".encode("utf-16")) == ["f: the file is in UTF-16 (save it as UTF-8)"]


@pytest.mark.parametrize("collecting", [True, False])
@pytest.mark.parametrize("text", ["a: 1", "a: [", ""])
def test_the_garbage_collector_is_left_as_it_was(collecting, text):
    before = gc.isenabled()
    try:
        gc.enable() if collecting else gc.disable()
        with contextlib.suppress(ConfigError):
            loads(text, "f", {})
        assert gc.isenabled() is collecting
    finally:
        gc.enable() if before else gc.disable()


@pytest.mark.usefixtures("without_libyaml")
@pytest.mark.parametrize(
    "text", ["a: [1, '2', {b: 0x3}]\nc: |\n  x\n", "a: &x {y: 1}\nb: *x", "a:\n- b: 1\n  c: 010\n- ''\n"]
)
def test_without_libyaml_a_document_is_the_same(text, monkeypatch):
    slow = loads(text, "f", {})
    monkeypatch.undo()
    assert slow == loads(text, "f", {})
    assert slow.at("a") == loads(text, "f", {}).at("a")


@pytest.mark.usefixtures("without_libyaml")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: {to: ::/0}", 'f:1:9: ":" is not allowed here (quote it: "::/0")'),
        ("a:\n\tb: 1", "f:2:1: a tab stands where YAML wants spaces (use spaces)"),
        ("a: b: c", 'f:1:5: a ":" is not allowed here (quote a text that holds one)'),
        ("a: {b: 1", 'f:1:4: the "{" that opens here is never closed (close it)'),
        ('a: "\\UFFFFFFFF"', "f: this is no YAML: Python int too large to convert to C int"),
        ('a: "\\ud800"', "f:1:4: a: the text holds a NUL or half a character (leave the escape out)"),
    ],
)
def test_without_libyaml_errors_are_as_plain(text, problem):
    assert problems(text) == [problem]


TOKENS = [
    *(
        "a",
        "b: ",
        "c:\n",
        "- ",
        "\n",
        "  ",
        "    ",
        "\t",
        "{",
        "}",
        "[",
        "]",
        ", ",
        ":",
        "::/0",
        "?",
        "? ",
        "|\n",
    ),
    *(
        ">-\n",
        "'",
        '"',
        "\\",
        "&x ",
        "*x",
        "!!t ",
        "!",
        "%",
        "@",
        "#",
        " #",
        "---\n",
        "...\n",
        "<<: ",
        "${A}",
    ),
    *(
        "${",
        "$${",
        "}",
        "5",
        "0x",
        "\0",
        "\ufeff",
        "\u2028",
        "\ud800",
        "\\ud800",
        "\\0",
        "é",
        "%YAML 1.2\n---\n",
    ),
]
TEXTS = st.one_of(st.text(), st.binary(), st.lists(st.sampled_from(TOKENS), max_size=40).map("".join))


def outcome(text):
    try:
        return loads(text, "f", {"A": "secret"})
    except ConfigError as error:
        return error


def check_is_a_document_or_an_error(text):
    result = outcome(text)
    assert type(result) in (Map, ConfigError)
    if isinstance(result, ConfigError):
        assert result.problems
        for problem in result.problems:
            assert problem.position.file == "f"
            assert str(problem).isprintable()
            assert "secret" not in str(problem)


@pytest.mark.timeout(1200)
@settings(max_examples=DOCUMENTS, deadline=None)
@given(TEXTS)
@example("\ufeff\ufeff\t")
@example("{" * 2000)
@example("[" * 2000)
@example("- " * 2000)
@example("? " * 2000)
@example("a: " * 2000)
@example("a: " + "9" * 5000)
@example("${" * 2000)
@example("a: '" + "::" * 5000)
def test_no_text_gives_anything_but_a_document_or_an_error(text):
    check_is_a_document_or_an_error(text)


@pytest.mark.usefixtures("without_libyaml")
@pytest.mark.parametrize("text", ["".join(TOKENS[i::7]) for i in range(7)] + ["[" * 500, "? " * 500, "{" * 500])
def test_nor_does_it_without_libyaml(text):
    check_is_a_document_or_an_error(text)


def routes(count):
    lines = (f"  - {{to: 10.{i >> 8 & 255}.{i & 255}.0/24, via: 192.168.2.1, dev: eth1}}" for i in range(count))
    return "routes:\n" + "\n".join(lines) + "\n"


def fastest(text):
    times = []
    for _ in range(5):
        begin = time.process_time()  # what other programs take from the machine is not ours
        loads(text, "f", {})
        times.append(time.process_time() - begin)
    return min(times)


def test_ten_times_the_routes_take_ten_times_as_long():
    few, many = routes(1_000), routes(10_000)
    assert any(fastest(many) < 1.5 * 10 * fastest(few) for _ in range(3))
