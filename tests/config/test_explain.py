"""What is wrong with a document, where, and what would be right."""

from __future__ import annotations

import pytest

from reconciler.config.explain import explain
from reconciler.config.load import loads

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "version": {"const": 1},
        "marks": {
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/mark"},
            "propertyNames": {"$ref": "#/$defs/name"},
        },
        "interfaces": {"type": "object", "additionalProperties": {"$ref": "#/$defs/interface"}},
        "tables": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "integer", "minimum": 1, "maximum": 4294967295, "examples": [100]},
                    "routes": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 9,
                        "uniqueItems": True,
                        "items": {"$ref": "#/$defs/route"},
                    },
                },
            },
        },
        "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}},
        "shaping": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"oneOf": [{"$ref": "#/$defs/htb"}, {"$ref": "#/$defs/tbf"}]},
        },
        "networks": {"type": "object", "additionalProperties": {"$ref": "#/$defs/network"}},
    },
    "$defs": {
        "name": {"pattern": "^[a-z][a-z0-9-]*$", "x-hint": "small letters, digits and -"},
        "mark": {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": "^0x[0-9a-f]+/0x[0-9a-f]+$"},
            ],
            "x-hint": "value/mask, as 0x10/0xff",
        },
        "address": {"type": "string", "pattern": "^[0-9a-f.:]+$", "x-hint": "an IPv4 or IPv6 address"},
        "rate": {"type": "string", "pattern": "^[0-9]+[kmg]bit$"},
        "interface": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "state": {"enum": ["up", "down"]},
                "mtu": {"type": "integer", "minimum": 68, "maximum": 65535},
                "addresses": {"type": "array", "items": {"type": "string", "examples": ["192.0.2.1/24"]}},
                "forwarding": {"type": "boolean"},
                "alias": {"type": "string", "minLength": 1, "maxLength": 15},
                "mac": {
                    "type": "string",
                    "pattern": "^([0-9a-f]{2}:){5}[0-9a-f]{2}$",
                    "examples": ["52:54:00:12:34:56"],
                },
            },
            "x-removed": {
                "absent": "there is no state absent; leave the interface out of the file",
                "ip": "addresses stand in a list: addresses: [192.0.2.1/24]",
            },
        },
        "route": {
            "type": "object",
            "required": ["to"],
            "additionalProperties": False,
            "properties": {
                "to": {"type": "string", "examples": ["default"]},
                "via": {"$ref": "#/$defs/address"},
                "dev": {"type": "string"},
            },
        },
        "rule": {
            "type": "object",
            "required": ["priority"],
            "additionalProperties": False,
            "properties": {
                "priority": {"type": "integer", "examples": [17000]},
                "table": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                "goto": {"type": "integer"},
                "blackhole": {"const": True},
                "dport": {"type": "integer"},
                "proto": {"type": "string"},
                "fwmark": False,
            },
            "patternProperties": {"^x-": True, "^x-never": False},
            "oneOf": [{"required": ["table"]}, {"required": ["goto"]}],
            "dependentRequired": {"dport": ["proto"]},
            "if": {"required": ["goto"]},
            "then": {"not": {"required": ["proto"]}},
        },
        "htb": {
            "type": "object",
            "additionalProperties": False,
            "required": ["kind"],
            "properties": {"kind": {"const": "htb"}, "classes": {"$ref": "#/$defs/classes"}},
        },
        "tbf": {
            "type": "object",
            "additionalProperties": False,
            "required": ["kind"],
            "properties": {"kind": {"const": "tbf"}, "rate": {"$ref": "#/$defs/rate"}},
        },
        "classes": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"rate": {"$ref": "#/$defs/rate"}, "classes": {"$ref": "#/$defs/classes"}},
            },
        },
        "network": {
            "type": "object",
            "properties": {
                "gateway": {
                    "anyOf": [
                        {"enum": ["auto", "none"]},
                        {"$ref": "#/$defs/address"},
                        {"type": "array", "items": {"$ref": "#/$defs/address"}},
                    ]
                }
            },
            "not": {"required": ["mark", "marks"]},
        },
    },
}
GOOD = """\
version: 1
marks: {wan: 0x10/0xff, lan: 5}
interfaces: {eth0: {state: up, mtu: 1500, addresses: [192.0.2.1/24]}}
tables: {wan: {id: 100, routes: [{to: default, via: 192.0.2.9}]}}
rules: [{priority: 5, table: wan, x-mine: 1}, {priority: 6, goto: 9}]
shaping: {eth0: {kind: htb, classes: {all: {rate: 5mbit}}}, eth1: {kind: tbf, rate: 1mbit}}
networks: {a: {gateway: auto}, b: {gateway: [192.0.2.1]}}
"""


def problems(text, environ=None):
    return [str(problem).removeprefix("f:") for problem in explain(loads(text, "f", environ or {}), SCHEMA)]


