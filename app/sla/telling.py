"""Tells what was rehearsed: laid ready before the tenant's lock, checked under it, then put down whole."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice, repeat
from typing import Final
from uuid import UUID

import structlog

from app.db.engine import is_retryable
from app.journal.journal import Journal
from app.journal.ports import Commit
from app.journal.staged import append_staged, lay_ready, take_off
from app.sla.ledger import note_staged
from app.sla.silence import find_silent
from app.sla.timers import move_due

log = structlog.get_logger()

SUBJECTS_A_COMMIT: Final = 1000
FIRST_COMMITS: Final = (200, 500)
"""Subjects of the first ones: so that the second core has something to do while the third is laid ready."""
FRESH_SECONDS: Final = 0.1
"""For how long what was seen to be due is taken to be so still."""
LANES: Final = 2
"""Commits on their way at once: one lays its rows ready while the other has the tenant's lock."""

_VERSIONS: Final = """
SELECT subject_id, xmin::text AS version FROM sla_due
 WHERE tenant_id = $1 AND subject_id = any($2) AND next_at <= now() + $3::interval
"""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What is to be said of a subject at the time for which its clock was read.

    It holds while nothing that the reading depends on has changed: the subject's row of the due index
    (each commit about the subject writes it anew), the configuration, who is silent; and until the
    next thing is to be said.
    """

    due_version: str
    config_version: int
    silent: frozenset[str]
    rows: Sequence[bytes]
    """what is laid ready, see `Saying`"""
    wakes_at: datetime | None

    def holds(self, commit: Commit, silent: frozenset[str]) -> bool:
        """Whether a reading under this commit would say the same."""
        late = self.wakes_at is not None and self.wakes_at <= commit.recorded_at
        return not late and self.silent == silent and self.config_version == commit.config.version


async def tell_all(journal: Journal, rehearsed: Mapping[UUID, Mapping[UUID, Rehearsed]]) -> int:
    """Say of every tenant's subjects what still holds; of how many it was said.

    Raises faults of the moment, after what was under way has ended.
    """
    sizes, began = chain(FIRST_COMMITS, repeat(SUBJECTS_A_COMMIT)), time.monotonic()
    chunks = ((tenant, chunk) for tenant, items in rehearsed.items() for chunk in _in_chunks(items, sizes))

    async def lane() -> int:
        told = 0
        for tenant_id, chunk in chunks:
            try:
                is_fresh = time.monotonic() - began < FRESH_SECONDS
                told += len(await tell(journal, tenant_id, chunk, is_fresh=is_fresh))
            except Exception as error:
                if is_retryable(error):
                    raise
                # their clocks will be read, and who cannot be told of is found there
                log.warning("cannot_tell_rehearsed", tenant=str(tenant_id), exc_info=error)
        return told

    total = 0
    for end in await asyncio.gather(*(lane() for _ in range(LANES)), return_exceptions=True):
        if isinstance(end, BaseException):
            raise end
        total += end
    return total


async def tell(
    journal: Journal, tenant_id: UUID, rehearsed: Mapping[UUID, Rehearsed], *, is_fresh: bool = False
) -> frozenset[UUID]:
    """One commit: say what still holds; the subjects of which it was said.

    `is_fresh`: they were all due a moment ago, so all are laid ready without a further look.
    """
    async with journal.transaction(tenant_id) as tx:

        async def due() -> list[UUID]:
            rows = await tx.fetch(_VERSIONS, tenant_id, list(rehearsed), journal.offset())
            versions = {row["subject_id"]: row["version"] for row in rows}
            return [i for i, item in rehearsed.items() if versions.get(i) == item.due_version]

        likely = list(rehearsed) if is_fresh else await due()
        if not likely:
            return frozenset()
        await lay_ready(tx, [row for subject_id in likely for row in rehearsed[subject_id].rows])
        commit = await journal.lock(tx, tenant_id)
        silent = await find_silent(tx, commit)
        ready = [subject_id for subject_id in await due() if rehearsed[subject_id].holds(commit, silent)]
        if len(ready) < len(likely):
            await take_off(tx, set(likely) - set(ready))
        if ready:
            await append_staged(tx, commit)
            await note_staged(tx, commit)
            again = {i: at for i in ready if (at := rehearsed[i].wakes_at) is not None}
            await move_due(tx, commit, ready, again)
        return frozenset(ready)


def _in_chunks(items: Mapping[UUID, Rehearsed], sizes: Iterator[int]) -> Iterator[dict[UUID, Rehearsed]]:
    """A part of the subjects for each size; of several processes each begins at another place.

    If all began at the same end they would lay the same ready, all but one of them for nothing.
    """
    pairs = list(items.items())
    place = secrets.randbelow(len(pairs)) if len(pairs) > SUBJECTS_A_COMMIT else 0
    turned = iter(pairs[place:] + pairs[:place])
    while chunk := dict(islice(turned, next(sizes))):
        yield chunk
