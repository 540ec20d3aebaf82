"""A context as the door would give it, and payloads of our own in the partners' shapes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from app.sources.base import SourceContext, SourceDefaults

RECEIVED_AT = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
_FIXTURES = Path(__file__).parent / "fixtures"


class LoadPayload(Protocol):
    """A fixture by its path, with top-level keys replaced."""

    def __call__(self, name: str, **replaced: Any) -> dict[str, Any]: ...


@pytest.fixture
def context() -> SourceContext:
    """A source without a zone, without defaults, that does not handle cases."""
    return SourceContext("marigold", RECEIVED_AT)


@pytest.fixture
def case_context() -> SourceContext:
    """The same where the partner is the place that handles cases."""
    return SourceContext("marigold", RECEIVED_AT, defaults=SourceDefaults(handles_cases=True))


@pytest.fixture
def payload() -> LoadPayload:
    def load(name: str, **replaced: Any) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((_FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
        return document | replaced

    return load
