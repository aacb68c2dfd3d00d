"""One input of the restoring tool for all that a family needs, and whom the tool's complaint is about."""

from __future__ import annotations

import pytest

from reconciler.core.change import UPDATE, Change
from reconciler.resources.iptables.chain import Chain
from reconciler.resources.iptables.jump import Jump
from reconciler.resources.iptables.lines import Line, sign
from reconciler.resources.iptables.policy import Policy
from reconciler.resources.iptables.restore import Script, blame, script
from tests.resources.host import OWNER, TOOLS, create, delete, update


def lines(*rules):
    return sign([("", "", rule) if rule.startswith("-j") else (rule, "", "-j ACCEPT") for rule in rules], OWNER)


def chain(name, *rules, table="mangle", family=4):
    return Chain(family, table, f"rc.default.{name}", lines(*rules))


def restored(host, changes, family=4):
    """Give a script to the tool; return it and how it ended."""
    written = script(changes, OWNER)
    return written, host.namespace.run(
        f"{TOOLS[family]}-{host.variant}-restore", "--noflush", stdin=written.text, check=False
    )


def ours(host, family=4):
    return {f.value for f in host.tables(family) if f.mark is None}


def hashes(host, name, family=4):
    (found,) = [v for v in ours(host, family) if isinstance(v, Chain) and v.name == f"rc.default.{name}"]
    return [line.hash for line in found.rules]


OUTPUT = chain("OUTPUT", "-m mark --mark 0x10", "-m mark --mark 0x20", "-j rc.default.rc-sub")
SUB = chain("rc-sub", "-j RETURN")
JUMP = Jump(4, "mangle", "OUTPUT", OUTPUT.name, "first")


def drop(table, name, family=4):
    accept = Policy(family, table, name, "ACCEPT")
    return update(accept, accept._replace(policy="DROP"))


@pytest.mark.parametrize("family", [4, 6])
def test_all_is_made_and_taken_away_in_one_transaction_each(host, family):
    chains = [
        chain("OUTPUT", "-m mark --mark 0x10", "-j rc.default.sub", family=family),
        chain("sub", "-j RETURN", family=family),
    ]
    jump = JUMP._replace(family=family)
    filters = chain("INPUT", "-i lo", table="filter", family=family)
    made = [
        create(chains[0]),
        create(chains[1]),
        create(jump),
        drop("mangle", "FORWARD", family),
        create(filters),
        drop("filter", "FORWARD", family),
    ]
    written, done = restored(host, made, family)
    assert (done.returncode, done.stderr) == (0, "")
    assert written.text.count("COMMIT") == 2
    assert {v.name for v in ours(host, family) if isinstance(v, Chain)} == {c.name for c in (*chains, filters)}
    assert {
        f.value.policy for f in host.tables(family) if isinstance(f.value, Policy) and f.value.chain == "FORWARD"
    } == {"DROP"}
    back = [update(c.after, c.before) for c in made if isinstance(c.after, Policy)]
    _, done = restored(host, [*map(delete, chains), delete(jump), *back, delete(filters)], family)
    assert (done.returncode, done.stderr) == (0, "")
    assert ours(host, family) == set()
    assert {f.value.policy for f in host.tables(family) if isinstance(f.value, Policy)} == {"ACCEPT"}
    saved = host.namespace.output(f"{TOOLS[family]}-{host.variant}-save")
    assert "-A" not in saved
    assert "rc." not in saved


def test_a_chain_is_edited_without_being_emptied(host):
    before, after = chain("X", "-i a", "-i b", "-i c"), chain("X", "-i c", "-i a", "-i d")
    host.restore([create(before)])
    written, done = restored(host, [update(before, after)])
    assert done.returncode == 0
    assert ":" not in written.text.replace("rc:default:", "")
    assert hashes(host, "X") == [line.hash for line in after.rules]


