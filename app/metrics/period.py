"""Periods as they are written: what "28d" or "this_month" means at this moment in this zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.errors import InvalidError
from app.kit.zones import zone_names
from app.metrics.buckets import (
    Granularity,
    Period,
    add_months,
    is_midnight,
    midnight,
    step,
    truncate,
    unit_start,
)

DEFAULT_PERIOD: Final = "28d"

_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 2, tzinfo=UTC)
"""No event is older; what is later is a slip of the pen. Between them no calendar arithmetic can overflow."""

_SHORTCUT: Final = re.compile(r"([1-9]\d{0,3})([hdwmy])", re.ASCII)
_LOCAL_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_UNITS: Final = (Granularity.WEEK, Granularity.MONTH, Granularity.QUARTER, Granularity.YEAR)
_NAMED: Final = {
    "today": (Granularity.DAY, 0),
    "yesterday": (Granularity.DAY, -1),
    **{f"this_{unit}": (unit, 0) for unit in _UNITS},
    **{f"last_{unit}": (unit, -1) for unit in _UNITS},
}


def get_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises InvalidError `unknown_time_zone`; the cure names the nearest."""
    if name in zone_names():
        return ZoneInfo(name)
    near = get_close_matches(name[:64], sorted(zone_names()), n=1, cutoff=0.0)
    raise InvalidError(
        "unknown_time_zone",
        f"{name[:64]!r} is not an IANA time zone",
        pointer="/time_zone",
        cure=f"the nearest is {near[0]!r}; an offset such as +02:00 is not a zone",
    )


def resolve_period(text: str, zone: ZoneInfo, now: datetime) -> Period:
    """What a shortcut means now. Raises InvalidError `invalid_period`.

    `Nd`, `Nw`, `Nm`, `Ny` end with the local day of now, `Nh` with its hour; `today`, `yesterday` and
    `this_` or `last_` `week`, `month`, `quarter`, `year` are calendar periods.
    """
    today = now.astimezone(zone).date()
    named, match = _NAMED.get(text), _SHORTCUT.fullmatch(text)
    try:
        if named is not None:
            unit, steps = named
            start = step(unit_start(today, unit), unit, steps)
            return Period(midnight(start, zone), midnight(step(start, unit, 1), zone), unit)
        if match is not None:
            return _within_reach(_rolling(int(match[1]), match[2], today, zone, now), "/period")
    except (OverflowError, ValueError):
        pass  # a period that begins before the first year
    raise InvalidError(
        "invalid_period",
        f"{text[:32]!r} is not a period",
        pointer="/period",
        cure='write "28d", "12w", "24h", "this_month", "last_week", or give from and to',
    )


def _rolling(count: int, unit: str, today: date, zone: ZoneInfo, now: datetime) -> Period:
    if unit == "h":
        end = truncate(now, Granularity.HOUR, zone) + timedelta(hours=1)
        return Period(end - timedelta(hours=count), end)
    tomorrow = today + timedelta(days=1)
    if unit in "my":
        start = add_months(tomorrow, -count * (12 if unit == "y" else 1))
    else:
        start = tomorrow - timedelta(days=count * (7 if unit == "w" else 1))
    return Period(midnight(start, zone), midnight(tomorrow, zone))


def span(start: str, end: str, zone: ZoneInfo, pointer: str = "/period") -> Period:
    """The period between two dates or instants, the end excluded; naive ones are local to the zone.

    Raises InvalidError `invalid_time`, `empty_period`, `invalid_period` (out of reach).
    """
    period = Period(parse_instant(start, zone, f"{pointer}/from"), parse_instant(end, zone, f"{pointer}/to"))
    if period.start >= period.end:
        raise InvalidError(
            "empty_period",
            f"nothing lies between {start} and {end}",
            pointer=f"{pointer}/to",
            cure="put from before to; to is excluded",
        )
    return _within_reach(period, pointer)


def _within_reach(period: Period, pointer: str) -> Period:
    if period.start < _FIRST - timedelta(days=1) or period.end > _LAST:
        raise InvalidError(
            "invalid_period",
            "the period reaches beyond the years 1900 to 2199",
            pointer=pointer,
            cure='no event is older: take a period within them, such as "28d"',
        )
    return period


def parse_instant(text: str, zone: ZoneInfo, pointer: str) -> datetime:
    """A date (its local midnight) or an instant, in UTC. Raises InvalidError `invalid_time`."""
    try:
        if _LOCAL_DATE.fullmatch(text):
            return midnight(date.fromisoformat(text), zone)
        if _INSTANT.fullmatch(text):
            instant = datetime.fromisoformat(text)
            return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)
    except (OverflowError, ValueError):
        pass  # the 31st of February, or a day before the first year
    raise InvalidError(
        "invalid_time",
        f"{text[:40]!r} is neither a date nor an instant",
        pointer=pointer,
        cure="write 2026-03-01, or 2026-03-01T09:00:00+02:00",
    )


def previous(period: Period, zone: ZoneInfo) -> Period:
    """The period before: the calendar unit before, or as many local days, or as many seconds."""
    start, end = period.start.astimezone(zone).date(), period.end.astimezone(zone).date()
    if period.unit is not None:
        return Period(midnight(step(start, period.unit, -1), zone), period.start, period.unit)
    if is_midnight(period.start, zone) and is_midnight(period.end, zone):
        return Period(midnight(start - (end - start), zone), period.start)
    return Period(period.start - (period.end - period.start), period.start)


def year_before(period: Period, zone: ZoneInfo) -> Period:
    """The same local times a year earlier (the 29th of February becomes the 28th)."""

    def shifted(instant: datetime) -> datetime:
        local = instant.astimezone(zone)
        day = add_months(local.date(), -12)
        return datetime.combine(day, local.time(), tzinfo=zone).astimezone(UTC)

    return Period(shifted(period.start), shifted(period.end), period.unit)
