"""What is stored of one person, table by table: found, given another name, stripped of words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.db.kinds import metadata
from app.db.tables.privacy import erasures
from app.domain.privacy import Traces, redacted
from app.journal.ports import FORGOTTEN
from app.kit import json
from app.kit.ids import new_id

_OWN_EVENTS = """
SELECT e.event_id, e.external_id, e.object, e.subject_id FROM event_personal p
  JOIN events e ON e.tenant_id = $1 AND e.event_id = p.event_id
 WHERE p.tenant_id = $1 AND p.customer_ref = $2
"""
# a subject that somebody else is known to belong to keeps its words
_SHARED = """
SELECT DISTINCT e.subject_id FROM events e
  JOIN event_personal p ON p.tenant_id = $1 AND p.event_id = e.event_id
 WHERE e.tenant_id = $1 AND e.subject_id = any($2) AND p.customer_ref IS NOT NULL AND p.customer_ref <> $3
"""
_STRIP = """
UPDATE event_personal SET data = CASE WHEN data ? 'subject_ref'
       THEN jsonb_build_object('subject_ref', data->'subject_ref') ELSE '{}'::jsonb END
 WHERE tenant_id = $1 AND event_id = any($2) AND data - 'subject_ref' <> '{}'::jsonb
"""
_RENAME = """
UPDATE event_personal SET data = jsonb_set(data, '{subject_ref}', to_jsonb($3::text))
 WHERE tenant_id = $1 AND data->>'subject_ref' = $4 AND event_id IN (
       SELECT event_id FROM events WHERE tenant_id = $1 AND subject_id = $2)
"""
# The messages first, and always: an attempt that is being made meanwhile settles under the lock of its
# message, and sees there that it must not keep the reply to what it sent.
_MARK_MESSAGES = """
WITH told AS (SELECT message_id FROM messages WHERE tenant_id = $1 AND event_id = any($2)
               ORDER BY message_id FOR UPDATE)
UPDATE messages m SET redacted_at = clock_timestamp() FROM told WHERE m.message_id = told.message_id
"""
_QUIET_ATTEMPTS = """
UPDATE attempts SET reply_excerpt = NULL, detail = NULL WHERE tenant_id = $1 AND message_id IN (
       SELECT message_id FROM messages WHERE tenant_id = $1 AND event_id = any($2))
"""
_RAW = """
SELECT received_at, raw_id, body FROM raw_payloads
 WHERE tenant_id = $1 AND (received_at, raw_id) > ($2, $3) AND state <> 'erased'
 ORDER BY received_at, raw_id LIMIT $4
"""
_ERASE_RAW = """
UPDATE raw_payloads SET body = ''::bytea, headers = '{}'::jsonb, detail = NULL, state = 'erased'
 WHERE tenant_id = $1 AND received_at = $2 AND raw_id = $3
"""


Place = tuple[datetime, UUID]
"""Where in the raw payloads a stretch begins."""


@dataclass(frozen=True, slots=True)
class Belongings:
    """The events of a person, and of subjects that are the person's alone; names to look for elsewhere."""

    event_ids: tuple[UUID, ...]
    subject_ids: tuple[UUID, ...]
    names: tuple[str, ...]


def tables_of_customers() -> list[str]:
    """Every table that knows a customer by the keyed hash, but the job's own."""
    return sorted(
        str(table.name)  # a quoted name of SQLAlchemy is no key for the encoder
        for table in metadata.tables.values()
        if "customer_ref" in table.c and table is not erasures
    )


async def find_belongings(tx: Tx, tenant_id: UUID, customer_ref: bytes) -> Belongings:
    """What belongs to a person."""
    own = await tx.fetch(_OWN_EVENTS, tenant_id, customer_ref)
    subjects = {row["subject_id"] for row in own if row["subject_id"] is not None}
    shared = await tx.fetch(_SHARED, tenant_id, list(subjects), customer_ref)
    alone = sorted(subjects - {row["subject_id"] for row in shared})
    rest = await tx.fetch(
        "SELECT event_id FROM events WHERE tenant_id = $1 AND subject_id = any($2)", tenant_id, alone
    )
    ids = {row["event_id"] for row in (*own, *rest)}
    names = {name for row in own for name in (row["external_id"], row["object"]) if name}
    return Belongings(tuple(sorted(ids)), tuple(alone), tuple(sorted(names)))


