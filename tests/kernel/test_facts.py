from __future__ import annotations

import os

import pytest

from reconciler.errors import UnavailableError
from reconciler.kernel import facts as module
from reconciler.kernel.facts import find_facts
from reconciler.kernel.namespace import Namespace
from reconciler.resources.facts import CLASSIFIERS, VARIANTS, Facts

HERE = Namespace()
KNOWN = Facts("bpf", "probed", "legacy", "it has the rules", ipv6=True, kernel=os.uname().release)


@pytest.fixture
def kernel(monkeypatch):
    """Says what the lists tell of modules, and what works when it is tried."""
    asked = []

    def say(can_load=True, tried=None, **modules):
        def probe(names):
            asked.append(names)
            return {name: (tried or {}).get(name) for name in names}

        def available(name):
            found = modules.get(name)
            return None if found is None else found != ""

        monkeypatch.setattr(module, "can_load_modules", lambda: can_load)
        monkeypatch.setattr(module, "source", modules.get)
        monkeypatch.setattr(module, "available", available)
        monkeypatch.setattr(module, "present", lambda name: modules.get(name) in ("loaded", "built in"))
        monkeypatch.setattr("reconciler.kernel.probe.probe", probe)
        return asked

    return say


@pytest.fixture
def variant(monkeypatch):
    """Takes the place of the search for iptables and keeps what it was asked."""
    calls = []

    def find(_, **options):
        calls.append(options)
        return "nft", "as the test says"

    monkeypatch.setattr(module, "find_variant", find)
    monkeypatch.setattr(module, "program", lambda *_: "iptables-restore")
    return calls


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize(
    ("can_load", "tried", "lists", "expected"),
    [
        (True, None, ("loaded", None), ("fw", "loaded")),
        (True, None, ("loadable module", "loaded"), ("fw", "loadable module")),
        (False, None, ("built in", None), ("fw", "built in")),
        (True, None, ("", "built in"), ("bpf", "built in")),
        (True, None, ("", "loadable module"), ("bpf", "loadable module")),
        (True, None, ("", ""), ("classify", "the kernel has neither cls_fw nor cls_bpf")),
        (True, None, (None, "loaded"), ("fw", "assumed")),
        (False, {"fw": True, "bpf": True}, (None, None), ("fw", "probed")),
        (False, {"fw": False, "bpf": True}, (None, None), ("bpf", "probed")),
        (False, {"fw": False, "bpf": False}, (None, None), ("classify", "probed")),
        (False, {"fw": None, "bpf": True}, (None, None), ("bpf", "probed")),
        (False, {}, (None, "loaded"), ("fw", "assumed")),
        (False, {}, ("", "loaded"), ("bpf", "loaded")),
        (False, {}, ("", None), ("bpf", "assumed")),
    ],
)
def test_the_classifier_is_told_by_lists_then_by_trying_then_assumed(kernel, can_load, tried, lists, expected):
    kernel(can_load=can_load, tried=tried, cls_fw=lists[0], cls_bpf=lists[1], nf_tables="")
    assert find_facts(HERE)[:2] == expected


@pytest.mark.usefixtures("variant")
def test_nothing_is_tried_that_could_load_a_module(kernel):
    asked = kernel(can_load=True, nf_tables="loaded")
    find_facts(HERE)
    assert asked == [("nft",)]
    asked.clear()
    kernel(can_load=True)
    find_facts(HERE)
    assert asked == []


def test_all_that_can_be_tried_is_tried_at_once(kernel, variant):
    asked = kernel(can_load=False, tried={"fw": True, "nft": True})
    find_facts(HERE)
    assert asked == [("fw", "bpf", "nft")]
    assert variant == [{"asked": None, "ours": "", "nft_works": True}]


@pytest.mark.parametrize(
    ("modules", "works"),
    [
        ({"nf_tables": ""}, False),
        (
            {
                "nf_tables": "loadable module",
                "nft_reject": "loadable module",
                "nft_reject_ipv4": "loadable module",
            },
            True,
        ),
        ({"nf_tables": "loadable module", "nft_reject": "loadable module", "nft_reject_ipv4": ""}, False),
        ({"nf_tables": "loaded"}, True),
        ({"nf_tables": "loadable module"}, None),
        ({}, None),
    ],
)
def test_whether_nft_can_write_is_known_without_loading_it(kernel, variant, modules, works):
    kernel(can_load=True, tried={"nft": True}, cls_fw="loaded", **modules)
    find_facts(HERE)
    assert variant[0]["nft_works"] is works


def test_what_was_found_before_holds(kernel, variant):
    asked = kernel(can_load=False)
    assert find_facts(HERE, cached=KNOWN.to_json()) == KNOWN
    assert (asked, variant) == ([], [])


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize(
    "cached",
    [
        None,
        {},
        {"classifier": "fw"},
        {**KNOWN.to_json(), "kernel": "2.6.32"},
        {**KNOWN.to_json(), "iptables": 1},
    ],
)
def test_what_another_kernel_or_nobody_said_does_not_hold(kernel, cached):
    kernel(can_load=True, cls_fw="loaded")
    found = find_facts(HERE, cached=cached)
    assert found[:4] == ("fw", "loaded", "nft", "as the test says")


def test_another_wish_than_before_is_asked_for(kernel, variant):
    kernel(can_load=False)
    assert find_facts(HERE, cached=KNOWN.to_json(), iptables="legacy") == KNOWN
    found = find_facts(HERE, cached=KNOWN.to_json(), iptables="nft")
    assert found == KNOWN._replace(iptables="nft", iptables_source="as the test says")
    assert variant == [{"asked": "nft", "ours": "", "nft_works": None}]


def test_tools_that_are_gone_are_looked_for_again(kernel, variant, monkeypatch):
    kernel(can_load=True)
    monkeypatch.setattr(module, "program", lambda *_: None)
    assert find_facts(HERE, cached=KNOWN.to_json(), ours="rc-").iptables == "nft"
    assert variant[0]["ours"] == "rc-"


@pytest.mark.usefixtures("variant")
def test_a_namespace_without_ipv6_is_told(kernel, monkeypatch):
    kernel(can_load=True)
    monkeypatch.setattr(module.os.path, "exists", lambda _: False)
    assert find_facts(HERE).ipv6 is False


def test_the_facts_of_this_kernel_are_found_and_hold(namespace):
    found = find_facts(namespace)
    assert found.classifier in CLASSIFIERS
    assert found.iptables in VARIANTS
    assert found.kernel == os.uname().release
    assert found.ipv6 is os.path.exists("/proc/net/if_inet6")
    assert find_facts(namespace, cached=found.to_json()) == found


@pytest.mark.needs("fw")
def test_on_a_kernel_with_fw_it_is_fw(namespace):
    assert find_facts(namespace).classifier == "fw"


@pytest.mark.needs("iptables-legacy")
def test_rules_in_legacy_make_the_host_one_of_legacy(namespace, inside):
    inside("iptables-legacy -t mangle -A OUTPUT -j ACCEPT")
    assert find_facts(namespace).iptables == "legacy"


def test_a_wish_that_is_not_installed_is_refused(namespace, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("reconciler.kernel.process.SYSTEM_FOLDERS", ())
    with pytest.raises(UnavailableError, match="package iptables"):
        find_facts(namespace, iptables="nft")
