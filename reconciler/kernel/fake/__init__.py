"""A kernel made of lists, for tests: it does what Linux does, and refuses what Linux refuses.

What it does by itself is written from measurements and the kernel's sources, apart from the kinds'
``takes`` and ``brings``, so that each finds the mistakes of the other.
"""

from __future__ import annotations

from reconciler.kernel.fake.errors import DeniedError
from reconciler.kernel.fake.kernel import FakeKernel

__all__ = ["DeniedError", "FakeKernel"]
