"""Writes the generated parts of docs/webhooks.md: code from examples/, the catalogue from the code."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from app.webhooks.docs import fill  # noqa: E402 - the path comes first

PAGE = ROOT / "docs" / "webhooks.md"

if __name__ == "__main__":
    PAGE.write_text(fill(PAGE.read_text(), ROOT))
