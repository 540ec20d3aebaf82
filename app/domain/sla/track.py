"""Cutting the events of a subject into the cycles of a timer: what started, stopped, paused each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from app.domain.events import EventType
from app.domain.sla.calendar import Calendar
from app.domain.sla.clock_event import ClockEvent
from app.domain.sla.deadline import Clock, Rests, moment_given
from app.domain.sla.instants import instant_of, micros
from app.domain.sla.reading import Anomaly
from app.domain.sla.timer import Alternative, Duration, ReopenMode, Timer
from app.domain.sla.trigger import Trigger, find_trigger


@dataclass(slots=True)
class Track:
    """One cycle as the events tell it; nothing is judged yet.

    `cycle` is the id of the starting event; where that starts one for each correlation value, an id made
    of both. `data` is what the starting event says, with what earlier events said of the due time.
    `concerns` is the correlation value: which compensation, which action.
    """

    start: ClockEvent
    number: int
    cycle: UUID
    data: Mapping[str, Any]
    factor: float = 1
    concerns: str = ""
    stop: ClockEvent | None = None
    cancel: ClockEvent | None = None
    reopened: ClockEvent | None = None
    moves: list[tuple[Alternative, ClockEvent]] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)
    seen: dict[str, set[str]] = field(default_factory=dict)

    @property
    def end(self) -> ClockEvent | None:
        """What ended it, met or not."""
        return self.stop or self.cancel


@dataclass(frozen=True, slots=True)
class Walk:
    """The cycles of a timer in order, and the pauses of the subject."""

    tracks: tuple[Track, ...]
    rests: Rests


def walk(timer: Timer, calendar: Calendar, events: Iterable[ClockEvent], shared: str = "") -> Walk:
    """The cycles that the events make; neither their order nor their repetition matters.

    `shared`: the correlation value of this walk, when its starting events do not carry one.
    """
    walker = _Walker(timer, calendar, shared)
    once = _once(events)
    for event in sorted(once, key=walker.place) if len(once) > 1 else once:
        walker.meet(event)
    return Walk(tuple(walker.tracks), (*walker.rests, *walker.open_rest()))


def _once(events: Iterable[ClockEvent]) -> Collection[ClockEvent]:
    return {event.event_id: event for event in events}.values()


class _Walker:
    """The state of the walk: the cycle that is open, what came too early, which pauses hold."""

    def __init__(self, timer: Timer, calendar: Calendar, shared: str) -> None:
        self.timer = timer
        self.calendar = calendar
        self.shared = shared
        self.given = timer.told_before()
        self.said: dict[str, Any] = {}
        self.armed = False
        self.tracks: list[Track] = []
        self.rests: list[tuple[int, int | None]] = []
        self.resting: dict[int, int] = {}
        self.closed = False
        self.early: list[ClockEvent] = []
        self.notes: list[Anomaly] = []

    def place(self, event: ClockEvent) -> tuple[datetime, int, bytes]:
        """Order in time; at one instant: start, resume, pause, stop, end, reopening."""
        timer = self.timer
        resumes = any(event.type in (*pause.stop, *pause.broken_by) for pause in timer.pauses)
        pauses = any(event.type in pause.start for pause in timer.pauses)
        if event.type == EventType.CASE_REOPENED:
            rank = 5
        elif self._stopping(event) is not None or self._alternative(event) is not None:
            rank = 3
        elif self._cancels(event):
            rank = 4
        else:
            rank = 2 if pauses else 1 if resumes else 0
        return event.occurred_at, rank, event.event_id.bytes

    def meet(self, event: ClockEvent) -> None:
        """Take in the next event."""
        self._rest(event)
        if event.type in self.given and event.data.get(self.given[event.type]) is not None:
            self.said[self.given[event.type]] = event.data[self.given[event.type]]
        if event.type == EventType.CASE_REOPENED:
            self._reopen(event)
        elif self.tracks:
            self._advance(event)
        elif self._starts(event):
            self._begin_first(event)
        elif not self.timer.repeat or self._cancels(event):
            self.early.append(event)

    def open_rest(self) -> Rests:
        """The pause that has not ended, if any."""
        return ((min(self.resting.values()), None),) if self.resting else ()

    def _advance(self, event: ClockEvent) -> None:
        track = self.tracks[-1]
        if track.end is None:
            self._end_or_move(track, event)
        self.closed = self.closed or self._cancels(event)
        again = self.timer.repeat or self.armed
        if track.end is not None and again and not self.closed and self._starts(event):
            self.armed = False
            self._begin(event)

    def _end_or_move(self, track: Track, event: ClockEvent) -> None:
        alternative = self._alternative(event)
        if alternative is not None and alternative.moves_to is not None:
            track.moves.append((alternative, event))
        elif alternative is not None or self._stops(track, event):
            if self._too_early(track, event):
                track.anomalies.append(Anomaly("stopped_too_early", event.occurred_at, event.event_id))
            else:
                track.stop = event
        elif self._cancels(event):
            track.cancel = event

    def _begin_first(self, event: ClockEvent) -> None:
        track = self._begin(event)
        for early in self.early:
            if track.end is None:
                self._end_or_move(track, early)
        if track.stop is not None and not self._same_day(track.stop, event):
            stop = track.stop
            track.anomalies.append(Anomaly("stop_before_start", stop.occurred_at, stop.event_id))

    def _begin(self, event: ClockEvent, factor: float = 1) -> Track:
        cycle = uuid5(event.event_id, self.shared) if self.shared else event.event_id
        data = {**self.said, **event.data} if self.said else event.data
        number, concerns = len(self.tracks) + 1, self._concerns(event)
        track = Track(event, number, cycle, data, factor, concerns, anomalies=self.notes)
        self.notes = []
        self.tracks.append(track)
        return track

    def _concerns(self, event: ClockEvent) -> str:
        """Which one of the subject's things it is about; a reopening goes on with the same."""
        name = self.timer.correlate_by
        if name == "subject":
            return ""
        before = self.tracks[-1].concerns if self.tracks else ""
        told = event.data.get(name)
        return self.shared or (before if told is None else str(told))

    def _reopen(self, event: ClockEvent) -> None:
        self.closed = False
        mode = self.timer.reopening.mode
        if mode is ReopenMode.NEXT_START and self.tracks:
            self.armed = True
            if self.tracks[-1].end is None:
                self.tracks[-1].cancel = event
        if not self.tracks or self.tracks[-1].end is None:
            return
        if mode is ReopenMode.NEW_CYCLE:
            self._begin(event, self.timer.reopening.target_factor)
        elif mode is ReopenMode.TOTAL_RESOLUTION:
            track = self.tracks[-1]
            track.stop, track.cancel, track.reopened = None, None, event

    def _rest(self, event: ClockEvent) -> None:
        """Keep the union of all pauses; a reopening ends them, since the work is on again."""
        for index, pause in enumerate(self.timer.pauses):
            if event.type in pause.start:
                if index in self.resting:
                    self._note("pause_while_paused", event)
                self.resting.setdefault(index, micros(event.occurred_at))
            elif event.type in pause.stop and index not in self.resting:
                self._note("resume_without_pause", event)
            elif event.type in (*pause.stop, *pause.broken_by, EventType.CASE_REOPENED):
                self._resume(index, micros(event.occurred_at))

    def _resume(self, index: int, at: int) -> None:
        since = self.resting.pop(index, None)
        if since is None:
            return
        # Another pause that still holds will end the stretch; until then it goes on.
        if self.resting:
            first = next(iter(self.resting))
            self.resting[first] = min(since, self.resting[first])
        elif since < at:
            self.rests.append((since, at))

    def _note(self, reason: str, event: ClockEvent) -> None:
        notes = self.tracks[-1].anomalies if self.tracks else self.notes
        notes.append(Anomaly(reason, event.occurred_at, event.event_id))

    def _starts(self, event: ClockEvent) -> bool:
        if event.type not in self.timer.started_by or find_trigger(self.timer.start, event) is None:
            return False
        return self.timer.late_by is None or self._is_late_enough(event, self.timer.late_by)

    def _is_late_enough(self, event: ClockEvent, late_by: Duration) -> bool:
        """Whether the delay counts; one of which not both times are known does."""
        promised = moment_given({**self.said, **event.data}.get("promised_at"), self.calendar)
        expected = moment_given(event.data.get("due_at"), self.calendar)
        if promised is None or expected is None:
            return True
        return micros(expected) - micros(promised) >= late_by.micros(self.calendar)

    def _cancels(self, event: ClockEvent) -> bool:
        return find_trigger(self.timer.cancel, event) is not None

    def _stopping(self, event: ClockEvent) -> Trigger | None:
        if self.timer.human_only and not event.human:
            return None
        return find_trigger(self.timer.stop, event)

    def _stops(self, track: Track, event: ClockEvent) -> bool:
        """Whether it stops the cycle; of a counted trigger the event that completes the count does."""
        trigger = self._stopping(event)
        if trigger is None or trigger.count == 1:
            return trigger is not None
        told = event.data.get(trigger.distinct)
        seen = track.seen.setdefault(trigger.event, set())
        if told is not None:
            seen.add(str(told))
        return len(seen) >= trigger.count

    def _alternative(self, event: ClockEvent) -> Alternative | None:
        if self.timer.human_only and not event.human:
            return None
        for alternative in self.timer.alternatives:
            fits = all(event.data.get(name) == value for name, value in alternative.when.items())
            if alternative.event == event.type and fits:
                return alternative
        return None

    def _too_early(self, track: Track, event: ClockEvent) -> bool:
        opens = self.timer.not_before
        if opens is None:
            return False
        clock = Clock(self.calendar, micros(track.start.occurred_at))
        earliest = clock.reach(opens.counting, opens.micros(self.calendar))
        return earliest is not None and event.occurred_at < instant_of(earliest)

    def _same_day(self, one: ClockEvent, other: ClockEvent) -> bool:
        if not (one.day_precision or other.day_precision):
            return False
        return self.calendar.local_date(one.occurred_at) == self.calendar.local_date(other.occurred_at)
