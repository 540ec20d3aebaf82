"""The folder: chunks, restarts, two at once, a new time zone, old hours, other tenants."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, update

from app.db.tables.metrics import CUBOIDS, metric_folds
from app.db.tables.tenants import tenant_head, tenants
from app.metrics.folder import LOOK_ANYWAY, Folder, fold
from tests.conftest import make_tenant
from tests.metrics.conftest import NOW, Ask
from tests.metrics.test_cuboids import both, fold_all
from tests.metrics.world import NOON, Answer, World, several

[HOURS] = [item.table for item in CUBOIDS if item.name == "cuboid_hour_touchpoint_channel"]


async def folded_answers(world: World) -> list[int]:
    """Items in each cuboid: all of them must hold the same."""
    async with world.database.tenant(world.tenant_id) as connection:
        return [
            await connection.scalar(select(func.coalesce(func.sum(cuboid.table.c["items"]), 0)))
            for cuboid in CUBOIDS
        ]


async def folded_seq(world: World) -> int | None:
    async with world.database.tenant(world.tenant_id) as connection:
        return await connection.scalar(select(metric_folds.c.folded_seq))


async def test_commits_are_folded_in_chunks_and_each_only_once(world: World) -> None:
    for _ in range(7):
        await world.commit(Answer(9))
    steps = 0
    while await fold(world.database, world.tenant_id, NOW, commits_at_once=3):
        steps += 1
    assert steps == 2
    assert await folded_seq(world) == 7
    assert await folded_answers(world) == [7, 7, 7, 7]
    assert not await fold(world.database, world.tenant_id, NOW)
    assert await folded_answers(world) == [7, 7, 7, 7]


async def test_a_version_that_began_before_and_ended_after_is_taken_out(world: World) -> None:
    review = Answer(2)
    await world.commit(review)
    await fold_all(world)
    await world.commit(ended=[review.answer_id])
    await fold_all(world)
    assert await folded_answers(world) == [0, 0, 0, 0]


async def test_two_folders_at_once_count_nothing_twice(world: World) -> None:
    for _ in range(20):
        await world.commit(Answer(9))
    await asyncio.gather(*(fold(world.database, world.tenant_id, NOW, commits_at_once=4) for _ in range(6)))
    await fold_all(world)
    assert await folded_answers(world) == [20, 20, 20, 20]


async def test_a_reset_loses_no_number_and_folds_again(world: World, ask: Ask) -> None:
    await world.commit(*several(8, Answer(10)))
    await fold_all(world)
    async with world.database.tenant(world.tenant_id) as connection:
        for table in (metric_folds, *(cuboid.table for cuboid in CUBOIDS)):
            await connection.execute(delete(table))
    assert await folded_answers(world) == [0, 0, 0, 0]
    rows, source = await both(world, ask, "nps")
    assert (source, rows[0]["nps_n"]) == ("rows", 8)
    await fold_all(world)
    rows, source = await both(world, ask, "nps")
    assert (source, rows[0]["nps_n"]) == ("cuboid_day_touchpoint_channel", 8)


async def test_a_new_time_zone_of_the_tenant_folds_the_days_anew(world: World, ask: Ask, services) -> None:
    await world.commit(*several(5, Answer(9, at=datetime(2026, 3, 10, 23, tzinfo=UTC))))  # the 11th in Kyiv
    await fold_all(world)
    async with services.database.operator() as connection:
        await connection.execute(
            update(tenants).where(tenants.c.tenant_id == world.tenant_id).values(time_zone="UTC")
        )
    rows, source = await both(world, ask, "nps", granularity="day")
    assert (rows[0]["bucket"].day, source) == (10, "cuboid_hour_touchpoint_channel")
    await fold_all(world)
    rows, source = await both(world, ask, "nps", granularity="day")
    assert (rows[0]["bucket"].day, source) == (10, "cuboid_day_touchpoint_channel")
    assert await folded_answers(world) == [5, 5, 5, 5]


async def test_a_question_that_becomes_relational_is_folded_anew(world: World, ask: Ask) -> None:
    shared = {"question": "loyalty", "customer": b"a" * 16}
    await world.commit(*several(5, Answer(9)), Answer(0, **shared))
    await world.commit(Answer(10, at=NOON + timedelta(days=1), **shared))
    await fold_all(world)
    assert (await both(world, ask, "nps"))[0][0]["nps_n"] == 7
    await world.relational("loyalty")
    rows, source = await both(world, ask, "nps")
    assert (source, rows[0]["nps_n"]) == ("rows", 6)
    await fold_all(world)
    rows, source = await both(world, ask, "nps")
    assert (source, rows[0]["nps_n"]) == ("cuboid_day_touchpoint_channel", 6)


async def test_hours_older_than_90_days_are_dropped_and_asked_of_the_rows(world: World, ask: Ask) -> None:
    await world.commit(Answer(9, at=NOON), Answer(9, at=NOW - timedelta(hours=1)))
    await fold_all(world)
    assert (await both(world, ask, "responses", granularity="hour"))[1] == HOURS.name
    later = NOON + timedelta(days=92)
    await fold_all(world, now=later)
    assert (await folded_answers(world))[3] == 1
    rows, source = await both(world, ask, "responses", granularity="hour")
    assert (source, len(rows)) == ("rows", 2)
    # an answer for a dropped hour arrives late: it must not bring that hour back alone
    await world.commit(Answer(9, at=NOON))
    await fold_all(world, now=later)
    assert (await folded_answers(world)) == [3, 3, 3, 1]


async def test_the_loop_folds_every_tenant_and_then_rests(world: World, services) -> None:
    stranger = World(world.database, (await make_tenant(services, "stranger")).tenant_id)
    await world.commit(Answer(9))
    await stranger.commit(Answer(9), Answer(8))
    folder = Folder(world.database, lambda: NOW, idle_seconds=7.0)
    while not await folder.step():
        pass
    assert await folder.step() == 7.0
    assert await folded_answers(world) == [1, 1, 1, 1]
    assert await folded_answers(stranger) == [2, 2, 2, 2]


async def test_a_tenant_at_rest_is_looked_at_when_its_head_moves_and_now_and_then(world: World) -> None:
    folder = Folder(world.database, lambda: NOW)
    await world.commit(Answer(9))
    while not await folder.step():
        pass
    await world.commit(Answer(9))
    await folder.step()
    assert await folded_seq(world) == 2
    while not await folder.step():
        pass
    async with world.database.tenant(world.tenant_id) as connection:
        await connection.execute(update(metric_folds).values(relational=["changed behind its back"]))
    assert await folder.step() > 0  # the head has not moved
    assert await folded_answers(world) == [2, 2, 2, 2]
    for _ in range(LOOK_ANYWAY):
        await folder.step()
    async with world.database.tenant(world.tenant_id) as connection:
        assert await connection.scalar(select(metric_folds.c.relational)) == []


async def test_nothing_is_folded_while_the_projections_are_rebuilt(world: World) -> None:
    await world.commit(Answer(9))
    async with world.database.tenant(world.tenant_id) as connection:
        await connection.execute(update(tenant_head).values(rebuilding=True))
    assert not await fold(world.database, world.tenant_id, NOW)
    assert await folded_seq(world) is None
