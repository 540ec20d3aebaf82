"""Logs of these tests are plain: they provoke many faults, and decorated traces are slow."""

from __future__ import annotations

import pytest

from app.kit.logging import configure_logging


@pytest.fixture(autouse=True)
def _plain_logs() -> None:
    configure_logging("error", as_json=True)
