"""What time alone does to a case: an author who does not answer, a customer who is waited for in vain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.case.care import Verification
from app.domain.case.state import Case, CaseState
from app.domain.events import EventType, StoredEvent
from app.domain.playbook import Playbooks
from app.domain.sla.calendar import Calendar


@dataclass(frozen=True, slots=True)
class Attention:
    """The event that will be stated at that time unless something else happens before."""

    at: datetime
    event: EventType


def next_attention(case: Case, playbooks: Playbooks, calendar: Calendar | None) -> Attention | None:
    """The first thing that time will do; None when nothing is pending.

    Verification expires after `verification_days`. A waiting case is closed after so many working days of
    the calendar (of all days, where there is none), and its customer is told some working days before.
    """
    found = [item for item in (expiry_of(case, playbooks), _closing(case, playbooks, calendar)) if item]
    return min(found, key=lambda item: item.at, default=None)


def began_at(history: Sequence[StoredEvent], case: Case) -> datetime:
    """When we learned of the event that began the current cycle."""
    begun = case.current.started_by
    known = (event.recorded_at for event in history if event.event_id == begun)
    return next(known, case.current.started_at)


def expiry_of(case: Case, playbooks: Playbooks) -> Attention | None:
    """When the author's time to show that he is a customer is over; None when nobody waits for him."""
    dialogue = case.dialogue
    if dialogue is None or dialogue.state is not Verification.REQUESTED or case.state is CaseState.MERGED:
        return None
    at = dialogue.requested_at + timedelta(days=playbooks.verification_days)
    return Attention(at, EventType.CASE_VERIFICATION_EXPIRED)


def _closing(case: Case, playbooks: Playbooks, calendar: Calendar | None) -> Attention | None:
    since, rule = case.current.waiting_since, playbooks.waiting
    if case.state is not CaseState.WAITING_CUSTOMER or since is None:
        return None
    if rule.notice_days and case.current.closing_notified_at is None:
        days = rule.close_after_days - rule.notice_days
        return Attention(_after(since, days, calendar), EventType.CASE_CLOSING_NOTIFIED)
    if rule.notice_days and case.current.closing_notified_at is not None:
        # never sooner after the notice than the notice promised, however late it was sent
        told = _after(case.current.closing_notified_at, rule.notice_days, calendar)
        return Attention(max(told, _after(since, rule.close_after_days, calendar)), EventType.CASE_CLOSED)
    return Attention(_after(since, rule.close_after_days, calendar), EventType.CASE_CLOSED)


def _after(start: datetime, days: int, calendar: Calendar | None) -> datetime:
    if calendar is None:
        return start + timedelta(days=days)
    return calendar.add_working_seconds(start, days * calendar.business_day_seconds)
