"""Times as partners write them: what each spelling means, and what is refused rather than guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sources.errors import PayloadError
from app.sources.times import (
    epoch_milliseconds,
    epoch_seconds,
    find_zone,
    iso_day,
    iso_time,
    patterned_time,
    start_of_day,
)

KYIV = ZoneInfo("Europe/Kyiv")
NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (1767268800, NOON),
        ("1767268800", NOON),
        (1767268800.25, NOON.replace(microsecond=250_000)),
        ("1767268800.123456789", NOON.replace(microsecond=123_456)),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_seconds_since_1970_are_exact_to_the_microsecond(written: object, expected: datetime) -> None:
    assert epoch_seconds(written).at == expected


@pytest.mark.parametrize(
    "written", [True, None, [], "", "1e9", "NaN", "١٢٣", "1" * 40, float("nan"), float("inf"), 1e300, "0x10"]
)
def test_what_is_no_number_of_seconds_is_refused(written: object) -> None:
    with pytest.raises(PayloadError) as caught:
        epoch_seconds(written, "/at")
    assert (caught.value.reason, caught.value.pointer) == ("time_invalid", "/at")


def test_milliseconds_read_as_seconds_are_refused_not_guessed() -> None:
    assert epoch_milliseconds(1767268800000).at == NOON
    with pytest.raises(PayloadError, match="year 10000"):
        epoch_seconds(1767268800000)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-01-01T12:00:00Z", NOON),
        ("2026-01-01t12:00:00z", NOON),
        ("2026-01-01 12:00:00+00:00", NOON),
        ("2026-01-01T14:00:00+02:00", NOON),
        ("2026-01-01T14:00:00+0200", NOON),
        ("2026-01-01T05:00:00-07", NOON),
        ("2026-01-01T12:00:00.5Z", NOON.replace(microsecond=500_000)),
        ("2026-01-01T12:00:00.123456789Z", NOON.replace(microsecond=123_456)),
    ],
)
def test_rfc_3339_is_read_with_any_offset_and_fraction(written: str, expected: datetime) -> None:
    assert iso_time(written).at == expected
    assert iso_time(written).raw == written


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:30:00Z",
        "2026-01-01T12:00:00+25:00",
        "2026-01-01T12:00:00+02:60",
        "20260101T120000Z",
        "2026-W01-1T00:00:00Z",
        "2026-01-01",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-01-01T12:00:00Z ; drop",
        "",
        7,
    ],
)
def test_what_is_no_rfc_3339_time_is_refused(written: object) -> None:
    with pytest.raises(PayloadError) as caught:
        iso_time(written, KYIV)
    assert caught.value.reason == "time_invalid"


def test_a_time_without_a_zone_needs_a_configured_one() -> None:
    assert iso_time("2026-01-01T14:00:00", KYIV).at == NOON
    with pytest.raises(PayloadError) as caught:
        iso_time("2026-01-01T14:00:00")
    assert caught.value.reason == "zone_missing"


def test_a_stated_offset_wins_over_the_configured_zone() -> None:
    assert iso_time("2026-01-01T12:00:00Z", KYIV).at == NOON


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("03/12/2011 11:00:00 AM", datetime(2011, 3, 12, 16, 0, tzinfo=UTC)),
        ("03/14/2011 11:00:00 AM", datetime(2011, 3, 14, 15, 0, tzinfo=UTC)),
        # 02:30 did not exist that night: the offset before the change is taken.
        ("03/13/2011 02:30:00 AM", datetime(2011, 3, 13, 7, 30, tzinfo=UTC)),
        # 01:30 happened twice: the first one is taken.
        ("11/06/2011 01:30:00 AM", datetime(2011, 11, 6, 5, 30, tzinfo=UTC)),
        ("3/1/2011 2:27:57 PM", datetime(2011, 3, 1, 19, 27, 57, tzinfo=UTC)),
    ],
)
def test_local_times_follow_the_zone_over_a_clock_change(written: str, expected: datetime) -> None:
    assert patterned_time(written, "%m/%d/%Y %I:%M:%S %p", NEW_YORK).at == expected


def test_a_pattern_that_does_not_fit_is_an_error_with_the_pattern_in_it() -> None:
    with pytest.raises(PayloadError, match=r"%d\.%m\.%Y"):
        patterned_time("2026-01-01", "%d.%m.%Y", KYIV)


def test_a_day_begins_at_local_midnight() -> None:
    assert iso_day("2026-01-01", KYIV).at == datetime(2025, 12, 31, 22, 0, tzinfo=UTC)
    assert start_of_day(iso_time("2026-01-01T23:30:00Z"), KYIV).at == datetime(2026, 1, 1, 22, 0, tzinfo=UTC)
    with pytest.raises(PayloadError) as caught:
        iso_day("2026-01-01")
    assert caught.value.reason == "zone_missing"


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "", "America", "../etc/passwd", "/etc/localtime", "Europe/Kyiv\x00", "x" * 5000]
)
def test_what_is_no_zone_is_none_and_never_an_error(name: str) -> None:
    assert find_zone(name) is None


def test_a_zone_is_found_by_its_iana_name() -> None:
    assert find_zone("Europe/Kyiv") == KYIV


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1)))
def test_an_instant_survives_every_spelling(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC)
    assert iso_time(naive.isoformat(sep="T", timespec="microseconds") + "Z").at == at
    micros = int(iso_time(naive.isoformat(timespec="microseconds") + "Z").version)
    assert epoch_seconds(f"{micros // 10**6}.{micros % 10**6:06d}").at == at


@given(st.text(max_size=40))
def test_no_text_is_anything_but_a_time_or_a_payload_error(text: str) -> None:
    for read in (epoch_seconds, epoch_milliseconds, iso_time, iso_day):
        try:
            read(text)
        except PayloadError as error:
            assert error.cure
