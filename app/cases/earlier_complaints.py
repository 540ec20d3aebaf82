"""Earlier complaints of a customer who complains again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from app.cases.derived import derived
from app.cases.repository import get_states, list_refs_of
from app.db.engine import Tx
from app.domain.causes import COMPLAINT_MECHANISM
from app.domain.events import EventType, StoredEvent, Subject, SubjectKind
from app.journal.ports import Commit, Draft

_REPEATS = """
SELECT customer_ref, case_id, opened_at FROM cases
 WHERE tenant_id = $1 AND customer_ref = any($2) AND kind = 'complaint'
   AND state NOT IN ('awaiting_opening', 'invalid') AND opened_at >= $3 AND opened_at <= $4
 ORDER BY opened_at
"""


async def find_repeats(tx: Tx, commit: Commit, told: Iterable[StoredEvent]) -> dict[UUID, UUID]:
    """Event -> the latest complaint that its customer had before it, within the time that counts."""
    events = [event for event in told if event.customer_ref is not None]
    if not events:
        return {}
    earliest, latest = min(event.occurred_at for event in events), max(event.occurred_at for event in events)
    customers = list({event.customer_ref for event in events})
    window = timedelta(days=commit.config.care.complaint_rules_at(commit.recorded_at).value.repeat_days)
    rows = await tx.fetch(_REPEATS, commit.tenant_id, customers, earliest - window, latest)
    return {
        event.event_id: row["case_id"]
        for event in events
        for row in rows  # the last one that fits is the latest
        if row["customer_ref"] == event.customer_ref
        and row["case_id"] != event.subject_id
        and event.occurred_at - window <= row["opened_at"] <= event.occurred_at
    }


async def repeated(tx: Tx, commit: Commit, later: Sequence[tuple[StoredEvent, UUID]]) -> list[Draft]:
    """A word on each earlier case whose customer complains again; `later`: the new opening, the old case."""
    if not later:
        return []
    earlier_ids = list({earlier for _, earlier in later})
    states = await get_states(tx, commit.tenant_id, earlier_ids)
    refs = await list_refs_of(tx, commit.tenant_id, earlier_ids)
    return [
        _repetition(commit, event, refs[earlier], states[earlier]["cause"])
        for event, earlier in later
        if earlier in refs and earlier in states and earlier != event.subject_id
    ]


def _repetition(commit: Commit, event: StoredEvent, ref: str, earlier_cause: str | None) -> Draft:
    cause = event.fact.get("cause")
    data = {
        "about_handling": cause == COMPLAINT_MECHANISM,
        "same_cause": cause is not None and cause == earlier_cause,
        "later_cause": cause,
        "human": False,
    }
    return derived(commit, event, EventType.CASE_REPEATED, data, subject=Subject(SubjectKind.CASE, ref))
