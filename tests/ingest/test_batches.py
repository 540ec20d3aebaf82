"""How a request wants its events taken: atomic, dry run, backfill; and unknown wishes."""

from __future__ import annotations

import httpx

from tests.builders import assert_problem, at, error_of, event, query, rating, results_of, value_of
from tests.conftest import Server

_COUNTED = (
    "events",
    "event_personal",
    "feedback",
    "volumes",
    "subjects",
    "cases",
    "outbox",
    "directory",
    "questions",
)


async def sizes(server: Server) -> dict[str, int]:
    found = {name: await value_of(server, f"SELECT count(*) FROM {name}") for name in (*_COUNTED, "sources")}
    return {**found, "seq": await value_of(server, "SELECT seq FROM tenant_head")}


async def test_one_bad_event_of_an_atomic_batch_keeps_all_out(
    client: httpx.AsyncClient, server: Server
) -> None:
    before = await sizes(server)
    posted = [rating("a1"), rating("a2", 11), rating("a3")]
    answer = await client.post("/v1/events", json=posted, params={"atomic": "true"})
    assert results_of(answer) == ["rejected"] * 3
    assert [error_of(answer, n)["code"] for n in range(3)] == [
        "batch_refused",
        "score_outside_scale",
        "batch_refused",
    ]
    assert await sizes(server) == before


async def test_an_unreadable_event_keeps_an_atomic_batch_out_too(
    client: httpx.AsyncClient, server: Server
) -> None:
    before = await sizes(server)
    answer = await client.post("/v1/events", json=[rating("a1"), {"type": "?"}], params={"atomic": "1"})
    assert [error_of(answer, n)["code"] for n in range(2)] == ["batch_refused", "unknown_type"]
    assert await sizes(server) == before


async def test_a_good_atomic_batch_is_one_commit_of_more_than_a_chunk(
    client: httpx.AsyncClient, server: Server
) -> None:
    answer = await client.post(
        "/v1/events", json=[rating(f"a{n}", n % 11) for n in range(1200)], params={"atomic": "true"}
    )
    assert set(results_of(answer)) == {"created"}
    assert await value_of(server, "SELECT seq FROM tenant_head") == 1


async def test_what_only_the_journal_can_refuse_is_named_in_an_atomic_batch(
    client: httpx.AsyncClient, server: Server
) -> None:
    undo = event("event.retracted", "u1", data={"event": "nobody"})
    answer = await client.post(
        "/v1/events", json=[rating("a1"), undo, rating("a2")], params={"atomic": "true"}
    )
    assert [error_of(answer, n)["code"] for n in range(3)] == [
        "batch_refused",
        "nothing_to_retract",
        "batch_refused",
    ]
    assert await value_of(server, "SELECT count(*) FROM events") == 0


async def test_a_dry_run_says_what_would_happen_and_stores_not_even_a_noun(
    client: httpx.AsyncClient, server: Server
) -> None:
    await client.post("/v1/events", json=rating("known", object="o", version=1))
    before = await sizes(server)
    posted = [
        rating("new", 1, location="nowhere", employee="nobody", source="stranger", question="q9"),
        rating("known", object="o", version=1),
        rating("known-2", object="o", version=2),
        rating("bad", 99),
        event("event.retracted", "u1", data={"event": "nobody"}),
        event("event.retracted", "u2", data={"event": "new", "source": "stranger"}),
        event("case.opened", "c1", subject="case/C-1"),
    ]
    answer = await client.post("/v1/events", json=posted, params={"dry_run": "true"})
    expected = ["created", "duplicate", "revised", "rejected", "rejected", "created", "created"]
    assert results_of(answer) == expected
    assert answer.json()["dry_run"] is True
    assert [("event_id" in result) for result in answer.json()["results"]].count(True) == 1
    assert await sizes(server) == before
    # and the noun that the dry run met is still created by the first real event
    assert results_of(await client.post("/v1/events", json=posted)) == expected
    assert await value_of(server, "SELECT count(*) FROM directory WHERE key = 'nowhere'") == 1
    assert await value_of(server, "SELECT count(*) FROM sources WHERE key = 'stranger'") == 1


async def test_a_dry_run_of_one_event_creates_nothing_and_is_not_201(
    client: httpx.AsyncClient, server: Server
) -> None:
    answer = await client.post("/v1/events", json=rating("a1"), params={"dry_run": "true"})
    assert (answer.status_code, answer.json()) == (200, {"id": "a1", "status": "created"})
    assert await value_of(server, "SELECT count(*) FROM events") == 0


async def test_backfilled_dissatisfaction_opens_a_case_only_when_asked(
    client: httpx.AsyncClient, server: Server
) -> None:
    bad = {"is_complaint": True, "customer": {"type": "email", "value": "o@example.com"}}
    await client.post("/v1/events", json=rating("h1", 1, **bad), params={"backfill": "true"})
    assert await value_of(server, "SELECT count(*) FROM cases") == 0
    await client.post(
        "/v1/events", json=rating("h2", 1, **bad), params={"backfill": "true", "open_cases": "true"}
    )
    assert await value_of(server, "SELECT count(*) FROM cases") == 1
    await client.post("/v1/events", json=rating("l1", 1, **bad))
    assert await value_of(server, "SELECT count(*) FROM cases") == 2
    origins = await query(server, "SELECT DISTINCT origin FROM events WHERE external_id LIKE 'h%'")
    assert [row["origin"] for row in origins] == ["backfill"]


async def test_backfill_announces_nothing(client: httpx.AsyncClient, server: Server) -> None:
    history = [event("case.opened", "c1", subject="case/C-1", when=at(days=-30), data={"kind": "complaint"})]
    await client.post("/v1/events", json=history, params={"backfill": "true"})
    assert await value_of(server, "SELECT count(*) FROM outbox") == 0


async def test_unknown_and_unreadable_parameters_are_named(client: httpx.AsyncClient) -> None:
    body = assert_problem(await client.post("/v1/events?atomc=true", json=[]), 422, "unknown_parameter")
    assert body["errors"][0]["pointer"] == "query:atomc"
    assert "atomic" in body["errors"][0]["cure"]
    body = assert_problem(await client.post("/v1/events?atomic=yes", json=[]), 422, "invalid_value")
    assert body["errors"][0]["pointer"] == "query:atomic"
    many = "&".join(f"p{n}=1" for n in range(50))
    assert_problem(await client.post(f"/v1/events?{many}", json=[]), 422, "unknown_parameter")
