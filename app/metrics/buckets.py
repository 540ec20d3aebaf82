"""Buckets in an IANA zone: where hours, days, weeks and longer units begin.

Days and longer units are local: a day of a clock change has 23 or 25 hours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo


class Granularity(StrEnum):
    """Length of a bucket; `none` is one bucket for the whole period."""

    NONE = "none"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open span of time [start, end) in UTC; `unit` is set for a calendar period (this_month)."""

    start: datetime
    end: datetime
    unit: Granularity | None = None


_UNIT_START: Final[dict[Granularity, Callable[[date], date]]] = {
    Granularity.DAY: lambda day: day,
    Granularity.WEEK: lambda day: day - timedelta(days=day.weekday()),
    Granularity.MONTH: lambda day: day.replace(day=1),
    Granularity.QUARTER: lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
    Granularity.YEAR: lambda day: day.replace(month=1, day=1),
}
_MONTHS_OF: Final = {Granularity.MONTH: 1, Granularity.QUARTER: 3, Granularity.YEAR: 12}
_SHORTEST_HOURS: Final = {
    Granularity.HOUR: 1,
    Granularity.DAY: 23,
    Granularity.WEEK: 167,
    Granularity.MONTH: 671,
    Granularity.QUARTER: 2159,
    Granularity.YEAR: 8759,
}


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Start of a local day, in UTC."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def told_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The same as the database tells it in a bucket: where a clock change makes two, the later one."""
    first = datetime.combine(day, time(), tzinfo=zone)
    second = first.replace(fold=1)
    if (second.utcoffset() or timedelta()) < (first.utcoffset() or timedelta()):
        first = second
    return first.astimezone(UTC)


def is_midnight(instant: datetime, zone: ZoneInfo) -> bool:
    """True when a local day begins at this instant."""
    return truncate(instant, Granularity.DAY, zone) == instant


def unit_start(day: date, unit: Granularity) -> date:
    """First day of the unit (ISO week, month ...) that holds a day."""
    return _UNIT_START[unit](day)


def step(day: date, unit: Granularity, count: int) -> date:
    """The day `count` units later (or earlier)."""
    if unit in _MONTHS_OF:
        return add_months(day, count * _MONTHS_OF[unit])
    return day + timedelta(days=count * (7 if unit is Granularity.WEEK else 1))


def add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month0 + 1, 1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def truncate(instant: datetime, granularity: Granularity, zone: ZoneInfo) -> datetime:
    """Start (UTC) of the bucket that holds an instant, by the rule of PostgreSQL's date_trunc with a zone."""
    local = instant.astimezone(zone)
    if granularity is Granularity.HOUR:
        since = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return instant.astimezone(UTC) - since
    return midnight(unit_start(local.date(), granularity), zone)


def bucket_starts(period: Period, granularity: Granularity, zone: ZoneInfo) -> list[datetime]:
    """Starts (UTC) of all buckets that the period touches, in order; none without a granularity."""
    if granularity is Granularity.NONE:
        return []
    if granularity is Granularity.HOUR:
        # Half-hour steps meet every local hour, also where a clock change is half an hour.
        count = int((period.end - period.start) / timedelta(minutes=30)) + 1
        instants = (period.start + k * timedelta(minutes=30) for k in range(count))
        return sorted({truncate(instant, granularity, zone) for instant in instants if instant < period.end})
    return list(_unit_starts(period, granularity, zone))


def _unit_starts(period: Period, granularity: Granularity, zone: ZoneInfo) -> Iterator[datetime]:
    day = unit_start(period.start.astimezone(zone).date(), granularity)
    while midnight(day, zone) < period.end:
        yield told_midnight(day, zone)
        day = step(day, granularity, 1)


def most_buckets(period: Period, granularity: Granularity) -> int:
    """An upper bound of the number of buckets, without making them."""
    if granularity is Granularity.NONE:
        return 1
    hours = (period.end - period.start) / timedelta(hours=1)
    return int(hours / _SHORTEST_HOURS[granularity]) + 2


def has_whole_hour_offsets(period: Period, zone: ZoneInfo) -> bool:
    """True when the zone's hours are UTC hours throughout the period."""
    days = (period.end - period.start) // timedelta(days=1) + 1
    instants = (min(period.end, period.start + timedelta(days=k)) for k in range(days + 1))
    offsets = (instant.astimezone(zone).utcoffset() or timedelta() for instant in instants)
    return all(offset % timedelta(hours=1) == timedelta() for offset in offsets)
