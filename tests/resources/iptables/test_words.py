"""Each match and target of the language is taken by the real tool, in both variants and families, and kept."""

from __future__ import annotations

import json

import pytest

from reconciler.errors import ConfigError
from reconciler.resources.iptables.chain import Chain, _split
from reconciler.resources.iptables.decode import decode
from reconciler.resources.iptables.lines import signed
from reconciler.resources.iptables.save import read
from tests.resources.host import OWNER, TOOLS, create
from tests.resources.wanted import FACTS, wanted

MARKS = {"wan2": "0x10/0xff", "voip": "0x20/0xff"}
SHAPING = {
    "eth1": {
        "kind": "htb",
        "handle": "1:",
        "classes": {"all": {"rate": "10mbit", "classes": {"premium": {"rate": "5mbit"}}}},
    }
}


def chains(rules, table="mangle", chain="OUTPUT", facts=FACTS, **more):
    """The chains that a list of rules stands for, by family."""
    text = json.dumps(
        {"marks": MARKS, "iptables": {table: {chain: rules, "sub": [{"jump": "RETURN"}]}}, "shaping": SHAPING, **more}
    )
    return {
        v.family: v for v in wanted(text, facts).values() if isinstance(v, Chain) and v.name == f"rc.default.{chain}"
    }


