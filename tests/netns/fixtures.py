"""The fixtures of tests on the real kernel, for every folder of tests (loaded by ``tests/conftest.py``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.netns.lab import Lab
from tests.netns.probes import lacks, why_no_namespaces
from tests.netns.two_uplinks import TwoUplinks

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Throw-away namespaces; skips, saying why, where none can be made."""
    if why := why_no_namespaces():
        pytest.skip(why)
    with Lab() as made:
        yield made


@pytest.fixture
def two_uplinks(lab: Lab) -> TwoUplinks:
    """The host with two uplinks, both ready; ``TwoUplinks(lab, stage1="absent")`` makes others."""
    return TwoUplinks(lab)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as ``netns`` whatever uses a lab, and all of the folders that are about the real kernel."""
    for item in items:
        if "lab" in getattr(item, "fixturenames", ()) or item.path.parent.name in {"kernel", "netns", "qemu", "uml"}:
            item.add_marker(pytest.mark.netns)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what ``needs`` something that is not here, with the reason in words."""
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            if why := lacks(name):
                pytest.skip(why)
