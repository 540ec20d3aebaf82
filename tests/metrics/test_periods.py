"""Periods and buckets over clock changes, month ends and odd zones."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidError
from app.metrics.buckets import (
    Granularity,
    Period,
    bucket_starts,
    has_whole_hour_offsets,
    most_buckets,
    truncate,
)
from app.metrics.period import get_zone, previous, resolve_period, span, year_before

KYIV = ZoneInfo("Europe/Kyiv")
UTC_ZONE = ZoneInfo("UTC")


def local(period: Period, zone: ZoneInfo) -> tuple[str, str]:
    return tuple(t.astimezone(zone).strftime("%Y-%m-%d %H:%M") for t in (period.start, period.end))


# It is Wednesday, 18 March 2026, 01:30 in Kyiv (still the 17th in UTC).
NOW = datetime(2026, 3, 17, 23, 30, tzinfo=UTC)

PERIODS = [
    ("1d", "2026-03-18 00:00", "2026-03-19 00:00"),
    ("28d", "2026-02-19 00:00", "2026-03-19 00:00"),
    ("2w", "2026-03-05 00:00", "2026-03-19 00:00"),
    ("1m", "2026-02-19 00:00", "2026-03-19 00:00"),
    ("1y", "2025-03-19 00:00", "2026-03-19 00:00"),
    ("3h", "2026-03-17 23:00", "2026-03-18 02:00"),
    ("today", "2026-03-18 00:00", "2026-03-19 00:00"),
    ("yesterday", "2026-03-17 00:00", "2026-03-18 00:00"),
    ("this_week", "2026-03-16 00:00", "2026-03-23 00:00"),
    ("last_month", "2026-02-01 00:00", "2026-03-01 00:00"),
    ("this_quarter", "2026-01-01 00:00", "2026-04-01 00:00"),
    ("last_quarter", "2025-10-01 00:00", "2026-01-01 00:00"),
    ("last_year", "2025-01-01 00:00", "2026-01-01 00:00"),
]


@pytest.mark.parametrize(("text", "start", "end"), PERIODS)
def test_shortcuts_are_local_days_hours_and_calendar_units(text, start, end):
    assert local(resolve_period(text, KYIV, NOW), KYIV) == (start, end)


@pytest.mark.parametrize(
    "text",
    ["", "28", "0d", "d", "-1d", "28D", "9999y", "1500y", "last_day", "x" * 500, "٣d", "1d\x00", "99999d"],
)
def test_what_is_no_period_is_refused_with_examples(text):
    with pytest.raises(InvalidError) as refused:
        resolve_period(text, KYIV, NOW)
    assert refused.value.reason == "invalid_period"
    assert "28d" in refused.value.cure


def test_spans_take_local_dates_and_instants_and_exclude_their_end():
    period = span("2026-03-01", "2026-03-02T09:00:00Z", KYIV)
    assert period == Period(
        datetime(2026, 2, 28, 22, tzinfo=UTC),
        datetime(2026, 3, 2, 9, tzinfo=UTC),
    )
    naive = span("2026-03-01 10:00", "2026-03-01T12:00", KYIV)
    assert naive.start == datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ("2026-03-02", "2026-03-02", "empty_period"),
        ("2026-03-02", "2026-03-01", "empty_period"),
        ("2026-02-31", "2026-03-01", "invalid_time"),
        ("2026-W09", "2026-03-01", "invalid_time"),
        ("2026-03-01", "tomorrow", "invalid_time"),
        ("0001-01-01", "2026-03-01", "invalid_time"),
        ("2026-03-01", "2026-03-01T25:00:00Z", "invalid_time"),
        ("0001-01-02", "2026-03-01", "invalid_period"),
        ("1899-12-30", "2026-03-01", "invalid_period"),
        ("9999-12-30", "9999-12-31", "invalid_period"),
        ("2026-03-01", "2200-01-03", "invalid_period"),
    ],
)
def test_impossible_spans_are_refused(start, end, reason):
    with pytest.raises(InvalidError) as refused:
        span(start, end, KYIV)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("28d", "2026-01-22 00:00", "2026-02-19 00:00"),
        ("this_month", "2026-02-01 00:00", "2026-03-01 00:00"),
        ("last_quarter", "2025-07-01 00:00", "2025-10-01 00:00"),
        ("3h", "2026-03-17 20:00", "2026-03-17 23:00"),
    ],
)
def test_the_previous_period_ends_where_this_one_begins(text, start, end):
    assert local(previous(resolve_period(text, KYIV, NOW), KYIV), KYIV) == (start, end)


def test_the_week_before_a_clock_change_has_as_many_local_days():
    over_the_change = span("2026-03-28", "2026-03-31", KYIV)  # 3 local days, 71 hours
    assert over_the_change.end - over_the_change.start == timedelta(hours=71)
    assert local(previous(over_the_change, KYIV), KYIV) == ("2026-03-25 00:00", "2026-03-28 00:00")


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Kyiv", "2026-03-29", 23),
        ("Europe/Kyiv", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Asia/Kathmandu", "2026-03-29", 24),
        ("America/Sao_Paulo", "2018-11-04", 23),  # its midnight did not exist
    ],
)
def test_a_day_of_a_clock_change_has_23_or_25_hours(zone, day, hours):
    where = ZoneInfo(zone)
    next_day = (datetime.fromisoformat(day) + timedelta(days=1)).strftime("%Y-%m-%d")
    period = span(day, next_day, where)
    assert period.end - period.start == timedelta(hours=hours)
    assert len(bucket_starts(period, Granularity.HOUR, where)) == hours
    assert bucket_starts(period, Granularity.DAY, where) == [period.start]


def test_buckets_cover_the_period_from_the_unit_that_holds_its_start():
    period = span("2026-01-15", "2026-03-02", KYIV)
    months = [t.astimezone(KYIV).strftime("%m-%d") for t in bucket_starts(period, Granularity.MONTH, KYIV)]
    assert months == ["01-01", "02-01", "03-01"]
    weeks = bucket_starts(period, Granularity.WEEK, KYIV)
    assert weeks[0].astimezone(KYIV).strftime("%a %m-%d") == "Mon 01-12"
    assert bucket_starts(period, Granularity.NONE, KYIV) == []


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    st.integers(1, 24 * 60),
    st.sampled_from([g for g in Granularity if g is not Granularity.NONE]),
    st.sampled_from(["UTC", "Europe/Kyiv", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns"]),
)
def test_every_instant_falls_in_exactly_one_of_the_buckets(start, hours, granularity, zone_name):
    zone = ZoneInfo(zone_name)
    start = start.replace(tzinfo=UTC)
    period = Period(start, start + timedelta(hours=hours))
    starts = bucket_starts(period, granularity, zone)
    assert starts == sorted(set(starts))
    assert len(starts) <= most_buckets(period, granularity) * (2 if "Howe" in zone_name else 1)
    middle = start + timedelta(hours=hours) / 3
    assert truncate(middle, granularity, zone) in starts


def test_zones_of_half_hours_do_not_share_hours_with_utc():
    period = span("2026-03-01", "2026-04-30", UTC_ZONE)
    assert has_whole_hour_offsets(period, KYIV)
    assert not has_whole_hour_offsets(period, ZoneInfo("Asia/Kolkata"))
    assert not has_whole_hour_offsets(period, ZoneInfo("Australia/Lord_Howe"))


@pytest.mark.parametrize(
    "name", ["Europe/Kiyv", "+02:00", "", "../../etc/passwd", "UTC\x00", "x" * 9000, "localtime"]
)
def test_an_unknown_zone_is_refused_and_the_nearest_named(name):
    with pytest.raises(InvalidError) as refused:
        get_zone(name)
    assert refused.value.reason == "unknown_time_zone"
    assert "nearest" in refused.value.cure
    assert len(refused.value.detail) < 200


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Apia"])
def test_the_outermost_periods_have_one_before_and_one_a_year_before(zone):
    period = span("1900-01-01", "2200-01-01", ZoneInfo(zone))
    assert previous(period, ZoneInfo(zone)).end == period.start
    assert year_before(period, ZoneInfo(zone)).start < period.start


def test_the_nearest_zone_is_near():
    with pytest.raises(InvalidError) as refused:
        get_zone("Europe/Kiyv")
    assert "'Europe/Kyiv'" in refused.value.cure
