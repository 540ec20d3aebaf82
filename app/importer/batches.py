"""Rows into batches of events: what one row states travels in one batch, and no batch grows too large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.events import Event
from app.importer.files import NumberedRow
from app.kit import json
from app.sources.base import SourceContext
from app.sources.errors import PayloadError
from app.sources.mapping import CompiledMapping

MAX_BATCH_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class MappedRow:
    """What a row came to: the envelopes of its events as JSON lines, or why there are none."""

    number: int
    ids: tuple[str, ...] = ()
    lines: tuple[bytes, ...] = ()
    error: PayloadError | None = None

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return sum(len(line) + 1 for line in self.lines)


@dataclass(slots=True)
class Batch:
    """Rows that are posted together, in the order of the file."""

    rows: list[MappedRow] = field(default_factory=list)
    events: int = 0
    size: int = 0

    def add(self, row: MappedRow) -> None:
        """Append a row."""
        self.rows.append(row)
        self.events += len(row.lines)
        self.size += row.size

    def has_room_for(self, row: MappedRow, limit: int) -> bool:
        """Whether the row fits; a row that is too large alone travels alone."""
        fits = self.events + len(row.lines) <= limit and self.size + row.size <= MAX_BATCH_BYTES
        return fits or not self.rows

    def lines(self) -> list[bytes]:
        """The envelopes of all rows, in order."""
        return [line for row in self.rows for line in row.lines]


@dataclass(frozen=True, slots=True)
class RowMapper:
    """A mapping at work on one file."""

    mapping: CompiledMapping
    context: SourceContext
    file_identity: str

    def map(self, row: NumberedRow) -> MappedRow:
        """The row's events as they are sent; an error is a result, not an exception."""
        if isinstance(row.value, PayloadError):
            return MappedRow(row.number, error=row.value)
        try:
            events = self.mapping.events(row.value, self.context, row.number, self.file_identity)
        except PayloadError as error:
            return MappedRow(row.number, error=error)
        zone = self.mapping.zone or self.context.zone
        try:
            lines = tuple(json.dumps(envelope(event, zone)) for event in events)
        except (TypeError, ValueError) as error:
            # A number of 70 bits or half a surrogate: JSON has no such value, the row has no way to be sent.
            detail = str(error)
            unsendable = PayloadError(
                "unsendable_value", detail, pointer=f"/{row.number}", cure="Mend the row."
            )
            return MappedRow(row.number, error=unsendable)
        return MappedRow(row.number, tuple(event.id for event in events), lines)


def batches(rows: Iterable[NumberedRow], mapper: RowMapper, limit: int) -> Iterator[Batch]:
    """Batches of at most `limit` events, every row of the file in exactly one of them."""
    batch = Batch()
    for numbered in rows:
        row = mapper.map(numbered)
        if not batch.has_room_for(row, limit) or len(batch.rows) >= limit:
            yield batch
            batch = Batch()
        batch.add(row)
    if batch.rows:
        yield batch


def envelope(event: Event, zone: ZoneInfo | None) -> dict[str, Any]:
    """The event as `POST /v1/events` takes it; its time keeps the local offset it was read in."""
    stated: dict[str, Any] = {
        "type": event.type.value,
        "id": event.id,
        "source": event.source,
        "occurred_at": _written(event.occurred_at, zone),
        "data": dict(event.data),
    }
    if event.subject is not None:
        stated["subject"] = {"kind": event.subject.kind.value, "ref": event.subject.ref}
    if event.object is not None:
        stated["object"] = event.object
    if event.version is not None:
        stated["version"] = str(event.version)
    if event.day_precision:
        stated["precision"] = "day"
    return stated


def _written(at: datetime, zone: ZoneInfo | None) -> str:
    text = at.isoformat() if zone is None else at.astimezone(zone).isoformat()
    return text.replace("+00:00", "Z") if text.endswith("+00:00") else text
