"""Who is to be asked, in the database: claimed with a lease and a fence, settled by who holds it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.db.engine import Database
from app.kit import json
from app.kit.ids import new_id

LEASE_SECONDS = 600

_CLAIM = """
UPDATE source_pulls SET claim_id = $1, next_at = now() + make_interval(secs => $2)
 WHERE pull_id = (SELECT pull_id FROM source_pulls WHERE next_at <= now()
                   ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING pull_id, tenant_id, source, cursor, failures
"""
_NEXT = "SELECT extract(epoch FROM min(next_at) - now())::float8 FROM source_pulls"
_SETTLE = """
UPDATE source_pulls
   SET claim_id = NULL, next_at = now() + make_interval(secs => $3), cursor = $4, failures = $5,
       last_error = $6, pulled_at = coalesce($7, pulled_at)
 WHERE pull_id = $1 AND claim_id = $2
"""
_CONFIGURED = "SELECT adapter, pull, sealed_credentials FROM sources WHERE tenant_id = $1 AND key = $2"


async def claim_pull(database: Database) -> tuple[UUID, Any] | None:
    """The fence and the row of the source whose turn it is, or None."""
    claim_id = new_id()
    async with database.worker() as tx:
        row = await tx.fetchrow(_CLAIM, claim_id, LEASE_SECONDS)
    return None if row is None else (claim_id, row)


async def seconds_until_next(database: Database) -> float | None:
    """How long until a source is to be asked; None when there is none."""
    async with database.worker() as tx:
        seconds: float | None = await tx.fetchval(_NEXT)
    return seconds


async def settle_pull(
    database: Database,
    pull_id: UUID,
    claim_id: UUID,
    *,
    after_seconds: float,
    cursor: dict[str, Any],
    failures: int,
    error: str | None,
    pulled_at: datetime | None,
) -> bool:
    """Write what came of a pull; False when another has claimed it since."""
    async with database.worker() as tx:
        tag = await tx.execute(
            _SETTLE,
            pull_id,
            claim_id,
            after_seconds,
            json.dumps_text(cursor),
            failures,
            error,
            pulled_at,
        )
    return tag.endswith(" 1")


async def find_configured(database: Database, tenant_id: UUID, source: str) -> Any:
    """What a source is asked for and with which (sealed) credentials, or None."""
    async with database.write(tenant_id) as tx:
        return await tx.fetchrow(_CONFIGURED, tenant_id, source)
