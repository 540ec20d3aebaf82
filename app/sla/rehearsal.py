"""What will fall due soon is read and worded before its time, so that then little is left to do."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import structlog

from app.db.engine import Tx, is_retryable
from app.journal.histories import load_histories
from app.journal.journal import Journal
from app.journal.ports import Commit
from app.sla.silence import find_silent
from app.sla.statements import Worded, sayings
from app.sla.telling import Rehearsed
from app.sla.timers import SlaTimers

log = structlog.get_logger()

AHEAD: Final = timedelta(seconds=30)
MOST: Final = 20_000
"""Rehearsals that a process keeps (some 2 kB each)."""
AT_ONCE: Final = 50
"""Subjects between which other work of the process has its turn."""
PASS_SECONDS: Final = 3.0

_SOON: Final = """
SELECT tenant_id, subject_id, next_at, xmin::text AS version, next_at > now() + $1::interval AS ahead
  FROM sla_due WHERE next_at <= now() + $1::interval + $2::interval ORDER BY next_at LIMIT $3
"""


@dataclass(slots=True)
class Rehearsals:
    """Looks at the clocks of the next seconds ahead of time; nothing is lost when it is forgotten.

    A process that was not there before fires as it is; what several rehearse, one of them says.
    """

    journal: Journal
    timers: SlaTimers
    _known: dict[UUID, Rehearsed] = field(default_factory=dict)
    _waiting: deque[Any] = field(default_factory=deque)

    async def step(self) -> float:
        """Rehearse some subjects; the seconds until it is worth looking again."""
        if not self._waiting:
            await self._look_ahead()
        if not self._waiting:
            return PASS_SECONDS
        rows = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        for tenant_id, mine in groupby(rows, key=lambda row: row["tenant_id"]):
            await self._rehearse(tenant_id, list(mine))
            await asyncio.sleep(0)
        return 0.0 if self._waiting else PASS_SECONDS

    def take(self, rows: Iterable[Any]) -> dict[UUID, dict[UUID, Rehearsed]]:
        """What was rehearsed of these rows of the due index, by tenant, in their order; once."""
        taken: defaultdict[UUID, dict[UUID, Rehearsed]] = defaultdict(dict)
        for row in rows:
            known = self._known.pop(row["subject_id"], None)
            if known is not None:
                taken[row["tenant_id"]][row["subject_id"]] = known
        return taken

    def knows(self, subject_id: UUID) -> bool:
        """Whether something was rehearsed of this subject and not taken yet."""
        return subject_id in self._known

    async def _look_ahead(self) -> None:
        async with self.journal.database.worker() as tx:
            rows = await tx.fetch(_SOON, self.journal.offset(), AHEAD, MOST)
        soon = {row["subject_id"]: row["version"] for row in rows}
        self._known = {key: item for key, item in self._known.items() if soon.get(key) == item.due_version}
        fresh = [row for row in rows if row["ahead"] and row["subject_id"] not in self._known]
        self._waiting.extend(sorted(fresh, key=lambda row: (row["tenant_id"], row["next_at"])))

    async def _rehearse(self, tenant_id: UUID, rows: Sequence[Any]) -> None:
        try:
            async with self.journal.database.write(tenant_id) as tx:
                await self._read(tx, tenant_id, rows)
        except Exception as error:
            if is_retryable(error):
                raise
            # when it is due the loop meets the same fault, finds the subject and puts it off
            log.warning("cannot_rehearse", tenant=str(tenant_id), subjects=len(rows), exc_info=error)

    async def _read(self, tx: Tx, tenant_id: UUID, rows: Sequence[Any]) -> None:
        """The rows of the due index were read before the histories: a later commit shows in their version."""
        head = await self.journal.read_head(tx, tenant_id, [])
        ahead = Commit(tenant_id, head.seq, rows[0]["next_at"], head.config)
        await load_histories(tx, ahead, [row["subject_id"] for row in rows])
        for at, together in groupby(rows, key=lambda row: row["next_at"]):
            versions = {row["subject_id"]: row["version"] for row in together}
            commit = Commit(tenant_id, head.seq, at, head.config, histories=ahead.histories)
            await self._word(tx, commit, versions)

    async def _word(self, tx: Tx, commit: Commit, versions: Mapping[UUID, str]) -> None:
        silent = await find_silent(tx, commit)
        look = await self.timers.look(tx, commit, list(versions), silent)
        said: dict[UUID, list[Worded]] = {clock.subject_id: [] for clock in look.clocks if not clock.held}
        for words in look.worded:
            if words.key[0] in said:
                said[words.key[0]].append(words)
        for subject_id, worded in said.items():
            if worded:
                wakes_at = look.wakeups.get(subject_id)
                version = versions[subject_id]
                rows = [saying.as_row() for saying in sayings(worded)]
                self._known[subject_id] = Rehearsed(version, commit.config.version, silent, rows, wakes_at)
