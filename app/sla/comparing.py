"""Reads subjects twice, as they are bound and as something else would bind them; writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

from app.db.engine import Tx
from app.domain.case import fold
from app.domain.errors import ConflictError
from app.domain.events import StoredEvent, SubjectKind
from app.domain.sla.compare import Comparison, Side
from app.journal.config import TenantConfig
from app.journal.histories import find_histories
from app.sla.bindings import Bind
from app.sla.readings import Circumstances, SubjectClock, read_subject
from app.sla.receipts import find_receipts

CHUNK: Final = 100
MOST_EVENTS: Final = 200_000
MOST_SECONDS: Final = 10.0
_COUNTS: Final = """
SELECT subject_id, count(*) AS events FROM events
 WHERE tenant_id = $1 AND subject_id = any($2) GROUP BY subject_id
"""
Cut = Literal["limit", "events", "time"]
# Tenants whose comparison is running in this process: the clock is pure work, and neighbours need the core.
_RUNNING: Final[set[UUID]] = set()


class Candidate(NamedTuple):
    """A subject that may be compared."""

    subject_id: UUID
    kind: SubjectKind


@dataclass(frozen=True, slots=True)
class Question:
    """What is compared: how subjects are bound now, the other binding, and the instant of both readings.

    The other binding is a function (a draft) or another configuration (a recomputation).
    """

    tenant_id: UUID
    config: TenantConfig
    as_of: datetime
    bind: Bind | None = None
    other: TenantConfig | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison, and why it did not reach every subject (None: it did)."""

    comparison: Comparison
    cut: Cut | None


@contextmanager
def one_at_a_time(tenant_id: UUID) -> Iterator[None]:
    """Raises ConflictError `comparison_under_way` while another one of this tenant is running here."""
    if tenant_id in _RUNNING:
        detail = "Another simulation or dry run of yours is running."
        raise ConflictError("comparison_under_way", detail, cure="Wait for its answer.")
    _RUNNING.add(tenant_id)
    try:
        yield
    finally:
        _RUNNING.discard(tenant_id)


async def compare_subjects(
    tx: Tx, question: Question, candidates: Sequence[Candidate], *, seconds: float = MOST_SECONDS
) -> Compared:
    """Both readings of each subject in turn, from the journal's events through the same clock.

    It ends early, saying so, at `MOST_EVENTS` events or after `seconds`. The clock is pure and takes its
    time: it runs beside the event loop, some subjects at once.
    """
    ids = [item.subject_id for item in candidates]
    kinds = {item.subject_id: item.kind for item in candidates}
    sizes = {row["subject_id"]: row["events"] for row in await tx.fetch(_COUNTS, question.tenant_id, ids)}
    comparison, left = Comparison(), MOST_EVENTS
    ends_at = asyncio.get_running_loop().time() + seconds
    for first in range(0, len(ids), CHUNK):
        chunk = ids[first : first + CHUNK]
        left -= sum(sizes.get(subject_id, 0) for subject_id in chunk)
        if left < 0:
            return Compared(comparison, "events")
        if asyncio.get_running_loop().time() > ends_at:
            return Compared(comparison, "time")
        merges = question.config.has_merges
        found = await find_histories(tx, question.tenant_id, chunk, merges=merges)
        histories = {subject_id: found[subject_id] for subject_id in chunk}
        receipts = await find_receipts(tx, question.tenant_id, question.config, chunk)
        await asyncio.to_thread(_compare, comparison, question, histories, receipts, kinds)
    return Compared(comparison, None)


def _compare(
    comparison: Comparison,
    question: Question,
    histories: dict[UUID, list[StoredEvent]],
    receipts: dict[UUID, datetime],
    kinds: dict[UUID, SubjectKind],
) -> None:
    for subject_id, history in histories.items():
        told = any(event.type.value.startswith("case.") for event in history)
        case = fold(history) if told else None
        received_at = receipts.get(subject_id)
        sides = (
            (question.config, None),
            (question.other or question.config, question.bind),
        )
        before, after = (
            _side(read_subject(subject_id, history, case, config,
                               Circumstances(question.as_of, received_at, bind=bind)))
            for config, bind in sides
        )  # fmt: skip
        comparison.put(subject_id, kinds[subject_id], before, after)


def _side(clock: SubjectClock | None) -> Side:
    if clock is None:
        return Side()
    policies = {reading.timer.key: clock.policy_of(reading) for reading in clock.readings}
    return Side(clock.readings, {timer: (item.key, item.version) for timer, item in policies.items()})
