"""What a timer is: what starts, stops, pauses and moves it, when it is due, what it warns of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.domain.events import EventType, SubjectKind
from app.domain.sla.calendar import Calendar
from app.domain.sla.instants import SECOND
from app.domain.sla.trigger import Triggers, types_of

Types = tuple[str, ...]


class Counting(StrEnum):
    """Which time counts: all of it, or the working hours of the calendar."""

    ELAPSED = "elapsed"
    BUSINESS = "business"


class ClockKind(StrEnum):
    """Our own target, or one that a rule of law sets and nothing pauses."""

    INTERNAL = "internal"
    STATUTORY = "statutory"


class Announce(StrEnum):
    """When a breach is told: at once (perhaps provisionally), or when no source can change it."""

    IMMEDIATELY = "immediately"
    WHEN_FINAL = "when_final"


class NoticeHours(StrEnum):
    """When warnings and escalations may be told: at any hour, or in working time only."""

    ANY = "any"
    WORKING = "working"


class ReopenMode(StrEnum):
    """What a reopening does.

    `new_cycle`: a further cycle with its own target runs from the reopening.
    `first_resolution`: nothing; the first verdict stands.
    `total_resolution`: the stop is taken back and the same cycle runs on from its original start,
    the falsely resolved time included.
    `next_start`: ends the cycle that runs; the next starting event begins another.
    """

    NEW_CYCLE = "new_cycle"
    FIRST_RESOLUTION = "first_resolution"
    TOTAL_RESOLUTION = "total_resolution"
    NEXT_START = "next_start"


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time on one clock: seconds, plus working days whose length is the calendar's."""

    seconds: int
    business_days: float = 0
    counting: Counting = Counting.ELAPSED

    def micros(self, calendar: Calendar, factor: float = 1) -> int:
        """Microseconds on its own clock, scaled to a whole second, never less than one."""
        days = self.business_days * calendar.business_day_seconds if self.business_days else 0
        seconds = self.seconds + days
        return max(round(seconds * factor), 1) * SECOND


@dataclass(frozen=True, slots=True)
class AfterDuration:
    """Due when the duration has passed on its clock."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class GivenByEvent:
    """Due when a field of the starting event says (an ISO 8601 time or date); absent: no timer.

    With `of`: when the starting event does not say, the latest event of that type before it does.
    """

    name: str
    counting: Counting = Counting.ELAPSED
    of: str = ""


@dataclass(frozen=True, slots=True)
class CloseOfBusinessDay:
    """Due at the close of the n-th working day after the local day of receipt."""

    n: int
    counting: Counting = Counting.BUSINESS


@dataclass(frozen=True, slots=True)
class EndOfDay:
    """Due at the end of the n-th calendar day after the local day of receipt."""

    n: int
    counting: Counting = Counting.ELAPSED


Simple = AfterDuration | GivenByEvent | CloseOfBusinessDay | EndOfDay


@dataclass(frozen=True, slots=True)
class Earliest:
    """Due at the earliest of its parts; a part that its event does not give is left out."""

    parts: tuple[Simple, ...]


Due = Simple | Earliest


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock rests from `start` until `stop`, or until something that ends it in passing.

    A stop that ends nothing is an anomaly; an event of `broken_by` that ends nothing is not.
    """

    start: Types
    stop: Types
    broken_by: Types = ()


WAITING_CUSTOMER = Pause(
    start=(EventType.CASE_WAITING_CUSTOMER,),
    stop=(EventType.CASE_RESUMED,),
    broken_by=(EventType.CASE_CUSTOMER_CONTACTED,),
)
"""A customer who answers ends the waiting, whether or not anybody pressed "resume"."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another event that stops the timer or, with `moves_to`, sets another due time for it."""

    event: str
    when: Mapping[str, Any] = field(default_factory=dict)
    moves_to: Due | None = None


@dataclass(frozen=True, slots=True)
class Warn:
    """A warning at a percentage of the target, or some seconds of the timer's own clock before due."""

    percent: int | None = None
    before_seconds: int | None = None

    @property
    def level(self) -> int:
        """What tells the warnings of a timer apart: the percent, or minus the seconds before due."""
        if self.percent is not None:
            return self.percent
        assert self.before_seconds is not None, "a warning has one of the two"
        return -self.before_seconds


@dataclass(frozen=True, slots=True)
class Escalation:
    """One rung of the ladder: at `percent` of the target, the matter goes to a role."""

    level: int
    percent: int
    to: str


@dataclass(frozen=True, slots=True)
class Reopening:
    """What a reopening does, and by what the target of a further cycle is multiplied."""

    mode: ReopenMode = ReopenMode.NEW_CYCLE
    target_factor: float = 1


@dataclass(frozen=True, slots=True)
class Timer:
    """One promise about one kind of subject. Event types are those of `EventType`, in listed order."""

    key: str
    subject: SubjectKind
    start: Triggers
    stop: Triggers
    due: Due
    calendar: str
    cancel: Triggers = ()
    human_only: bool = False
    alternatives: tuple[Alternative, ...] = ()
    pauses: tuple[Pause, ...] = ()
    repeat: bool = False
    not_before: Duration | None = None
    late_by: Duration | None = None
    """It starts only for a delay of at least so much: `due_at` against the time that was promised."""
    correlate_by: str = "subject"
    warnings: tuple[Warn, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    clock_kind: ClockKind = ClockKind.INTERNAL
    reopening: Reopening = Reopening()
    announce: Announce = Announce.IMMEDIATELY
    notice_hours: NoticeHours = NoticeHours.ANY
    announced_as: Mapping[str, EventType] = field(default_factory=dict)
    basis: str = ""
    watched: frozenset[str] = field(init=False, compare=False, repr=False, default=frozenset())
    """Every event type that can change a reading of this timer."""
    started_by: frozenset[str] = field(init=False, compare=False, repr=False, default=frozenset())
    """The event types that start it: a subject without one of them has no reading."""

    def __post_init__(self) -> None:
        paused = [name for pause in self.pauses for name in (*pause.start, *pause.stop, *pause.broken_by)]
        moved = [alternative.event for alternative in self.alternatives]
        reopened = [EventType.CASE_REOPENED.value] if self.subject is SubjectKind.CASE else []
        given = [*self.told_before()]
        told = types_of((*self.start, *self.stop, *self.cancel))
        object.__setattr__(self, "watched", frozenset([*told, *paused, *moved, *reopened, *given]))
        object.__setattr__(self, "started_by", frozenset(types_of(self.start)))

    def told_before(self) -> Mapping[str, str]:
        """Event type -> the field by which it gives a time to a start that comes later."""
        told = {part.of: part.name for part in self.dues() if isinstance(part, GivenByEvent) and part.of}
        return told if self.late_by is None else {EventType.ORDER_PROMISED: "promised_at", **told}

    def dues(self) -> tuple[Simple, ...]:
        """Its due rule in parts, one of which decides."""
        return self.due.parts if isinstance(self.due, Earliest) else (self.due,)
