"""A host for each variant of iptables, where the machine has it."""

from __future__ import annotations

import pytest

from tests.netns.probes import lacks
from tests.resources.host import Host

VARIANTS = ("nft", "legacy")


@pytest.fixture(params=VARIANTS)
def host(request, lab):
    """An empty namespace with both families of one variant."""
    for tool in ("iptables", "ip6tables"):
        if why := lacks(f"{tool}-{request.param}"):
            pytest.skip(why)
    return Host.of(lab, variant=request.param)
