"""What of a person's facts could still name them: the address of a review, words in attributes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from app.db.engine import Tx
from app.domain.privacy import Traces, left_of_attributes
from app.kit import json
from app.privacy.repository import Belongings

_FACTS = """
SELECT event_id, fact FROM events
 WHERE tenant_id = $1 AND event_id = any($2) AND (fact ? 'source_url' OR fact ? 'attributes')
"""
_PUT_FACT = "UPDATE events SET fact = $3::text::jsonb WHERE tenant_id = $1 AND event_id = $2"
_NO_URL = """
UPDATE feedback SET source_url = NULL
 WHERE tenant_id = $1 AND event_id = any($2) AND source_url IS NOT NULL
"""


async def strip_facts(tx: Tx, tenant_id: UUID, found: Belongings, traces: Traces) -> dict[str, int]:
    """Take that out; table -> rows."""
    registered = {
        row["key"]
        for row in await tx.fetch(
            "SELECT key FROM attributes WHERE tenant_id = $1 AND NOT personal", tenant_id
        )
    }
    ids, count = list(found.event_ids), 0
    for row in await tx.fetch(_FACTS, tenant_id, ids):
        fact = {key: value for key, value in row["fact"].items() if key != "source_url"}
        if "attributes" in fact:
            fact["attributes"] = left_of_attributes(fact["attributes"], registered, traces)
        if fact != row["fact"]:
            count += 1
            await tx.execute(_PUT_FACT, tenant_id, row["event_id"], json.dumps_text(fact))
    await tx.execute(_NO_URL, tenant_id, ids)
    for table, key, wanted in (
        ("feedback", "event_id", ids),
        ("volumes", "event_id", ids),
        ("cases", "case_id", list(found.subject_ids)),
        ("sla_timers", "subject_id", list(found.subject_ids)),
    ):
        await _strip_rows(tx, tenant_id, table, key, wanted, registered, traces)
    return {"facts": count}


async def _strip_rows(
    tx: Tx,
    tenant_id: UUID,
    table: str,
    key: str,
    wanted: Sequence[UUID],
    registered: Collection[str],
    traces: Traces,
) -> None:
    """The same for the rows of a projection: a function of the facts, so that a rebuild finds them equal."""
    where = f"tenant_id = $1 AND {key} = any($2) AND attributes <> '{{}}'"
    rows = f"SELECT DISTINCT {key} AS id, attributes FROM {table} WHERE {where}"
    put = (
        f"UPDATE {table} SET attributes = $3::text::jsonb "
        f"WHERE tenant_id = $1 AND {key} = $2 AND attributes = $4::text::jsonb"
    )
    for row in await tx.fetch(rows, tenant_id, wanted):
        left = left_of_attributes(row["attributes"], registered, traces)
        if left != row["attributes"]:
            before = json.dumps_text(row["attributes"])
            await tx.execute(put, tenant_id, row["id"], json.dumps_text(left), before)
