"""Reading one timer from a policy document, and refusing those that could never be right."""

from __future__ import annotations

from collections.abc import Collection

from app.domain.event_subjects import subject_kind_of
from app.domain.events import EventType, SubjectKind
from app.domain.sla.document import Node, nearest
from app.domain.sla.due_document import read_due, read_duration
from app.domain.sla.timer import (
    AfterDuration,
    Announce,
    ClockKind,
    Due,
    Duration,
    NoticeHours,
    Timer,
)
from app.domain.sla.timer_parts import (
    read_alternatives,
    read_announced_as,
    read_escalations,
    read_late_by,
    read_optional,
    read_pauses,
    read_reopening,
    read_repeat,
    read_warnings,
)
from app.domain.sla.trigger import Trigger, Triggers, types_of
from app.domain.sla.trigger_document import read_triggers

TIMER_KEYS = (
    "key", "subject", "start", "stop", "human_only", "alternatives", "cancel", "pause", "due", "repeat",
    "window", "late_by", "correlate_by", "warnings", "escalation", "clock_kind", "reopen", "announce",
    "notice_hours", "events", "calendar", "basis",
)  # fmt: skip
_BEGINNINGS = (
    EventType.CASE_OPENED,
    EventType.INTERACTION_ENDED,
    EventType.CORRECTIVE_ACTION_OPENED,
    EventType.DEBRIEF_OPENED,
)
_MERGED = Trigger(EventType.CASE_MERGED.value)
_ENDINGS = (
    *(
        Trigger(event.value)
        for event in (
            EventType.CASE_WITHDRAWN,
            EventType.CASE_MARKED_DUPLICATE,
            EventType.CASE_MARKED_INVALID,
        )
    ),
    _MERGED,
)


def read_timer(node: Node, default_calendar: str, known_calendars: Collection[str]) -> Timer:
    """Read one timer; raises InvalidError with the reason and the place."""
    fields = node.fields(TIMER_KEYS, required=("key", "subject", "start", "stop"))
    subject = fields["subject"].choice(SubjectKind)
    kind = read_optional(fields, "clock_kind", ClockKind, ClockKind.INTERNAL)
    not_before, due = _due(node, fields)
    timer = Timer(
        key=fields["key"].slug(),
        subject=subject,
        start=read_triggers(fields["start"]),
        stop=read_triggers(fields["stop"], counted=True),
        due=due,
        calendar=_calendar(fields, default_calendar, known_calendars),
        cancel=_cancel(fields, subject, kind),
        human_only=fields["human_only"].flag() if "human_only" in fields else False,
        alternatives=read_alternatives(fields.get("alternatives")),
        pauses=read_pauses(fields.get("pause")),
        repeat=read_repeat(fields.get("repeat")),
        not_before=not_before,
        late_by=read_late_by(fields.get("late_by")),
        correlate_by=fields["correlate_by"].slug() if "correlate_by" in fields else "subject",
        warnings=read_warnings(fields.get("warnings")),
        escalations=read_escalations(fields.get("escalation")),
        clock_kind=kind,
        reopening=read_reopening(fields.get("reopen")),
        announce=read_optional(fields, "announce", Announce, Announce.IMMEDIATELY),
        notice_hours=read_optional(fields, "notice_hours", NoticeHours, NoticeHours.ANY),
        announced_as=read_announced_as(fields.get("events")),
        basis=fields["basis"].text() if "basis" in fields else "",
    )
    _check(timer, fields)
    return timer


def _check(timer: Timer, fields: dict[str, Node]) -> None:
    stops = [*types_of(timer.stop), *(a.event for a in timer.alternatives if a.moves_to is None)]
    # What begins a subject happens once: as a start it cannot be the stop as well.
    stops = [name for name in stops if name not in _BEGINNINGS or name not in timer.started_by]
    if not any(_may_concern(name, timer) for name in stops):
        raise fields["stop"].refusal(
            "never_stops",
            "No event that stops this timer can ever happen to its subject.",
            f"Name a stop event that is about the subject {timer.subject.value}, or another correlate_by.",
        )
    if not any(_may_concern(name, timer) for name in timer.started_by):
        cure = f"Name one that is about the subject {timer.subject.value}."
        raise fields["start"].refusal(
            "never_starts", "No event that starts it can happen to its subject.", cure
        )
    if timer.pauses and timer.clock_kind is ClockKind.STATUTORY:
        raise fields["pause"].refusal(
            "statutory_pause", "A statutory clock is never paused.", "Remove the pause, or make it internal."
        )
    if timer.pauses and not any(isinstance(part, AfterDuration) for part in timer.dues()):
        raise fields["pause"].refusal(
            "pause_moves_nothing",
            "A due time given as a date does not move with pauses.",
            "Remove the pause.",
        )


def _may_concern(name: str, timer: Timer) -> bool:
    """Facts of cases, orders ... happen to these only; others may reach any subject through its aliases."""
    return subject_kind_of(name) in (None, timer.subject) or timer.correlate_by != "subject"


def _due(node: Node, fields: dict[str, Node]) -> tuple[Duration | None, Due]:
    """The earliest permitted stop of a window, and the due rule (the window's end if it has one)."""
    window = fields["window"].fields(("not_before", "not_after")) if "window" in fields else {}
    opens = read_duration(window["not_before"]) if "not_before" in window else None
    closes = read_duration(window["not_after"]) if "not_after" in window else None
    if ("due" in fields) == (closes is not None):
        detail = "A timer has either a due rule or a window with not_after."
        raise node.refusal("ambiguous_due", detail, "Give exactly one of the two.")
    if "window" in fields and not window:
        detail = "A window has not_before, not_after or both."
        raise fields["window"].refusal("missing_key", detail, "Add one, or drop the window.")
    due = AfterDuration(closes) if closes is not None else read_due(fields["due"])
    ends = due.duration if isinstance(due, AfterDuration) else None
    if opens and ends and opens.counting is ends.counting and not _shorter(opens, ends):
        detail = "The window ends before it begins."
        raise fields["window"].refusal("empty_window", detail, "Let it end after `not_before`.")
    return opens, due


def _shorter(one: Duration, other: Duration) -> bool:
    if one.business_days or other.business_days:
        return one.business_days <= other.business_days
    return one.seconds < other.seconds


def _calendar(fields: dict[str, Node], default: str, known: Collection[str]) -> str:
    return read_calendar_name(fields["calendar"], known) if "calendar" in fields else default


def read_calendar_name(node: Node, known: Collection[str]) -> str:
    """The key of a calendar that exists."""
    name = node.slug()
    if name not in known:
        raise node.refusal("unknown_calendar", f"There is no calendar {name!r}.", nearest(name, known))
    return name


def _cancel(fields: dict[str, Node], subject: SubjectKind, kind: ClockKind) -> Triggers:
    """What ends it unmet. A list of its own replaces the usual endings, but never the merger.

    The work goes on in the surviving case: an absorbed one is not escalated.
    """
    if "cancel" not in fields:
        return _endings(subject, kind)
    stated = read_triggers(fields["cancel"])
    starts = types_of(read_triggers(fields["start"]))
    if subject is not SubjectKind.CASE or EventType.CASE_MERGED in starts:
        return stated
    return stated if _MERGED in stated else (*stated, _MERGED)


def _endings(subject: SubjectKind, kind: ClockKind) -> Triggers:
    """What ends a case's timers unmet; a statutory clock is not ended by closing the case."""
    if subject is not SubjectKind.CASE:
        return ()
    return _ENDINGS if kind is ClockKind.STATUTORY else (*_ENDINGS, Trigger(EventType.CASE_CLOSED.value))
