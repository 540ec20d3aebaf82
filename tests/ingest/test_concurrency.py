"""Many at once: one event stored once, tenants apart, two processes on one database, keys that die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from app.wiring import Services, build_services
from tests.builders import assert_problem, query, rating, results_of, value_of
from tests.conftest import MakeKey, Server, Tenant, make_key, make_tenant


@asynccontextmanager
async def process(settings: Settings, key: str) -> AsyncIterator[httpx.AsyncClient]:
    """A second process: its own pool, caches and batcher, on the same database."""
    services = build_services(settings)
    transport = httpx.ASGITransport(app=create_app(services))
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://second.test", headers=headers
    ) as client:
        yield client
    await services.close()


@pytest.fixture
async def both(
    client: httpx.AsyncClient, settings: Settings, api_key: MakeKey
) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with process(settings, await api_key()) as second:
        yield [client, second]


async def gap_free(server: Server) -> bool:
    rows = await query(
        server, "SELECT tenant_id, position >> 20 AS seq FROM events GROUP BY 1, 2 ORDER BY 1, 2"
    )
    heads = {
        row["tenant_id"]: row["seq"] for row in await query(server, "SELECT tenant_id, seq FROM tenant_head")
    }
    return all(
        [row["seq"] for row in rows if row["tenant_id"] == t] == list(range(1, n + 1))
        for t, n in heads.items()
    )


async def test_32_parallel_posts_of_one_event_to_two_processes_store_one(
    both: list[httpx.AsyncClient], server: Server
) -> None:
    answers = await asyncio.gather(*(both[n % 2].post("/v1/events", json=rating("a1")) for n in range(32)))
    assert sorted(answer.status_code for answer in answers) == [200] * 31 + [201]
    assert sorted(answer.json()["status"] for answer in answers) == ["created"] + ["duplicate"] * 31
    assert len({answer.json()["event_id"] for answer in answers}) == 1
    assert await value_of(server, "SELECT count(*) FROM events") == 1
    assert await value_of(server, "SELECT count(*) FROM feedback") == 1
    assert await value_of(server, "SELECT seq FROM tenant_head") == 1


async def test_of_32_parallel_contents_under_one_id_one_is_stored_and_the_others_conflict(
    both: list[httpx.AsyncClient], server: Server
) -> None:
    answers = await asyncio.gather(
        *(both[n % 2].post("/v1/events", json=rating("a1", text=f"version {n}")) for n in range(32))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 31
    assert await value_of(server, "SELECT count(*) FROM events") == 1


async def test_overlapping_batches_of_two_processes_store_each_event_once(
    both: list[httpx.AsyncClient], server: Server
) -> None:
    batches = [[rating(f"a{n}", n % 11) for n in range(start, start + 60)] for start in range(0, 200, 20)]
    answers = await asyncio.gather(
        *(
            both[n % 2].post("/v1/events", json=batch, params={"atomic": str(n % 3 == 0).lower()})
            for n, batch in enumerate(batches)
        )
    )
    ids: dict[str, set[str]] = {}
    for answer in answers:
        assert set(results_of(answer)) <= {"created", "duplicate"}
        for result in answer.json()["results"]:
            ids.setdefault(result["id"], set()).add(result["event_id"])
    assert all(len(found) == 1 for found in ids.values())
    assert await value_of(server, "SELECT count(*) FROM events WHERE source = 'crm'") == 240
    assert await gap_free(server)


async def test_versions_that_race_leave_exactly_one_current_answer(
    both: list[httpx.AsyncClient], server: Server
) -> None:
    await asyncio.gather(
        *(
            both[n % 2].post("/v1/events", json=rating(f"v{n}", n % 11, object="o", version=n))
            for n in range(40)
        )
    )
    rows = await query(
        server, "SELECT e.version FROM feedback f JOIN events e USING (event_id) WHERE seq_to IS NULL"
    )
    assert [row["version"] for row in rows] == [39]
    rows = await query(server, "SELECT seq_from, seq_to FROM feedback ORDER BY seq_from")
    assert [row["seq_to"] for row in rows] == [*[row["seq_from"] for row in rows[1:]], None]


async def test_one_noun_first_met_by_many_at_once_exists_once(
    both: list[httpx.AsyncClient], server: Server
) -> None:
    answers = await asyncio.gather(
        *(both[n % 2].post("/v1/events", json=rating(f"a{n}", location="new")) for n in range(16))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert await value_of(server, "SELECT count(*) FROM directory WHERE key = 'new'") == 1
    assert await value_of(server, "SELECT count(*) FROM questions") == 1


async def test_twenty_tenants_post_in_parallel_and_none_sees_anothers(
    services: Services, server: Server
) -> None:
    tenants = [await make_tenant(services, f"t{n}") for n in range(20)]
    keys = [await make_key(services, tenant) for tenant in tenants]
    transport = httpx.ASGITransport(app=create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://vidhuk.test") as client:

        async def work(key: str) -> None:
            headers = {"Authorization": f"Bearer {key}"}
            for n in range(5):
                answer = await client.post(
                    "/v1/events", json=[rating(f"{n}/{m}") for m in range(4)], headers=headers
                )
                assert results_of(answer) == ["created"] * 4

        await asyncio.gather(*map(work, keys))
        listed = await client.get("/v1/feedback", headers={"Authorization": f"Bearer {keys[7]}"})
    assert len(listed.json()["items"]) == 20
    rows = await query(server, "SELECT tenant_id, count(*) FROM feedback GROUP BY 1")
    assert {row["tenant_id"]: row["count"] for row in rows} == {tenant.tenant_id: 20 for tenant in tenants}
    assert await gap_free(server)


async def test_a_revoked_key_dies_on_the_next_request_of_every_process(
    both: list[httpx.AsyncClient], api_key: MakeKey, a_tenant: Tenant, server: Server
) -> None:
    headers = {"Authorization": f"Bearer {await api_key('events:write')}"}
    for n, client in enumerate(both):
        assert (await client.post("/v1/events", json=rating(f"a{n}"), headers=headers)).status_code == 201
    await query(server, "UPDATE api_keys SET revoked_at = now() WHERE scopes = '{events:write}' RETURNING 1")
    for client in both:
        for body in (rating("a9"), rating("a0"), [rating("a9")], [], {"type": "wrong"}):
            answer = await client.post("/v1/events", json=body, headers=headers)
            assert_problem(answer, 401, "revoked_key")
        dry = await client.post("/v1/events?dry_run=true", json=rating("a9"), headers=headers)
        assert_problem(dry, 401, "revoked_key")
    assert await value_of(server, "SELECT count(*) FROM events") == 2
    assert (await both[0].post("/v1/events", json=rating("a9"))).status_code == 201


async def test_an_expired_key_is_dead_at_its_last_instant(
    client: httpx.AsyncClient, api_key: MakeKey, server: Server
) -> None:
    headers = {"Authorization": f"Bearer {await api_key('events:write')}"}
    assert (await client.post("/v1/events", json=rating("a1"), headers=headers)).status_code == 201
    await query(server, "UPDATE api_keys SET expires_at = now() WHERE scopes = '{events:write}' RETURNING 1")
    answer = await client.post("/v1/events", json=rating("a2"), headers=headers)
    assert answer.status_code == 401


async def test_a_dead_key_in_a_shared_commit_harms_no_other_request(
    client: httpx.AsyncClient, api_key: MakeKey, server: Server
) -> None:
    headers = {"Authorization": f"Bearer {await api_key('events:write')}"}
    await client.post("/v1/events", json=rating("a0"), headers=headers)
    await query(server, "UPDATE api_keys SET revoked_at = now() WHERE scopes = '{events:write}' RETURNING 1")
    answers = await asyncio.gather(
        *(
            client.post("/v1/events", json=rating(f"b{n}"), headers=headers if n % 2 else {})
            for n in range(12)
        )
    )
    assert [answer.status_code for answer in answers] == [201, 401] * 6
