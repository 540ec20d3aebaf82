"""Two periods compared over HTTP: difference, interval, p value, verdict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.metrics.asking import post
from tests.metrics.world import Answer, World, several


async def test_the_previous_period_is_compared_with_its_uncertainty(http, world: World) -> None:
    # now 20/0/10 of 30 -> 33.33; before 12/0/18 of 30 -> -20: up 53.33, p .0371 (domain.md 4.1)
    now, before = datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 2, 20, tzinfo=UTC)
    await world.commit(
        *several(20, Answer(10, at=now)),
        *several(10, Answer(0, at=now)),
        *several(12, Answer(10, at=before)),
        *several(18, Answer(0, at=before)),
    )
    answer = await post(http, "nps", "responses", compare="previous_period")
    [row] = answer["rows"]
    assert (row["nps"], row["nps_previous"], row["nps_previous_n"]) == (33.33, -20.0, 30)
    assert (row["nps_difference"], row["nps_p_value"], row["nps_verdict"]) == (53.33, 0.0371, "up")
    assert row["nps_difference_ci_low"] > 0
    assert (row["responses_difference"], row["responses_verdict"]) == (0, None)
    assert answer["query"]["compare_period"]["to"] == answer["query"]["period"]["from"]
    assert list(row) == [column["name"] for column in answer["columns"]]


async def test_buckets_are_compared_one_by_one_and_small_ones_not_at_all(http, world: World) -> None:
    start = datetime(2026, 3, 9, tzinfo=UTC)
    await world.commit(
        *several(6, Answer(10, at=start)),
        *several(6, Answer(10, at=start + timedelta(days=1))),
        *several(5, Answer(0, at=start - timedelta(days=2))),
        *several(3, Answer(0, at=start - timedelta(days=1))),
    )
    period = {"from": "2026-03-09", "to": "2026-03-11"}
    answer = await post(http, "nps", granularity="day", period=period, compare="previous_period")
    first, second = answer["rows"]
    assert (first["nps_previous"], first["nps_difference"], first["nps_verdict"]) == (
        -100.0,
        200.0,
        "not_enough_data",
    )
    assert (second["nps_previous"], second["nps_previous_n"]) == (None, 3)
    assert (second["nps_difference"], second["nps_verdict"]) == (None, None)


async def test_what_was_there_before_and_is_no_more_stands_in_the_comparison(http, world: World) -> None:
    monday = datetime(2026, 3, 9, tzinfo=UTC)
    before = monday - timedelta(days=1)
    await world.commit(
        *several(6, Answer(10, at=monday, location="kyiv")),
        *several(5, Answer(0, at=before, location="kyiv")),
        *several(7, Answer(0, at=before, location="lviv")),
    )
    period = {"from": "2026-03-09", "to": "2026-03-11"}
    asked = {"group_by": ["location"], "period": period, "compare": "previous_period"}
    answer = await post(http, "responses", **asked)
    shown = [(row["location"], row["responses"], row["responses_previous"]) for row in answer["rows"]]
    assert shown == [("kyiv", 6, 5), ("lviv", None, 7)]
    answer = await post(http, "responses", granularity="day", **asked)
    shown = [
        (row["bucket"][:10], row["location"], row["responses"], row["responses_previous"])
        for row in answer["rows"]
    ]
    # the second day of one period belongs to the second of the other
    assert shown == [
        ("2026-03-09", "kyiv", 6, None),
        ("2026-03-10", "kyiv", None, 5),
        ("2026-03-10", "lviv", None, 7),
    ]
