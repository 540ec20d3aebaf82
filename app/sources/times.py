"""Times as partners write them -> the instant in UTC, with the words they were written in.

Whether a number counts seconds or milliseconds is fixed per source and never guessed from its size.
A time without a zone is read in the zone that the source is configured with, or refused. In the hour
that a clock change repeats the first reading is taken; in the hour it skips, the offset before the change.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.sources.errors import PayloadError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_TEXT = re.compile(r"-?[0-9]{1,16}(?:\.[0-9]{1,12})?")
_ISO_TEXT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
    r" ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)


class Moment(NamedTuple):
    """An instant in UTC and the text it was read from."""

    at: datetime
    raw: str

    @property
    def version(self) -> Decimal:
        """Version of an object that is versioned by time: microseconds since 1970, as the door reads one."""
        return Decimal((self.at - _EPOCH) // timedelta(microseconds=1))


def epoch_seconds(value: object, pointer: str = "") -> Moment:
    """Seconds since 1970 as a number or as text, fractions allowed (cut to microseconds)."""
    return _epoch(value, 1_000_000, pointer)


def epoch_milliseconds(value: object, pointer: str = "") -> Moment:
    """Milliseconds since 1970 as a number or as text."""
    return _epoch(value, 1_000, pointer)


def iso_time(value: object, zone: ZoneInfo | None = None, pointer: str = "") -> Moment:
    """RFC 3339 with up to nanoseconds (cut to microseconds); without an offset it is read in `zone`."""
    text = _text(value, pointer)
    match = _ISO_TEXT.fullmatch(text)
    if match is None:
        raise _invalid(text, "an ISO 8601 time such as 2026-03-01T09:30:00Z", pointer)
    day, minute, second, fraction, offset = match.groups()
    try:
        written = datetime.fromisoformat(f"{day}T{minute}:{second or '00'}")
        written = written.replace(microsecond=int(((fraction or "") + "000000")[:6]))
        if offset is not None:
            written = written.replace(tzinfo=_offset(offset))
    except ValueError as error:
        raise _invalid(text, "a time that exists", pointer) from error
    return Moment(_in_utc(written, zone, text, pointer), text)


def patterned_time(value: object, pattern: str, zone: ZoneInfo | None = None, pointer: str = "") -> Moment:
    """A time written after a strptime `pattern`; without `%z` it is read in `zone`."""
    text = _text(value, pointer)
    try:
        written = datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is applied right below
    except ValueError as error:
        raise _invalid(text, f"a time written as {pattern!r}", pointer) from error
    return Moment(_in_utc(written, zone, text, pointer), text)


def iso_day(value: object, zone: ZoneInfo | None = None, pointer: str = "") -> Moment:
    """A calendar day such as 2026-03-01: the first instant of that day in `zone`."""
    text = _text(value, pointer)
    try:
        if len(text) != 10:
            raise ValueError(text)
        written = datetime.combine(date.fromisoformat(text), time())
    except ValueError as error:
        raise _invalid(text, "a day such as 2026-03-01", pointer) from error
    return Moment(_in_utc(written, zone, text, pointer), text)


def start_of_day(moment: Moment, zone: ZoneInfo | None, pointer: str = "") -> Moment:
    """The first instant of the local day that holds `moment`."""
    if zone is None:
        raise _zone_missing(moment.raw, pointer)
    local = moment.at.astimezone(zone)
    midnight = datetime.combine(local.date(), time())
    return Moment(_in_utc(midnight, zone, moment.raw, pointer), moment.raw)


def find_zone(name: str) -> ZoneInfo | None:
    """The IANA zone of that name, or None; hostile names ("../x", a folder, NUL) are no zones either."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _epoch(value: object, unit_microseconds: int, pointer: str) -> Moment:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _invalid(value, "a number of seconds or milliseconds since 1970", pointer)
    text = value.strip() if isinstance(value, str) else repr(value)
    if _EPOCH_TEXT.fullmatch(text) is None:
        raise _invalid(text, "a number of seconds or milliseconds since 1970", pointer)
    try:
        at = _EPOCH + timedelta(microseconds=int(Decimal(text) * unit_microseconds))
    except OverflowError as error:
        raise _invalid(text, "a time before the year 10000 (seconds or milliseconds?)", pointer) from error
    return Moment(at, text)


def _offset(text: str) -> timezone:
    if text in ("Z", "z"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if minutes > 59:
        raise ValueError(text)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def _in_utc(written: datetime, zone: ZoneInfo | None, text: str, pointer: str) -> datetime:
    if written.tzinfo is None:
        if zone is None:
            raise _zone_missing(text, pointer)
        written = written.replace(tzinfo=zone)
    try:
        return written.astimezone(UTC)
    except OverflowError as error:
        raise _invalid(text, "a time between the years 1 and 9999", pointer) from error


def _text(value: object, pointer: str) -> str:
    if not isinstance(value, str):
        raise _invalid(value, "a time written as text", pointer)
    return value.strip()


def _invalid(value: object, wanted: str, pointer: str) -> PayloadError:
    shown = str(value)[:60]
    return PayloadError("time_invalid", f"{shown!r} is not {wanted}", pointer=pointer, cure=f"Send {wanted}.")


def _zone_missing(text: str, pointer: str) -> PayloadError:
    return PayloadError(
        "zone_missing",
        f"{text[:60]!r} names no zone and the source has none",
        pointer=pointer,
        cure="Give the source or the mapping an IANA zone such as Europe/Kyiv.",
    )