def test_the_first_jump_stands_before_the_rules_of_others_and_the_last_one_behind(host):
    tool = f"iptables-{host.variant}"
    host.namespace.run(tool, "-t", "mangle", "-A", "OUTPUT", "-m", "mark", "--mark", "9", "-j", "ACCEPT")
    host.namespace.run(tool, "-t", "mangle", "-A", "INPUT", "-m", "mark", "--mark", "9", "-j", "ACCEPT")
    last = Jump(4, "mangle", "INPUT", SUB.name, "last")
    host.restore([create(OUTPUT), create(SUB), create(JUMP), create(last)])
    rules = [
        line for line in host.namespace.output(f"{tool}-save", "-t", "mangle").splitlines() if line.startswith("-A")
    ]
    assert [line.split()[-1] for line in rules if line.startswith("-A OUTPUT")] == [OUTPUT.name, "ACCEPT"]
    assert [line.split()[-1] for line in rules if line.startswith("-A INPUT")] == ["ACCEPT", SUB.name]
    host.restore([delete(JUMP), delete(last)])
    assert not any(isinstance(v, Jump) for v in ours(host))
    assert host.namespace.output(f"{tool}-save", "-t", "mangle").count("--mark 0x9") == 2


def test_rules_of_others_stay(host):
    tool = f"iptables-{host.variant}"
    for words in ("-N DOCKER", "-A DOCKER -j RETURN", "-A INPUT -j DOCKER", "-P OUTPUT DROP"):
        host.namespace.run(tool, *words.split())
    before = host.namespace.output(f"{tool}-save", "-t", "filter")
    mine = chain("INPUT", "-i lo", table="filter")
    jump = Jump(4, "filter", "INPUT", mine.name)
    host.restore([create(mine), create(jump)])
    host.restore([delete(mine), delete(jump)])

    def plain(text):
        return [line for line in text.splitlines() if not line.startswith(("#", ":"))]

    assert plain(host.namespace.output(f"{tool}-save", "-t", "filter")) == plain(before)


@pytest.mark.parametrize(("bad", "family"), [
    (["-m mark --mark zz"], 4),
    (["-m nosuch"], 4),
    (["-p tcp --dport 99999"], 4),
    (["-s 300.1.1.1"], 4),
    (["-s 10.0.0.1"], 6),
    (["-s 10.0.0.0/8 ! -s 10.1.0.0/16"], 4),
    (["-j MARK --set-mark"], 4),
    (["--nonsense"], 4),
    (["-j NOSUCH"], 4),
])  # fmt: skip
@pytest.mark.parametrize("good", [0, 2])
def test_a_bad_rule_is_found_by_its_line_and_nothing_of_its_table_is_done(host, bad, family, good):
    rules = ["-i a", "-i b"][:good] + bad + ["-i c"]
    other = create(chain("other", "-i a", family=family))
    change = create(chain("X", *rules, family=family))
    written, done = restored(host, [other, change], family)
    assert done.returncode
    assert blame(written, done.stderr) == (change, good), done.stderr
    assert ours(host, family) == set()


def test_a_bad_edit_is_found(host):
    before = chain("X", "-i a", "-i b", "-i c")
    host.restore([create(before)])
    change = update(before, chain("X", "-i c", "-m nosuch", "-i a"))
    written, done = restored(host, [create(chain("A", "-i a")), change])
    assert blame(written, done.stderr) == (change, 1)
    assert hashes(host, "X") == [line.hash for line in before.rules]


def test_what_is_no_longer_there_is_found(host):
    gone = chain("X", "-i a")
    for change in (delete(gone), delete(JUMP), update(chain("X", "-i a", "-i b"), gone)):
        written, done = restored(host, [create(SUB), change])
        assert done.returncode
        assert blame(written, done.stderr) == (change, None), done.stderr
        assert ours(host) == set()


def test_a_bad_policy_is_found(host):
    change = drop("filter", "NOSUCH")
    written, done = restored(host, [create(chain("X", "-i a", table="filter")), change])
    assert blame(written, done.stderr) == (change, None), done.stderr


def test_a_target_in_the_wrong_hook_is_refused_and_the_one_change_is_named(host):
    """CLASSIFY does not work in PREROUTING: the kernel says so when a jump leads there, legacy when all is done."""
    sub = chain("X", "-j CLASSIFY --set-class 1:10")
    host.restore([create(sub)])
    jump = create(Jump(4, "mangle", "PREROUTING", sub.name))
    written, done = restored(host, [jump])
    assert done.returncode
    assert blame(written, done.stderr) == (jump, None), done.stderr


