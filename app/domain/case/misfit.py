"""Which facts do not fit where their time puts them, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.domain.case.facts import FIT_A_CLOSED, FIT_AN_END
from app.domain.case.standing import latest
from app.domain.case.state import Case, CaseState
from app.domain.events import Bearing, EventType, StoredEvent

REOPEN_WINDOW: Final = timedelta(days=14)
BEFORE_OPENING: Final = "before_opening"
REOPENED_TOO_LATE: Final = "reopened_too_late"
_IDLE: Final = {
    Bearing.REPEATED: "merged_already",
    Bearing.CIRCULAR: "merged_in_a_circle",
    Bearing.CONTINUED: REOPENED_TOO_LATE,
}


def misfit_of(case: Case, fact: StoredEvent) -> str | None:
    """Why the fact does not belong where its time puts it; None when it does."""
    at, closed_until = fact.occurred_at, case.current.closed_until
    if fact.type is EventType.CASE_OPENED:
        return None if confirms(case, fact) else "second_opening"
    if fact.bearing is not None:
        return _IDLE[fact.bearing]
    if case.is_opened and latest(fact) < case.opened_at:
        return BEFORE_OPENING
    if fact.type is EventType.CASE_REOPENED:
        return reopening_misfit(case, at)
    if case.ended_at is not None and case.ended_at < at and fact.type not in FIT_AN_END:
        return "after_ending"
    if closed_until is not None and closed_until < at and fact.type not in FIT_A_CLOSED:
        return "after_closing"
    if fact.type is EventType.CASE_RESUMED and case.current.waiting_since is None:
        return "resumed_without_waiting"
    return None


def confirms(case: Case, opening: StoredEvent) -> bool:
    """True of a stated opening of a case that feedback opened before, and that is not settled since."""
    is_first = case.is_inferred and case.confirmed_by is None and opening.caused_by is None
    return is_first and case.settled_at is None and case.ended_at is None and case.reopened_count == 0


def settled_before(case: Case) -> frozenset[UUID]:
    """What is earlier than the complaint that opened the case, if feedback did: it answers no later one."""
    if not case.is_inferred:
        return frozenset()
    return frozenset(item.event_id for item in case.anomalies if item.reason == BEFORE_OPENING)


def reopening_misfit(case: Case, at: datetime) -> str | None:
    """Why the case cannot be reopened at that moment; None when it can."""
    if case.ended_as not in (None, CaseState.WITHDRAWN):
        return "after_ending"
    if case.settled_at is None:
        return "reopened_while_open"
    return REOPENED_TOO_LATE if at - case.settled_at > REOPEN_WINDOW else None
