"""Rules as text: what we write is what the tool keeps, whatever characters are in it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.resources.iptables.chain import Chain, _split
from reconciler.resources.iptables.lines import LONGEST_COMMENT, quote, sign, signed, unsigned
from reconciler.resources.owner import Owner
from tests.resources.host import OWNER, create, delete

printable = st.text([chr(n) for n in range(32, 127)])
NASTY = [
    "plain", "two words", " leading", "trailing ", 'a "quoted" word', "it's", 'back\\slash', 'ends with \\', '"', "\\", "\\\"",
    "%d %s %n", "# no remark", "-t mangle", "-tx", "--table", "--tab", "-dash", "--", "-", "!", "! -s", "a;b|c&d", "$HOME `id`",
    "-j DROP", "COMMIT", "*filter", ":INPUT", "=", "a=b", "[0:0]", "\"-t\"", "-A INPUT -j DROP", "x" * 29,
]  # fmt: skip


@given(st.lists(printable, max_size=6))
@example(['a"b\\', "", " "])
def test_words_are_cut_again_as_they_were_quoted(given_words):
    assert _split(" ".join(map(quote, given_words))) == given_words


def only(host, family=4):
    (chain,) = [f.value for f in host.tables(family) if isinstance(f.value, Chain) and f.mark is None]
    return chain


def shown_comment(text):
    """The comment as the tool prints it, unquoted."""
    words = _split(text)
    return words[words.index("--comment") + 1]


def test_comments_survive_with_their_hashes(host):
    rules = [("-m mark --mark 0x10/0xff", comment, "-j ACCEPT") for comment in NASTY]
    value = Chain(4, "mangle", "rc.default.T", sign(rules, OWNER))
    host.restore([create(value)])
    seen = only(host).rules
    assert [line.hash for line in seen] == [line.hash for line in value.rules]
    for line, comment in zip(seen, NASTY, strict=True):
        assert shown_comment(line.text) == f"rc:default:{line.hash} {comment}"
        words = ["-m", "mark", "--mark", "0x10/0xff", "-m", "comment", "--comment", comment, "-j", "ACCEPT"]
        assert _split(unsigned(line.text, OWNER)) == words


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    comment=printable.filter(bool).map(lambda word: word[:200]),
    prefix=printable.filter(bool).map(lambda word: word[:29]),
)
def test_any_comment_and_prefix_survive(host, comment, prefix):
    value = Chain(
        4, "filter", "rc.default.T", sign([("", comment, f"-j LOG {quote(f'--log-prefix={prefix}')}")], OWNER)
    )
    host.restore([create(value)])
    text = only(host).rules[0].text
    host.restore([delete(value)])
    words = _split(text)
    assert words[words.index("--comment") + 1] == f"rc:default:{value.rules[0].hash} {comment}"
    assert words[words.index("--log-prefix") + 1] == prefix
    assert signed(text, OWNER) == value.rules[0].hash


def test_the_longest_comment_is_cut_where_the_kernel_would():
    owner = Owner("twelve_chars")
    (line,) = sign([("", "c" * 300, "-j ACCEPT")], owner)
    words = _split(line.text)
    assert len(words[words.index("--comment") + 1]) == LONGEST_COMMENT


def test_the_longest_comment_and_name_are_taken(host):
    host.owner = Owner("twelve_chars")
    name = f"{host.owner.chain_prefix}{'x' * 12}"
    assert len(name) == 28
    value = Chain(4, "filter", name, sign([("", "c" * 300, "-j ACCEPT")], host.owner))
    host.restore([create(value)])
    assert only(host).rules[0].hash == value.rules[0].hash


def test_equal_rules_of_a_chain_have_hashes_of_their_own():
    rules = [("-m mark --mark 0x1", "", "-j ACCEPT")] * 3 + [("", "", "-j ACCEPT")]
    lines = sign(rules, OWNER)
    assert len({line.hash for line in lines}) == 4
    assert sign(rules[1:], OWNER)[:2] == lines[:2], "the hash of a rule depends on itself and its copies alone"


@pytest.mark.parametrize(
    "text",
    ["-j ACCEPT", '-m comment --comment "rc:other:a123 x" -j ACCEPT', '-m comment --comment "xrc:default:a1" -j DROP'],
)
def test_a_rule_of_others_has_no_hash(text):
    assert signed(text, OWNER) == ""
    assert unsigned(text, OWNER) == text


def test_our_comment_is_taken_off_what_people_see():
    (line,) = sign([("-i eth0", "", "-j ACCEPT")], OWNER)
    assert unsigned(line.text, OWNER) == "-i eth0 -j ACCEPT"
    (line,) = sign([("-i eth0", 'say "no"', "-j ACCEPT")], OWNER)
    assert unsigned(line.text, OWNER) == '-i eth0 -m comment --comment "say \\"no\\"" -j ACCEPT'
    (line,) = sign([("", "one-word", "-j ACCEPT")], OWNER)
    assert unsigned(line.text, OWNER) == '-m comment --comment "one-word" -j ACCEPT'
