"""When an answer counts: at what it is about where that is known, an edited review where it was published.

An edit is a new version of the same opinion (domain.md 4.5), so its row keeps the time of the earliest state
of its review that was not taken back, in whatever order the states arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from app.db.engine import Tx
from app.domain.events import EventType, StoredEvent
from app.feedback.interactions import Interactions
from app.journal.ports import Commit, Standing

_REVIEWS: Final = (EventType.REVIEW_PUBLISHED, EventType.REVIEW_EDITED)
_STATES: Final = """
SELECT wanted.source, wanted.object,
       min(least(e.occurred_at, (e.fact->>'experienced_at')::timestamptz)) AS first_at
  FROM unnest($2::text[], $3::text[]) AS wanted(source, object)
  JOIN events e ON e.tenant_id = $1 AND e.source = wanted.source AND e.object = wanted.object
 WHERE e.type IN ('review.published', 'review.edited') AND e.position < $4
   AND NOT EXISTS (SELECT FROM events r WHERE r.tenant_id = $1 AND r.type = 'event.retracted'
                      AND r.position < $4 AND r.fact->>'event_id' = e.event_id::text)
 GROUP BY 1, 2
"""
_HEADS: Final = """
SELECT h.event_id FROM object_heads h
  JOIN (SELECT source, object FROM unnest($2::text[], $3::text[]) AS older(source, object)
        UNION
        SELECT e.source, e.object FROM events e
         WHERE e.tenant_id = $1 AND e.event_id = any($4)
           AND e.type IN ('review.published', 'review.edited')) AS of_review
    ON h.source = of_review.source AND h.object = of_review.object
 WHERE h.tenant_id = $1
"""


def experienced_at(event: StoredEvent, ended_at: datetime | None = None) -> datetime:
    """When what the answer is about happened: as it was told, else when its interaction ended.

    Never after the answer itself.
    """
    told = event.fact.get("experienced_at")
    known = ended_at if told is None else datetime.fromisoformat(told)
    return event.occurred_at if known is None else min(event.occurred_at, known)


async def list_moved(tx: Tx, commit: Commit) -> set[UUID]:
    """Current states of reviews of which this commit brought an older state, or took one back."""
    older = [
        (event.source, event.object)
        for event in commit.events
        if event.type in _REVIEWS and commit.standings.get(event.event_id) is Standing.STALE
    ]
    gone = [
        UUID(event.fact["event_id"]) for event in commit.events if event.type is EventType.EVENT_RETRACTED
    ]
    if not older and not gone:
        return set()
    rows = await tx.fetch(
        _HEADS, commit.tenant_id, [source for source, _ in older], [name for _, name in older], gone
    )
    return {row["event_id"] for row in rows}


async def find_origins(
    tx: Tx, commit: Commit, events: Sequence[StoredEvent], interactions: Interactions
) -> dict[UUID, datetime]:
    """Event -> when its answers count."""
    origins = {event.event_id: experienced_at(event, interactions.end_of(event)) for event in events}
    reviews = [event for event in events if _has_history(event, commit)]
    if reviews:
        rows = await tx.fetch(_STATES, commit.tenant_id, *_objects(reviews), commit.end_position)
        first_at = {(row["source"], row["object"]): row["first_at"] for row in rows}
        for event in reviews:
            first = first_at.get((event.source, event.object))
            origins[event.event_id] = min(first or event.occurred_at, origins[event.event_id])
    return origins


def _has_history(event: StoredEvent, commit: Commit) -> bool:
    """True for a review that may have had another state before this commit, or has one in it."""
    if event.type not in _REVIEWS or event.object is None:
        return False
    states = sum(other.source == event.source and other.object == event.object for other in commit.events)
    return states != 1 or commit.standings.get(event.event_id) is not Standing.CREATED


def _objects(events: Iterable[StoredEvent]) -> tuple[list[str], list[str | None]]:
    pairs = list({(event.source, event.object) for event in events})
    return [source for source, _ in pairs], [name for _, name in pairs]
