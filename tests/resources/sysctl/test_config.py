"""The words of a file become the right files and numbers."""

from __future__ import annotations

import pytest

from reconciler.config.load import loads
from reconciler.config.schema import load_schema
from reconciler.config.validate import validate
from reconciler.resources.desired import ANYWHERE, desire
from reconciler.resources.sysctl_keys import GLOBAL, INTERFACE, V6, name

WITHOUT_IPV6 = ANYWHERE._replace(ipv6=False)


def read(text, facts=ANYWHERE):
    document = loads(text, "net.yaml", {})
    validate(document, load_schema())
    return desire(document, facts)[0]


def said(text, facts=ANYWHERE):
    """What a file asks for, by the names that ``sysctl`` knows."""
    return {name(value.path): value.value for key, value in read(text, facts).values.items() if key[0] == "sysctl"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sysctls: {ip-forward: true}", {"net.ipv4.ip_forward": 1}),
        ("sysctls: {ipv6-forward: false}", {"net.ipv6.conf.all.forwarding": 0}),
        ("sysctls: {fwmark-reflect: true}", {"net.ipv4.fwmark_reflect": 1, "net.ipv6.fwmark_reflect": 1}),
        ("sysctls: {fwmark-reflect: {ipv6: true}}", {"net.ipv6.fwmark_reflect": 1}),
        ("sysctls: {fib-multipath-hash-policy: {ipv4: 1, ipv6: 3}}", {"net.ipv4.fib_multipath_hash_policy": 1, "net.ipv6.fib_multipath_hash_policy": 3}),
        ("sysctls: {all: {rp-filter: loose, disable-ipv6: true}}", {"net.ipv4.conf.all.rp_filter": 2, "net.ipv6.conf.all.disable_ipv6": 1}),
        ("sysctls: {all: {accept-redirects: false}}", {"net.ipv4.conf.all.accept_redirects": 0}),
        ("sysctls: {default: {accept-redirects: false}}", {"net.ipv4.conf.default.accept_redirects": 0, "net.ipv6.conf.default.accept_redirects": 0}),
        ("sysctls: {all: null, default: null}\nversion: 1", {}),
        ("interfaces: {eth0: {rp-filter: off}}", {"net.ipv4.conf.eth0.rp_filter": 0}),
        ("interfaces: {eth0: {rp-filter: 1}}", {"net.ipv4.conf.eth0.rp_filter": 1}),
        ("interfaces: {eth0: {accept-ra: always}}", {"net.ipv6.conf.eth0.accept_ra": 2}),
        ("interfaces: {eth0: {addr-gen-mode: random}}", {"net.ipv6.conf.eth0.addr_gen_mode": 3}),
        ("interfaces: {eth0.5: {forwarding: {ipv4: true, ipv6: false}}}", {"net/ipv4/conf/eth0.5/forwarding": 1, "net/ipv6/conf/eth0.5/forwarding": 0}),
        ("interfaces: {eth0: {mtu: 1400}}", {}),
    ],
)  # fmt: skip
def test_words_become_files_and_numbers(text, expected):
    assert said(text) == expected


@pytest.mark.parametrize(
    ("text", "expected", "noticed"),
    [
        ("sysctls: {fwmark-reflect: true}", {"net.ipv4.fwmark_reflect": 1}, True),
        ("sysctls: {ipv6-forward: true, ip-forward: true}", {"net.ipv4.ip_forward": 1}, True),
        ("interfaces: {eth0: {forwarding: true}}", {"net.ipv4.conf.eth0.forwarding": 1}, True),
        ("interfaces: {eth0: {forwarding: {ipv6: true}}}", {"net.ipv6.conf.eth0.forwarding": 1}, False),
        ("interfaces: {eth0: {disable-ipv6: true}}", {"net.ipv6.conf.eth0.disable_ipv6": 1}, False),
    ],
)
def test_what_a_kernel_without_ipv6_lacks_is_left_out_unless_it_alone_is_meant(text, expected, noticed):
    assert said(text, WITHOUT_IPV6) == expected
    assert bool(read(text, WITHOUT_IPV6).notices) == noticed


def test_each_has_the_line_of_its_own_word():
    text = "interfaces:\n  eth0:\n    rp-filter: loose\n    forwarding: true\n"
    lines = {key[2][-1]: origin.position.line for key, origin in read(text).origins.items()}
    assert lines == {"rp_filter": 3, "forwarding": 4}


@pytest.mark.parametrize("word", [*GLOBAL, *INTERFACE])
def test_every_key_is_a_file_of_the_kernel_that_takes_all_its_values(lab, word):
    """In a namespace of its own; the lab's may be that of an ordinary user's user namespace."""
    host = lab.namespace("host")
    host.run("ip", "link", "add", "name", "e0", "type", "veth", "peer", "name", "e1")
    setting = {**GLOBAL, **INTERFACE}[word]
    between = [""] if word in GLOBAL else ["conf.e0.", "conf.default."]
    for family in setting.families:
        for place in [*between, *(["conf.all."] if family in setting.all else [])]:
            path = f"net.{family}.{place}{setting.file}"
            before = host.sysctl(path)
            assert 0 <= int(before) <= 8
            for number in range(max(len(setting.words) - 1, setting.most, 1) + 1):
                if "addr_gen_mode" not in path or number != 2:  # it takes a secret
                    assert host.sysctl(path, number) == str(number)
            host.sysctl(path, before)


def test_what_is_offered_for_all_interfaces_is_of_a_family_that_has_it():
    assert all(set(setting.all) <= set(setting.families) for setting in INTERFACE.values())
    assert not any(
        setting.all and V6 in setting.all and word in ("accept-ra", "autoconf") for word, setting in INTERFACE.items()
    )
