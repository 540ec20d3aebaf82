"""The id names the event for ever: repeats, conflicts, Idempotency-Key."""

from __future__ import annotations

import httpx

from tests.builders import T0, assert_problem, error_of, event, rating, results_of, value_of
from tests.conftest import Server


async def test_the_same_event_again_is_a_duplicate_with_the_first_event_id(
    client: httpx.AsyncClient, server: Server
) -> None:
    first = (await client.post("/v1/events", json=rating("a1"))).json()
    again = await client.post("/v1/events", json=rating("a1"))
    assert again.status_code == 200
    assert again.json() == {"id": "a1", "status": "duplicate", "event_id": first["event_id"]}
    assert await value_of(server, "SELECT count(*) FROM events") == 1
    assert await value_of(server, "SELECT seq FROM tenant_head") == 1


async def test_the_same_instant_written_in_another_zone_is_the_same_event(client: httpx.AsyncClient) -> None:
    await client.post("/v1/events", json=rating("a1", when=T0.isoformat()))
    shifted = T0.isoformat().replace("+00:00", "Z")
    assert (await client.post("/v1/events", json=rating("a1", when=shifted))).json()["status"] == "duplicate"


async def test_the_same_version_written_another_way_is_the_same_event(client: httpx.AsyncClient) -> None:
    posted = [rating("a1", object="o", version=version) for version in (3, 3.0, "3", "3.00", "3e0")]
    assert results_of(await client.post("/v1/events", json=posted)) == ["created"] + ["duplicate"] * 4


async def test_other_content_under_the_same_id_is_a_conflict_that_names_the_id(
    client: httpx.AsyncClient,
) -> None:
    await client.post("/v1/events", json=rating("a1", 9))
    body = assert_problem(await client.post("/v1/events", json=rating("a1", 3)), 409, "event_conflict")
    assert body["errors"][0]["pointer"] == "/id"
    assert "version" in body["errors"][0]["cure"]


async def test_a_conflict_in_a_batch_rejects_only_its_own_item(client: httpx.AsyncClient) -> None:
    await client.post("/v1/events", json=rating("a1", 9))
    answer = await client.post(
        "/v1/events", json=[rating("a2"), rating("a1", 3), rating("a3", 1), rating("a3", 2)]
    )
    assert results_of(answer) == ["created", "rejected", "created", "rejected"]
    assert error_of(answer, 1)["status"] == 409
    assert error_of(answer, 3)["code"] == "event_conflict"


async def test_the_same_id_of_another_source_is_another_event(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/events", json=rating("a1"))).status_code == 201
    assert (await client.post("/v1/events", json=rating("a1", 3, source="chat"))).status_code == 201


async def test_the_idempotency_key_serves_as_the_id(client: httpx.AsyncClient) -> None:
    nameless = rating("x")
    del nameless["id"]
    headers = {"Idempotency-Key": '"order-7"'}
    first = await client.post("/v1/events", json=nameless, headers=headers)
    assert (first.status_code, first.json()["id"]) == (201, "order-7")
    again = await client.post("/v1/events", json=nameless, headers=headers)
    assert again.json()["status"] == "duplicate"
    other = {**nameless, "data": {**nameless["data"], "value": 2}}
    assert_problem(await client.post("/v1/events", json=other, headers=headers), 409, "event_conflict")


async def test_in_a_batch_the_idempotency_key_counts_the_items(
    client: httpx.AsyncClient, server: Server
) -> None:
    nameless = [{key: value for key, value in rating("x", n).items() if key != "id"} for n in range(3)]
    headers = {"Idempotency-Key": "import-1"}
    assert results_of(await client.post("/v1/events", json=nameless, headers=headers)) == ["created"] * 3
    assert results_of(await client.post("/v1/events", json=nameless, headers=headers)) == ["duplicate"] * 3
    ids = await value_of(
        server, "SELECT array_agg(external_id ORDER BY position) FROM events WHERE source = 'crm'"
    )
    assert ids == ["import-1/0", "import-1/1", "import-1/2"]


async def test_an_own_id_goes_before_the_idempotency_key(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/events", json=rating("own"), headers={"Idempotency-Key": "other"})
    assert answer.json()["id"] == "own"


async def test_without_an_id_and_a_key_the_missing_field_is_named(client: httpx.AsyncClient) -> None:
    nameless = rating("x")
    del nameless["id"]
    body = assert_problem(await client.post("/v1/events", json=nameless), 422, "missing_field")
    assert body["errors"][0]["pointer"] == "/id"


async def test_the_source_of_the_service_itself_is_reserved(client: httpx.AsyncClient) -> None:
    body = assert_problem(
        await client.post("/v1/events", json=rating("x", source="vidhuk")), 422, "reserved_source"
    )
    assert body["errors"][0]["pointer"] == "/source"


async def test_what_only_the_service_states_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/events", json=event("sla.breached", "b1", subject="case/C-1"))
    assert_problem(answer, 422, "derived_type")
