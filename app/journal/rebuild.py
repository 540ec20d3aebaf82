"""Rebuild: empty a tenant's projections and apply every commit again; decides and announces nothing."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from app.journal.journal import Journal
from app.journal.ports import POSITION_BITS, Commit
from app.journal.rows import select_events

COMMITS_A_TRANSACTION = 100

_BEGIN = "UPDATE tenant_head SET rebuilding = true WHERE tenant_id = $1 RETURNING seq, config_version"
# whoever read configuration off a half built projection reads it again
_END = """
UPDATE tenant_head SET rebuilding = false, config_version = config_version + 1 WHERE tenant_id = $1
"""


async def rebuild(
    journal: Journal, tenant_id: UUID, progress: Callable[[int, int], None] | None = None
) -> int:
    """Rebuild every projection of a tenant; the number of commits applied.

    Writers of the tenant are told to come again (503) until it is done, readers see what is
    rebuilt so far. Each transaction is short. Interrupted, it is simply started again.
    """
    async with journal.transaction(tenant_id) as tx:
        head = await tx.fetchrow(_BEGIN, tenant_id)
        config = await journal.configs.get_config(tx, tenant_id, head["config_version"])
        for projection in journal.projections:
            for table in projection.tables:
                await tx.execute(f"DELETE FROM {table.name} WHERE tenant_id = $1", tenant_id)
    last: int = head["seq"]
    for first in range(1, last + 1, COMMITS_A_TRANSACTION):
        after = min(first + COMMITS_A_TRANSACTION, last + 1)
        async with journal.transaction(tenant_id) as tx:
            stored = await select_events(
                tx,
                tenant_id,
                "e.position >= $2 AND e.position < $3",
                first << POSITION_BITS,
                after << POSITION_BITS,
            )
            for seq in range(first, after):
                events = [event for event in stored if event.seq == seq]
                if events:
                    commit = Commit(tenant_id, seq, events[0].recorded_at, config, replaying=True)
                    commit.events = events
                    for projection in journal.projections:
                        await projection.apply(tx, commit)
        if progress is not None:
            progress(after - 1, last)
    async with journal.transaction(tenant_id) as tx:
        for table in journal.caches:
            await tx.execute(f"DELETE FROM {table.name} WHERE tenant_id = $1", tenant_id)
        await tx.execute(_END, tenant_id)
    return last
