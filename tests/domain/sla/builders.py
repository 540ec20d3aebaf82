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
    Policy,
    Timer,
    TimerPlan,
    TimerVersion,
    calendar_preset,
    default_policy_document,
    parse_calendar,
    parse_policy,
    read,
)
from app.domain.sla.instants import micros, seconds_of

NAMESPACE = UUID("00000000-0000-4000-8000-000000000001")


def at(text: str, tz: str = "UTC") -> datetime:
    """An instant in UTC from a wall time such as "2026-03-06 17:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz)).astimezone(UTC)


KNOWN = {"9x5"}
TIMER = {
    "key": "reply",
    "subject": "case",
    "start": ["case.opened"],
    "stop": ["case.replied"],
    "due": {"duration": "PT1H"},
}


def timed(key: str, **more: Any) -> dict[str, Any]:
    """The document of a timer: one elapsed hour from opening to reply, unless told otherwise."""
    document = TIMER | {"key": key} | more
    return {name: value for name, value in document.items() if value is not None}


def a_policy(*rules: dict[str, Any], **keys: Any) -> Policy:
    """A policy of these rules."""
    return parse_policy({"format": 1, "calendar": "9x5", "rules": list(rules)} | keys, "test", 1, KNOWN)


def a_timer(**keys: Any) -> Timer:
    """The timer of such a document."""
    return a_policy({"timers": [timed("reply", **keys)]}).rules[0].timers[0]


def office(tz: str = "UTC", closed: Iterable[str] = ()) -> Calendar:
    """Mon-Fri 09-18 in a zone, with days off."""
    document = calendar_preset("9x5", tz)
    document["exceptions"] = [{"date": day, "closed": True} for day in closed]
    return parse_calendar(document, "9x5", 1)


def worked(calendar: Calendar, start: datetime, end: datetime) -> float:
    """Working seconds between two instants."""
    return seconds_of(calendar.count(micros(start), micros(end)))


def around_the_clock(tz: str = "UTC") -> Calendar:
    """24x7 in a zone."""
    return parse_calendar(calendar_preset("24x7", tz), "9x5", 1)


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


OPENED = an_event("case.opened", "2026-03-04 10:00")
WAITS = an_event("case.waiting_customer", "2026-03-04 10:20")
RESUMES = an_event("case.resumed", "2026-03-04 12:20")
KYIV = "Europe/Kyiv"
DAY = around_the_clock()
OFFICE = {"9x5": office()}
PRESET = parse_policy(default_policy_document(), "default", 1, KNOWN)
PAUSABLE = a_timer(stop=["case.remedied"], pause=["waiting_customer"])
LADDER = [
    {"percent": 100, "to": "assignee"},
    {"percent": 150, "to": "manager"},
    {"percent": 200, "to": "feedback_owner"},
]


def reasons(reading: ClockReading) -> list[str]:
    """What was odd about a reading."""
    return [anomaly.reason for anomaly in reading.anomalies]


def changed(after_hours: float, since: str, first_hours: float = 8) -> TimerPlan:
    """A pausable timer whose target changes at an instant, as by a new severity."""
    slow, fast = (
        a_timer(
            stop=["case.remedied"],
            due={"duration": {"hours": hours}, "clock": "elapsed"},
            pause=["waiting_customer"],
        )
        for hours in (first_hours, after_hours)
    )
    return TimerPlan(
        "reply", (TimerVersion(slow, DAY), TimerVersion(fast, DAY, at(since), "severity_change"))
    )
