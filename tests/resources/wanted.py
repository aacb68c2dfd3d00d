"""What a file asks for, as objects; for tests that begin with words of the language."""

from __future__ import annotations

from reconciler.config.load import loads
from reconciler.config.schema import load_schema
from reconciler.config.validate import validate
from reconciler.resources.desired import desire
from reconciler.resources.facts import Facts

FACTS = Facts("bpf", "probed", "nft", "asked for", ipv6=True, kernel="6.18")


def wanted(text, facts=FACTS):
    """Return the objects of a file by key; ConfigError where it is wrong."""
    document = loads(text, "test.yaml", {})
    validate(document, load_schema())
    return desire(document, facts)[0].values
