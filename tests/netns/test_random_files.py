"""Two random files, applied in turn beside what others made, keep every promise on this kernel.

Nothing is refused by the kernel; a second plan is empty; what others made stays as it is; what is refused as unsafe
changes nothing; a teardown leaves the same objects as before.
"""

from __future__ import annotations

import os

import pytest

from reconciler.kernel import live
from reconciler.resources.facts import Facts
from tests.random_files.shrink import shrunk
from tests.random_files.story import draw, told
from tests.random_files.trial import play

pytestmark = [pytest.mark.thorough, pytest.mark.needs("veth", "ifb", "ipv6")]

COUNT = int(os.environ.get("RECONCILER_RANDOM_FILES", "25"))
FIRST = int(os.environ.get("RECONCILER_RANDOM_FILES_FROM", "0"))
ONLY = os.environ.get("RECONCILER_RANDOM_FILES_SEED")
SEEDS = [int(ONLY)] if ONLY else range(FIRST, FIRST + COUNT)
FACTS = Facts("classify", "not asked", "none", "not asked", ipv6=True, kernel="")
"""No file here has a section that iptables or tc would be asked about."""


@pytest.fixture
def _alone(tmp_path, monkeypatch):
    """Keep records in the test's own folder, and ask the kernel nothing that no file needs."""
    monkeypatch.setenv("RECONCILER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(live, "find_facts", lambda *_, **__: FACTS)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("_alone", "lab")
@pytest.mark.parametrize("seed", SEEDS)
def test_two_random_files_keep_the_promises(seed):
    story = draw(seed)
    if play(story):
        smallest, why = shrunk(story, play)
        pytest.fail(f"RECONCILER_RANDOM_FILES_SEED={seed}: {why}\n{told(smallest)}", pytrace=False)
