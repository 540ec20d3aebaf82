"""Cases that were answered already: what another word of the same customer does to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.cases.derived import derived
from app.cases.repository import get_states, list_refs_of
from app.db.engine import Tx
from app.domain.case import REOPEN_WINDOW
from app.domain.causes import COMPLAINT_MECHANISM
from app.domain.events import EventType, StoredEvent, Subject, SubjectKind
from app.journal.ports import Commit, Draft
from app.journal.subjects import find_subjects

_ENDED: Final = frozenset({"withdrawn", "invalid", "duplicate", "merged"})
_MOST_A_DAY: Final = 500
_REPEATS = """
SELECT customer_ref, case_id, opened_at FROM cases
 WHERE tenant_id = $1 AND customer_ref = any($2) AND kind = 'complaint'
   AND state NOT IN ('awaiting_opening', 'invalid') AND opened_at >= $3 AND opened_at <= $4
 ORDER BY opened_at
"""


@dataclass(frozen=True, slots=True)
class KnownCase:
    """What is known of a case that feedback belongs to; `settled_at`: remedied, refused, closed or ended."""

    case_id: UUID | None
    state: str
    settled_at: datetime | None
    opened_at: datetime | None = None

    def is_settled_before(self, at: datetime) -> bool:
        """True when the customer had the outcome before he said this."""
        return self.settled_at is not None and self.settled_at < at

    def may_be_reopened_at(self, at: datetime) -> bool:
        """True while a new word continues the same case."""
        is_ended = self.state in _ENDED and self.state != "withdrawn"
        return not is_ended and self.settled_at is not None and at - self.settled_at <= REOPEN_WINDOW


OPEN: Final = KnownCase(None, "open", None)


async def find_cases(tx: Tx, tenant_id: UUID, wanted: Iterable[Subject]) -> dict[Subject, KnownCase]:
    """The opened cases of these subjects."""
    subjects = await find_subjects(tx, tenant_id, wanted)
    rows = await get_states(tx, tenant_id, list(subjects.values()))
    return {
        subject: KnownCase(case_id, *(rows[case_id][name] for name in ("state", "settled_at", "opened_at")))
        for subject, case_id in subjects.items()
        if case_id in rows
    }


async def next_internal(
    tx: Tx, commit: Commit, subject: Subject, event: StoredEvent, first: int = 2
) -> tuple[Subject, KnownCase | None]:
    """The first internal case of that place and day that is not settled, or does not exist yet (None)."""
    numbered = [Subject(SubjectKind.CASE, f"{subject.ref}#{number}") for number in range(first, _MOST_A_DAY)]
    known = await find_cases(tx, commit.tenant_id, numbered)
    free = (
        item for item in numbered if item not in known or not known[item].is_settled_before(event.occurred_at)
    )
    found = next(free, numbered[-1])
    return found, known.get(found)


def reopening(commit: Commit, event: StoredEvent, subject: Subject) -> Draft:
    """The case is taken up again, because its customer was not content with the outcome."""
    data = {"trigger": "negative_after_settlement", "human": False}
    return derived(commit, event, EventType.CASE_REOPENED, data, subject=subject)


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
