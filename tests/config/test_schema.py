"""The schema in the package."""

from __future__ import annotations

import json
import os

import pytest

import reconciler.config.schema as module
from reconciler.config.schema import load_schema
from reconciler.errors import UnavailableError

PACKAGE = os.path.dirname(os.path.dirname(module.__file__))


def test_the_package_holds_the_schemas_by_a_relative_link():
    assert os.readlink(os.path.join(PACKAGE, "schemas")) == "../schemas"


def test_a_schema_is_read_from_the_package(tmp_path, monkeypatch):
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "reconciler.schema.json").write_text(json.dumps({"type": "object"}))
    monkeypatch.setattr(module, "__file__", str(tmp_path / "config" / "schema.py"))
    assert load_schema() == {"type": "object"}


def test_a_missing_schema_is_an_incomplete_installation():
    with pytest.raises(UnavailableError, match="install net-reconciler again"):
        load_schema("none.schema.json")
