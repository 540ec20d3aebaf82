"""Objects with versions: which state is current, which one it replaces, what a retraction restores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.db.bulk import insert_rows, upsert_suffix
from app.db.engine import Tx
from app.db.tables.journal import object_heads
from app.domain.events import EventType, StoredEvent
from app.journal.ports import Commit, Standing
from app.journal.rows import select_events

_COLUMNS = tuple(column.name for column in object_heads.columns)
_Key = tuple[str, str]
_HEADS = """
SELECT h.source, h.object, h.event_id, h.version, h.occurred_at, h.external_id
  FROM unnest($2::text[], $3::text[]) AS wanted(source, object)
  JOIN object_heads h ON h.tenant_id = $1 AND h.source = wanted.source AND h.object = wanted.object
UNION
SELECT h.source, h.object, h.event_id, h.version, h.occurred_at, h.external_id
  FROM unnest($4::text[], $5::text[]) AS retracted(source, external_id)
  JOIN events e ON e.tenant_id = $1 AND e.source = retracted.source AND e.external_id = retracted.external_id
  JOIN object_heads h ON h.tenant_id = $1 AND h.source = e.source AND h.object = e.object
"""
_FORGET = """
DELETE FROM object_heads h USING unnest($2::text[], $3::text[]) AS gone(source, object)
 WHERE h.tenant_id = $1 AND h.source = gone.source AND h.object = gone.object
"""
_REMAINING = """e.source = $2 AND e.object = $3 AND e.position < $4 AND NOT EXISTS (
SELECT FROM events r WHERE r.tenant_id = $1 AND r.type = 'event.retracted' AND r.position <= $4
   AND r.fact->>'event_id' = e.event_id::text)"""


@dataclass(frozen=True, slots=True)
class _Head:
    """The current state of an object."""

    event_id: UUID
    version: Decimal
    occurred_at: datetime
    external_id: str

    @property
    def rank(self) -> tuple[Decimal, datetime, str]:
        """The greatest one is current."""
        return self.version, self.occurred_at, self.external_id


@dataclass(slots=True)
class _Heads:
    """The heads that a commit may move: as they were, and as they are."""

    now: dict[_Key, _Head]
    before: dict[_Key, _Head] = field(init=False)

    def __post_init__(self) -> None:
        self.before = dict(self.now)

    def key_of(self, event_id: UUID) -> _Key | None:
        """The object whose current state this event is."""
        return next((key for key, head in self.now.items() if head.event_id == event_id), None)

    def moved(self) -> list[_Key]:
        """Objects with another current state than before, or none any more."""
        return [key for key in {**self.before, **self.now} if self.before.get(key) != self.now.get(key)]


class ObjectHeads:
    """The projection of current versions; it must be the first: the others ask it what counts."""

    name = "objects"
    tables = (object_heads,)

    async def apply(self, tx: Tx, commit: Commit) -> None:
        """Judge states and retractions in commit order, and note what is current after the last of them."""
        states = [event for event in commit.events if event.object is not None]
        retractions = [event for event in commit.events if event.type is EventType.EVENT_RETRACTED]
        if not states and not retractions:
            return
        heads = await _find_heads(tx, commit, states, retractions)
        restored: dict[UUID, StoredEvent] = {}
        for event in commit.events:
            if event.type is EventType.EVENT_RETRACTED:
                key = heads.key_of(UUID(event.fact["event_id"]))
                if key is not None:
                    await _restore(tx, event, key, heads, restored)
            elif event.object is not None:
                commit.standings[event.event_id] = _judge(event, (event.source, event.object), heads)
        _settle(commit, heads, states, retractions, restored)
        await _write(tx, commit, heads)


def _judge(event: StoredEvent, key: _Key, heads: _Heads) -> Standing:
    current, head = heads.now.get(key), _head_of(event)
    if current is not None and head.rank <= current.rank:
        return Standing.STALE
    heads.now[key] = head
    return Standing.CREATED if current is None else Standing.REVISED


async def _restore(
    tx: Tx, retraction: StoredEvent, key: _Key, heads: _Heads, restored: dict[UUID, StoredEvent]
) -> None:
    """Retracting the current state makes the greatest remaining one current again."""
    del heads.now[key]
    remaining = await select_events(tx, retraction.tenant_id, _REMAINING, *key, retraction.position)
    if remaining:
        best = max(remaining, key=lambda event: _head_of(event).rank)
        heads.now[key] = _head_of(best)
        restored[best.event_id] = best


def _settle(
    commit: Commit,
    heads: _Heads,
    states: Sequence[StoredEvent],
    retractions: Sequence[StoredEvent],
    restored: dict[UUID, StoredEvent],
) -> None:
    """Tell the other projections what this commit comes to, whatever happened within it."""
    current = {head.event_id for head in heads.now.values()}
    commit.overtaken |= {event.event_id for event in states} - current
    commit.overtaken |= {UUID(event.fact["event_id"]) for event in retractions}
    new = {event.event_id for event in commit.events}
    for key in heads.moved():
        before, after = heads.before.get(key), heads.now.get(key)
        if before is not None and after is not None:
            commit.replaced[after.event_id] = before.event_id
        if after is not None and after.event_id not in new:
            commit.restored.append(restored[after.event_id])


async def _write(tx: Tx, commit: Commit, heads: _Heads) -> None:
    moved = heads.moved()
    gone = [key for key in moved if key not in heads.now]
    if gone:
        await tx.execute(_FORGET, commit.tenant_id, [key[0] for key in gone], [key[1] for key in gone])
    rows: list[tuple[Any, ...]] = [
        (commit.tenant_id, *key, head.event_id, head.version, head.occurred_at, head.external_id)
        for key in moved
        if (head := heads.now.get(key)) is not None
    ]
    await insert_rows(tx, object_heads, _COLUMNS, rows, suffix=upsert_suffix(object_heads, _COLUMNS))


def _head_of(event: StoredEvent) -> _Head:
    assert event.version is not None  # a state of an object always has one (see drafts)
    return _Head(event.event_id, event.version, event.occurred_at, event.external_id)


async def _find_heads(
    tx: Tx, commit: Commit, states: Sequence[StoredEvent], retractions: Sequence[StoredEvent]
) -> _Heads:
    keys = list({(event.source, event.object) for event in states})
    targets = [(event.fact.get("source") or event.source, event.fact["event"]) for event in retractions]
    rows = await tx.fetch(
        _HEADS,
        commit.tenant_id,
        [key[0] for key in keys],
        [key[1] for key in keys],
        [target[0] for target in targets],
        [target[1] for target in targets],
    )
    return _Heads(
        {
            (row["source"], row["object"]): _Head(
                row["event_id"], row["version"], row["occurred_at"], row["external_id"]
            )
            for row in rows
        }
    )
