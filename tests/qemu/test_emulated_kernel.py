"""What the emulated kernel is there for: that it has it, so that no test is skipped there without a word."""

from __future__ import annotations

import pytest

from tests.netns.probes import PROBES, lacks, on_emulated_kernel

pytestmark = pytest.mark.skipif(not on_emulated_kernel(), reason="only on the emulated kernel: make test-qemu")


@pytest.mark.parametrize("name", PROBES)
def test_the_emulated_kernel_has(name):
    assert lacks(name) == ""
