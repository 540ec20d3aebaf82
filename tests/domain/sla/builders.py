"""Short words for the tests of the clock: calendars, timers, events and one reading."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from app.domain.sla import (
    Calendar,
    ClockEvent,
    ClockReading,
    Timer,
    calendar_preset,
    parse_calendar,
    parse_policy,
    read,
)

NAMESPACE = UUID("00000000-0000-4000-8000-000000000001")


def at(text: str, tz: str = "UTC") -> datetime:
    """An instant in UTC from a wall time such as "2026-03-06 17:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz)).astimezone(UTC)


def office(tz: str = "UTC", closed: Iterable[str] = ()) -> Calendar:
    """Mon-Fri 09-18 in a zone, with days off."""
    document = calendar_preset("9x5", tz)
    document["exceptions"] = [{"date": day, "closed": True} for day in closed]
    return parse_calendar(document, "9x5", 1)


def around_the_clock(tz: str = "UTC") -> Calendar:
    """24x7 in a zone."""
    return parse_calendar(calendar_preset("24x7", tz), "9x5", 1)


def a_timer(**keys: Any) -> Timer:
    """A case timer of one elapsed hour from opening to reply, unless told otherwise."""
    document = {
        "key": "reply",
        "subject": "case",
        "start": ["case.opened"],
        "stop": ["case.replied"],
        "due": {"duration": "PT1H"},
    } | keys
    document = {name: value for name, value in document.items() if value is not None}
    policy = {"format": 1, "calendar": "9x5", "rules": [{"timers": [document]}]}
    return parse_policy(policy, "test", 1, {"9x5"}).rules[0].timers[0]


def an_event(event_type: str, when: str | datetime, tz: str = "UTC", /, **more: Any) -> ClockEvent:
    """An event whose id follows from its type and time; `human`, `day_precision` or data by name."""
    occurred_at = at(when, tz) if isinstance(when, str) else when
    flags = {name: more.pop(name) for name in ("human", "day_precision") if name in more}
    return ClockEvent(
        uuid5(NAMESPACE, f"{event_type} {occurred_at} {more}"), event_type, occurred_at, more, **flags
    )


def one(timer: Timer, calendar: Calendar, events: Iterable[ClockEvent], as_of: datetime) -> ClockReading:
    """The only reading."""
    (reading,) = read(timer, calendar, events, as_of)
    return reading