MATCHES = [
    ({"mark": "wan2"}, "-m mark --mark 0x10/0xff"),
    ({"mark": "0x0/0xff"}, "-m mark --mark 0x0/0xff"),
    ({"mark": 16}, "-m mark --mark 0x10"),
    ({"connmark": "wan2"}, "-m connmark --mark 0x10/0xff"),
    ({"in": "eth0"}, "-i eth0"),
    ({"in": "eth+"}, "-i eth+"),
    ({"out": "eth1"}, "-o eth1"),
    ({"out": "a.b-c_d@0"}, "-o a.b-c_d@0"),
    ({"source": "10.0.0.0/8"}, "-s 10.0.0.0/8"),
    ({"source": "2001:db8::/32"}, "-s 2001:db8::/32"),
    ({"source": "10.1.2.3/8"}, "-s 10.0.0.0/8"),
    ({"destination": "192.0.2.10"}, "-d 192.0.2.10/32"),
    ({"destination": "2001:db8::1"}, "-d 2001:db8::1/128"),
    ({"protocol": "tcp"}, "-p tcp"),
    ({"protocol": "udp"}, "-p udp"),
    ({"protocol": "icmp"}, "-p icmp"),
    ({"protocol": "ipv6-icmp"}, "-p ipv6-icmp"),
    ({"protocol": "icmpv6"}, "-p ipv6-icmp"),
    ({"protocol": 47}, None),
    ({"protocol": 6, "dport": 443}, "-p tcp -m tcp --dport 443"),
    ({"protocol": "tcp", "sport": "1024:65535", "dport": 443}, "-p tcp -m tcp --sport 1024:65535 --dport 443"),
    ({"protocol": "udp", "dport": 0}, "-p udp -m udp --dport 0"),
    ({"protocol": "udp", "dport": "53:53"}, "-p udp -m udp --dport 53"),
    ({"ctstate": "NEW"}, "-m conntrack --ctstate NEW"),
    ({"ctstate": ["ESTABLISHED", "RELATED"]}, "-m conntrack --ctstate RELATED,ESTABLISHED"),
    ({"ctstate": ["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT"]}, None),
    ({"raw": "-m limit --limit 5/min"}, "-m limit --limit 5/min"),
    ({"raw": "-m mark ! --mark ${mark:voip}"}, "-m mark ! --mark 0x20/0xff"),
    ({"raw": '-m comment --comment "of the user, \\"quoted\\""'}, '-m comment --comment "of the user, \\"quoted\\""'),
    ({"raw": "-p tcp -m multiport --dports 80,443"}, "-p tcp -m multiport --dports 80,443"),
    ({"mark": "wan2", "not": {"mark": "0x1000/0x1000"}}, "-m mark --mark 0x10/0xff -m mark ! --mark 0x1000/0x1000"),
    ({"ctstate": "NEW", "not": {"ctstate": "DNAT"}}, "-m conntrack --ctstate NEW -m conntrack ! --ctstate DNAT"),
    (
        {"protocol": "tcp", "source": "10.0.0.0/8", "destination": "10.9.0.0/16", "out": "eth0", "sport": 1, "dport": 2, "mark": "wan2", "connmark": "voip", "ctstate": "NEW"},
        None,
    ),
]  # fmt: skip
NEGATED = [
    ({"mark": "wan2"}, "-m mark ! --mark 0x10/0xff"),
    ({"connmark": "0x0/0xff"}, "-m connmark ! --mark 0x0/0xff"),
    ({"in": "eth0"}, "! -i eth0"),
    ({"out": "eth1"}, "! -o eth1"),
    ({"source": "10.0.0.0/8"}, "! -s 10.0.0.0/8"),
    ({"destination": "2001:db8::1"}, "! -d 2001:db8::1/128"),
    ({"protocol": "tcp"}, "! -p tcp"),
    ({"ctstate": ["NEW", "ESTABLISHED"]}, "-m conntrack ! --ctstate NEW,ESTABLISHED"),
    ({"mark": "wan2", "out": "eth1"}, "! -o eth1 -m mark ! --mark 0x10/0xff"),
]  # fmt: skip
TARGETS = [
    ({"jump": "ACCEPT"}, "-j ACCEPT"),
    ({"jump": "DROP"}, "-j DROP"),
    ({"jump": "RETURN"}, "-j RETURN"),
    ({"jump": "sub"}, "-j rc.default.sub"),
    ({"jump": "LOG"}, "-j LOG"),
    ({"jump": "LOG", "log-prefix": "wan2 "}, '-j LOG --log-prefix "wan2 "'),
    ({"jump": "LOG", "log-prefix": "-test "}, '-j LOG --log-prefix "-test "'),
    ({"jump": "LOG", "log-prefix": "--table "}, '-j LOG --log-prefix "--table "'),
    ({"jump": "LOG", "log-prefix": "!"}, '-j LOG --log-prefix "!"'),
    ({"jump": "LOG", "log-prefix": "x" * 29}, f"-j LOG --log-prefix {'x' * 29}"),
    *(
        ({"jump": "LOG", "log-level": level}, "-j LOG" if number == 4 else f"-j LOG --log-level {number}")
        for number, level in enumerate(("emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"))
    ),
    ({"jump": "MARK", "set-mark": "wan2"}, "-j MARK --set-xmark 0x10/0xff"),
    ({"jump": "MARK", "set-mark": "0x0/0xff"}, "-j MARK --set-xmark 0x0/0xff"),
    ({"jump": "MARK", "set-mark": "0x10"}, "-j MARK --set-xmark 0x10/0xffffffff"),
    ({"jump": "CONNMARK", "set-mark": "voip"}, "-j CONNMARK --set-xmark 0x20/0xff"),
    ({"jump": "CONNMARK", "save-mark": "wan2"}, "-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff"),
    ({"jump": "CONNMARK", "restore-mark": "0xff"}, "-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff"),
    ({"jump": "CONNMARK", "restore-mark": "0x10/0xff"}, "-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff"),
    ({"jump": "CONNMARK", "save-mark": True}, "-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff"),
    ({"jump": "CLASSIFY", "set-class": "1:10"}, "-j CLASSIFY --set-class 0001:0010"),
    ({"jump": "CLASSIFY", "set-class": "premium", "out": "eth1"}, None),
]  # fmt: skip
ENTRIES = [
    *(({**words, "jump": "ACCEPT"}, shown and f"{shown} COMMENT -j ACCEPT") for words, shown in MATCHES),
    *(({"not": words, "jump": "ACCEPT"}, f"{shown} COMMENT -j ACCEPT") for words, shown in NEGATED),
    *((words, shown and f"COMMENT {shown}") for words, shown in TARGETS),
]


