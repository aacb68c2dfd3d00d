from __future__ import annotations

import os
import re

import pytest

from reconciler.errors import UnavailableError
from reconciler.kernel import variant as module
from reconciler.kernel.namespace import Namespace
from reconciler.kernel.variant import find_variant, program

ALL = [
    f"{tool}-{kind}-{verb}"
    for tool in ("iptables", "ip6tables")
    for kind in ("nft", "legacy")
    for verb in ("save", "restore")
]


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Makes programs that print a text, in the only folder where programs are looked for."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("reconciler.kernel.process.SYSTEM_FOLDERS", ())

    def make(*names, says="", links_to=None):
        for name in names:
            path = tmp_path / name
            if links_to:
                path.symlink_to(tmp_path / links_to)
            else:
                (tmp_path / f"{name}.txt").write_text(says)
                path.write_text(f'#!/bin/sh\nwhile read line; do echo "$line"; done < {tmp_path}/{name}.txt\n')
                path.chmod(0o755)

    return make


@pytest.fixture
def kernel(monkeypatch):
    """Says what the kernel has, which nothing here may try out."""

    def say(legacy_tables=True, can_load=True, **modules):
        monkeypatch.setattr(module, "_legacy_tables", lambda _: legacy_tables)
        monkeypatch.setattr(module, "can_load_modules", lambda: can_load)
        monkeypatch.setattr(module, "present", modules.get)
        monkeypatch.setattr(module, "available", modules.get)

    say(nf_tables=True, ip_tables=True)
    return say


def saves(install, variant, text, family=4):
    install(f"{module.FAMILIES[family]}-{variant}-save", says=text)


def test_programs_that_bear_the_variant_in_their_name_come_first(install):
    install(*ALL, "iptables-save", "iptables", "iptables-nft")
    assert program("nft", 4, "save") == "iptables-nft-save"
    assert program("legacy", 6, "restore") == "ip6tables-legacy-restore"
    assert program("nft", 4) == "iptables-nft"


@pytest.mark.parametrize(("target", "expected"), [("xtables-nft-multi", "nft"), ("xtables-legacy-multi", "legacy")])
def test_a_plain_program_is_of_the_variant_that_it_links_to(install, target, expected):
    install(target)
    install("iptables-save", links_to=target)
    assert program(expected, 4, "save") == "iptables-save"
    assert program(module.OTHER[expected], 4, "save") is None


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("iptables v1.8.9 (nf_tables)\n", "nft"),
        ("iptables v1.8.9 (legacy)\n", "legacy"),
        ("iptables v1.6.1\n", "legacy"),
    ],
)
def test_a_plain_program_that_links_nowhere_is_asked_for_its_version(install, version, expected):
    install("ip6tables-restore", says=version)
    assert program(expected, 6, "restore") == "ip6tables-restore"
    assert program(module.OTHER[expected], 6, "restore") is None


@pytest.mark.usefixtures("kernel")
def test_what_is_asked_for_is_taken_if_it_is_installed(install):
    install("iptables-legacy-restore")
    assert find_variant(Namespace(), asked="legacy") == ("legacy", "asked for")
    with pytest.raises(UnavailableError, match=r"iptables-nft-restore is not installed.*package iptables"):
        find_variant(Namespace(), asked="nft")


@pytest.mark.usefixtures("kernel")
def test_the_only_one_installed_is_taken(install):
    assert find_variant(Namespace()) == ("none", "iptables is not installed")
    install("iptables-legacy-restore")
    assert find_variant(Namespace(), nft_works=True) == ("legacy", "the only one installed")


def test_a_kernel_without_nf_tables_leaves_legacy_or_nothing(install, kernel):
    install("iptables-nft-restore")
    assert find_variant(Namespace(), nft_works=False)[0] == "none"
    install("iptables-legacy-restore")
    assert find_variant(Namespace(), nft_works=False) == ("legacy", "the kernel has no nf_tables for IPv4")
    kernel(ip_tables=False)
    assert find_variant(Namespace(), nft_works=False)[0] == "none"


