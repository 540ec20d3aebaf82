"""Reads subjects twice, as they are bound and as something else would bind them; writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.db.engine import Tx
from app.domain.case import fold
from app.domain.events import StoredEvent
from app.domain.sla.compare import Comparison
from app.journal.config import TenantConfig
from app.journal.rows import select_events
from app.sla.readings import Bind, Circumstances, read_subject
from app.sla.receipts import find_receipts

CHUNK = 100


@dataclass(frozen=True, slots=True)
class Question:
    """What is compared: the configuration, the other binding, and the instant of both readings."""

    tenant_id: UUID
    config: TenantConfig
    bind: Bind
    as_of: datetime


async def compare_subjects(tx: Tx, question: Question, subject_ids: Sequence[UUID]) -> Comparison:
    """Both readings of each subject, from the journal's events through the same clock.

    The clock is pure and takes its time: it runs beside the event loop, some subjects at once.
    """
    comparison = Comparison()
    for first in range(0, len(subject_ids), CHUNK):
        chunk = subject_ids[first : first + CHUNK]
        events = await select_events(tx, question.tenant_id, "e.subject_id = any($2)", list(chunk))
        histories: dict[UUID, list[StoredEvent]] = {subject_id: [] for subject_id in chunk}
        for event in events:
            if event.subject_id is not None:
                histories[event.subject_id].append(event)
        receipts = await find_receipts(tx, question.tenant_id, question.config, chunk)
        await asyncio.to_thread(_compare, comparison, question, histories, receipts)
    return comparison


def _compare(
    comparison: Comparison,
    question: Question,
    histories: dict[UUID, list[StoredEvent]],
    receipts: dict[UUID, datetime],
) -> None:
    for subject_id, history in histories.items():
        told = any(event.type.value.startswith("case.") for event in history)
        case = fold(history) if told else None
        received_at = receipts.get(subject_id)
        both = (
            read_subject(subject_id, history, case, question.config, terms)
            for terms in (
                Circumstances(question.as_of, received_at),
                Circumstances(question.as_of, received_at, bind=question.bind),
            )
        )
        before, after = (() if clock is None else clock.readings for clock in both)
        comparison.put(subject_id, before, after)
