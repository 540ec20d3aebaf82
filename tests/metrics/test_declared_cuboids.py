"""Cuboids that a tenant declares: built in the background, equal to the rows, bounded, lost without harm."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.db.tables.declared import declared_counts, declared_folds
from app.db.tables.tenants import tenants
from app.journal.rebuild import rebuild
from app.metrics.declared.folder import fold_declared
from app.wiring import Services
from tests.metrics.conftest import NOW, Ask
from tests.metrics.test_cuboids import SCALES, a_history, both
from tests.metrics.world import NOON, Answer, World, several

CUBOIDS = "/v1/metrics/cuboids"
AGENCY = "attributes.agency"
SPLIT_DAY = {"from": "2025-06-01", "to": "2026-03-20T13:30"}


async def fold_all(world: World, at_once: int = 500) -> None:
    while await fold_declared(world.database, world.tenant_id, NOW, commits_at_once=at_once):
        pass


async def declare(client, key: str, *dimensions: str) -> dict[str, Any]:
    answer = await client.put(f"{CUBOIDS}/{key}", json={"dimensions": list(dimensions)})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_declared_cuboid_is_built_used_shown_and_taken_back(client, world: World, ask: Ask) -> None:
    await world.attribute("agency")
    told = [Answer(9, location="kyiv", attributes={"agency": name}) for name in ("police", "fire", "", None)]
    await world.commit(*(answer for one in told for answer in several(5, one)))
    by = {"group_by": ["location", AGENCY]}
    building = await declare(client, "agencies", "location", AGENCY)
    assert (building["state"], building["behind"], building["rows"]) == ("building", 1, 0)
    assert (await both(world, ask, "nps", **by))[1] == "rows"
    await fold_all(world)
    await world.commit(Answer(0, location="kyiv", attributes={"agency": "fire"}))  # the tail
    rows, source = await both(world, ask, "nps", "happiness", "responses", **by)
    assert source == "declared:agencies"
    found = {row[AGENCY]: row["nps_n"] for row in rows}
    assert found == {"police": 5, "fire": 6, "": 5, None: 5}
    kept, source = await both(world, ask, "nps", filters=[{"dimension": AGENCY, "values": ["fire"]}])
    assert (source, kept[0]["nps_n"]) == ("declared:agencies", 6)
    await fold_all(world)
    [ready] = (await client.get(CUBOIDS)).json()["items"]
    assert (ready["state"], ready["behind"], ready["rows"]) == ("ready", 0, 4)
    assert (await client.delete(f"{CUBOIDS}/agencies")).status_code == 204
    assert (await both(world, ask, "nps", **by))[1] == "rows"
    assert (await client.delete(f"{CUBOIDS}/agencies")).json()["code"] == "no_such_cuboid"


@pytest.mark.parametrize("seed", range(2))
async def test_random_histories_come_out_as_from_the_rows(client, world: World, ask: Ask, seed: int) -> None:
    random = Random(seed)
    if seed:
        for scale in SCALES:
            await world.relational(f"loyalty_{scale}")
    await declare(client, "by-three", "location", "employee", "kind")
    for _ in range(3):
        await a_history(world, random, commits=5)
        for _ in range(random.randint(0, 3)):
            await fold_declared(world.database, world.tenant_id, NOW, commits_at_once=2)
        for metrics in (("nps", "csat_t2b"), ("happiness", "responses", "survey_acts", "complaints")):
            for query in (
                {"group_by": ["location", "employee"], "granularity": "week"},
                {
                    "group_by": ["kind", "location"],
                    "period": {"from": "2025-06-01", "to": "2026-03-20T13:30"},
                },
            ):
                await both(world, ask, *metrics, **query)
    await fold_all(world)
    rows, source = await both(world, ask, "responses", group_by=["location", "kind"], period="1y")
    assert source == "declared:by-three"
    assert len(rows) > 4


async def test_what_it_was_folded_by_may_change_and_is_folded_anew(client, world, ask, services) -> None:
    late = Answer(9, at=NOON + timedelta(hours=11), location="kyiv", channel="web")  # the 11th in Kyiv
    await world.commit(*several(5, late))
    await declare(client, "one", "location", "channel")
    await fold_all(world)
    async with services.database.operator() as connection:
        await connection.execute(
            update(tenants).where(tenants.c.tenant_id == world.tenant_id).values(time_zone="UTC")
        )
    by: dict[str, Any] = {"group_by": ["location", "channel"], "granularity": "day"}
    assert (await both(world, ask, "nps", **by))[1] == "rows"
    await fold_all(world)
    rows, source = await both(world, ask, "nps", **by)
    assert (rows[0]["bucket"].day, source) == (10, "declared:one")
    await declare(client, "one", "channel", "employee")
    assert (await both(world, ask, "nps", **by))[1] == "rows"
    await fold_all(world)
    assert (await both(world, ask, "nps", group_by=["employee", "channel"]))[1] == "declared:one"


async def test_a_value_too_long_for_a_key_stops_the_cuboid_and_not_the_answers(client, world, ask) -> None:
    await world.attribute("agency")
    await world.commit(*several(5, Answer(9, attributes={"agency": "x" * 301})))
    await declare(client, "agencies", AGENCY)
    await fold_all(world)
    [failed] = (await client.get(CUBOIDS)).json()["items"]
    assert (failed["state"], failed["problem"]) == ("failed", "value_too_long")
    rows, source = await both(world, ask, "nps", group_by=[AGENCY])
    assert (source, rows[0]["nps_n"]) == ("rows", 5)


@pytest.mark.parametrize(
    ("dimensions", "code", "place"),
    [
        (["location", "location"], "dimension_already_kept", "/dimensions/1"),
        (["question"], "dimension_already_kept", "/dimensions/0"),
        (["severity"], "dimension_not_valid", "/dimensions/0"),
        (["attributes.size"], "dimension_not_valid", "/dimensions/0"),
        (["locaton"], "unknown_dimension", "/dimensions/0"),
        ([], "invalid_request", "/dimensions"),
        (["channel", "location", "employee", "kind"], "invalid_request", "/dimensions"),
    ],
)
async def test_what_cannot_be_counted_ahead_is_refused(client, world, dimensions, code, place) -> None:
    await world.attribute("size", "number")
    answer = await client.put(f"{CUBOIDS}/x", json={"dimensions": dimensions})
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["errors"][0]["pointer"] == place
    assert code in (problem["code"], "invalid_request")


async def test_there_are_at_most_eight(client, world: World) -> None:
    for number in range(8):
        await declare(client, f"c{number}", "location", "channel")
    ninth = await client.put(f"{CUBOIDS}/c8", json={"dimensions": ["kind"]})
    assert (ninth.status_code, ninth.json()["code"]) == (409, "too_many_cuboids")
    assert (await declare(client, "c7", "kind"))["dimensions"] == ["kind"]


async def test_a_rebuild_empties_the_counts_keeps_the_declaration_and_comes_out_equal(
    client, services: Services, a_tenant
) -> None:
    world = World(services.database, a_tenant.tenant_id)
    answers = [
        {"type": "feedback.received", "id": f"a{n}", "source": "crm", "occurred_at": "2026-03-10T12:00:00Z",
         "data": {"channel": "web", "scale": "nps_0_10", "value": n % 11, "location": f"l{n % 3}"}}
        for n in range(30)
    ]  # fmt: skip
    assert (await client.post("/v1/events", json=answers)).status_code == 200
    await declare(client, "places", "location", "channel")
    await fold_all(world)
    before = await counted(world)
    await rebuild(services.journal, a_tenant.tenant_id)
    assert await counted(world) == []
    assert (await client.get(CUBOIDS)).json()["items"][0]["state"] == "building"
    await fold_all(world)
    assert await counted(world) == before != []


async def counted(world: World) -> list[tuple[Any, ...]]:
    async with world.database.tenant(world.tenant_id) as connection:
        rows = (await connection.execute(select(declared_counts))).all()
        folds = (await connection.execute(select(declared_folds.c.folded_seq))).all()
    assert bool(rows) == bool(folds)
    return sorted(tuple(row) for row in rows)


async def test_tenants_do_not_share_declarations(client, world: World, database) -> None:
    await world.commit(Answer(9, location="kyiv"))
    await declare(client, "mine", "location", "channel")
    await fold_all(world)
    assert len(await counted(world)) == 1
    async with database.tenant(UUID(int=1)) as connection:
        assert (await connection.execute(select(declared_counts))).all() == []
