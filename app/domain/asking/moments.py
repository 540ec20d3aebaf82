"""When it is time to ask: the window of a moment, shifted out of quiet hours, or missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from app.domain.asking.policy import AskKind, Moment
from app.domain.asking.quiet import QuietHours
from app.domain.events import EventType

OUTGOING = {
    AskKind.SURVEY: EventType.SURVEY_DUE,
    AskKind.RESURVEY: EventType.RESURVEY_DUE,
    AskKind.REMINDER: EventType.REMINDER_DUE,
}


@dataclass(frozen=True, slots=True)
class Window:
    """When to ask: at `ask_at` (UTC), which lies in [not_before, not_after]; None: the window is missed."""

    not_before: datetime
    not_after: datetime
    ask_at: datetime | None


def window_of(moment: Moment, occurred_at: datetime, zone: ZoneInfo, quiet: QuietHours | None) -> Window:
    """The window after an event: its beginning, later where that is quiet; where that would be too late
    the last minute before the quiet (domain.md 6.5), and nothing when no minute of the window is open.
    """
    start = occurred_at + timedelta(seconds=moment.not_before_seconds)
    end = occurred_at + timedelta(seconds=moment.not_after_seconds)
    if quiet is None or not moment.quiet:
        return Window(start, end, start)
    ask_at = quiet.next_open(start, zone)
    if ask_at <= end:
        return Window(start, end, ask_at)
    earlier = quiet.last_open(end, zone)
    return Window(start, end, earlier if earlier >= start else None)


def plan_id(tenant_id: UUID, trigger: UUID, moment: str) -> UUID:
    """The one name of "this moment after this event": whoever computes it, and however often."""
    return uuid5(tenant_id, f"moment:{trigger}:{moment}")