def place(entry):
    """The chain of the kernel in which a rule can be."""
    if "in" in entry or "in" in entry.get("not", {}):
        return "PREROUTING"
    return "POSTROUTING" if entry["jump"] == "CLASSIFY" else "OUTPUT"


PLACES = ("PREROUTING", "OUTPUT", "POSTROUTING")


@pytest.mark.parametrize("chain", PLACES)
@pytest.mark.parametrize("family", [4, 6])
def test_the_tool_takes_each_word_and_keeps_it(host, chain, family):
    entries = [entry for entry in ENTRIES if place(entry[0]) == chain]
    assert len(entries) > 1
    wants = [
        (entry, shown, found[family].rules[0])
        for entry, shown in entries
        if family in (found := chains([entry], chain=chain))
    ]
    value = Chain(family, "mangle", f"rc.default.{chain}", tuple(line for _, _, line in wants))
    host.restore([create(Chain(family, "mangle", "rc.default.sub")), create(value)])
    tool = f"{TOOLS[family]}-{host.variant}-save"
    saved = read(host.namespace.output(tool), tool)
    kept = saved["mangle"].rules[value.name]
    assert len(kept) == len(wants)
    for (entry, shown, line), text in zip(wants, kept, strict=True):
        assert signed(text, OWNER) == line.hash, entry
        if shown:
            comment = f'-m comment --comment "rc:default:{line.hash}"'
            assert _split(text) == _split(shown.replace("COMMENT", comment)), entry
    (seen,) = [
        f.value for f in decode(family, saved, OWNER, {}) if isinstance(f.value, Chain) and f.value.name == value.name
    ]
    assert [line.hash for line in seen.rules] == [line.hash for line in value.rules]


def test_a_chain_of_the_longest_name_with_dots_works_where_it_belongs(host):
    facts = FACTS._replace(classifier="classify")
    shaping = {"eth1": {"kind": "htb", "classes": {"premium": {"rate": "5mbit", "marks": ["wan2", "voip"]}}}}
    text = json.dumps({"marks": MARKS, "shaping": shaping, "settings": {"owner": {"name": "twelve_chars"}}})
    values = [v for key, v in wanted(text, facts).items() if key[0] in ("chain", "jump")]
    names = {v.name for v in values if isinstance(v, Chain)}
    assert names == {"rc.twelve_chars.POSTROUTING"}
    assert {len(name) for name in names} == {27}
    host.owner = host.owner._replace(name="twelve_chars")
    host.restore([create(value) for value in values])
    for family in TOOLS:
        found = {f.value for f in host.tables(family) if f.mark is None}
        assert {v[:3] for v in found} == {v[:3] for v in values if v.family == family}
        (chain,) = [v for v in found if isinstance(v, Chain)]
        assert [line.text.split(" -m comment")[0] for line in chain.rules] == [
            "-o eth1 -m mark --mark 0x10/0xff",
            "-o eth1 -m mark --mark 0x20/0xff",
        ]


@pytest.mark.parametrize("field", ["source", "destination", "protocol", "in", "out"])
def test_what_the_tool_takes_only_once_is_refused_beside_its_negation(field):
    word = {"source": "10.0.0.0/8", "destination": "10.0.0.0/8", "protocol": "tcp"}.get(field, "eth0")
    chain = {"in": "PREROUTING"}.get(field, "OUTPUT")
    with pytest.raises(ConfigError, match=f"not.{field}: .*only once"):
        chains([{field: word, "not": {field: word}, "jump": "ACCEPT"}], chain=chain)


@pytest.mark.parametrize(
    ("chain", "field"), [("INPUT", "out"), ("PREROUTING", "out"), ("OUTPUT", "in"), ("POSTROUTING", "in")]
)
@pytest.mark.parametrize("negated", [False, True])
def test_a_device_that_a_chain_cannot_know_is_refused(chain, field, negated):
    entry = {"not": {field: "eth0"}} if negated else {field: "eth0"}
    with pytest.raises(ConfigError, match=field):
        chains([{**entry, "jump": "ACCEPT"}], chain=chain)
