"""When a cycle is to be spoken of: its warnings, the rungs of its escalation, the next look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.sla.deadline import Deadline
from app.domain.sla.instants import SECOND, instant_of, micros
from app.domain.sla.matter import Matter
from app.domain.sla.reading import Mark
from app.domain.sla.timer import NoticeHours

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Marks:
    """Warnings and escalations in order of time; those of an ended cycle up to its end."""

    warnings: tuple[Mark, ...]
    escalations: tuple[Mark, ...]

    def next_after(self, as_of: datetime, cut_at: datetime | None) -> datetime | None:
        """The next mark, or the first instant of the breach: one tick after `cut_at`, as equality is met.

        `cut_at` is None once it is breached, or while a pause holds it open; no warning follows a breach.
        """
        ahead = [mark.notice_at for mark in self.warnings]
        # The rung at 100 % lies at the due time itself and is told with the breach, a tick later.
        ahead += [mark.notice_at for mark in self.escalations if mark.notice_at != cut_at]
        ahead += [cut_at + _TICK] if cut_at is not None else []
        return min((at for at in ahead if at > as_of), default=None)


def lay_marks(
    matter: Matter, due: Deadline, fell_at: datetime | None, ended_at: datetime | None, breached: bool
) -> Marks:
    """The marks of a cycle: `fell_at` is from when the breach stands or would stand."""
    ahead = matter.foresee or breached
    return Marks(_warnings(matter, due, ended_at), _escalations(matter, due, fell_at, ended_at, ahead))


def _warnings(matter: Matter, due: Deadline, ended_at: datetime | None) -> tuple[Mark, ...]:
    """Warnings in order; one that could be told only after the due time is left out."""
    found = []
    for warn in matter.timer.warnings if due.target else ():
        percent = warn.percent
        if percent is None:
            left = due.target - (warn.before_seconds or 0) * SECOND
            percent = max(round(100 * left / due.target), 0)
            at = due.clock.reach(due.counting, max(left, 0))
        else:
            at = due.after(percent)
        if at is not None:
            found.append(_mark(matter, at, percent, warn.level))
    due_at = None if due.at is None else instant_of(due.at)
    told = [mark for mark in found if due_at is None or mark.notice_at <= due_at]
    return _until(told, ended_at)


def _escalations(
    matter: Matter, due: Deadline, fell_at: datetime | None, ended_at: datetime | None, ahead: bool
) -> tuple[Mark, ...]:
    """Rungs in order, those from 100 % on never before the breach; without a target only up to there."""
    found = []
    for rung in matter.timer.escalations:
        if not ahead and rung.percent >= 100:
            break
        at = due.after(rung.percent) if due.target or rung.percent == 100 else None
        if at is not None:
            floor = micros(fell_at) if fell_at and rung.percent >= 100 else at
            found.append(_mark(matter, max(at, floor), rung.percent, rung.level, rung.to))
    return _until(found, ended_at)


def _mark(matter: Matter, at: int, percent: int, level: int, to: str = "") -> Mark:
    """A mark is never earlier than the change that brought it about."""
    pushed = [matter.change.at] if matter.change else []
    pushed += [matter.track.reopened.occurred_at] if matter.track.reopened else []
    at_time = max([instant_of(at), *pushed])
    working = matter.timer.notice_hours is NoticeHours.WORKING
    return Mark(at_time, matter.calendar.next_working_at(at_time) if working else at_time, percent, level, to)


def _until(marks: list[Mark], ended_at: datetime | None) -> tuple[Mark, ...]:
    reached = [mark for mark in marks if ended_at is None or mark.notice_at <= ended_at]
    return tuple(sorted(reached, key=lambda mark: (mark.at, mark.level)))
