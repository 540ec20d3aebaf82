"""Working time: the table of the domain reference, daylight saving, night shifts, and refusals."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from time import perf_counter
from typing import Any

import pytest

from app.domain.errors import InvalidError
from app.domain.sla import CALENDAR_PRESETS, Calendar, Closure, calendar_preset, parse_calendar

from .builders import around_the_clock, at, office, worked

HOUR = 3600
KYIV = "Europe/Kyiv"


def calendar(
    weekly: dict[str, Any], tz: str = "UTC", exceptions: list[dict[str, Any]] | None = None
) -> Calendar:
    return parse_calendar({"tz": tz, "weekly": weekly, "exceptions": exceptions or []}, "test", 1)


@pytest.mark.parametrize(
    ("tz", "start", "end", "closed", "minutes"),
    [
        ("UTC", "2026-10-01 17:30", "2026-10-02 09:30", (), 60),
        (KYIV, "2026-03-06 17:30", "2026-03-09 09:45", (), 75),
        (KYIV, "2026-03-06 17:30", "2026-03-10 09:45", ("2026-03-09",), 75),
    ],
)
def test_working_minutes_between_two_times_are_those_of_the_published_table(
    tz: str, start: str, end: str, closed: tuple[str, ...], minutes: int
) -> None:
    assert worked(office(tz, closed), at(start, tz), at(end, tz)) == minutes * 60


@pytest.mark.parametrize(
    ("start", "hours", "due", "closed"),
    [
        ("2026-03-06 16:00", 4, "2026-03-09 11:00", ()),
        ("2026-03-06 14:00", 4, "2026-03-06 18:00", ()),
        ("2026-03-07 12:00", 1, "2026-03-09 10:00", ()),
        ("2026-03-06 16:00", 9, "2026-03-09 16:00", ()),
        ("2026-03-06 16:00", 9, "2026-03-10 16:00", ("2026-03-09",)),
    ],
)
def test_a_due_time_prefers_the_end_of_a_day_to_the_start_of_the_next(
    start: str, hours: int, due: str, closed: tuple[str, ...]
) -> None:
    found = office(KYIV, closed).add_working_seconds(at(start, KYIV), hours * HOUR)
    assert found == at(due, KYIV)


@pytest.mark.parametrize(
    ("tz", "start", "end", "hours"),
    [
        (KYIV, "2026-03-28 22:00", "2026-03-29 10:00", 11),
        (KYIV, "2026-10-24 22:00", "2026-10-25 10:00", 13),
        ("Europe/Berlin", "2026-03-29 00:00", "2026-03-30 00:00", 23),
        ("Europe/Berlin", "2026-10-25 00:00", "2026-10-26 00:00", 25),
        ("America/New_York", "2026-03-08 00:00", "2026-03-09 00:00", 23),
        ("America/New_York", "2026-11-01 00:00", "2026-11-02 00:00", 25),
        ("Australia/Lord_Howe", "2026-10-04 00:00", "2026-10-05 00:00", 23.5),
        ("Australia/Lord_Howe", "2026-04-05 00:00", "2026-04-06 00:00", 24.5),
        ("Europe/Berlin", "2026-06-01 00:00", "2026-06-02 00:00", 24),
    ],
)
def test_a_day_around_the_clock_is_as_long_as_it_was_lived(
    tz: str, start: str, end: str, hours: float
) -> None:
    assert worked(around_the_clock(tz), at(start, tz), at(end, tz)) == hours * HOUR


@pytest.mark.parametrize(
    ("tz", "day", "hours", "span"),
    [
        # The gap skips 02:00-03:00: of a shift 01:00-04:00 two hours are left.
        ("Europe/Berlin", "2026-03-29", 2, ["01:00", "04:00"]),
        # A shift inside the gap does not take place, and one that begins in it begins with its end.
        ("Europe/Berlin", "2026-03-29", 0, ["02:10", "02:50"]),
        ("Europe/Berlin", "2026-03-29", 1, ["02:30", "04:00"]),
        # The fold shows 02:00-03:00 twice, and both count.
        ("Europe/Berlin", "2026-10-25", 4, ["01:00", "04:00"]),
        ("Europe/Berlin", "2026-10-25", 1, ["02:00", "02:30"]),
        ("Australia/Lord_Howe", "2026-10-04", 2.5, ["01:00", "04:00"]),
        ("Australia/Lord_Howe", "2026-04-05", 3.5, ["01:00", "04:00"]),
    ],
)
def test_gaps_and_folds_count_what_the_wall_clock_showed(
    tz: str, day: str, hours: float, span: list[str]
) -> None:
    hours_of_sunday = calendar({"sun": [span], "wed": [["10:00", "11:00"]]}, tz)
    start, end = at(f"{day} 00:00", tz), at(f"{day} 23:59", tz)
    assert worked(hours_of_sunday, start, end) == hours * HOUR


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    nights = calendar({"fri": [["22:00", "06:00"]]}, exceptions=[{"date": "2026-03-14", "closed": True}])
    assert worked(nights, at("2026-03-06 00:00"), at("2026-03-08 00:00")) == 8 * HOUR
    # The holiday on Saturday leaves Friday's shift, which runs into it, in place.
    assert worked(nights, at("2026-03-14 05:00"), at("2026-03-14 07:00")) == HOUR


def test_a_closed_friday_takes_its_night_shift_away() -> None:
    nights = calendar({"fri": [["22:00", "06:00"]]}, exceptions=[{"date": "2026-03-13", "closed": True}])
    assert worked(nights, at("2026-03-13 00:00"), at("2026-03-15 00:00")) == 0


def test_a_lunch_break_is_left_out_and_a_transferred_day_is_worked() -> None:
    split = calendar(
        {"mon": [["09:00", "13:00"], ["14:00", "18:00"]]},
        exceptions=[{"date": "2026-03-14", "intervals": [["10:00", "12:00"]], "name": "for Monday"}],
    )
    assert worked(split, at("2026-03-09 12:30"), at("2026-03-09 14:30")) == HOUR
    assert worked(split, at("2026-03-14 00:00"), at("2026-03-15 00:00")) == 2 * HOUR


def test_5c_12_a_week_without_monday_counts_like_any_other() -> None:
    rest = calendar({day: [["09:00", "18:00"]] for day in ("tue", "wed", "thu", "fri")})
    assert rest.add_working_seconds(at("2026-03-06 17:00"), 2 * HOUR) == at("2026-03-10 10:00")


def test_a_closed_date_is_called_a_holiday_and_another_out_of_hours() -> None:
    kyiv = office(KYIV, ("2026-03-09",))
    assert kyiv.closure_of(date(2026, 3, 9)) is Closure.HOLIDAY
    assert kyiv.closure_of(date(2026, 3, 7)) is Closure.OUT_OF_HOURS


@pytest.mark.parametrize(
    ("received", "n", "closes"),
    [
        ("2026-03-04", 3, "2026-03-10 18:00"),  # Wed: Thu, Fri, (weekend, Monday closed), Tue
        ("2026-03-07", 1, "2026-03-10 18:00"),  # received on a Saturday
        ("2026-03-04", 1, "2026-03-05 18:00"),
    ],
)
def test_close_of_the_nth_business_day_never_counts_the_day_of_receipt(
    received: str, n: int, closes: str
) -> None:
    kyiv = office(KYIV, ("2026-03-09",))
    assert kyiv.end_of_business_day(date.fromisoformat(received), n) == at(closes, KYIV)


def test_the_zeroth_business_day_is_refused() -> None:
    with pytest.raises(ValueError, match="n >= 1"):
        office().end_of_business_day(date(2026, 3, 4), 0)


def test_a_business_day_of_an_uneven_week_is_the_commonest_and_of_equals_the_longest() -> None:
    short_friday = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu")} | {
        "fri": [["09:00", "16:00"]]
    }
    assert calendar(short_friday).business_day_seconds == 9 * HOUR
    even = {"mon": [["09:00", "13:00"]], "tue": [["09:00", "18:00"]]}
    assert calendar(even).business_day_seconds == 9 * HOUR
    assert around_the_clock().business_day_seconds == 24 * HOUR


def test_a_day_that_its_zone_skipped_has_no_hours_and_is_over_at_once() -> None:
    samoa = around_the_clock("Pacific/Apia")
    day_before = samoa.end_of_day(date(2011, 12, 29))
    assert samoa.end_of_day(date(2011, 12, 30)) == day_before
    assert samoa.end_of_day(date(2011, 12, 31)) == day_before + timedelta(days=1)


def test_microseconds_survive_adding_and_counting() -> None:
    start = at("2026-03-06 16:00:00.123457")
    due = office().add_working_seconds(start, 4 * HOUR)
    assert due == at("2026-03-09 11:00:00.123457")
    assert worked(office(), start, due) == 4 * HOUR


def test_adding_nothing_stays_even_outside_hours() -> None:
    assert office().add_working_seconds(at("2026-03-07 12:00"), 0) == at("2026-03-07 12:00")
    assert worked(office(), at("2026-03-09 12:00"), at("2026-03-06 12:00")) == 0


def test_ten_years_are_counted_in_no_time() -> None:
    berlin = office("Europe/Berlin")
    start, end = at("2016-01-01 00:00"), at("2026-01-01 00:00")
    first = worked(berlin, start, end)
    began = perf_counter()
    for _ in range(100):
        assert worked(berlin, start, end) == first
        assert berlin.add_working_seconds(start, first) <= end
    assert perf_counter() - began < 1
    assert first == sum(9 * HOUR for n in range(3653) if (start + timedelta(days=n)).weekday() < 5)


def test_intervals_are_ordered_and_maximal() -> None:
    found = list(
        around_the_clock("Europe/Berlin").working_intervals(at("2025-12-30 00:00"), at("2026-04-02 00:00"))
    )
    assert found == [(at("2025-12-30 00:00"), at("2026-04-02 00:00"))]
    weekend = list(office().working_intervals(at("2026-03-06 17:00"), at("2026-03-09 09:30")))
    assert weekend == [
        (at("2026-03-06 17:00"), at("2026-03-06 18:00")),
        (at("2026-03-09 09:00"), at("2026-03-09 09:30")),
    ]


def test_the_next_working_time_of_the_very_end_of_a_day_is_itself() -> None:
    assert office().next_working_at(at("2026-03-06 18:00")) == at("2026-03-06 18:00")
    assert office().next_working_at(at("2026-03-06 18:00:01")) == at("2026-03-09 09:00")
    assert office().next_working_at(at("2026-03-06 10:00")) == at("2026-03-06 10:00")


def test_a_due_time_beyond_the_last_year_is_refused() -> None:
    with pytest.raises(InvalidError) as refused:
        office().add_working_seconds(datetime.fromisoformat("2199-12-30T00:00Z"), 30 * 9 * HOUR)
    assert refused.value.reason == "due_out_of_range"


@pytest.mark.parametrize("name", CALENDAR_PRESETS)
def test_every_preset_is_a_calendar(name: str) -> None:
    hours = {"24x7": 168, "9x5": 45, "12x7": 84}[name]
    preset = parse_calendar(calendar_preset(name, "UTC"), name, 1)
    assert worked(preset, at("2026-03-02 00:00"), at("2026-03-09 00:00")) == hours * HOUR


WEEK = {"mon": [["09:00", "18:00"]]}


@pytest.mark.parametrize(
    ("document", "reason", "pointer"),
    [
        ({"tz": "UTC"}, "missing_key", ""),
        ({"weekly": WEEK}, "missing_key", ""),
        ({"tz": "UTC", "weekly": WEEK, "hollidays": []}, "unknown_key", "/hollidays"),
        ({"tz": "Europe/Kiew", "weekly": WEEK}, "unknown_zone", "/tz"),
        ({"tz": "../etc/passwd", "weekly": WEEK}, "unknown_zone", "/tz"),
        ({"tz": "Europe", "weekly": WEEK}, "unknown_zone", "/tz"),
        ({"tz": "\0", "weekly": WEEK}, "not_text", "/tz"),
        ({"tz": 3, "weekly": WEEK}, "not_text", "/tz"),
        ({"tz": "UTC", "weekly": {}}, "zero_hours_week", "/weekly"),
        ({"tz": "UTC", "weekly": {"mon": []}}, "zero_hours_week", "/weekly"),
        ({"tz": "UTC", "weekly": {"monday": []}}, "unknown_key", "/weekly/monday"),
        ({"tz": "UTC", "weekly": {"mon": "9-18"}}, "not_an_array", "/weekly/mon"),
        ({"tz": "UTC", "weekly": {"mon": [["09:00"]]}}, "bad_interval", "/weekly/mon/0"),
        ({"tz": "UTC", "weekly": {"mon": [["9:00", "18:00"]]}}, "bad_time", "/weekly/mon/0/0"),
        ({"tz": "UTC", "weekly": {"mon": [["09:00", "24:01"]]}}, "bad_time", "/weekly/mon/0/1"),
        ({"tz": "UTC", "weekly": {"mon": [["09:00", "09:00"]]}}, "empty_interval", "/weekly/mon/0"),
        (
            {"tz": "UTC", "weekly": {"mon": [["09:00", "13:00"], ["12:00", "18:00"]]}},
            "overlapping_intervals",
            "/weekly/mon/1",
        ),
        (
            {"tz": "UTC", "weekly": {"sun": [["22:00", "06:00"]], "mon": [["05:00", "09:00"]]}},
            "overlapping_intervals",
            "/weekly/sun",
        ),
        (
            {"tz": "UTC", "weekly": WEEK, "exceptions": [{"date": "2026-02-30", "closed": True}]},
            "bad_date",
            "/exceptions/0/date",
        ),
        (
            {"tz": "UTC", "weekly": WEEK, "exceptions": [{"date": "2026-03-01"}]},
            "contradictory_exception",
            "/exceptions/0",
        ),
        (
            {
                "tz": "UTC",
                "weekly": WEEK,
                "exceptions": [
                    {"date": "2026-03-01", "closed": True},
                    {"date": "2026-03-01", "closed": True},
                ],
            },
            "duplicate_date",
            "/exceptions/1",
        ),
        (
            {
                "tz": "UTC",
                "weekly": {"fri": [["22:00", "06:00"]]},
                "exceptions": [{"date": "2026-03-14", "intervals": [["05:00", "07:00"]]}],
            },
            "overlapping_intervals",
            "/exceptions/0",
        ),
    ],
)
def test_a_calendar_that_cannot_be_right_is_refused_with_its_place(
    document: dict[str, Any], reason: str, pointer: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_calendar(document, "test", 1)
    assert (refused.value.reason, refused.value.pointer) == (reason, pointer)
