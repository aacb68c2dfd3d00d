"""The host's names of routing tables, and what a file may do with them."""

from __future__ import annotations

import pytest

from reconciler.config.load import loads
from reconciler.errors import ConfigError
from reconciler.kernel.rt_tables import host_tables
from reconciler.resources.desired import ANYWHERE, desire

FACTS = ANYWHERE._replace(tables=(("isp", 7), ("vpn", 300)))


def test_the_hosts_own_files_win_over_the_vendors(tmp_path):
    vendor, own = tmp_path / "vendor", tmp_path / "own"
    (own / "rt_tables.d").mkdir(parents=True)
    vendor.mkdir()
    (vendor / "rt_tables").write_text("255 local\n254 main\n253 default\n0 unspec\n7 isp\n8 lab # a remark\n")
    (own / "rt_tables").write_text("# nothing but\n\n9 isp\n0x12c vpn\nx y\n1\n1 2 3\n4294967296 far\n")
    (own / "rt_tables.d" / "a.conf").write_text("77 more\n")
    (own / "rt_tables.d" / "a.txt").write_text("78 never\n")
    folders = (str(vendor), str(own), str(tmp_path / "none"))
    assert host_tables(folders) == (("isp", 9), ("lab", 8), ("more", 77), ("vpn", 300))


def test_a_table_of_the_host_needs_no_number():
    text = (
        "tables: {isp: {routes: [{to: 10.0.0.0/8, dev: eth0}]}}\nrules: [{priority: 5, from: 10.0.0.0/8, table: vpn}]\n"
    )
    desired, names = desire(loads(text, "a.yaml", {}), FACTS)
    assert {key[:3] for key in desired.values if key[0] == "route"} == {("route", 4, 7)}
    assert names.table(300) == "vpn (300)"
    assert [value.table for key, value in desired.values.items() if key[0] == "rule"] == [300]


def test_the_files_number_goes_first():
    desired, names = desire(
        loads("tables: {isp: {id: 8, routes: [{to: 10.0.0.0/8, dev: eth0}]}}\n", "a.yaml", {}), FACTS
    )
    assert {key[:3] for key in desired.values} == {("route", 4, 8)}
    assert names.table(8) == "isp (8)"


def test_what_nobody_names_is_a_problem():
    with pytest.raises(ConfigError):
        desire(loads("tables: {isq: {routes: []}}\n", "a.yaml", {}), FACTS)
