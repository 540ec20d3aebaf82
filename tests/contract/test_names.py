"""The API description is read by generators of clients: its names are the API's own."""

from __future__ import annotations

import json
from pathlib import Path


def test_no_schema_is_named_after_a_module_of_ours() -> None:
    description = json.loads(Path("openapi/openapi.json").read_text())
    names = list(description["components"]["schemas"])
    assert len(names) > 100
    assert [name for name in names if "__" in name] == []
