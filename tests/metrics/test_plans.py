"""What the database does with a query: which indexes, and that parts add up to the whole."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from app.metrics.cuboids import find_cuboid
from tests.metrics.conftest import NOW, Ask
from tests.metrics.test_cuboids import a_history, fold_all
from tests.metrics.world import Answer, World, several


async def explain(world: World, answer) -> str:
    """The plan that the database would take if the tables were large."""
    [read] = answer.reads
    async with world.database.tenant(world.tenant_id) as connection:
        await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        driver = (await connection.get_raw_connection()).driver_connection
        rows = await driver.fetch("EXPLAIN " + read.statement.sql, *read.statement.parameters)
    return "\n".join(row[0] for row in rows)


async def test_a_cuboid_query_touches_its_key_and_the_two_ends_of_the_tail(world: World, ask: Ask) -> None:
    await world.commit(*several(5, Answer(9)))
    await fold_all(world)
    plan = await explain(world, await ask("nps", group_by=["touchpoint"], granularity="day"))
    for index in ("pk_cuboid_day_touchpoint_channel", "ix_feedback_seq_from", "ix_feedback_seq_to"):
        assert index in plan
    assert "Seq Scan" not in plan


async def test_a_fold_that_lags_far_behind_is_left_alone(world: World, ask: Ask, monkeypatch) -> None:
    await world.commit(*several(5, Answer(9)))
    await fold_all(world)
    await world.commit(Answer(9))
    await world.commit(Answer(9))
    answer = await ask("nps")
    assert answer.reads[0].source == "cuboid_day_touchpoint_channel"
    monkeypatch.setattr("app.metrics.cuboids.LONGEST_TAIL", 1)
    assert find_cuboid(answer.query, answer.query.period, answer.facts) is None


@pytest.mark.parametrize("group_by", [["location"], ["touchpoint", "channel"], ["location", "channel"]])
async def test_groups_and_buckets_add_up_to_the_whole(world: World, ask: Ask, group_by) -> None:
    await a_history(world, Random(3), commits=10)
    await fold_all(world)
    await a_history(world, Random(4), commits=2)
    [whole] = (await ask("happiness", "responses", "feedback_count", "complaints")).rows
    for granularity in ("none", "day", "hour", "month"):
        answer = await ask(
            "happiness",
            "responses",
            "feedback_count",
            "complaints",
            group_by=group_by,
            granularity=granularity,
        )
        for column in ("responses", "feedback_count", "complaints", "happiness_positive", "happiness_n"):
            assert sum(row[column] for row in answer.rows) == whole[column]


async def test_the_day_that_has_not_ended_is_in_a_rolling_period(world: World, ask: Ask) -> None:
    this_morning = datetime(2026, 3, 31, 7, tzinfo=UTC)
    await world.commit(*several(5, Answer(9, at=this_morning)))
    answer = await ask("nps", period="1d", now=NOW)
    assert answer.rows[0]["nps_n"] == 5
    assert (
        answer.query.period.end.astimezone(ZoneInfo("Europe/Kyiv")).isoformat() == "2026-04-01T00:00:00+03:00"
    )
