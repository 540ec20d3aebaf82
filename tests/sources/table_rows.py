"""A row of a table, a mapping for it, and the event that the two give."""

from __future__ import annotations

from typing import Any

from app.domain.events import Event
from app.sources.base import SourceContext
from app.sources.mapping import CompiledMapping, compile_mapping
from tests.sources.conftest import RECEIVED_AT

FILE = "ab" * 32
ROW = {"Date": "28.12.2025 09:30", "Score": "4", "Status": "open", "Channel": "Тел."}


def mapping_of(event: dict[str, Any] | None = None, **document: Any) -> CompiledMapping:
    """A mapping of CSV rows with one kind of event; what is stated goes over it."""
    entry = {
        "type": "feedback.received",
        "occurred_at": {"column": "Date", "format": "%d.%m.%Y %H:%M"},
        "data": {"channel": {"value": "call"}},
    } | (event or {})
    whole = {"mapping": 1, "id": "m", "format": "csv", "zone": "Europe/Kyiv", "events": [entry]} | document
    return compile_mapping(whole)


def event_of(mapping: CompiledMapping, row: Any = ROW, context: SourceContext | None = None) -> Event:
    """The only event of a row."""
    (event,) = mapping.events(row, context or SourceContext("shop", RECEIVED_AT), 7, FILE)
    return event
