"""Cases that were answered already: what another word of the same customer does to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.cases.repository import get_states, list_refs_of
from app.db.engine import Tx
from app.domain.case import REOPEN_WINDOW
from app.domain.causes import COMPLAINT_MECHANISM
from app.domain.events import Event, EventType, Origin, StoredEvent, Subject, SubjectKind
from app.journal.drafts import draft
from app.journal.ports import OWN_SOURCE, Commit, Draft
from app.journal.subjects import find_subjects
from app.kit.ids import parse_public_id

_ENDED: Final = frozenset({"withdrawn", "invalid", "duplicate", "merged"})
_MOST_A_DAY: Final = 500


@dataclass(frozen=True, slots=True)
class KnownCase:
    """What is known of a case that feedback belongs to; `settled_at`: remedied, refused, closed or ended."""

    case_id: UUID | None
    state: str
    settled_at: datetime | None

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
        subject: KnownCase(case_id, rows[case_id]["state"], rows[case_id]["settled_at"])
        for subject, case_id in subjects.items()
        if case_id in rows
    }


async def next_internal(tx: Tx, commit: Commit, subject: Subject, event: StoredEvent) -> Subject:
    """The first internal case of that place and day that is not settled, or does not exist yet."""
    numbered = [Subject(SubjectKind.CASE, f"{subject.ref}#{number}") for number in range(2, _MOST_A_DAY)]
    known = await find_cases(tx, commit.tenant_id, numbered)
    free = (
        item for item in numbered if item not in known or not known[item].is_settled_before(event.occurred_at)
    )
    return next(free, numbered[-1])


def reopening(commit: Commit, event: StoredEvent, subject: Subject) -> Draft:
    """The case is taken up again, because its customer was not content with the outcome."""
    stated = Event(
        type=EventType.CASE_REOPENED,
        id=f"case.reopened:{event.event_id}",
        source=OWN_SOURCE,
        occurred_at=event.occurred_at,
        data={"trigger": "negative_after_settlement", "human": False},
        subject=subject,
        day_precision=event.day_precision,
    )
    return _derived(commit, stated, event.event_id, event.origin)


async def repeated(tx: Tx, commit: Commit, openings: Sequence[Draft]) -> list[Draft]:
    """A word on each earlier case whose customer complains again."""
    later = [(item, earlier) for item in openings if (earlier := _repeats(item)) is not None]
    later += [
        (commit.drafts[event.event_id], earlier)
        for event in commit.events
        if event.type is EventType.CASE_OPENED
        and (earlier := parse_public_id("case", str(event.fact.get("repeat_of") or ""))) is not None
    ]
    if not later:
        return []
    earlier_ids = list({earlier for _, earlier in later})
    states = await get_states(tx, commit.tenant_id, earlier_ids)
    refs = await list_refs_of(tx, commit.tenant_id, earlier_ids)
    return [
        _repetition(commit, item, refs[earlier], states[earlier]["cause"])
        for item, earlier in later
        if earlier in refs and earlier in states
    ]


def _repeats(item: Draft) -> UUID | None:
    named = item.fact.get("repeat_of")
    return parse_public_id("case", str(named)) if item.event.type is EventType.CASE_OPENED and named else None


def _repetition(commit: Commit, item: Draft, ref: str, earlier_cause: str | None) -> Draft:
    cause = item.fact.get("cause")
    stated = Event(
        type=EventType.CASE_REPEATED,
        id=f"case.repeated:{item.event.source}:{item.event.id}"[:200],
        source=OWN_SOURCE,
        occurred_at=item.event.occurred_at,
        data={
            "about_handling": cause == COMPLAINT_MECHANISM,
            "same_cause": cause is not None and cause == earlier_cause,
            "later_cause": cause,
        },
        subject=Subject(SubjectKind.CASE, ref),
    )
    return _derived(commit, stated, item.caused_by, item.origin)


def _derived(commit: Commit, stated: Event, caused_by: UUID | None, origin: Origin) -> Draft:
    return draft(stated, commit.config, received_at=commit.recorded_at, origin=origin, caused_by=caused_by)
