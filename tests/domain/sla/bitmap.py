"""The clock as a child would build it: walk every minute, look at the wall, count. An independent oracle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def minute_of(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


class Wall:
    """Says of a minute whether the wall clock then shows working time, straight from the document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.zone = ZoneInfo(document["tz"])
        self.weekly = document["weekly"]
        self.special = {
            date.fromisoformat(item["date"]): item.get("intervals", []) for item in document["exceptions"]
        }

    def shows_work(self, instant: datetime) -> bool:
        shown = instant.astimezone(self.zone)
        minute, today = 60 * shown.hour + shown.minute, shown.date()
        return self._in_shift(today, minute) or self._in_shift(today - DAY, minute + 1440)

    def _in_shift(self, day: date, minute: int) -> bool:
        shifts = self.special.get(day, self.weekly.get(DAYS[day.weekday()], []))
        for begins, ends in shifts:
            start, end = minute_of(begins), minute_of(ends)
            if end <= start:
                end += 1440
            if start <= minute < end:
                return True
        return False


@dataclass
class Verdict:
    """What the walk found."""

    state: str
    breached_at: datetime | None
    counted: int
    paused: int
    closed: int


@dataclass
class Story:
    """One case: its opening, its events by minute, and how it is judged."""

    start: datetime
    events: Sequence[tuple[int, str]]
    as_of: int
    target: int
    business: bool
    change: tuple[int, int] | None = None

    def ends(self) -> int | None:
        """The minute of the first remedy that is known."""
        return min(
            (at for at, kind in self.events if kind == "case.remedied" and at <= self.as_of), default=None
        )

    def resting(self, until: int) -> Iterator[bool]:
        """Minute by minute, whether the case waits for its customer."""
        by_minute = dict(self.events)
        waiting = False
        for minute in range(until):
            waiting = {
                "case.waiting_customer": True,
                "case.resumed": False,
                "case.customer_contacted": False,
            }.get(by_minute.get(minute, ""), waiting)
            yield waiting


def walk_minutes(story: Story, wall: Wall) -> Verdict:
    """Count minute by minute until the stop or now; a target is due when its last minute is over."""
    stop = story.ends()
    end = story.as_of if stop is None else stop
    counted = paused = closed = 0
    targets = [story.target, *([story.change[1]] if story.change else [])]
    due: dict[int, int] = {}
    resting = False
    for minute, resting in enumerate(story.resting(end)):
        if resting:
            paused += 1
        elif story.business and not wall.shows_work(story.start + minute * MINUTE):
            closed += 1
        else:
            counted += 1
            for index, target in enumerate(targets):
                if counted == target:
                    due[index] = minute + 1
    if stop is None:
        *_, resting = [False, *story.resting(end + 1)]
    missed = _missed(story, end, due)
    breached_at = None if missed is None else story.start + missed * MINUTE
    if stop is not None:
        state = "met" if missed is None else "met_late"
    else:
        state = "breached" if missed is not None else "paused" if resting else "running"
    return Verdict(state, breached_at, counted, paused, closed)


def _missed(story: Story, end: int, due: Mapping[int, int]) -> int | None:
    index = 0
    if story.change is not None and story.change[0] <= end:
        stood = due.get(0)
        index = 0 if stood is not None and stood < story.change[0] else 1
    found = due.get(index)
    return found if found is not None and end > found else None


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
