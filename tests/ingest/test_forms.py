"""The shapes in which events may come: object, array, lines, CloudEvent; and the shape of the answer."""

from __future__ import annotations

import gzip
import json

import httpx

from tests.builders import at, error_of, event, query, rating, results_of, value_of
from tests.conftest import Server


async def test_one_object_is_created_with_201_and_its_event_id(
    client: httpx.AsyncClient, server: Server
) -> None:
    answer = await client.post("/v1/events", json=rating("a1", 9, text="thanks", location="kyiv-1"))
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["id"], body["status"]) == ("a1", "created")
    assert body["event_id"].startswith("evt_")
    assert "index" not in body
    assert await value_of(server, "SELECT value FROM feedback") == 9


async def test_an_array_is_answered_item_by_item_in_input_order(client: httpx.AsyncClient) -> None:
    posted = [rating("b1"), {"type": "no.such"}, rating("b2", 11), rating("b3", 0), rating("b1")]
    answer = await client.post("/v1/events", json=posted)
    assert results_of(answer) == ["created", "rejected", "rejected", "created", "duplicate"]
    body = answer.json()
    assert [result["index"] for result in body["results"]] == [0, 1, 2, 3, 4]
    assert [result["id"] for result in body["results"]] == ["b1", None, "b2", "b3", "b1"]
    assert body["results"][4]["event_id"] == body["results"][0]["event_id"]
    assert body["counts"] == {"created": 2, "duplicate": 1, "revised": 0, "stale": 0, "rejected": 2}
    assert all(not result["error"]["retryable"] for result in body["results"] if "error" in result)


async def test_the_good_lines_of_ndjson_are_stored_beside_a_broken_one(
    client: httpx.AsyncClient, server: Server
) -> None:
    lines = [json.dumps(rating("n1")), "{broken", "", json.dumps(rating("n2")), "[1]"]
    answer = await client.post(
        "/v1/events", content="\r\n".join(lines), headers={"Content-Type": "application/x-ndjson"}
    )
    assert results_of(answer) == ["created", "rejected", "created", "rejected"]
    assert error_of(answer, 1)["code"] == "malformed_json"
    assert error_of(answer, 3)["code"] == "not_an_object"
    assert await value_of(server, "SELECT count(*) FROM feedback") == 2


async def test_a_structured_cloudevent_is_the_same_event(client: httpx.AsyncClient, server: Server) -> None:
    own = event(
        "case.opened", "ce-1", subject="case/C-1", object="o-1", version=3, data={"kind": "complaint"}
    )
    cloud = {
        "specversion": "1.0",
        "type": own["type"],
        "id": own["id"],
        "source": own["source"],
        "time": own["occurred_at"],
        "subject": "case/C-1",
        "object": "o-1",
        "objectversion": 3,
        "datacontenttype": "application/json",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "data": own["data"],
    }
    headers = {"Content-Type": "application/cloudevents+json; charset=UTF-8"}
    first = await client.post("/v1/events", content=json.dumps(cloud), headers=headers)
    assert first.status_code == 201, first.text
    second = await client.post("/v1/events", json=own)
    assert second.json()["status"] == "duplicate"
    assert await value_of(server, "SELECT ref FROM subject_aliases") == "C-1"


async def test_a_cloudevent_without_a_kind_in_its_subject_is_refused_at_the_subject(
    client: httpx.AsyncClient,
) -> None:
    cloud = {
        "specversion": "1.0",
        "type": "case.opened",
        "id": "x",
        "source": "crm",
        "time": at(),
        "subject": "C-1",
    }
    answer = await client.post("/v1/events", json=cloud)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/subject"


async def test_gzip_is_unpacked(client: httpx.AsyncClient) -> None:
    body = gzip.compress(json.dumps([rating("g1"), rating("g2")]).encode())
    answer = await client.post(
        "/v1/events", content=body, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}
    )
    assert results_of(answer) == ["created", "created"]


async def test_an_empty_batch_stores_nothing_and_says_so(client: httpx.AsyncClient, server: Server) -> None:
    assert results_of(await client.post("/v1/events", json=[])) == []
    assert await value_of(server, "SELECT seq FROM tenant_head") == 0


async def test_text_that_looks_like_an_attack_comes_back_byte_for_byte(
    client: httpx.AsyncClient, server: Server
) -> None:
    naughty = (
        "=cmd|' /C calc'!A0\r\n\u202e\ufeff<script>'; DROP TABLE feedback;-- 🧨 \\u0000 %s {0} \x1b[31m\x7f"
    )
    answer = await client.post(
        "/v1/events", json=rating("t1", text=naughty, title=naughty[:50], author=naughty[:50])
    )
    assert answer.status_code == 201, answer.text
    stored = (
        await query(server, "SELECT data->>'text' AS text, data->>'author' AS author FROM event_personal")
    )[0]
    assert stored["text"] == naughty
    assert stored["author"] == naughty[:50]
    listed = await client.get("/v1/feedback")
    assert listed.json()["items"][0]["text"] == naughty


async def test_the_last_of_two_equal_keys_counts(client: httpx.AsyncClient, server: Server) -> None:
    text = json.dumps(rating("k1", 9)).replace('"value": 9', '"value": 1, "value": 9')
    answer = await client.post("/v1/events", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201
    assert await value_of(server, "SELECT value FROM feedback") == 9
