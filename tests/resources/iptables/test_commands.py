"""The command lines of chains, jumps and policies do the same as one run of the restoring tool."""

from __future__ import annotations

import re

import pytest

from reconciler.resources.iptables.chain import Chain
from reconciler.resources.iptables.jump import Jump
from reconciler.resources.iptables.lines import quote, sign
from reconciler.resources.iptables.policy import Policy
from tests.resources.host import OWNER, Host, create, delete, update
from tests.resources.iptables.test_lines import NASTY

RULES = [
    ("-m mark --mark 0x10/0xff", "", "-j ACCEPT"),
    ("-p tcp --dport 80", "two words", "-j RETURN"),
    ("! -i eth0 -m mark ! --mark 0x0/0xff", 'a "quoted" \\ one', "-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff"),
    ("", "", "-j LOG --log-prefix \"wan2 \" --log-level 6"),
    ("-i lo", "", "-j rc.default.sub"),
    *((f"-i nasty{number}", word, f"-j LOG {quote(f'--log-prefix={word}')}") for number, word in enumerate(NASTY[4:14])),
]  # fmt: skip


def saved(host):
    text = "".join(host.namespace.output(f"{tool}-{host.variant}-save") for tool in ("iptables", "ip6tables"))
    return re.sub(r"(?m)^#.*\n| \[\d+:\d+\]$", "", text)


@pytest.mark.parametrize("family", [4, 6])
def test_commands_and_restore_lead_to_the_same_tables(host, lab, family):
    told = Host.of(lab, "told", variant=host.variant)
    sub = Chain(family, "mangle", "rc.default.sub", sign([("", "", "-j RETURN")], OWNER))
    first = Chain(family, "mangle", "rc.default.OUTPUT", sign(RULES, OWNER))
    second = first._replace(rules=sign([RULES[3], RULES[0], ("-i new", "", "-j ACCEPT"), RULES[1]], OWNER))
    jumps = [
        Jump(family, "mangle", chain, first.name, where) for chain, where in (("OUTPUT", "first"), ("INPUT", "last"))
    ]
    accept = Policy(family, "filter", "FORWARD", "ACCEPT")
    drop = accept._replace(policy="DROP")
    steps = [create(sub), create(first), *map(create, jumps), update(accept, drop), update(first, second)]
    steps += [update(drop, accept), *map(delete, jumps), delete(second), delete(sub)]
    for tool in ("iptables", "ip6tables"):
        for there in (host, told):
            there.namespace.run(f"{tool}-{host.variant}", "-A", "OUTPUT", "-j", "ACCEPT")
            there.namespace.run(f"{tool}-{host.variant}", "-t", "mangle", "-A", "INPUT", "-j", "ACCEPT")
    before = saved(host)
    for change in steps:
        told.tell(change)
        host.ask(change)
        assert saved(told) == saved(host), change
        assert saved(host) != before, f"nothing is seen of {change}"
        before = saved(host)
