"""What only the database refuses: the poison stands alone, its neighbours never see it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from app.ingest import service
from tests.builders import assert_problem, error_of, event, query, rating, results_of, value_of
from tests.conftest import Server


@pytest.fixture
async def fussy(server: Server) -> AsyncIterator[asyncpg.Connection]:
    """A database that refuses one channel, although every rule of ours lets it pass."""
    connection = await asyncpg.connect(server.superuser)
    await connection.execute("ALTER TABLE feedback ADD CONSTRAINT fussy CHECK (channel <> 'letter')")
    yield connection
    await connection.close()


async def test_the_neighbours_of_a_poison_event_are_stored_and_it_is_kept_apart(
    client: httpx.AsyncClient, server: Server, fussy: asyncpg.Connection
) -> None:
    posted = [rating(f"a{n}", channel="letter" if n in (3, 40) else "call") for n in range(64)]
    answer = await client.post("/v1/events", json=posted)
    statuses = results_of(answer)
    assert [n for n, status in enumerate(statuses) if status == "rejected"] == [3, 40]
    assert error_of(answer, 3)["code"] == "quarantined"
    assert error_of(answer, 3)["retryable"] is False
    assert "fussy" not in answer.text
    assert await value_of(server, "SELECT count(*) FROM feedback") == 62
    kept = await query(server, "SELECT state, reason, detail, body FROM raw_payloads")
    assert {row["state"] for row in kept} == {"quarantined"}
    assert {json.loads(row["body"])["id"] for row in kept} == {"a3", "a40"}
    assert all("fussy" in row["detail"] for row in kept)


async def test_requests_that_share_a_commit_with_poison_do_not_notice_it(
    client: httpx.AsyncClient, server: Server, fussy: asyncpg.Connection
) -> None:
    answers = await asyncio.gather(
        *(
            client.post("/v1/events", json=rating(f"a{n}", channel="letter" if n == 7 else "call"))
            for n in range(24)
        )
    )
    assert [answer.status_code for answer in answers] == [422 if n == 7 else 201 for n in range(24)]
    assert await value_of(server, "SELECT count(*) FROM feedback") == 23
    seqs = await query(server, "SELECT DISTINCT position >> 20 AS seq FROM events ORDER BY seq")
    assert [row["seq"] for row in seqs] == list(range(1, len(seqs) + 1))


async def test_poison_in_an_atomic_batch_or_a_dry_run_is_named_and_nothing_is_stored(
    client: httpx.AsyncClient, server: Server, fussy: asyncpg.Connection
) -> None:
    posted = [rating("a1"), rating("a2", channel="letter"), rating("a3")]
    atomic = await client.post("/v1/events", json=posted, params={"atomic": "true"})
    assert [error_of(atomic, n)["code"] for n in range(3)] == [
        "batch_refused",
        "cannot_be_stored",
        "batch_refused",
    ]
    dry = await client.post("/v1/events", json=posted, params={"dry_run": "true"})
    assert results_of(dry) == ["created", "rejected", "created"]
    assert await value_of(server, "SELECT count(*) FROM events") == 0


async def test_a_mended_database_takes_the_same_event(
    client: httpx.AsyncClient, fussy: asyncpg.Connection
) -> None:
    poison = rating("a1", channel="letter")
    assert_problem(await client.post("/v1/events", json=poison), 422, "quarantined")
    await fussy.execute("ALTER TABLE feedback DROP CONSTRAINT fussy")
    assert (await client.post("/v1/events", json=poison)).status_code == 201


async def test_when_even_the_quarantine_fails_nobody_waits_and_nothing_is_called_stored(
    client: httpx.AsyncClient, fussy: asyncpg.Connection
) -> None:
    await fussy.execute("ALTER TABLE raw_payloads ADD CONSTRAINT full_up CHECK (state <> 'quarantined')")
    async with asyncio.timeout(10):
        answer = await client.post("/v1/events", json=[rating("a1", channel="letter"), rating("a2")])
    assert results_of(answer) == ["rejected", "created"]
    assert error_of(answer)["retryable"] is True


async def test_a_lock_that_is_given_back_in_time_delays_and_harms_nothing(
    client: httpx.AsyncClient, fussy: asyncpg.Connection
) -> None:
    transaction = fussy.transaction()
    await transaction.start()
    await fussy.execute("SELECT 1 FROM tenant_head FOR UPDATE")
    waiting = asyncio.create_task(client.post("/v1/events", json=rating("a1")))
    await asyncio.sleep(3.5)  # past one lock_timeout
    assert not waiting.done()
    await transaction.rollback()
    assert (await waiting).status_code == 201


async def test_a_lock_that_is_kept_is_answered_with_503_and_retry_after(
    client: httpx.AsyncClient, fussy: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "RETRY_SECONDS", 0.0)
    async with fussy.transaction():
        await fussy.execute("SELECT 1 FROM tenant_head FOR UPDATE")
        answer = await client.post("/v1/events", json=rating("a1"))
        assert_problem(answer, 503, "database_unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        batch = await client.post("/v1/events", json=[rating("a1"), rating("a2")])
        assert (batch.status_code, batch.headers["retry-after"]) == (503, "1")
        assert all(result["error"]["retryable"] for result in batch.json()["results"])
    assert (await client.post("/v1/events", json=rating("a1"))).status_code == 201


async def test_a_deadlock_victim_is_committed_again(
    client: httpx.AsyncClient, server: Server, fussy: asyncpg.Connection
) -> None:
    """The post holds the tenant and wants a directory row; the other one holds that and wants the tenant."""
    await client.post("/v1/events", json=rating("a0"))
    other = await asyncpg.connect(server.superuser)
    await other.execute("SET deadlock_timeout = '10s'")
    transaction = other.transaction()
    await transaction.start()
    tenant_id = await other.fetchval("SELECT tenant_id FROM tenant_head")
    await other.execute(
        "INSERT INTO directory (tenant_id, kind, key, details, uncategorised, first_seen_at) "
        "VALUES ($1, 'location', 'k1', '{}', true, now())",
        tenant_id,
    )
    posting = asyncio.create_task(client.post("/v1/events", json=rating("a1", location="k1")))
    await asyncio.sleep(0.3)
    # now the post waits for the row: the circle closes, and its side is chosen after its deadlock_timeout
    await other.execute("UPDATE tenant_head SET config_version = config_version + 1")
    await transaction.commit()
    assert (await posting).status_code == 201
    await other.close()
    assert await value_of(server, "SELECT count(*) FROM feedback") == 2


async def test_a_retraction_of_nothing_is_no_poison(client: httpx.AsyncClient, server: Server) -> None:
    undo = event("event.retracted", "u1", data={"event": "nobody"})
    assert_problem(await client.post("/v1/events", json=undo), 422, "nothing_to_retract")
    assert await value_of(server, "SELECT count(*) FROM raw_payloads") == 0
