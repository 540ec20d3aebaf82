"""Calendar documents: what is accepted, what is refused and why, and the three presets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.sla.calendar import Calendar, Spans, SpecialDay
from app.domain.sla.document import Node

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DAY_MINUTES = 1440

_PRESET_WEEKS: Mapping[str, Mapping[str, list[list[str]]]] = {
    "24x7": {day: [["00:00", "24:00"]] for day in WEEKDAYS},
    "9x5": {day: [["09:00", "18:00"]] for day in WEEKDAYS[:5]},
    "12x7": {day: [["09:00", "21:00"]] for day in WEEKDAYS},
}
CALENDAR_PRESETS = tuple(_PRESET_WEEKS)


def calendar_preset(name: str, tz: str = "UTC") -> dict[str, Any]:
    """The document of a preset in a zone (KeyError for an unknown name). Holidays are the tenant's data."""
    week = {day: [list(span) for span in spans] for day, spans in _PRESET_WEEKS[name].items()}
    return {"tz": tz, "weekly": week, "exceptions": []}


def parse_calendar(document: Mapping[str, Any], key: str, version: int) -> Calendar:
    """Read a calendar document.

    `{"tz": "Europe/Kyiv", "weekly": {"mon": [["09:00", "13:00"], ["14:00", "18:00"]], ...},
    "exceptions": [{"date": "2026-03-09", "closed": true, "name": "..."},
    {"date": "2026-03-14", "intervals": [["10:00", "15:00"]]}]}`; a weekday left out is closed,
    `["22:00", "06:00"]` crosses midnight, `24:00` is the end of the day.
    Raises InvalidError: unknown_key, missing_key, unknown_zone, bad_time, empty_interval,
    overlapping_intervals, zero_hours_week, bad_date, duplicate_date, contradictory_exception ...
    """
    fields = Node(document).fields(("tz", "weekly", "exceptions", "name"), required=("tz", "weekly"))
    if "name" in fields:
        fields["name"].text()
    zone = _zone(fields["tz"])
    weekly = _weekly(fields["weekly"])
    special_days: dict[date, SpecialDay] = {}
    for node in fields["exceptions"].elements() if "exceptions" in fields else []:
        day, special_day = _special_day(node)
        if day in special_days:
            raise node.refusal("duplicate_date", f"{day} has an exception already.", "Keep one of the two.")
        special_days[day] = special_day
    calendar = Calendar(key, version, zone, weekly, special_days)
    for index, day in enumerate(special_days):
        _refuse_spill(calendar, day, Node(None, f"/exceptions/{index}"))
    return calendar


def _zone(node: Node) -> ZoneInfo:
    name = node.text()
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # not found, not a key at all, a folder of zones
        raise node.refusal(
            "unknown_zone", f"{name!r} is not an IANA time zone.", "Write it like 'Europe/Kyiv'."
        ) from error


def _weekly(node: Node) -> tuple[Spans, ...]:
    days = node.fields(WEEKDAYS)
    week = tuple(_spans(days[day]) if day in days else () for day in WEEKDAYS)
    if not any(week):
        raise node.refusal(
            "zero_hours_week",
            "A week without working hours can never reach a deadline.",
            "Give at least one interval.",
        )
    for index, spans in enumerate(week):
        following = week[(index + 1) % 7]
        if spans and following and spans[-1][1] - _DAY_MINUTES > following[0][0]:
            raise days[WEEKDAYS[index]].refusal(
                "overlapping_intervals",
                f"The night shift runs into {WEEKDAYS[(index + 1) % 7]}'s hours.",
                "End it earlier, or begin the next day later.",
            )
    return week


def _spans(node: Node) -> Spans:
    found = [(_span(element), element) for element in node.elements()]
    for (before, _), (after, element) in pairwise(found):
        if after[0] < before[1]:
            raise element.refusal(
                "overlapping_intervals",
                "The interval begins before the one above it ends.",
                "Write the intervals of a day in order, without overlap.",
            )
    return tuple(span for span, _ in found)


def _span(node: Node) -> tuple[int, int]:
    ends = node.elements()
    if len(ends) != 2:
        raise node.refusal(
            "bad_interval", "An interval is a pair of times.", 'Write it like ["09:00", "18:00"].'
        )
    start, end = _minutes(ends[0]), _minutes(ends[1])
    if start in (end, _DAY_MINUTES):
        raise node.refusal(
            "empty_interval", "The interval has no length.", 'A whole day is ["00:00", "24:00"].'
        )
    return start, end if start < end else end + _DAY_MINUTES


def _minutes(node: Node) -> int:
    if not isinstance(node.value, str) or not _TIME.fullmatch(node.value):
        raise node.refusal(
            "bad_time", "A time from 00:00 to 24:00 is expected here.", "Write it like '09:00'."
        )
    hours, minutes = node.value.split(":")
    return int(hours) * 60 + int(minutes)


def _special_day(node: Node) -> tuple[date, SpecialDay]:
    fields = node.fields(("date", "closed", "intervals", "name"), required=("date",))
    closed = fields["closed"].flag() if "closed" in fields else False
    spans = _spans(fields["intervals"]) if "intervals" in fields else ()
    if closed == bool(spans):
        raise node.refusal(
            "contradictory_exception",
            "An exception is either closed or has intervals.",
            'Give "closed": true, or at least one interval.',
        )
    name = fields["name"].text() if "name" in fields else ""
    return _date(fields["date"]), SpecialDay(spans, name)


def _date(node: Node) -> date:
    if isinstance(node.value, str) and _ISO_DATE.fullmatch(node.value):
        try:
            return date.fromisoformat(node.value)
        except ValueError:
            pass
    raise node.refusal("bad_date", f"{node.value!r} is not a date.", "Write it like '2026-03-09'.")


def _refuse_spill(calendar: Calendar, day: date, node: Node) -> None:
    """A night shift must not run into the hours of the next date, on either side of an exception."""
    for before in (day - timedelta(days=1), day):
        spans, following = calendar.spans_of(before), calendar.spans_of(before + timedelta(days=1))
        if spans and following and spans[-1][1] - _DAY_MINUTES > following[0][0]:
            raise node.refusal(
                "overlapping_intervals",
                f"The night shift of {before} runs into the next day's hours.",
                "Give one of the two dates other hours.",
            )
