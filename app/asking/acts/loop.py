"""States what stayed silent: acts whose time is over by a plain look, the tenant's lock, then once more."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from app.asking.acts.projection import move_due, timeout_by
from app.asking.acts.silence import silence_draft
from app.asking.policies import AskingPolicies
from app.db.engine import Tx
from app.db.wakeup import Bell
from app.domain.asking.act import read_act, silences
from app.journal.due import in_chunks, in_halves
from app.journal.histories import load_histories
from app.journal.journal import Journal
from app.journal.ports import Commit, Draft

log = structlog.get_logger()

CANDIDATES = 2000
ACTS_A_COMMIT = 500
LONGEST_SLEEP_SECONDS = 5.0

_DUE = """
SELECT tenant_id, subject_id FROM asking_due
 WHERE next_at <= now() + $1::interval ORDER BY next_at LIMIT $2
"""
_NEXT = "SELECT extract(epoch FROM min(next_at) - now() - $1::interval)::float8 FROM asking_due"
_STILL_DUE = """
SELECT subject_id FROM asking_due
 WHERE tenant_id = $1 AND subject_id = any($2) AND next_at <= now() + $3::interval
"""
_POSTPONE = """
UPDATE asking_due SET next_at = now() + $3::interval + interval '1 hour'
 WHERE tenant_id = $1 AND subject_id = $2
"""


class SilenceLoop:
    """One step states every silence that is due now; it sleeps until the next time runs out."""

    def __init__(self, journal: Journal, policies: AskingPolicies, bell: Bell) -> None:
        self._journal = journal
        self._policies = policies
        self._bell = bell

    async def step(self) -> float:
        """State what is due; the seconds to sleep after it."""
        offset, database = self._journal.offset(), self._journal.database
        async with database.worker() as tx:
            rows = await tx.fetch(_DUE, offset, CANDIDATES)
        for tenant_id, subject_ids in in_chunks(rows, "subject_id", ACTS_A_COMMIT):
            if await in_halves(tenant_id, subject_ids, self._settle, self._postpone):
                self._bell.ring("fanout")
        if len(rows) == CANDIDATES:
            return 0.0
        async with database.worker() as tx:
            seconds: float | None = await tx.fetchval(_NEXT, self._journal.offset())
        return LONGEST_SLEEP_SECONDS if seconds is None else min(max(seconds, 0.01), LONGEST_SLEEP_SECONDS)

    async def _settle(self, tenant_id: UUID, subject_ids: Sequence[UUID]) -> int:
        """One commit for these acts."""
        async with self._journal.transaction(tenant_id) as tx:
            commit = await self._journal.lock(tx, tenant_id)
            drafts = await self._drafts(tx, commit, subject_ids)
            if drafts:
                await self._journal.append(tx, commit, drafts)
        return len(drafts)

    async def _postpone(self, tenant_id: UUID, subject_id: UUID, error: Exception) -> None:
        """An act that cannot be read is tried again in an hour."""
        log.error("act_cannot_end", tenant=str(tenant_id), subject=str(subject_id), exc_info=error)
        async with self._journal.database.write(tenant_id) as tx:
            await tx.execute(_POSTPONE, tenant_id, subject_id, self._journal.offset())

    async def _drafts(self, tx: Tx, commit: Commit, subject_ids: Sequence[UUID]) -> list[Draft]:
        rows = await tx.fetch(_STILL_DUE, commit.tenant_id, subject_ids, self._journal.offset())
        due = sorted(row["subject_id"] for row in rows)
        await load_histories(tx, commit, due)
        policies = await self._policies.load(tx, commit.config)
        drafts = [
            silence_draft(commit, subject_id, silence)
            for subject_id in due
            for silence in silences(read_act(commit.histories[subject_id]), timeout_by(policies))
            if silence.at <= commit.recorded_at
        ]
        ended = {draft.subject_id for draft in drafts}
        await move_due(tx, commit, [subject for subject in due if subject not in ended], policies)
        for subject_id in ended:
            # the silences belong to these histories, and are read with them when they are placed
            commit.histories.pop(subject_id or UUID(int=0), None)
        return drafts
