"""Answers in their local buckets: short and long days, hours that come twice, weeks, filled gaps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.metrics.conftest import Ask
from tests.metrics.world import Answer, World, several


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def test_the_period_excludes_its_end(world: World, ask: Ask) -> None:
    # March in Kyiv: [2026-02-28 22:00 UTC, 2026-03-31 21:00 UTC); the clocks went forward on the 29th
    edges = ["2026-02-28T21:59:59", "2026-02-28T22:00:00", "2026-03-31T20:59:59", "2026-03-31T21:00:00"]
    await world.commit(*(Answer(9, at=utc(edge)) for edge in edges))
    assert (await ask("responses")).rows[0]["responses"] == 2


async def test_days_are_local_and_the_short_one_has_23_hours(world: World, ask: Ask) -> None:
    # Kyiv, 29 March 2026: the clock jumps from 03:00 to 04:00
    await world.commit(
        Answer(9, at=utc("2026-03-28T21:59:00")),  # 28th, 23:59
        Answer(9, at=utc("2026-03-28T22:00:00")),  # 29th, 00:00
        Answer(9, at=utc("2026-03-29T20:59:00")),  # 29th, 23:59, only 22 h 59 min later
        Answer(9, at=utc("2026-03-29T21:00:00")),  # 30th, 00:00
    )
    answer = await ask("responses", granularity="day")
    assert [(row["bucket"].isoformat(), row["responses"]) for row in answer.rows] == [
        ("2026-03-28T00:00:00+02:00", 1),
        ("2026-03-29T00:00:00+02:00", 2),
        ("2026-03-30T00:00:00+03:00", 1),
    ]
    in_utc = await ask("responses", granularity="day", time_zone="UTC")
    assert [row["responses"] for row in in_utc.rows] == [2, 2]


async def test_the_hour_that_comes_twice_is_two_hours(world: World, ask: Ask) -> None:
    # Kyiv, 25 October 2026: 03:30 comes at +03:00 (00:30 UTC) and again at +02:00 (01:30 UTC)
    await world.commit(Answer(9, at=utc("2026-10-25T00:30:00")), Answer(9, at=utc("2026-10-25T01:30:00")))
    day = {"from": "2026-10-25", "to": "2026-10-26"}
    now = utc("2026-11-01T00:00:00")
    answer = await ask("responses", granularity="hour", period=day, now=now)
    assert [row["bucket"].isoformat() for row in answer.rows] == [
        "2026-10-25T03:00:00+03:00",
        "2026-10-25T03:00:00+02:00",
    ]
    filled = await ask("responses", granularity="hour", period=day, fill="null", now=now)
    assert len(filled.rows) == 25
    assert [row["responses"] for row in filled.rows].count(None) == 23
    ordered = await ask("responses", granularity="hour", period=day, order=["-bucket"], now=now)
    assert [row["bucket"].utcoffset() for row in ordered.rows] == [timedelta(hours=2), timedelta(hours=3)]


@pytest.mark.parametrize(
    ("granularity", "starts"),
    [
        ("week", ["2026-02-23", "2026-03-02", "2026-03-30"]),
        ("month", ["2026-03-01"]),
        ("quarter", ["2026-01-01"]),
        ("year", ["2026-01-01"]),
    ],
)
async def test_longer_buckets_begin_with_their_local_unit(world, ask, granularity, starts) -> None:
    days = ["2026-03-01T10:00:00", "2026-03-08T20:00:00", "2026-03-30T10:00:00"]
    await world.commit(*(Answer(9, at=utc(day)) for day in days))
    answer = await ask("responses", granularity=granularity)
    assert [row["bucket"].date().isoformat() for row in answer.rows] == starts


async def test_fill_gives_every_bucket_of_every_group_that_occurs(world: World, ask: Ask) -> None:
    await world.commit(
        *several(5, Answer(9, location="kyiv", at=utc("2026-03-02T10:00:00"))),
        *several(5, Answer(9, location="lviv", at=utc("2026-03-04T10:00:00"))),
    )
    answer = await ask(
        "nps",
        group_by=["location"],
        granularity="day",
        period={"from": "2026-03-02", "to": "2026-03-05"},
        fill="null",
    )
    assert [(row["bucket"].day, row["location"], row["nps"]) for row in answer.rows] == [
        (2, "kyiv", 100.0),
        (2, "lviv", None),
        (3, "kyiv", None),
        (3, "lviv", None),
        (4, "kyiv", None),
        (4, "lviv", 100.0),
    ]
