"""Instants as whole microseconds since 1970 in UTC: the exact arithmetic under the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
_MICROSECOND = timedelta(microseconds=1)
_EPOCH_ORDINAL = EPOCH.toordinal()


def micros(instant: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z of an aware datetime (naive ones raise TypeError)."""
    return (instant - EPOCH) // _MICROSECOND


def instant_of(value: int) -> datetime:
    """The aware UTC datetime of a number of microseconds (OverflowError outside years 1..9999)."""
    return EPOCH + timedelta(microseconds=value)


def wall_midnight(day: date) -> int:
    """Local midnight of a date as microseconds on the local wall clock, read as if it were UTC."""
    return (day.toordinal() - _EPOCH_ORDINAL) * DAY


def seconds_of(span: int) -> float:
    """Seconds of a span of microseconds."""
    return span / SECOND
