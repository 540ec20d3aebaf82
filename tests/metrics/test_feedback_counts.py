"""Scores counted from rows: a small world whose totals are derived beside it."""

from __future__ import annotations

from tests.metrics.conftest import Ask
from tests.metrics.world import Answer, World, several


async def test_nps_of_a_month_by_location(world: World, ask: Ask) -> None:
    # kyiv: 6 promoters, 2 passives, 2 detractors -> 100 * (6 - 2) / 10 = 40
    # lviv: 0 promoters, 0 passives, 5 detractors -> -100
    await world.commit(
        *several(6, Answer(10, location="kyiv")),
        *several(2, Answer(7, location="kyiv")),
        *several(2, Answer(6, location="kyiv")),
        *several(5, Answer(0, location="lviv")),
    )
    answer = await ask("nps", group_by=["location"])
    assert [(row["location"], row["nps"], row["nps_n"], row["nps_status"]) for row in answer.rows] == [
        ("kyiv", 40.0, 10, "low_n"),
        ("lviv", -100.0, 5, "low_n"),
    ]
    assert {row["scale_id"] for row in answer.rows} == {"nps_0_10"}