RULES = "*mangle\n:OUTPUT ACCEPT [0:0]\n{chain}{rules}COMMIT\n"


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize(
    ("nft", "legacy", "expected", "why"),
    [
        (
            RULES.format(chain=":KUBE-KUBELET-CANARY - [0:0]\n", rules=""),
            RULES.format(chain="", rules="-A a\n" * 9),
            "nft",
            "Kubernetes",
        ),
        ("", RULES.format(chain=":KUBE-IPTABLES-HINT - [0:0]\n", rules=""), "legacy", "Kubernetes"),
        (
            RULES.format(chain=":KUBE-IPTABLES-HINT - [0:0]\n", rules=""),
            RULES.format(chain=":rc-default-OUTPUT - [0:0]\n", rules=""),
            "legacy",
            "our chains",
        ),
        ("-A a\n", "-A a\n" * 2, "legacy", r"the rules that are there \(2; nft: 1\)"),
        ("-A a\n" * 3, "-A a\n" * 2, "nft", r"the rules that are there \(3; legacy: 2\)"),
        ("-A a\n", "-A a\n", "nft", "both have rules"),
        ("# Table `mangle' is incompatible, use 'nft' tool.\n", "", "nft", "legacy has no rules"),
    ],
)
def test_what_is_in_use_decides(install, nft, legacy, expected, why):
    install(*ALL)
    saves(install, "nft", nft, family=6)
    saves(install, "legacy", legacy)
    variant, reason = find_variant(Namespace(), ours="rc-default-", nft_works=True)
    assert variant == expected
    assert re.search(why, reason)


def test_without_legacy_tables_it_is_nft_and_neither_is_run(install, kernel, monkeypatch):
    install(*ALL)
    monkeypatch.setattr(module, "run", pytest.fail)
    kernel(legacy_tables=False, nf_tables=True)
    assert find_variant(Namespace(), nft_works=True) == ("nft", "legacy has no rules")


def test_nft_is_not_read_where_that_could_load_it(install, kernel, monkeypatch):
    install(*ALL)
    ran = []
    monkeypatch.setattr(module, "run", lambda _, argv: pytest.fail(argv[0]))
    monkeypatch.setattr(module, "_saved", lambda _, variant: ran.append(variant) or ["-A a"])
    kernel(nf_tables=False, ip_tables=True)
    assert find_variant(Namespace(), nft_works=True)[0] == "legacy"
    assert ran == ["legacy"]


def test_a_container_that_sees_ip_tables_loaded_and_not_nf_tables_takes_legacy(install, kernel):
    install(*ALL)
    kernel(legacy_tables=False, nf_tables=None, ip_tables=True)
    assert find_variant(Namespace())[0] == "legacy"
    kernel(legacy_tables=False, nf_tables=None, ip_tables=None)
    assert find_variant(Namespace()) == ("nft", "legacy has no rules; that nft works is assumed")


@pytest.mark.usefixtures("kernel")
def test_a_tool_that_fails_counts_as_one_without_rules(install, tmp_path):
    install(*ALL)
    saves(install, "legacy", "-A a\n-A a\n")
    (tmp_path / "iptables-legacy-save").write_text("#!/bin/sh\necho -A a\nexit 1\n")
    assert find_variant(Namespace(), nft_works=True)[0] == "nft"


@pytest.mark.needs("iptables-legacy", "iptables-nft")
def test_on_the_kernel_rules_in_legacy_make_it_legacy_and_rules_in_nft_make_it_nft(namespace, inside):
    assert find_variant(namespace, nft_works=True)[0] == "nft"
    inside("iptables-legacy -t mangle -A OUTPUT -j ACCEPT")
    assert find_variant(namespace, nft_works=True)[0] == "legacy"
    inside("ip6tables-nft -t mangle -A OUTPUT -j ACCEPT")
    inside("iptables-nft -t mangle -A OUTPUT -j ACCEPT")
    assert find_variant(namespace, nft_works=True)[0] == "nft"


@pytest.mark.needs("iptables-legacy", "iptables-nft", "nft")
def test_looking_makes_no_table(namespace, inside):
    find_variant(namespace, nft_works=True)
    assert inside("nft list ruleset") == ""

    def names():
        with open("/proc/thread-self/net/ip_tables_names") as file:
            return file.read()

    if os.access("/proc/net/ip_tables_names", os.R_OK):
        assert namespace.run(names) == ""
