"""Quiet hours: when nobody may be disturbed, by the wall clock where the customer lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` to `end` by the local clock, usually over midnight; `end` itself is not quiet."""

    start: time
    end: time

    def holds(self, at: datetime, zone: ZoneInfo) -> bool:
        """True when it is quiet there at this instant."""
        local = at.astimezone(zone).time()
        if self.start <= self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end

    def next_open(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The first instant from `at` on (UTC) that is not quiet; `at` itself when it is open."""
        if not self.holds(at, zone):
            return at
        local = at.astimezone(zone)
        day = local.date() + (timedelta(days=1) if local.time() >= self.end else timedelta())
        opening = datetime.combine(day, self.end, tzinfo=zone).astimezone(UTC)
        # where the clock is put back over the opening hour, the second pass of it is open too
        return max(opening, at)

    def last_open(self, before: datetime, zone: ZoneInfo) -> datetime:
        """The last minute up to `before` (UTC) that is not quiet: a minute before the quiet began."""
        if not self.holds(before, zone):
            return before
        local = before.astimezone(zone)
        day = local.date() - (timedelta(days=1) if local.time() < self.start else timedelta())
        closing = datetime.combine(day, self.start, tzinfo=zone).astimezone(UTC)
        return min(closing - timedelta(minutes=1), before)
