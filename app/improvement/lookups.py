"""What deciders and commands must know, read in the transaction that they write in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Tx
from app.domain.events import StoredEvent
from app.journal.ports import OWN_SOURCE
from app.journal.rows import select_events
from app.kit.ids import parse_public_id

_COUNT = """
SELECT cause, count(*) FILTER (WHERE opened_at > $3::timestamptz - interval '28 days') AS cases,
       count(*) FILTER (WHERE opened_at <= $3::timestamptz - interval '28 days') AS cases_before
  FROM cases
 WHERE tenant_id = $1 AND cause = any($2) AND opened_at > $3::timestamptz - interval '56 days'
   AND opened_at <= $3 AND NOT case_id = any($4) AND state NOT IN ('invalid', 'duplicate', 'merged')
 GROUP BY cause
"""
_EXPOSURE = """
SELECT coalesce(sum(count) FILTER (WHERE occurred_at > $2::timestamptz - interval '28 days'), 0)::float8
           AS now,
       coalesce(sum(count) FILTER (WHERE occurred_at <= $2::timestamptz - interval '28 days'), 0)::float8
           AS before
  FROM volumes WHERE tenant_id = $1 AND kind = 'transactions' AND seq_to IS NULL AND occurred_at <= $2
   AND occurred_at > $2::timestamptz - interval '56 days'
"""


async def count_cases(
    tx: Tx, tenant_id: UUID, causes: Sequence[str], at: datetime, without: Sequence[UUID]
) -> dict[str, tuple[int, int]]:
    """Cause -> its cases in the 28 days up to `at`, and in the 28 before; some cases left out."""
    rows = await tx.fetch(_COUNT, tenant_id, list(causes), at, list(without))
    return {row["cause"]: (row["cases"], row["cases_before"]) for row in rows}


async def list_openings(tx: Tx, tenant_id: UUID, case_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When those of these cases that are known already were opened."""
    rows = await tx.fetch(
        "SELECT case_id, opened_at FROM cases WHERE tenant_id = $1 AND case_id = any($2)",
        tenant_id,
        list(case_ids),
    )
    return {row["case_id"]: row["opened_at"] for row in rows}


async def find_open_failures(tx: Tx, tenant_id: UUID, causes: Sequence[str]) -> dict[str, Any]:
    """The failures of these causes, the open and the closed ones."""
    rows = await tx.fetch(
        "SELECT cause, state, closed_at FROM recurring_failures WHERE tenant_id = $1 AND cause = any($2)",
        tenant_id,
        list(causes),
    )
    return {row["cause"]: row for row in rows}


async def find_actions(tx: Tx, tenant_id: UUID, refs: Sequence[str]) -> dict[str, Any]:
    """The actions of these references."""
    rows = await tx.fetch(
        "SELECT * FROM corrective_actions WHERE tenant_id = $1 AND ref = any($2)", tenant_id, list(refs)
    )
    return {row["ref"]: row for row in rows}


async def list_untold(tx: Tx, tenant_id: UUID, refs: Sequence[str]) -> list[Any]:
    """Cases linked to these actions whose customers have not been promised a word yet."""
    return await tx.fetch(
        "SELECT case_id, action FROM case_actions WHERE tenant_id = $1 AND action = any($2) "
        "AND deployed_at IS NULL ORDER BY case_id",
        tenant_id,
        list(refs),
    )


async def list_unsettled(tx: Tx, tenant_id: UUID, case_ids: Sequence[UUID]) -> list[Any]:
    """The actions of these cases whose customers were not told yet."""
    return await tx.fetch(
        "SELECT case_id, action FROM case_actions WHERE tenant_id = $1 AND case_id = any($2) "
        "AND informed_at IS NULL ORDER BY case_id, action",
        tenant_id,
        list(case_ids),
    )


async def list_informed(tx: Tx, tenant_id: UUID, case_ids: Sequence[UUID]) -> set[tuple[UUID, str]]:
    """The actions of these cases whose customers were told."""
    rows = await tx.fetch(
        "SELECT case_id, action FROM case_actions WHERE tenant_id = $1 AND case_id = any($2) "
        "AND informed_at IS NOT NULL",
        tenant_id,
        list(case_ids),
    )
    return {(row["case_id"], row["action"]) for row in rows}


