"""The SLA clock: calendars, policies, one pure reading, and what of it is to be announced.

Import everything from here (`from app.domain.sla import read_plan, announcements, ...`).

Documents, refused with `InvalidError(reason, pointer, cure)`:
    parse_calendar(document, key, version) -> Calendar
    parse_policy(document, key, version, known_calendars) -> Policy
    calendar_preset("24x7" | "9x5" | "12x7", tz="UTC") -> document     CALENDAR_PRESETS: their names
    default_policy_document(calendar="9x5") -> document

From the pinned policy to the readings of one subject:
    ClockEvent(event_id, type, occurred_at, data={}, human=True, day_precision=False)
    clock_event(stored: StoredEvent) -> ClockEvent
    policy.match(facts) -> tuple[Timer, ...]      facts: {"subject": "case", "kind", "severity", "channel",
        "touchpoint", "location", "segment", "source", ..., "attributes": {...}}
    policy.watches(subject_kind) -> frozenset[str]   event types that any of its timers listens to
    plan_timers(policy, facts, events, calendars, repinned=()) -> tuple[TimerPlan(key, versions), ...]
        facts as they stood at opening (no severity: sev3); `severity` and `kind` of case.opened and
        case.assessed act from their occurred_at; repinned: Pin(at, policy, calendars) on a reopening.
    read_plan(plan, events, as_of, received_at=None) -> tuple[ClockReading, ...]     one per cycle
    read(timer, calendar, events, as_of, received_at=None) -> the same for one fixed timer
        received_at: the earliest receipt of absorbed cases (statutory timers count from it).
    intervals(reading) -> tuple[Interval(from_at, to_at, kind), ...]       computed only when asked
    explain(reading) -> str
Leave out retracted events; order and repetition do not matter. A subject without a start event, or whose
start event gives no due time, has no reading.

ClockReading: timer, calendar, cycle (id of the starting event), number, as_of, state (ClockState),
    started_at, due_at (None while a pause holds it open), stopped_at, stopped_by, cancelled_at, cancelled_by,
    breached_at (= due_at), fell_due_at (from when the breach stands: due_at, or the change that put the due
    time into the past), breach_reason, target_seconds, consumed_seconds, remaining_seconds, paused_seconds,
    late_seconds, warnings / escalations (Mark(at, notice_at, percent, level, to)), next_at, anomalies
    (Anomaly(reason, at, event_id)); is_open, is_breached. A breach outlives a cancellation: such a reading
    is `breached` with `cancelled_at` set.

What to say about one reading; `already` is the ledger of that subject, timer and cycle:
    Announced(kind, level, revision, provisional=False)       a ledger row; keep `provisional` of a breach
    announcements(reading, already, now, quiet_until=None, final=True, *, received_at=None,
        settle_seconds=0) -> tuple[Announcement(kind, level, revision, event_type, at, provisional, to,
        percent), ...]
    next_wakeup(reading, already, now, quiet_until=None, final=True, *, received_at=None,
        settle_seconds=0, final_at=None) -> datetime | None     call it after the ledger has the above
    announcement_id(tenant, subject, timer, cycle, kind, level, revision) -> UUID
`level`: the percent of a warning (minus the seconds of one given by offset), the rung of an escalation,
otherwise 0. `received_at` is when the latest event of the subject was recorded.
"""

from app.domain.sla.announce import (
    Announced,
    Announcement,
    AnnouncementKind,
    announcement_id,
    announcements,
    next_wakeup,
)
from app.domain.sla.calendar import Calendar, Closure
from app.domain.sla.calendar_document import CALENDAR_PRESETS, calendar_preset, parse_calendar
from app.domain.sla.clock import TimerPlan, TimerVersion, read, read_plan
from app.domain.sla.clock_event import ClockEvent, clock_event
from app.domain.sla.explain import explain
from app.domain.sla.plan import Pin, plan_timers
from app.domain.sla.policy import Policy, Rule
from app.domain.sla.policy_document import parse_policy, refuse_taken, refuse_unreachable
from app.domain.sla.presets import default_policy_document
from app.domain.sla.reading import (
    Anomaly,
    ClockReading,
    ClockState,
    Interval,
    IntervalKind,
    Mark,
    intervals,
)
from app.domain.sla.timer import Timer

__all__ = [
    "CALENDAR_PRESETS", "Announced", "Announcement", "AnnouncementKind", "Anomaly", "Calendar", "ClockEvent",
    "ClockReading", "ClockState", "Closure", "Interval", "IntervalKind", "Mark", "Pin", "Policy", "Rule",
    "Timer", "TimerPlan", "TimerVersion", "announcement_id", "announcements", "calendar_preset",
    "clock_event", "default_policy_document", "explain", "intervals", "next_wakeup", "parse_calendar",
    "parse_policy", "plan_timers", "read", "read_plan", "refuse_taken",
    "refuse_unreachable",
]  # fmt: skip
