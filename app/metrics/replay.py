"""Cases and timers as they were known at a commit: the journal's prefix through the very projections.

They go into temporary tables of the same names, which stand before the real ones for the rest of the
transaction: every SELECT of the answer then reads what was known, without knowing it. Rare and slow.
"""

from __future__ import annotations

from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.engine import Tx
from app.domain.measures.definition import Population
from app.journal.journal import Journal
from app.journal.ports import POSITION_BITS, Commit
from app.journal.rows import select_events
from app.metrics.query import MetricQuery

REPLAYED: Final = ("cases", "sla_timers")
"""Names of the projections that are replayed."""
SUBJECTS_AT_ONCE: Final = 500

_VERSIONED: Final = frozenset(
    {
        Population.FEEDBACK,
        Population.CHANNELS,
        Population.SURVEYS,
        Population.UNSOLICITED,
        Population.VOLUME,
        Population.ORDERS,
        Population.REVIEWS,
        Population.DISPLAYED,
    }
)
_SUBJECTS: Final = """
SELECT DISTINCT subject_id FROM events
 WHERE tenant_id = $1 AND position < $2 AND subject_id IS NOT NULL
   AND subject_kind IN ('case', 'interaction', 'review', 'order') ORDER BY subject_id
"""
_HEAD: Final = """
SELECT (SELECT max(recorded_at) FROM events WHERE tenant_id = $1 AND position < $2) AS recorded_at,
       (SELECT config_version FROM tenant_head WHERE tenant_id = $1) AS config_version
"""


def needs_replay(query: MetricQuery) -> bool:
    """True when what was known then is not in the versions of rows."""
    return query.known_at is not None and not _VERSIONED.issuperset(query.populations)


async def replay(connection: AsyncConnection, journal: Journal, tenant_id: UUID, known_at: int) -> None:
    """Put the cases and timers of this commit before the real ones, until the transaction ends."""
    raw: Any = (await connection.get_raw_connection()).driver_connection
    tx = cast(Tx, raw)
    projections = [projection for projection in journal.projections if projection.name in REPLAYED]
    for projection in projections:
        for table in projection.tables:
            await tx.execute(
                f"CREATE TEMP TABLE {table.name} (LIKE {table.name} INCLUDING DEFAULTS) ON COMMIT DROP"
            )
    # Statements that this connection prepared before still mean the real tables; they must be read anew. And
    # from here on the transaction can write to temporary tables only.
    await tx.execute("DISCARD PLANS")
    await tx.execute("SET TRANSACTION READ ONLY")
    end = (known_at + 1) << POSITION_BITS
    head = await tx.fetchrow(_HEAD, tenant_id, end)
    if head["recorded_at"] is None:
        return
    config = await journal.configs.get_config(tx, tenant_id, head["config_version"])
    subjects = [row["subject_id"] for row in await tx.fetch(_SUBJECTS, tenant_id, end)]
    for first in range(0, len(subjects), SUBJECTS_AT_ONCE):
        commit = Commit(tenant_id, known_at, head["recorded_at"], config, replaying=True)
        some = subjects[first : first + SUBJECTS_AT_ONCE]
        commit.events = await select_events(
            tx, tenant_id, "e.subject_id = any($2) AND e.position < $3", some, end
        )
        for projection in projections:
            await projection.apply(tx, commit)