async def list_taken_over(
    tx: Tx, tenant_id: UUID, case_ids: Sequence[UUID]
) -> dict[tuple[UUID, str], datetime]:
    """The links of these cases that are not their own but came with a merge, and since when they have them.

    From when the action is in force, where that is later: the customer is owed a word from then on.
    """
    rows = await tx.fetch(
        "SELECT a.case_id, a.action, greatest(a.deployed_at, max(e.occurred_at)) AS since "
        "FROM case_actions a JOIN events e ON e.tenant_id = a.tenant_id AND e.subject_id = a.case_id "
        "AND e.type = 'case.action_linked' AND e.fact->>'action' = a.action "
        "WHERE a.tenant_id = $1 AND a.case_id = any($2) "
        "GROUP BY a.case_id, a.action, a.deployed_at "
        "HAVING bool_and(e.caused_by IS NOT NULL AND e.source = $3)",
        tenant_id,
        list(case_ids),
        OWN_SOURCE,
    )
    return {(row["case_id"], row["action"]): row["since"] for row in rows}


async def list_stated(tx: Tx, tenant_id: UUID, names: Sequence[str]) -> set[str]:
    """Of these ids those under which we stated something before, even if it was taken back."""
    rows = await tx.fetch(
        "SELECT external_id FROM events WHERE tenant_id = $1 AND source = $2 AND external_id = any($3)",
        tenant_id,
        OWN_SOURCE,
        list(names),
    )
    return {row["external_id"] for row in rows}


async def list_links(tx: Tx, tenant_id: UUID, case_ids: Sequence[UUID]) -> set[tuple[UUID, str]]:
    """The actions that these cases are linked to."""
    rows = await tx.fetch(
        "SELECT case_id, action FROM case_actions WHERE tenant_id = $1 AND case_id = any($2)",
        tenant_id,
        list(case_ids),
    )
    return {(row["case_id"], row["action"]) for row in rows}


async def list_case_refs(tx: Tx, tenant_id: UUID, case_ids: Sequence[UUID]) -> dict[UUID, str]:
    """One reference of its own of each of these cases (a merged one has none)."""
    rows = await tx.fetch(
        "SELECT subject_id, min(ref) AS ref FROM subject_aliases "
        "WHERE tenant_id = $1 AND kind = 'case' AND subject_id = any($2) AND home_id IS NULL "
        "GROUP BY subject_id",
        tenant_id,
        list(case_ids),
    )
    return {row["subject_id"]: row["ref"] for row in rows}


async def find_cases(tx: Tx, tenant_id: UUID, named: Sequence[str]) -> dict[str, Any]:
    """Case rows by the ids or references that callers named."""
    ids = {name: parse_public_id("case", name) for name in named}
    rows = await tx.fetch(
        "SELECT ref, subject_id FROM subject_aliases "
        "WHERE tenant_id = $1 AND kind = 'case' AND ref = any($2)",
        tenant_id,
        list(named),
    )
    by_ref = {row["ref"]: row["subject_id"] for row in rows}
    wanted = {name: ids[name] or by_ref.get(name) for name in named}
    found = await tx.fetch(
        "SELECT case_id, cause, severity, employee FROM cases WHERE tenant_id = $1 AND case_id = any($2)",
        tenant_id,
        [value for value in wanted.values() if value is not None],
    )
    by_id = {row["case_id"]: row for row in found}
    return {name: by_id[value] for name, value in wanted.items() if value in by_id}


async def list_linked(tx: Tx, tenant_id: UUID, action: str) -> set[UUID]:
    """The cases that are linked to an action."""
    rows = await tx.fetch(
        "SELECT case_id FROM case_actions WHERE tenant_id = $1 AND action = $2", tenant_id, action
    )
    return {row["case_id"] for row in rows}


async def list_debriefed(tx: Tx, tenant_id: UUID, case_ids: Sequence[UUID]) -> set[UUID]:
    """Of these cases those that led to a debrief already."""
    rows = await tx.fetch(
        "SELECT case_id FROM debriefs WHERE tenant_id = $1 AND case_id = any($2)", tenant_id, list(case_ids)
    )
    return {row["case_id"] for row in rows}


async def history_of(tx: Tx, tenant_id: UUID, subject_id: UUID) -> list[StoredEvent]:
    """All events of a subject in journal order."""
    return await select_events(tx, tenant_id, "e.subject_id = $2", subject_id)


async def exposure(tx: Tx, tenant_id: UUID, at: datetime) -> tuple[float, float]:
    """Transactions in the 28 days up to `at`, and in the 28 before."""
    row = await tx.fetchrow(_EXPOSURE, tenant_id, at)
    return row["now"], row["before"]


async def count_owed(tx: Tx, tenant_id: UUID, action: str) -> int:
    """How many customers are owed a word about an action."""
    found: int = await tx.fetchval(
        "SELECT count(*) FROM case_actions WHERE tenant_id = $1 AND action = $2 AND customer_facing "
        "AND deployed_at IS NOT NULL AND informed_at IS NULL",
        tenant_id,
        action,
    )
    return found
