"""What became of each item of a request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.errors import ConflictError, DomainError, InvalidError
from app.domain.events import Event, Origin
from app.journal.ports import Draft
from app.kit.ids import public_id


class Status(StrEnum):
    """What happened to one event."""

    CREATED = "created"
    DUPLICATE = "duplicate"
    REVISED = "revised"
    STALE = "stale"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one item; a rejection carries the refusal, and whether sending it again may help."""

    status: Status
    event_id: UUID | None = None
    error: DomainError | None = None
    retryable: bool = False

    def as_json(self, index: int, stated_id: str | None) -> dict[str, Any]:
        """The item's entry in `results[]`."""
        entry: dict[str, Any] = {"index": index, "id": stated_id, "status": self.status.value}
        if self.event_id is not None:
            entry["event_id"] = public_id("evt", self.event_id)
        if self.error is not None:
            entry["error"] = {
                "code": self.error.reason,
                "status": 503 if self.retryable else 409 if isinstance(self.error, ConflictError) else 422,
                "detail": self.error.detail,
                "pointer": self.error.pointer,
                "cure": self.error.cure or None,
                "retryable": self.retryable,
            }
        return entry


UNAVAILABLE = Result(
    Status.REJECTED,
    error=InvalidError("database_unavailable", "the database cannot answer now; nothing was stored"),
    retryable=True,
)
"""The fault is ours and of the moment: the same event may be sent again."""

BATCH_REFUSED = Result(
    Status.REJECTED,
    error=ConflictError(
        "batch_refused",
        "another event of this atomic batch cannot be stored, so nothing was",
        cure="mend the events that say why, or send the batch without `atomic=true`",
    ),
)


@dataclass(frozen=True, slots=True)
class Terms:
    """How a request wants its events taken."""

    key_id: UUID | None
    received_at: datetime
    backfill: bool = False
    open_cases: bool = True
    reprocess: bool = False

    @property
    def origin(self) -> Origin:
        """How events taken on these terms came to be known."""
        if self.reprocess:
            return Origin.REPROCESS
        return Origin.BACKFILL if self.backfill else Origin.LIVE


class Ticket:
    """Counts the unsettled items of one request; `wait` returns when there are none."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._done = asyncio.Event()

    def settle_one(self) -> None:
        """One item more has its result."""
        self._left -= 1
        if self._left == 0:
            self._done.set()

    async def wait(self) -> None:
        """Return when every item is settled."""
        await self._done.wait()


@dataclass(slots=True)
class Item:
    """One event on its way into the journal."""

    event: Event
    terms: Terms
    ticket: Ticket
    draft: Draft | DomainError | None = None
    """what it comes to by the configuration `prepared_for`: a draft, or why it is refused"""
    prepared_for: int | None = None
    result: Result | None = None

    def settle(self, result: Result) -> None:
        """Give the item its result and let its request go on."""
        self.result = result
        self.ticket.settle_one()

    def settle_if_open(self, result: Result) -> None:
        """The same, unless the item has its result already."""
        if self.result is None:
            self.settle(result)
