"""The raw inbox: what was not understood is mended and replayed, corrections reach what arrived before."""

from __future__ import annotations

from typing import Any

import httpx

from tests.builders import assert_problem, query, value_of
from tests.conftest import Server

_AT = "2026-11-01T10:00:00Z"


def mapping(scale: str = "csat_1_5", *, branch: str | None = None) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "name": "answer",
        "type": "feedback.received",
        "when": "score",
        "occurred_at": "at",
        "object": "id",
        "version": {"value": 1},
        "data": {
            "channel": {"value": "kiosk"},
            "answers": [
                {"question": {"value": f"visit_{scale}"}, "scale": {"value": scale}, "value": "score"}
            ],
        },
    }
    if branch is not None:
        rule["data"]["location"] = branch
    return {"mapping": 1, "id": "kiosk", "format": "json", "row_id": "id", "events": [rule]}


async def open_source(client: httpx.AsyncClient, document: dict[str, Any]) -> str:
    await configure(client, document)
    path: str = (await client.post("/v1/sources/kiosk/token")).json()["path"]
    return path


async def configure(client: httpx.AsyncClient, document: dict[str, Any]) -> dict[str, Any]:
    answer = await client.put("/v1/sources/kiosk", json={"adapter": "mapping", "mapping": document})
    assert answer.is_success, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def reprocess(client: httpx.AsyncClient, **wanted: Any) -> dict[str, Any]:
    answer = await client.post("/v1/payloads/reprocess", json={"source": "kiosk", **wanted})
    assert answer.is_success, answer.text
    out: dict[str, Any] = answer.json()
    return {key: out[key] for key in ("read", "added", "unchanged", "retracted", "quarantined")}


_ANSWERS = "SELECT question, raw_value, location FROM feedback WHERE seq_to IS NULL ORDER BY raw_value"


async def answers(server: Server) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await query(server, _ANSWERS)]


async def test_a_payload_in_quarantine_is_mended_and_replayed(
    client: httpx.AsyncClient, server: Server
) -> None:
    path = await open_source(client, mapping())
    refused = await client.post(path, json={"id": "a", "at": _AT, "score": 9})
    assert refused.json()["quarantined"] == 1
    (entry,) = (await client.get("/v1/payloads", params={"state": "quarantined"})).json()["items"]
    assert (entry["source"], entry["reason"], entry["events"]) == ("kiosk", "score_outside_scale", [])
    place = f"/v1/payloads/{entry['id']}"
    assert (await client.get(place)).json()["body"] == '{"id":"a","at":"2026-11-01T10:00:00Z","score":9}'

    still = (await client.post(f"{place}/replay", json={})).json()
    assert (still["state"], still["errors"][0]["code"]) == ("quarantined", "score_outside_scale")
    mended = {"payload": {"id": "a", "at": _AT, "score": 4}}
    tried = (await client.post(f"{place}/replay", json=mended | {"dry_run": True})).json()
    assert (tried["added"], await value_of(server, "SELECT count(*) FROM feedback")) == (1, 0)
    done = (await client.post(f"{place}/replay", json=mended)).json()
    assert (done["state"], done["added"], done["errors"]) == ("adapted", 1, [])
    again = (await client.post(f"{place}/replay", json={})).json()
    assert (again["added"], again["unchanged"]) == (0, 1)
    assert await answers(server) == [("visit_csat_1_5", "4", None)]
    assert_problem(await client.post(f"{place}/dismiss", json={"reason": "test"}), 409, "not_quarantined")


async def test_a_corrected_mapping_is_applied_to_what_arrived(
    client: httpx.AsyncClient, server: Server
) -> None:
    path = await open_source(client, mapping())
    for number, score in (("a", 4), ("b", 9), ("c", None)):
        await client.post(path, json={"id": number, "at": _AT, "score": score, "place": "podil"})
    await client.post(path, json={"id": "a", "at": _AT, "score": 4, "place": "podil"})  # sent again
    before = await value_of(server, "SELECT count(*) FROM outbox")
    shown = await configure(client, mapping("csat_1_10", branch="place"))
    assert shown["mapping_version"] == 2

    assert await reprocess(client, dry_run=True) == {
        "read": 4,
        "added": 3,
        "unchanged": 0,
        "retracted": 1,
        "quarantined": 0,
    }
    assert await answers(server) == [("visit_csat_1_5", "4", None)]
    # `a` is stated anew (once, though it came twice) and taken back as it was; `b` is understood now
    assert (await reprocess(client))["retracted"] == 1
    assert await answers(server) == [("visit_csat_1_10", "4", "podil"), ("visit_csat_1_10", "9", "podil")]
    assert await value_of(server, "SELECT count(*) FROM outbox") == before
    assert await reprocess(client) == {
        "read": 4,
        "added": 0,
        "unchanged": 3,
        "retracted": 0,
        "quarantined": 0,
    }
    # and back: the first reading was retracted, so it is stated anew and not taken for known
    await configure(client, mapping())
    await reprocess(client)
    assert [row[:2] for row in await answers(server)] == [("visit_csat_1_5", "4"), ("visit_csat_1_10", "9")]
    kept = await query(server, "SELECT state, reason FROM raw_payloads WHERE state = 'quarantined'")
    assert [row["reason"] for row in kept] == ["score_outside_scale"]


async def test_the_raw_inbox_is_paged_and_closed_to_other_keys(
    client: httpx.AsyncClient, server: Server
) -> None:
    path = await open_source(client, mapping())
    for number in range(5):
        await client.post(path, json={"id": f"n{number}", "at": _AT})
    first = (await client.get("/v1/payloads", params={"limit": 3})).json()
    rest = (await client.get("/v1/payloads", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    ids = [item["id"] for item in (*first["items"], *rest["items"])]
    assert (len(set(ids)), {item["state"] for item in first["items"]}) == (5, {"ignored"})
    assert rest["next_cursor"] is None
    assert_problem(await client.get("/v1/payloads", params={"cursor": "x"}), 422, "invalid_cursor")
    assert_problem(await client.get("/v1/payloads/raw_nothing"), 404, "not_found")
    assert (await client.post(f"/v1/payloads/{ids[0]}/dismiss", json={"reason": "a test"})).status_code == 204
    assert (await reprocess(client))["read"] == 4
    assert (
        await client.get("/v1/payloads", headers={"Authorization": "Bearer vk_test_x"})
    ).status_code == 401
