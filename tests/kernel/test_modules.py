from __future__ import annotations

import os

import pytest

from reconciler.kernel.modules import available, can_load_modules, present, source

LOADED = "nf_tables 253952 0 - Live 0x0000000000000000\nsch_htb 1 0 - Live 0x0\n"
BUILT_IN = "kernel/net/sched/cls_bpf.ko\nkernel/lib/cls_fw_other.ko\n"
LOADABLE = (
    "kernel/net/sched/cls-u32.ko.zst: kernel/lib/a.ko\nkernel/net/sched/cls_fw.ko:\n"
    "kernel/net/netfilter/nf_tables.ko.xz:\n"
)


@pytest.fixture
def tree(tmp_path):
    """Makes a root folder; a list that is None does not exist."""

    def make(
        *,
        loaded=LOADED,
        built_in=BUILT_IN,
        loadable=LOADABLE,
        folder="lib/modules",
        disabled="0",
        modprobe="/modprobe",
    ):
        lists = {
            "proc/modules": loaded,
            f"{folder}/{os.uname().release}/modules.builtin": built_in,
            f"{folder}/{os.uname().release}/modules.dep": loadable,
            "proc/sys/kernel/modules_disabled": f"{disabled}\n",
            "proc/sys/kernel/modprobe": f"{modprobe}\n",
        }
        for name, text in lists.items():
            if text is not None:
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text(text)
        return str(tmp_path)

    return make


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nf_tables", "loaded"),
        ("nf-tables", "loaded"),
        ("cls_bpf", "built in"),
        ("cls_u32", "loadable module"),
        ("cls_fw", "loadable module"),
        ("cls_flower", ""),
        ("tables", ""),
        ("nf", ""),
        ("fw_other", ""),
    ],
)
def test_a_module_is_found_in_the_first_list_that_has_it(tree, name, expected):
    assert source(name, tree()) == expected


def test_present_means_now_and_available_means_when_asked(tree):
    root = tree()
    assert [present(name, root) for name in ("sch_htb", "cls_bpf", "cls_fw", "cls_x")] == [
        True,
        True,
        False,
        False,
    ]
    assert [available(name, root) for name in ("sch_htb", "cls_bpf", "cls_fw", "cls_x")] == [
        True,
        True,
        True,
        False,
    ]


def test_without_the_lists_nobody_can_tell_of_what_is_not_loaded(tree):
    root = tree(built_in=None, loadable=None)
    assert (source("nf_tables", root), source("cls_fw", root)) == ("loaded", None)
    assert present("cls_fw", root) is available("cls_fw", root) is None


def test_a_kernel_without_modules_and_lists_tells_nothing(tree):
    root = tree(loaded=None, built_in=None, loadable=None)
    assert not can_load_modules(root)
    assert source("cls_fw", root) is None


def test_what_sys_shows_is_there(tree, tmp_path):
    root = tree(loaded=None, built_in=None, loadable=None)
    (tmp_path / "sys/module/nf_tables").mkdir(parents=True)
    assert present("nf_tables", root) is True


@pytest.mark.parametrize("lists", [{"disabled": "1"}, {"modprobe": ""}, {"loaded": None}])
def test_where_nothing_can_be_loaded_a_loadable_module_is_missing(tree, lists):
    root = tree(**lists)
    assert not can_load_modules(root)
    assert source("cls_fw", root) == ""
    assert source("cls_bpf", root) == "built in"


def test_where_modules_can_be_loaded_that_is_told(tree):
    assert can_load_modules(tree())


def test_the_lists_may_lie_elsewhere(tree):
    assert source("cls_fw", tree(folder="usr/lib/modules")) == "loadable module"


def test_the_running_kernel_can_be_asked():
    assert available("nf_tables") in (True, False, None)
    assert isinstance(can_load_modules(), bool)
