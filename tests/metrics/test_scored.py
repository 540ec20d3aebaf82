"""The short way to scores gives what the long way gives, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from app.metrics.cells import Counted, cells_of
from app.metrics.compiler import compile_query
from app.metrics.json_rows import rows_json
from app.metrics.query import resolve
from app.metrics.repository import snapshot
from app.metrics.rows import answer_table
from app.metrics.schemas import MetricQueryIn
from app.metrics.score_lists import score_lists
from app.metrics.score_text import score_text
from app.metrics.scored import find_written, is_scored, scored_table
from tests.metrics.conftest import NOW
from tests.metrics.test_cuboids import fold_all
from tests.metrics.world import NOON, Answer, World

SCALES = {
    "nps_0_10": range(11),
    "csat_1_5": range(1, 6),
    "stars_half": (1, 1.5, 2.5, 4, 5),
    "ces1_effort_1_5": range(1, 6),
}
SCORES = ("nps", "csat_t2b", "csat_mean", "ces_mean", "ces_easy", "stars_mean", "stars_negative")


def some_answers(random: Random) -> Iterator[Answer]:
    for _ in range(600):
        scale = random.choice(list(SCALES))
        yield Answer(
            random.choice(list(SCALES[scale])),
            NOON + timedelta(days=random.randrange(5), minutes=random.randrange(600)),
            scale,
            measure="csat" if scale == "stars_half" and random.random() < 0.5 else None,
            location=random.choice(["kyiv", 'Lviv "1"\n', "Ľviv", "львів", None]),
            channel=random.choice(["call", "web"]),
            mode=random.choice(["invited", "passive"]),
        )


async def test_all_ways_give_the_same_rows(world: World) -> None:
    """Cell by cell, column by column, written by the database; from rows, and from a cuboid and its tail."""
    random = Random(20261122)
    answers = list(some_answers(random))
    await world.commit(*answers)
    await same_rows(world, "rows", SCORES, group_by=["location"], granularity="day")
    await fold_all(world)
    await world.commit(*some_answers(random), ended=[answer.answer_id for answer in answers[:20]])
    of_place, of_channel = "cuboid_day_location", "cuboid_day_touchpoint_channel"
    await same_rows(world, of_place, SCORES, group_by=["location"], granularity="day")
    await same_rows(world, of_place, ["nps"], group_by=["location"], granularity="none")
    await same_rows(world, of_place, ["csat_mean"], group_by=["location"], granularity="week")
    await same_rows(world, of_channel, ["nps"], group_by=["channel"], granularity="day")
    await same_rows(world, "cuboid_hour_touchpoint_channel", ["ces_easy"], granularity="hour")
    later = {"from": "2026-05-01", "to": "2026-06-01"}
    await same_rows(world, of_place, SCORES, group_by=["location"], granularity="day", period=later)


async def same_rows(world: World, source: str, metrics: Sequence[str], **asked: Any) -> None:
    asked = {"period": {"from": "2026-03-01", "to": "2026-04-01"}, **asked}
    given = MetricQueryIn.model_validate({"metrics": metrics, **asked})
    async with snapshot(world.database, world.tenant_id) as view:
        facts = await view.get_facts()
        query = resolve(given, facts, NOW)
        [read] = compile_query(query, query.period, facts)
        rows = await view.fetch(read)
        [read] = compile_query(query, query.period, facts, scored=score_lists)
        lists = await view.fetch_lists(read)
        [read] = compile_query(query, query.period, facts, scored=score_text)
        written = find_written(query, await view.fetch(read))
        too_many = find_written(replace(query, limit=1), await view.fetch(read))
    assert is_scored(query, with_parts=True)
    assert read.source == source
    cells = cells_of([Counted(read.population, rows)], 1 + len(query.group_by))
    long = answer_table(query, cells, {}, with_parts=True)
    short = scored_table(query, lists)
    for one, other in zip(short, long, strict=True):
        assert rounded(one) == rounded(other)
    assert (len(long[0]) > 1) is (too_many is None)
    assert rows_json(query.columns, short) == rows_json(query.columns, long) == written


def rounded(row: tuple[Any, ...]) -> list[Any]:
    """Sums in another order may differ in the last bits of a float."""
    return [round(value, 9) if isinstance(value, float) else value for value in row]