def test_a_loop_is_refused(host):
    one, other = chain("A", "-j rc.default.B"), chain("B", "-j rc.default.A")
    jump = Jump(4, "mangle", "OUTPUT", one.name)
    written, done = restored(host, [create(one), create(other), create(jump)])
    assert done.returncode
    assert blame(written, done.stderr) in (None, (create(jump), None), (create(other), 0))
    assert ours(host) == set()


def test_a_table_before_the_one_that_fails_stays(host):
    good, bad = create(chain("A", "-i a", table="filter")), create(chain("B", "-m nosuch"))
    written, done = restored(host, [good, bad])
    assert blame(written, done.stderr) == (bad, 0)
    assert [v.name for v in ours(host)] == ["rc.default.A"]


CHANGE = Change(UPDATE, ("chain", 4, "mangle", "x"), None, None)
OTHER = Change(UPDATE, ("chain", 4, "mangle", "y"), None, None)
WRITTEN = Script(
    "*filter\n:x - [0:0]\n-A x -j y\nCOMMIT\n*mangle\n:x - [0:0]\n-A x -j ACCEPT\n-A y -j z\nCOMMIT\n",
    (None, (CHANGE, None), (CHANGE, 0), None, None, (CHANGE, None), (CHANGE, 0), (OTHER, 5), None),
)


@pytest.mark.parametrize(("stderr", "found"), [
    ("iptables-restore: line 3 failed", (CHANGE, 0)),
    ("iptables-nft-restore: line 2 failed: No chain/target/match by that name.", (CHANGE, None)),
    ("iptables-nft-restore v1.8.9 (nf_tables): \nline 7: RULE_APPEND failed (No such file or directory): rule in chain x", (CHANGE, 0)),
    ("iptables-restore v1.8.9 (legacy): Couldn't load match `nosuch':No such file or directory\n\nError occurred at line: 8\nTry `iptables-restore -h'", (OTHER, 5)),
    ("iptables-nft-restore v1.8.9 (nf_tables): Chain 'z' does not exist\nError occurred at line: 9\n", (OTHER, 5)),
    ("iptables-restore: line 4 failed", (CHANGE, None)),
    ("iptables-restore: line 9 failed", None),
    ("iptables-restore: line 99 failed", None),
    ("iptables-restore: line 0 failed", None),
    ("iptables-restore: COMMIT expected at line 10", None),
    ("Another app is currently holding the xtables lock; still 9s 0us time ahead to have a chance to grab the lock...", None),
    ("iptables-restore v1.8.9 (legacy): iptables-restore: unable to initialize table 'filter'\nError occurred at line: 1", None),
    ("", None),
])  # fmt: skip
def test_the_words_of_both_variants_are_understood(stderr, found):
    assert blame(WRITTEN, stderr) == found


def test_each_line_knows_where_it_comes_from():
    changes = [
        create(OUTPUT),
        create(JUMP),
        drop("filter", "INPUT"),
        delete(SUB),
        update(chain("X", "-i a", "-i b"), chain("X", "-i b", "-i c")),
    ]
    written = script(changes, OWNER)
    texts = written.text.splitlines()
    assert len(texts) == len(written.origins)
    for text, origin in zip(texts, written.origins, strict=True):
        if text in ("COMMIT", "*mangle", "*filter"):
            assert origin is None
        else:
            change, part = origin
            assert change in changes
            if part is not None:
                assert change.after.rules[part].text in text
    verbs = [text.split()[0] for text in texts]
    assert (
        verbs.index(f":{OUTPUT.name}") < verbs.index("-A") < verbs.index("-I") < verbs.index("-F") < verbs.index("-X")
    )


def test_an_edited_rule_is_written_anew(host):
    value = chain("X", "-i a", "-i b")
    host.restore([create(value)])
    edited = value._replace(rules=(value.rules[0], Line("", value.rules[1].text)))
    host.restore([update(edited, value)])
    assert hashes(host, "X") == [line.hash for line in value.rules]
