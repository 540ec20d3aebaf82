"""Merged cases: into which one each went, and when the earliest of them was received."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.journal.config import TenantConfig

_LONGEST_CHAIN = 10
_ABSORBED = """
SELECT merged_into, case_id, opened_at FROM cases WHERE tenant_id = $1 AND merged_into = any($2)
"""


async def find_receipts(
    tx: Tx, tenant_id: UUID, config: TenantConfig, case_ids: Sequence[UUID]
) -> dict[UUID, datetime]:
    """The earliest receipt of the cases that each of these absorbed; those that absorbed none are missing.

    Asked only where a policy has a statutory clock: no other counts from a receipt of another case.
    """
    if not (config.has_statutory and config.has_merges):
        return {}
    earliest: dict[UUID, datetime] = {}
    heads = {case_id: case_id for case_id in case_ids}
    for _ in range(_LONGEST_CHAIN):
        if not heads:
            break
        rows = await tx.fetch(_ABSORBED, tenant_id, list(heads))
        below: dict[UUID, UUID] = {}
        for row in rows:
            head = heads[row["merged_into"]]
            earliest[head] = min(row["opened_at"], earliest.get(head, row["opened_at"]))
            if row["case_id"] != head:
                below[row["case_id"]] = head
        heads = below
    return earliest