async def strip(tx: Tx, tenant_id: UUID, found: Belongings, traces: Traces) -> dict[str, int]:
    """Take words and references out of these events; table -> rows. Numbers, times and kinds stay.

    A subject's reference stays too, so that what a CRM says of a case later meets it, unless the
    identifier stands in it.
    """
    ids = list(found.event_ids)
    counts = {"event_personal": await _count(tx, _STRIP, tenant_id, ids)}
    await tx.execute(
        "UPDATE events SET fingerprint = $3 WHERE tenant_id = $1 AND event_id = any($2)",
        tenant_id,
        ids,
        FORGOTTEN,
    )
    aliases = await tx.fetch(
        "SELECT kind, ref, coalesce(home_id, subject_id) AS subject_id FROM subject_aliases "
        "WHERE tenant_id = $1 AND (home_id = any($2) OR home_id IS NULL AND subject_id = any($2))",
        tenant_id,
        list(found.subject_ids),
    )
    told = [row for row in aliases if traces.found_in(row["ref"].encode())]
    for row in told:
        fresh = f"erased:{new_id()}"
        await tx.execute(_RENAME, tenant_id, row["subject_id"], fresh, row["ref"])
        await tx.execute(
            "UPDATE subject_aliases SET ref = $4 WHERE tenant_id = $1 AND kind = $2 AND ref = $3",
            tenant_id,
            row["kind"],
            row["ref"],
            fresh,
        )
    return {**counts, "subject_aliases": len(told)}


async def rename(tx: Tx, tenant_id: UUID, customer_ref: bytes, token: bytes) -> dict[str, int]:
    """Give a person a random name everywhere; table -> rows."""
    return {
        name: await _count(
            tx,
            f"UPDATE {name} SET customer_ref = $3 WHERE tenant_id = $1 AND customer_ref = $2",
            tenant_id,
            customer_ref,
            token,
        )
        for name in tables_of_customers()
    }


async def redact_messages(
    tx: Tx, tenant_id: UUID, event_ids: Sequence[UUID], traces: Traces
) -> dict[str, int]:
    """Leave of what was (or is to be) sent only what tells nothing of the person; pending ones go out so."""
    ids, counts = list(event_ids), {"message_bodies": 0, "outbox": 0}
    await tx.execute(_MARK_MESSAGES, tenant_id, ids)
    for row in await tx.fetch(
        "SELECT event_id, body FROM message_bodies WHERE tenant_id = $1 AND event_id = any($2)",
        tenant_id,
        ids,
    ):
        document = json.loads(bytes(row["body"]))
        clean = {**document, "data": redacted(document.get("data"), traces)}
        if clean != document:
            counts["message_bodies"] += 1
            await tx.execute(
                "UPDATE message_bodies SET body = $3 WHERE tenant_id = $1 AND event_id = $2",
                tenant_id,
                row["event_id"],
                json.dumps(clean),
            )
    for row in await tx.fetch(
        "SELECT outbox_id, data FROM outbox WHERE tenant_id = $1 AND event_id = any($2)", tenant_id, ids
    ):
        counts["outbox"] += 1
        await tx.execute(
            "UPDATE outbox SET data = $3::text::json WHERE tenant_id = $1 AND outbox_id = $2",
            tenant_id,
            row["outbox_id"],
            json.dumps_text(redacted(row["data"], traces)),
        )
    counts["attempts"] = await _count(tx, _QUIET_ATTEMPTS, tenant_id, ids)
    return counts


async def erase_raw(
    tx: Tx, tenant_id: UUID, traces: Traces, place: Place, limit: int
) -> tuple[int, Place | None]:
    """Empty the raw bodies of a stretch that hold a trace: (how many, the next place; None: the end)."""
    rows = await tx.fetch(_RAW, tenant_id, *place, limit)
    hits = [row for row in rows if traces.found_in(row["body"])]
    for row in hits:
        await tx.execute(_ERASE_RAW, tenant_id, row["received_at"], row["raw_id"])
    last = (rows[-1]["received_at"], rows[-1]["raw_id"]) if len(rows) == limit else None
    return len(hits), last


async def find_raw(
    tx: Tx, tenant_id: UUID, traces: Traces, place: tuple[Any, UUID], limit: int
) -> tuple[list[Any], tuple[Any, UUID] | None]:
    """The raw bodies of a stretch that hold a trace, and the next place."""
    rows = await tx.fetch(_RAW, tenant_id, *place, limit)
    last = (rows[-1]["received_at"], rows[-1]["raw_id"]) if len(rows) == limit else None
    return [row for row in rows if traces.found_in(row["body"])], last


def added(*counts: dict[str, int]) -> dict[str, int]:
    """Counts of several steps together, without what was not met."""
    names: Iterable[str] = sorted({name for part in counts for name in part})
    total = {name: sum(part.get(name, 0) for part in counts) for name in names}
    return {name: count for name, count in total.items() if count}


async def _count(tx: Tx, statement: str, *arguments: Any) -> int:
    return int((await tx.execute(statement, *arguments)).rpartition(" ")[2])
