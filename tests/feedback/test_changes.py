"""The changes feed: in commit order, resumable anywhere, with tombstones, never a gap."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from app.wiring import Services
from tests.conftest import MakeKey, make_key, make_tenant
from tests.feedback.test_reading import bearer, post, rating


def retraction(event_id: str) -> dict[str, Any]:
    return {
        "type": "event.retracted",
        "id": f"x-{event_id}",
        "source": "crm",
        "occurred_at": "2026-03-02T10:00:00Z",
        "data": {"event": event_id},
    }


def revision(number: int, value: int) -> dict[str, Any]:
    return {**rating(f"o1@{number}", value=value), "object": "o1", "version": number}


async def read_all(client: httpx.AsyncClient, limit: int, after: int = 0) -> list[dict[str, Any]]:
    """Everything after a sequence, page by page."""
    changes: list[dict[str, Any]] = []
    while True:
        answer = await client.get(f"/v1/feedback/changes?after={after}&limit={limit}")
        page = answer.json()
        assert answer.status_code == 200, answer.text
        assert len(page["items"]) <= limit
        changes += page["items"]
        after = page["next_after"]
        if not page["has_more"]:
            return changes
        assert page["items"]


def replay(changes: list[dict[str, Any]]) -> dict[str, float]:
    """What a follower of the feed ends up with: id -> value."""
    copy: dict[str, float] = {}
    for change in changes:
        if change["change"] == "withdrawn":
            assert change["feedback"] is None
            del copy[change["id"]]
        else:
            copy[change["id"]] = change["feedback"]["value"]
    return copy


async def shown(client: httpx.AsyncClient) -> dict[str, float]:
    items = (await client.get("/v1/feedback?limit=500")).json()["items"]
    return {item["id"]: item["value"] for item in items}


async def test_whoever_follows_the_feed_has_what_the_list_shows(client: httpx.AsyncClient) -> None:
    answers = [{"question": f"q{n}", "scale": "csat_1_5", "value": 1 + n} for n in range(3)]
    several = rating("many", answers=answers)
    several["data"] = {key: value for key, value in several["data"].items() if key in ("answers", "channel")}
    await post(client, *(rating(f"a{n}", value=n) for n in range(5)))
    await post(client, revision(1, 2), several)
    await post(client, revision(2, 7), retraction("a3"))
    await post(client, retraction("many"), rating("b1"))
    expected = await shown(client)
    assert len(expected) == 6
    for limit in (1, 2, 3, 7, 500):
        changes = await read_all(client, limit)
        assert replay(changes) == expected, limit
        sequences = [change["sequence"] for change in changes]
        assert sequences == sorted(set(sequences))
    kinds = [change["change"] for change in changes]
    assert (kinds.count("stored"), kinds.count("withdrawn")) == (5 + 1 + 3 + 1 + 1, 1 + 3)


async def test_every_cursor_is_a_place_to_go_on_from(client: httpx.AsyncClient) -> None:
    await post(client, *(rating(f"a{n}", value=n) for n in range(4)))
    await post(client, retraction("a0"), rating("b1"))
    whole = await read_all(client, 500)
    for number, change in enumerate(whole):
        assert await read_all(client, 2, after=change["sequence"]) == whole[number + 1 :]


async def test_a_page_read_before_reads_the_same_after_later_changes(client: httpx.AsyncClient) -> None:
    await post(client, *(rating(f"a{n}", value=n) for n in range(4)))
    before = await read_all(client, 500)
    await post(client, retraction("a1"), revision(1, 1))
    await post(client, revision(2, 2))
    assert (await read_all(client, 500))[: len(before)] == before


async def test_an_empty_page_keeps_the_place(client: httpx.AsyncClient) -> None:
    await post(client, rating("a1"))
    page = (await client.get("/v1/feedback/changes")).json()
    again = (await client.get(f"/v1/feedback/changes?after={page['next_after']}")).json()
    assert again == {"items": [], "next_after": page["next_after"], "has_more": False}
    await post(client, rating("a2"))
    [change] = await read_all(client, 10, after=again["next_after"])
    assert change["sequence"] > page["next_after"]


async def test_a_follower_beside_many_writers_misses_nothing(client: httpx.AsyncClient) -> None:
    seen: list[dict[str, Any]] = []
    done = asyncio.Event()

    async def follow() -> None:
        after = 0
        while True:
            finished = done.is_set()
            page = (await client.get(f"/v1/feedback/changes?after={after}&limit=7")).json()
            seen.extend(page["items"])
            after = page["next_after"]
            if finished and not page["has_more"]:
                return

    async def write(writer: int) -> None:
        for number in range(10):
            await post(client, rating(f"w{writer}-{number}", value=number))
            if number % 3 == 2:
                await post(client, retraction(f"w{writer}-{number}"))

    follower = asyncio.create_task(follow())
    await asyncio.gather(*(write(writer) for writer in range(4)))
    done.set()
    await follower
    assert replay(seen) == await shown(client)
    assert len(seen) == 4 * (10 + 3)


async def test_the_feed_of_one_tenant_says_nothing_of_another(
    client: httpx.AsyncClient, services: Services, api_key: MakeKey
) -> None:
    await post(client, rating("a1"))
    other = await make_tenant(services, "globex")
    headers = bearer(await make_key(services, other))
    answer = await client.get("/v1/feedback/changes", headers=headers)
    assert answer.json() == {"items": [], "next_after": 0, "has_more": False}
    [item] = (await client.get("/v1/feedback")).json()["items"]
    assert (await client.get(f"/v1/feedback/{item['id']}", headers=headers)).status_code == 404
    assert (await client.get(f"/v1/events/{item['event_id']}", headers=headers)).status_code == 404


async def test_a_sequence_that_is_none_is_refused(client: httpx.AsyncClient) -> None:
    for after in ("-1", "x", str(2**63)):
        assert (await client.get(f"/v1/feedback/changes?after={after}")).status_code == 422