def test_there_is_nothing_to_say_of_a_good_document():
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # keys
        ("markz: {}", '1:1: markz: this key is not known here (did you mean "marks"?)'),
        (
            "x: {}",
            "1:1: x: this key is not known here (known here: version, marks, interfaces, tables, rules, shaping, networks)",
        ),
        ("marks: {WAN: 5}", '1:9: marks.WAN: the name "WAN" does not fit (small letters, digits and -)'),
        (
            "interfaces: {eth0: {ip: 192.0.2.1}}",
            "1:21: interfaces.eth0.ip: addresses stand in a list: addresses: [192.0.2.1/24]",
        ),
        (
            "interfaces: {eth0: {mtu:1500}}",
            '1:21: interfaces.eth0."mtu:1500": this key is not known here (write a space after the ":")',
        ),
        ("rules: [{priority: 1, table: 1, fwmark: 5}]", "1:33: rules[0].fwmark: this is not allowed here"),
        (
            "rules: [{priority: 1, table: 1, x-never: 5}]",
            "1:33: rules[0].x-never: this is not allowed here",
        ),
        # keys that are missing, or one too many
        ("rules: [{table: 5}]", '1:9: rules[0]: "priority" is missing (for example 17000)'),
        (
            "rules: [{prio: 1, table: 5}]",
            '1:10: rules[0].prio: this key is not known here (did you mean "priority"?)',
        ),
        ("rules: [{priority: 1}]", '1:9: rules[0]: "table" or "goto" is missing'),
        ("rules: [{priority: 1, table: 5, goto: 5}]", '1:9: rules[0]: "table" and "goto" exclude each other'),
        (
            "rules: [{priority: 1, table: 5, dport: 5}]",
            '1:9: rules[0]: "proto" is missing ("dport" needs it)',
        ),
        ("rules: [{priority: 1, goto: 5, proto: tcp}]", "1:32: rules[0].proto: this is not allowed here"),
        ("networks: {a: {mark: 1, marks: 2}}", '1:15: networks.a: "mark" and "marks" exclude each other'),
        # types
        ("interfaces:\n- eth0", "2:1: interfaces: a list stands where a map belongs"),
        ("tables: {wan: }", "1:15: tables.wan: nothing stands where a map belongs"),
        (
            "interfaces: {eth0: {addresses: 192.0.2.1/24}}",
            '1:32: interfaces.eth0.addresses: the text "192.0.2.1/24" stands where a list belongs',
        ),
        (
            "interfaces: {eth0: {addresses: [5]}}",
            "1:33: interfaces.eth0.addresses[0]: the number 5 stands where a text belongs (put it in quotes)",
        ),
        (
            "interfaces: {eth0: {mtu: '1500'}}",
            '1:26: interfaces.eth0.mtu: the text "1500" stands where a number belongs (take the quotes away)',
        ),
        (
            "interfaces: {eth0: {forwarding: yes}}",
            '1:33: interfaces.eth0.forwarding: the text "yes" stands where true or false belongs',
        ),
        (
            "tables: {a: {id: true}}",
            "1:18: tables.a.id: true stands where a number belongs (for example 100)",
        ),
        (
            "marks: {a: [5]}",
            "1:12: marks.a: a list stands where a number or a text belongs (value/mask, as 0x10/0xff)",
        ),
        ("rules: [null]", "1:9: rules[0]: nothing stands where a map belongs"),
        # values
        ("version: 2", "1:10: version: the number 2 is not known here (only 1 is)"),
        (
            "interfaces: {eth0: {state: absent}}",
            "1:28: interfaces.eth0.state: there is no state absent; leave the interface out of the file",
        ),
        (
            "interfaces: {eth0: {state: don}}",
            '1:28: interfaces.eth0.state: the text "don" is not known here (did you mean "down"?)',
        ),
        (
            "interfaces: {eth0: {state: on}}",
            '1:28: interfaces.eth0.state: the text "on" is not known here (up or down)',
        ),
        (
            "interfaces: {eth0: {mtu: 70000}}",
            "1:26: interfaces.eth0.mtu: the number 70000 is more than 65535 (from 68 to 65535)",
        ),
        ("marks: {a: -5}", "1:12: marks.a: the number -5 is less than 0 (value/mask, as 0x10/0xff)"),
        ("marks: {a: wan}", '1:12: marks.a: the text "wan" does not fit (value/mask, as 0x10/0xff)'),
        ("interfaces: {eth0: {alias: ''}}", "1:28: interfaces.eth0.alias: the text is empty"),
        (
            "interfaces: {eth0: {alias: abcdefghijklmnop}}",
            '1:28: interfaces.eth0.alias: the text "abcdefghijklmnop" has more than 15 characters',
        ),
        (
            "interfaces: {eth0: {mac: 5x}}",
            '1:26: interfaces.eth0.mac: the text "5x" does not fit (for example 52:54:00:12:34:56)',
        ),
        (
            "shaping: {eth0: {kind: tbf, rate: 5}}",
            "1:35: shaping.eth0.rate: the number 5 stands where a text belongs (put it in quotes)",
        ),
        (
            "shaping: {eth0: {kind: tbf, rate: fast}}",
            '1:35: shaping.eth0.rate: the text "fast" does not fit (it has to match ^[0-9]+[kmg]bit$)',
        ),
        # lists and maps as such
        ("tables: {a: {routes: []}}", "1:22: tables.a.routes: the list is empty"),
        ("shaping: {}", "1:10: shaping: the map is empty"),
        (
            "tables: {a: {routes: [{to: x}, {to: y}, {to: x}]}}",
            "1:41: tables.a.routes[2]: this is in the list already (first in line 1, column 23)",
        ),
        # of several forms, the one that was meant
        (
            "shaping: {eth0: {kind: htb, rate: 5mbit}}",
            "1:29: shaping.eth0.rate: this key is not known here (known here: kind, classes)",
        ),
        (
            "shaping: {eth0: {kind: htb, classes: {all: {clases: {}}}}}",
            '1:45: shaping.eth0.classes.all.clases: this key is not known here (did you mean "classes"?)',
        ),
        (
            "shaping: {eth0: {kind: hbt}}",
            '1:24: shaping.eth0.kind: the text "hbt" is not known here (did you mean "htb"?)',
        ),
        ("shaping: {eth0: 5}", "1:17: shaping.eth0: the number 5 stands where a map belongs"),
        (
            "networks: {a: {gateway: [x]}}",
            '1:26: networks.a.gateway[0]: the text "x" does not fit (an IPv4 or IPv6 address)',
        ),
        (
            "networks: {a: {gateway: atuo}}",
            '1:25: networks.a.gateway: the text "atuo" does not fit (did you mean "auto"?)',
        ),
        (
            "networks: {a: {gateway: zzz}}",
            '1:25: networks.a.gateway: the text "zzz" does not fit (auto or none, or an IPv4 or IPv6 address)',
        ),
    ],
)
def test_a_problem_says_where_what_is_wrong_and_what_would_be_right(text, problem):
    assert problems(text) == [problem]


