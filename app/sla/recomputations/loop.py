"""Carries out recomputations, some subjects a commit: rows anew, the ledger noted, nobody told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.db.engine import Database, Tx
from app.journal.journal import Journal
from app.journal.ports import Commit
from app.journal.tenants import list_tenants
from app.sla.judging import Judge
from app.sla.ledger import append_announced, list_announced
from app.sla.readings import SubjectClock
from app.sla.recomputations import repository
from app.sla.statements import finding_id, ledger_row
from app.sla.timers import SlaTimers, move_due, read_clocks, write_timers

SUBJECTS_A_COMMIT = 200
_FIRST = UUID(int=0)


class Recomputer:
    """One step carries on whatever is not done; broken off, the next step goes on from its cursor.

    Until it is done nothing is announced of its subjects (they are held); what is true by then goes
    into the ledger as quiet, so that it is never told; what falls due later is.
    """

    def __init__(
        self, database: Database, journal: Journal, timers: SlaTimers, *, every_seconds: float = 30.0
    ) -> None:
        self._database = database
        self._journal = journal
        self._timers = timers
        self._every_seconds = every_seconds

    async def step(self) -> float:
        """Look at every tenant once; the seconds to sleep."""
        for tenant_id in await list_tenants(self._database):
            async with self._database.write(tenant_id) as tx:
                waiting = await repository.find_unfinished(tx, tenant_id)
            while waiting is not None and await self.advance(tenant_id):
                pass
        return self._every_seconds

    async def advance(self, tenant_id: UUID) -> bool:
        """One commit of the oldest one that is not done; False when there is none left."""
        async with self._journal.transaction(tenant_id) as tx:
            commit = await self._journal.lock(tx, tenant_id)
            row = await repository.find_unfinished(tx, tenant_id)
            if row is None:
                return False
            kinds = sorted(str(kind) for kind in commit.config.timed_subjects)
            after = row["cursor"] or _FIRST
            subject_ids = await repository.list_subjects(tx, tenant_id, after, kinds, SUBJECTS_A_COMMIT)
            if not subject_ids:
                await repository.finish(tx, tenant_id, row["recomputation_id"], commit.recorded_at)
                return True
            counts = await self._recompute(tx, commit, subject_ids, dict(row["counts"]))
            await repository.move_cursor(tx, tenant_id, row["recomputation_id"], subject_ids[-1], counts)
        return True

    async def _recompute(
        self, tx: Tx, commit: Commit, subject_ids: Sequence[UUID], counts: dict[str, int]
    ) -> dict[str, int]:
        ahead = [clock for clock in await read_clocks(tx, commit, subject_ids, ahead=True) if clock.held]
        held = [clock.subject_id for clock in ahead]
        if not held:
            return counts
        before = await repository.list_verdicts(tx, commit.tenant_id, held)
        await write_timers(tx, commit, held, ahead)
        after = await repository.list_verdicts(tx, commit.tenant_id, held)
        clocks = await read_clocks(tx, commit, held)
        await self._note(tx, commit, held, clocks)
        changed = {key[0] for key in {*before, *after} if before.get(key) != after.get(key)}
        return {"subjects": counts["subjects"] + len(held), "changed": counts["changed"] + len(changed)}

    async def _note(
        self, tx: Tx, commit: Commit, held: Sequence[UUID], clocks: Sequence[SubjectClock]
    ) -> None:
        """Put into the ledger what is true by now, told to nobody; say when to look again."""
        told = await list_announced(tx, commit.tenant_id, held)
        judge = Judge(commit, told, self._timers.settle_seconds, quiet=True)
        rows: list[tuple[Any, ...]] = []
        for clock in clocks:
            for item in judge.findings(clock):
                key = (clock.subject_id, item.reading.timer.key, item.reading.cycle)
                named = finding_id(commit.tenant_id, key, item.finding)
                rows.append(
                    ledger_row(commit.tenant_id, commit.recorded_at, key, item.finding, named, quiet=True)
                )
        await append_announced(tx, rows)
        await move_due(tx, commit, held, judge.wakeups(clocks))
