"""The short way to scores gives what the long way gives, cell by cell."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

from app.metrics.cells import Counted, cells_of
from app.metrics.compiler import compile_query
from app.metrics.query import resolve
from app.metrics.json_rows import rows_json
from app.metrics.repository import snapshot
from app.metrics.rows import answer_table
from app.metrics.schemas import MetricQueryIn
from app.metrics.scored import is_scored, scored_table
from tests.metrics.conftest import NOW
from tests.metrics.world import NOON, Answer, World

SCALES = {
    "nps_0_10": range(11),
    "csat_1_5": range(1, 6),
    "stars_half": (1, 1.5, 2.5, 4, 5),
    "ces1_effort_1_5": range(1, 6),
}
SCORES = ("nps", "csat_t2b", "csat_mean", "ces_mean", "ces_easy", "stars_mean", "stars_negative")


async def test_both_ways_give_the_same_rows(world: World) -> None:
    random = Random(20261122)
    answers = []
    for _ in range(600):
        scale = random.choice(list(SCALES))
        answers.append(
            Answer(
                random.choice(list(SCALES[scale])),
                NOON + timedelta(days=random.randrange(5)),
                scale,
                measure="csat" if scale == "stars_half" and random.random() < 0.5 else None,
                location=random.choice(["kyiv", "lviv", None]),
                mode=random.choice(["invited", "passive"]),
            )
        )
    gone = await world.commit(*answers)
    await world.commit(ended=[answer.answer_id for answer in answers[:20]])
    assert gone == 1
    given = MetricQueryIn.model_validate(
        {
            "metrics": SCORES,
            "group_by": ["location"],
            "granularity": "day",
            "period": {"from": "2026-03-01", "to": "2026-04-01"},
        }
    )
    async with snapshot(world.database, world.tenant_id) as view:
        facts = await view.get_facts()
        query = resolve(given, facts, NOW)
        [read] = compile_query(query, query.period, facts)
        rows = await view.fetch(read)
        [read] = compile_query(query, query.period, facts, scored=True)
        sums = await view.fetch_lists(read)
    assert is_scored(query, with_parts=True)
    cells = cells_of([Counted(read.population, rows)], 1 + len(query.group_by))
    short = scored_table(query, sums)
    long = answer_table(query, cells, {}, with_parts=True)
    assert len(short[0]) > 40
    for one, other in zip(short, long, strict=True):
        assert rounded(one) == rounded(other)
    assert rows_json(query.columns, short) == rows_json(query.columns, long)
    nothing = scored_table(query, [[] for _ in sums])
    assert rows_json(query.columns, nothing) == b"[]"


def rounded(row: tuple[Any, ...]) -> list[Any]:
    """Sums in another order may differ in the last bits of a float."""
    return [round(value, 9) if isinstance(value, float) else value for value in row]