def test_all_problems_are_said_once_each_in_the_order_of_the_file():
    text = """\
rules:
  - {goto: 5, table: 5}
  - {priority: x, table: [1]}
interfaces:
  eth0.7: {mtu: 5, mtv: 5}
marks: {b: x, A: 5}
"""
    assert problems(text) == [
        '2:5: rules[0]: "priority" is missing (for example 17000)',
        '2:5: rules[0]: "table" and "goto" exclude each other',
        '3:16: rules[1].priority: the text "x" stands where a number belongs (for example 17000)',
        "3:26: rules[1].table: a list stands where a number or a text belongs",
        '5:17: interfaces."eth0.7".mtu: the number 5 is less than 68 (from 68 to 65535)',
        '5:20: interfaces."eth0.7".mtv: this key is not known here (did you mean "mtu"?)',
        '6:12: marks.b: the text "x" does not fit (value/mask, as 0x10/0xff)',
        '6:15: marks.A: the name "A" does not fit (small letters, digits and -)',
    ]


def test_a_value_or_a_key_from_the_environment_is_not_shown():
    text = """\
interfaces:
  ${DEV}: {mtu: "${SECRET}", state: "${SECRET}", alias: "${SECRET}", mac: "${SECRET}", "${SECRET}": 5}
marks: {"${SECRET}": "${SECRET}"}
networks: {a: {gateway: "${SECRET}"}}
version: ${NUMBER}
"""
    said = problems(text, {"DEV": "hunter2", "SECRET": "hunter2-hunter2-hunter2!", "NUMBER": "4711"})
    assert len(said) == 9
    assert "hunter2" not in str(said)
    assert "4711" not in str(said)
    assert "2:17: interfaces.${DEV}.mtu: the value of ${SECRET} stands where a number belongs" in said
    assert '3:9: marks.${SECRET}: the name "${SECRET}" does not fit (small letters, digits and -)' in said


def test_nor_is_it_guessed_from_what_is_said_of_it():
    said = problems("interfaces: {eth0: {state: '${STATE}'}}", {"STATE": "absent"})
    assert said == ["1:28: interfaces.eth0.state: the value of ${STATE} is not known here (up or down)"]


def test_a_hint_is_the_nearest_to_the_value_and_never_that_of_what_is_round_it():
    inner = {"type": "object", "properties": {"b": {"type": "integer"}}, "x-hint": "of the map"}
    outer = {"properties": {"a": inner, "c": {"$ref": "#/$defs/d", "x-hint": "of the property"}}}
    schema = {**outer, "$defs": {"d": {"type": "integer"}}, "x-hint": "of the whole"}
    said = [str(problem) for problem in explain(loads("a: {b: x}\nc: y", "f", {}), schema)]
    assert said == [
        'f:1:8: a.b: the text "x" stands where a number belongs',
        'f:2:4: c: the text "y" stands where a number belongs (of the property)',
    ]


def test_a_long_or_odd_value_is_cut():
    said = problems(f'marks: {{a: "{"x" * 500}", b: "a\\nb\\u202e"}}')
    assert max(map(len, said)) < 150
    assert all(line.isprintable() for line in said)


def test_of_many_entries_only_the_bad_are_told():
    text = "rules:\n" + "- {priority: 5, table: 5}\n" * 2000 + "- {priority: x, table: 5}\n"
    assert problems(text) == [
        '2002:14: rules[2000].priority: the text "x" stands where a number belongs (for example 17000)'
    ]
