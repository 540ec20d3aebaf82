"""Objects with versions: which state is current, which one a newer state replaces, what a retraction restores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.db.bulk import insert_rows, upsert_suffix
from app.db.engine import Tx
from app.db.tables.journal import object_heads
from app.domain.events import EventType, StoredEvent
from app.journal.ports import Commit, Standing
from app.journal.rows import select_events

_COLUMNS = tuple(column.name for column in object_heads.columns)
_Key = tuple[str, str]
_FIND = """
SELECT h.source, h.object, h.event_id, h.version, h.occurred_at, h.external_id
  FROM unnest($2::text[], $3::text[]) AS wanted(source, object)
  JOIN object_heads h ON h.tenant_id = $1 AND h.source = wanted.source AND h.object = wanted.object
"""


class ObjectHeads:
    """The projection of current versions; it must be the first: the others ask it for standings."""

    name = "objects"
    tables = (object_heads,)

    async def apply(self, tx: Tx, commit: Commit) -> None:
        """Judge each state of an object, in commit order, and note the new heads."""
        states = [event for event in commit.events if event.object is not None]
        if states:
            await self._judge(tx, commit, states)
        for event in commit.events:
            if event.type is EventType.EVENT_RETRACTED:
                await self._restore(tx, commit, event)

    async def _judge(self, tx: Tx, commit: Commit, states: list[StoredEvent]) -> None:
        heads = await _find_heads(tx, commit, states)
        for event in states:
            key = (event.source, event.object or "")
            head = heads.get(key)
            row = _row(event)
            if head is None:
                commit.standings[event.event_id] = Standing.CREATED
            elif _rank(row) > _rank(head):
                commit.standings[event.event_id] = Standing.REVISED
                commit.replaced[event.event_id] = head[3]
            else:
                commit.standings[event.event_id] = Standing.STALE
                continue
            heads[key] = row
        suffix = upsert_suffix(object_heads, _COLUMNS)
        await insert_rows(tx, object_heads, _COLUMNS, list(heads.values()), suffix=suffix)

    async def _restore(self, tx: Tx, commit: Commit, retraction: StoredEvent) -> None:
        """Retracting the current state makes the greatest remaining one current again."""
        retracted = retraction.fact.get("event_id")
        row = await tx.fetchrow(
            "DELETE FROM object_heads WHERE tenant_id = $1 AND event_id = $2 RETURNING source, object",
            commit.tenant_id,
            retracted,
        )
        if row is None:
            return
        states = await select_events(
            tx,
            commit.tenant_id,
            "e.source = $2 AND e.object = $3 AND e.position < $4 AND e.event_id::text NOT IN ("
            "SELECT r.fact->>'event_id' FROM events r WHERE r.tenant_id = $1 AND r.type = 'event.retracted' "
            "AND r.fact->>'event_id' IS NOT NULL AND r.position < $4)",
            row["source"],
            row["object"],
            commit.end_position,
        )
        states = [event for event in states if str(event.event_id) != retracted]
        if states:
            best = max(states, key=lambda event: _rank(_row(event)))
            await insert_rows(tx, object_heads, _COLUMNS, [_row(best)])
            commit.restored.append(best)


def _row(event: StoredEvent) -> tuple[Any, ...]:
    return (
        event.tenant_id,
        event.source,
        event.object,
        event.event_id,
        event.version,
        event.occurred_at,
        event.external_id,
    )


def _rank(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[4], row[5], row[6]


async def _find_heads(tx: Tx, commit: Commit, states: Iterable[StoredEvent]) -> dict[_Key, tuple[Any, ...]]:
    keys = list({(event.source, event.object or "") for event in states})
    rows = await tx.fetch(_FIND, commit.tenant_id, [key[0] for key in keys], [key[1] for key in keys])
    return {
        (row["source"], row["object"]): (
            commit.tenant_id,
            row["source"],
            row["object"],
            row["event_id"],
            row["version"],
            row["occurred_at"],
            row["external_id"],
        )
        for row in rows
    }
