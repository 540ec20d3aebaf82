"""The desk of the case tests."""

from __future__ import annotations

from tests.cases.conftest import desk

__all__ = ["desk"]
