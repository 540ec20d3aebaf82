"""Decides that a complaint repeats an earlier one which became known with it, or after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.db.engine import Tx
from app.domain.causes import COMPLAINT_MECHANISM
from app.domain.complaint import CaseKind, severity_of_signs, severity_reason, severity_signs
from app.domain.events import Event, EventType, StoredEvent, Subject, SubjectKind
from app.journal.drafts import draft
from app.journal.ports import OWN_SOURCE, Commit, Draft
from app.journal.rows import select_events
from app.kit.ids import public_id

_UNLINKED: Final = """e.type = 'case.opened' AND e.subject_id IN (
    SELECT case_id FROM cases
     WHERE tenant_id = $1 AND customer_ref = any($2) AND kind = 'complaint' AND repeat_of IS NULL
       AND state NOT IN ('awaiting_opening', 'invalid') AND opened_at >= $3 AND opened_at <= $4)"""


_SIGNS: Final = ("safety", "legal", "rudeness", "loss", "repeat")


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two openings of one customer, each within the days that count of the other."""

    earlier: StoredEvent
    later: StoredEvent


class Repeats:
    """The decider of repetitions that the look at what was known before could not find."""

    async def decide(self, tx: Tx, commit: Commit) -> Iterable[Draft]:
        """For each such pair: what the later case learns of it, and a word on the earlier one."""
        gone = commit.taken_back
        openings = [event for event in commit.events if _is_complaint(event) and event.event_id not in gone]
        if not openings:
            return ()
        days = commit.config.care.complaint_rules_at(commit.recorded_at).value.repeat_days
        window = timedelta(days=days)
        later = [event for event in openings if event.subject_id not in _linked(commit)]
        later += await _opened_later(tx, commit, openings, window)
        pairs = [pair for event in later if (pair := _pair(event, openings, window)) is not None]
        return [made for pair in pairs for made in (_learned(commit, pair), _word(commit, pair))]


def _is_complaint(event: StoredEvent) -> bool:
    is_opening = event.type is EventType.CASE_OPENED and event.customer_ref is not None
    return is_opening and event.fact.get("kind", "complaint") == CaseKind.COMPLAINT


def _linked(commit: Commit) -> set[UUID | None]:
    return {event.subject_id for event in commit.events if event.fact.get("repeat_of")}


async def _opened_later(
    tx: Tx, commit: Commit, openings: Sequence[StoredEvent], window: timedelta
) -> list[StoredEvent]:
    """Openings that were stored before, of the same customers, and that repeat nothing as yet."""
    times = [event.occurred_at for event in openings]
    customers = list({event.customer_ref for event in openings})
    found = await select_events(tx, commit.tenant_id, _UNLINKED, customers, min(times), max(times) + window)
    here = {event.subject_id for event in openings}
    latest: dict[UUID | None, StoredEvent] = {event.subject_id: event for event in found}
    return [event for subject_id, event in latest.items() if subject_id not in here]


def _pair(later: StoredEvent, openings: Sequence[StoredEvent], window: timedelta) -> _Pair | None:
    before = [
        event
        for event in openings
        if event.customer_ref == later.customer_ref
        and _place(event) < _place(later)
        and event.subject_id != later.subject_id
        and later.occurred_at - event.occurred_at <= window
    ]
    return _Pair(max(before, key=_place), later) if before else None


def _place(event: StoredEvent) -> tuple[datetime, str]:
    return event.occurred_at, str(event.subject_id)


def _learned(commit: Commit, pair: _Pair) -> Draft:
    """A repetition raises the severity that nobody stated (domain.md 6.2)."""
    event, earlier_id = pair.later, pair.earlier.subject_id
    assert earlier_id is not None  # an opening is about a case
    data: dict[str, Any] = {"repeat_of": public_id("case", earlier_id), "human": False}
    found = str((event.fact.get("detection") or {}).get("severity_by", ""))
    if event.fact.get("severity") is None or found not in ("", "stated"):
        bound = commit.config.care.complaint_rules_at(commit.recorded_at)
        read = severity_signs({**event.personal, **event.fact}, repeat=True, rules=bound.value)
        signs = [sign for sign in _SIGNS if sign in {*read, *found.split("+")}]
        data |= {
            "severity": severity_of_signs(CaseKind.COMPLAINT, signs).value,
            "severity_by": "+".join(signs),
            "severity_reason": severity_reason(CaseKind.COMPLAINT, signs),
            "rules_version": bound.version,
        }
    return _drafted(commit, pair, EventType.CASE_ASSESSED, data, event)


def _word(commit: Commit, pair: _Pair) -> Draft:
    cause = pair.later.fact.get("cause")
    data = {
        "about_handling": cause == COMPLAINT_MECHANISM,
        "same_cause": cause is not None and cause == pair.earlier.fact.get("cause"),
        "later_cause": cause,
        "human": False,
    }
    return _drafted(commit, pair, EventType.CASE_REPEATED, data, pair.earlier)


def _drafted(
    commit: Commit, pair: _Pair, kind: EventType, data: Mapping[str, Any], about: StoredEvent
) -> Draft:
    stated = Event(
        type=kind,
        id=f"{kind.value}:{pair.later.event_id}:{pair.earlier.event_id}",
        source=OWN_SOURCE,
        occurred_at=pair.later.occurred_at,
        data=data,
        subject=Subject(SubjectKind.CASE, about.personal["subject_ref"]),
        day_precision=pair.later.day_precision,
    )
    cause = pair.earlier
    return draft(
        stated, commit.config, received_at=commit.recorded_at, origin=cause.origin, caused_by=cause.event_id
    )
