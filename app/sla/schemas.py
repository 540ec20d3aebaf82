"""What timers, their explanations and the announcement ledger look like on the wire."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

_CASE_ID = "case_01kb3v6n8qe5vr2a4d1f7m9xyz"


class LiveState(StrEnum):
    """Where a cycle of a timer stands now; `breached` also when it ended without its stop."""

    OPEN = "open"
    PAUSED = "paused"
    BREACHED = "breached"
    MET = "met"
    MET_LATE = "met_late"
    CANCELLED = "cancelled"


class TimedSubject(BaseModel):
    """What the timer is about."""

    kind: str = Field(examples=["case"])
    id: str = Field(examples=[_CASE_ID])


class VersionOut(BaseModel):
    """A policy or a calendar in one version."""

    key: str = Field(examples=["default"])
    version: int = Field(examples=[1])


class TimerOut(BaseModel):
    """One cycle of a timer."""

    subject: TimedSubject
    timer: str = Field(examples=["acknowledge"])
    cycle: str = Field(description="the event that started it", examples=["evt_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    state: LiveState
    policy: VersionOut
    clock_kind: str = Field(examples=["internal"])
    started_at: datetime
    due_at: datetime | None = Field(description="null while a pause holds it open")
    stopped_at: datetime | None
    cancelled_at: datetime | None
    target_seconds: float | None
    severity: str | None
    kind: str | None
    source: str | None
    channel: str | None
    touchpoint: str | None
    location: str | None
    employee: str | None
    segment: str | None
    product: str | None
    attributes: dict[str, Any]


class TimerPage(BaseModel):
    """Timers, the latest start first."""

    items: list[TimerOut]
    next_cursor: str | None = None


class ReadingOut(BaseModel):
    """What the clock says of one cycle of a timer."""

    timer: str = Field(examples=["acknowledge"])
    concerns: str | None = Field(
        description="which compensation or action, of a timer that runs once for each (`correlate_by`)"
    )
    cycle: int = Field(description="1, or more after a reopening")
    clock_kind: str = Field(examples=["internal"])
    state: str = Field(examples=["running"])
    started_at: datetime
    due_at: datetime | None
    stopped_at: datetime | None
    cancelled_at: datetime | None
    breached_at: datetime | None = Field(description="the due time, when it was missed")
    breach_reason: str | None
    target_seconds: float
    consumed_seconds: float = Field(description="on the timer's own clock")
    paused_seconds: float
    late_seconds: float = Field(description="on the wall")
    policy: VersionOut
    calendar: VersionOut
    anomalies: list[dict[str, Any]]


class IntervalOut(BaseModel):
    """A stretch of time, and why it counts or not."""

    from_at: datetime = Field(serialization_alias="from")
    to_at: datetime = Field(serialization_alias="to")
    kind: str = Field(examples=["counted", "out_of_hours", "holiday", "paused"])


class MarkOut(BaseModel):
    """When a warning or an escalation is due."""

    at: datetime
    percent: int
    to: str | None = None


class ShiftOut(BaseModel):
    """What moved the due time."""

    at: datetime
    reason: str = Field(
        description="a change of severity, kind, cause or policy, or the type of the event that moved it",
        examples=["severity_change"],
    )
    due_before: datetime | None = Field(description="when it had been due until then; null: it was paused")


class ExplainedOut(ReadingOut):
    """A reading with the reasons for it."""

    explanation: str = Field(examples=["acknowledge runs from Sun 2026-11-22 10:15:00 Europe/Kyiv. ..."])
    shifts: list[ShiftOut] = Field(description="moves of the due time, the first first")
    intervals: list[IntervalOut] = Field(description="the latest 500")
    intervals_omitted: int = Field(description="how many came before those")
    warnings: list[MarkOut]
    escalations: list[MarkOut]


class SubjectSla(BaseModel):
    """All timers of one subject at one instant."""

    subject: TimedSubject
    as_of: datetime
    timers: list[ReadingOut]


class SubjectExplained(BaseModel):
    """All timers of one subject at one instant, explained."""

    subject: TimedSubject
    as_of: datetime
    timers: list[ExplainedOut]


class AnnouncementOut(BaseModel):
    """What was decided about a cycle of a timer, once."""

    event_id: str = Field(description="the event that was announced")
    subject: TimedSubject
    timer: str = Field(examples=["acknowledge"])
    cycle: str = Field(description="the event that started it")
    kind: str = Field(examples=["breached"])
    level: int = Field(description="percent of a warning, rung of an escalation, else 0")
    revision: int = Field(description="how many revocations came before")
    at: datetime = Field(description="when it became true")
    announced_at: datetime
    provisional: bool = Field(description="a breach that a slow source may still refute")


class AnnouncementPage(BaseModel):
    """Announcements, the latest first."""

    items: list[AnnouncementOut]
    next_cursor: str | None = None
