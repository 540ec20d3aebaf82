"""The clock: one pure function from definitions, calendars and events to the readings of a timer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from app.domain.sla.calendar import Calendar
from app.domain.sla.clock_event import ClockEvent
from app.domain.sla.judge import judge
from app.domain.sla.matter import Change, Matter
from app.domain.sla.reading import ClockReading, ClockState, Shift
from app.domain.sla.timer import Timer
from app.domain.sla.track import Track, Walk, walk
from app.domain.sla.trigger import find_trigger


@dataclass(frozen=True, slots=True)
class TimerVersion:
    """A definition in force since an instant (None: from the beginning); no timer: nothing promised."""

    timer: Timer | None
    calendar: Calendar
    since: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TimerPlan:
    """The definitions of one timer of one subject over time, in ascending order of `since`."""

    key: str
    versions: tuple[TimerVersion, ...]
    watched: frozenset[str] = field(init=False, compare=False, repr=False)
    started_by: frozenset[str] = field(init=False, compare=False, repr=False)
    """Without an event of these types there is nothing to read."""

    def __post_init__(self) -> None:
        timers = [version.timer for version in self.versions if version.timer]
        object.__setattr__(self, "watched", frozenset().union(*(timer.watched for timer in timers)))
        object.__setattr__(self, "started_by", frozenset().union(*(timer.started_by for timer in timers)))


@dataclass(slots=True)
class _Held:
    """Which definition judges a cycle, and its reading when that definition went out of force."""

    version: int
    change: Change | None
    reading: ClockReading | None = None
    cancelled: Change | None = None
    shifts: tuple[Shift, ...] = ()

    @property
    def is_settled(self) -> bool:
        """No later definition has a say: it is breached, or it has ended."""
        over = self.reading is not None and (self.reading.is_breached or not self.reading.is_open)
        return over or self.cancelled is not None

    @property
    def is_breached(self) -> bool:
        return self.reading is not None and self.reading.is_breached


def read(
    timer: Timer,
    calendar: Calendar,
    events: Iterable[ClockEvent],
    as_of: datetime,
    received_at: datetime | None = None,
) -> tuple[ClockReading, ...]:
    """The readings of a timer whose definition never changed; see `read_plan`."""
    plan = TimerPlan(timer.key, (TimerVersion(timer, calendar),))
    return read_plan(plan, events, as_of, received_at=received_at)


def read_plan(
    plan: TimerPlan,
    events: Iterable[ClockEvent],
    as_of: datetime,
    received_at: datetime | None = None,
    *,
    foresee: bool = True,
) -> tuple[ClockReading, ...]:
    """Every cycle of a timer as it stands at `as_of`, in order of start (design: section 6).

    `events` are those of the subject, in any order, repeated or not; what happens after `as_of`
    is not known yet. A change of definition acts from its instant: a cycle that was running is
    recomputed from its original start with all its pauses, one that had ended or was breached by
    then keeps its verdict. Without a starting event, or when that gives no due time: no reading.
    Without `foresee` the rungs of an escalation are laid out only once the breach stands.
    """
    told = {event.event_id: event for event in events if event.type in plan.watched}.values()
    known = [event for event in told if event.occurred_at <= as_of]
    later = [event for event in told if event.occurred_at > as_of]
    found: list[ClockReading] = []
    for shared, group in _groups(plan, known):
        found.extend(_Reader(plan.versions, group, as_of, received_at, shared, foresee).readings())
    if not found:
        found.extend(_pending(plan, later, as_of))
    ahead = [event.occurred_at for event in later]
    ahead += [version.since for version in plan.versions if version.since and version.since > as_of]
    following = min(ahead, default=None)
    ordered = found if len(found) < 2 else sorted(found, key=_place)
    return tuple(ordered if following is None else [_look_again(item, following) for item in ordered])


def _place(reading: ClockReading) -> tuple[datetime, int, bytes]:
    return reading.started_at, reading.number, reading.cycle.bytes


def _look_again(reading: ClockReading, following: datetime) -> ClockReading:
    """A fact dated ahead is a reason to look again when its time comes."""
    if reading.next_at is not None and reading.next_at <= following:
        return reading
    return replace(reading, next_at=following)


def _groups(plan: TimerPlan, events: Sequence[ClockEvent]) -> list[tuple[str, list[ClockEvent]]]:
    """The events of each correlation value; those without one belong to all.

    A start without a value, told of a subject that has values, starts a cycle for each of them: the
    group is named then, since the event alone does not tell its cycles apart.
    """
    timers = [version.timer for version in plan.versions if version.timer]
    starts = plan.started_by
    if not timers or not any(event.type in starts for event in events):
        return []
    name = timers[0].correlate_by
    if name == "subject":
        return [("", list(events))]
    values = sorted({str(event.data[name]) for event in events if event.data.get(name) is not None})
    shared = any(event.type in starts and event.data.get(name) is None for event in events)
    if not values:
        return [("", list(events))]
    return [
        (
            value if shared else "",
            [event for event in events if event.data.get(name) is None or str(event.data[name]) == value],
        )
        for value in values
    ]


def _pending(plan: TimerPlan, later: Sequence[ClockEvent], as_of: datetime) -> list[ClockReading]:
    """A start that is dated ahead: known, but not running yet."""
    version = plan.versions[-1]
    if version.timer is None:
        return []
    starts = [event for event in later if find_trigger(version.timer.start, event)]
    if not starts:
        return []
    first = min(starts, key=lambda event: (event.occurred_at, event.event_id.bytes))
    readings = _Reader((version,), [first], first.occurred_at, None, "", True).readings()
    return [
        replace(reading, state=ClockState.PENDING, as_of=as_of, next_at=first.occurred_at)
        for reading in readings
        if reading.is_open
    ]


class _Reader:
    """Follows the cycles of one group of events through the definitions in force."""

    def __init__(
        self,
        versions: Sequence[TimerVersion],
        events: Sequence[ClockEvent],
        as_of: datetime,
        received_at: datetime | None,
        shared: str,
        foresee: bool,
    ) -> None:
        in_force = [version for version in versions if version.since is None or version.since <= as_of]
        self.versions = in_force
        self.events = events
        self.as_of = as_of
        self.received_at = received_at
        self.shared = shared
        self.foresee = foresee
        self.held: dict[UUID, _Held] = {}

    def readings(self) -> list[ClockReading]:
        """The cycles, each judged at `as_of` by the definition that holds for it."""
        if len(self.versions) == 1:
            walked = self._walk(0, self.as_of)
            only = _Held(0, None)
            judged = (self._judge(walked, track, only, self.as_of) for track in walked.tracks)
            return [reading for reading in judged if reading is not None]
        for index in range(len(self.versions) - 1):
            self._settle(index, self.versions[index + 1].since or self.as_of)
        if self.versions:
            self._settle(len(self.versions) - 1, self.as_of)
        return [reading for cycle, held in self.held.items() if (reading := self._final(cycle, held))]

    def _final(self, cycle: UUID, held: _Held) -> ClockReading | None:
        """The reading at `as_of`: an earlier definition that settled a cycle goes on judging it."""
        if held.version == len(self.versions) - 1:
            return held.reading
        walked = self._walk(held.version, self.as_of)
        track = next(track for track in walked.tracks if track.cycle == cycle)
        return self._judge(walked, track, held, self.as_of)

    def _settle(self, index: int, until: datetime) -> None:
        """Put every cycle that was still open under this definition, and judge it when it ends."""
        walked = self._walk(index, until)
        version = self.versions[index]
        judged = set()
        over = index < len(self.versions) - 1
        for track in walked.tracks:
            if over and track.start.occurred_at >= until:
                continue  # it begins under the next definition
            held = self._hold(index, track)
            if held is None:
                judged.add(track.cycle)
                continue
            held.reading = self._judge(walked, track, held, until)
            if held.reading is not None:
                self.held[track.cycle] = held
                judged.add(track.cycle)
        for cycle, prior in self.held.items():
            if cycle not in judged and not prior.is_settled:
                assert version.since is not None, "the first definition has nothing before it to end"
                prior.cancelled = Change(version.since, version.reason)

    def _hold(self, index: int, track: Track) -> _Held | None:
        """How this definition takes over a cycle; None when an earlier verdict stands."""
        version, prior = self.versions[index], self.held.get(track.cycle)
        came_later = version.since is not None and track.start.occurred_at < version.since
        change = Change(version.since, version.reason) if came_later and version.since else None
        if prior is None:
            over = change is not None and track.end is not None and track.end.occurred_at < change.at
            return None if over else _Held(index, change)
        taken_back = track.reopened is not None and track.end is None and not prior.is_breached
        if prior.is_settled and not taken_back:
            return None
        return _Held(index, change, shifts=_shifted(prior, change))

    def _walk(self, index: int, until: datetime) -> Walk:
        version = self.versions[index]
        if version.timer is None:
            return Walk((), ())
        known = [event for event in self.events if event.occurred_at <= until]
        return walk(version.timer, version.calendar, known, self.shared)

    def _judge(self, walked: Walk, track: Track, held: _Held, as_of: datetime) -> ClockReading | None:
        version = self.versions[held.version]
        assert version.timer is not None, "only a timer makes tracks"
        reading = judge(
            Matter(
                timer=version.timer,
                calendar=version.calendar,
                track=track,
                rests=walked.rests,
                as_of=as_of,
                change=held.change,
                received_at=self.received_at,
                cancelled=held.cancelled,
                foresee=self.foresee,
            )
        )
        if reading is None or version.since is None:
            return reading
        shifts = _effective((*held.shifts, *reading.shifts), reading.due_at)
        return replace(reading, shifts=shifts, ruled_since=version.since)


def _shifted(prior: _Held, change: Change | None) -> tuple[Shift, ...]:
    """What had moved the due time before, and this change of definition."""
    if change is None or prior.reading is None:
        return prior.shifts
    return (*prior.shifts, Shift(change.at, change.reason, prior.reading.due_at))


def _effective(shifts: Sequence[Shift], due_at: datetime | None) -> tuple[Shift, ...]:
    """Those after which another time was due than before."""
    if not shifts:
        return ()
    ordered = sorted(shifts, key=lambda shift: shift.at)
    after = [*(shift.due_before for shift in ordered[1:]), due_at]
    return tuple(shift for shift, due in zip(ordered, after, strict=True) if shift.due_before != due)
