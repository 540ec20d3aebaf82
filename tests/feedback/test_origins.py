"""An edited review counts where it was published, an answer where it was lived through, in any order."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import httpx
import pytest

Json = dict[str, Any]


def review(name: str, version: int, day: int, stars: int, **data: Any) -> Json:
    return {
        "type": "review.published" if version == 1 else "review.edited",
        "id": f"{name}@{version}",
        "source": "site",
        "object": name,
        "version": version,
        "occurred_at": f"2026-03-{day:02}T10:00:00Z",
        "data": {"channel": "review", "scale": "stars_1_5", "value": stars, **data},
    }


def taken_back(event_id: str) -> Json:
    return {
        "type": "event.retracted",
        "id": f"no-{event_id}",
        "source": "site",
        "occurred_at": "2026-03-20T10:00:00Z",
        "data": {"event": event_id},
    }


async def post(client: httpx.AsyncClient, *events: Json) -> None:
    answer = await client.post("/v1/events", json=list(events))
    assert all(result["status"] != "rejected" for result in answer.json()["results"]), answer.text


async def by_day(client: httpx.AsyncClient) -> dict[str, tuple[float, int]]:
    """Stars by the day in which they count, and how many reviews those are."""
    query = "metrics=stars_mean&granularity=day&from=2026-03-01&to=2026-04-01"
    answer = await client.get(f"/v1/metrics/query?{query}")
    assert answer.status_code == 200, answer.text
    shown = answer.json()["rows"]
    return {row["bucket"][:10]: (row["stars_mean_sum"], row["stars_mean_n"]) for row in shown}


async def test_states_of_a_review_in_any_order_count_at_its_publication(
    client: httpx.AsyncClient,
) -> None:
    states = ((1, 2, 1), (2, 5, 3), (3, 9, 5))
    for number, order in enumerate(permutations(states)):
        for state in order:
            await post(client, review(f"r{number}", *state))
    await post(client, *(review("at-once", *state) for state in reversed(states)))
    assert await by_day(client) == {"2026-03-02": (35, 7)}


async def test_taking_back_the_first_state_moves_the_review_to_the_next(client: httpx.AsyncClient) -> None:
    await post(client, review("r", 1, 2, 1), review("r", 2, 5, 3))
    await post(client, review("r", 3, 9, 5))
    await post(client, taken_back("r@1"))
    assert await by_day(client) == {"2026-03-05": (5, 1)}
    await post(client, taken_back("r@3"))
    assert await by_day(client) == {"2026-03-05": (3, 1)}
    await post(client, taken_back("r@2"))
    assert await by_day(client) == {}


async def test_a_review_first_seen_edited_counts_where_its_site_says_it_was_published(client) -> None:
    await post(client, review("r", 2, 9, 4, experienced_at="2026-03-03T23:30:00+02:00"))
    assert await by_day(client) == {"2026-03-03": (4, 1)}
    await post(client, review("r", 3, 12, 5))
    assert await by_day(client) == {"2026-03-03": (5, 1)}


@pytest.mark.parametrize(
    ("told", "day"), [("2026-02-28T09:00:00Z", "2026-02-28"), ("2026-03-09T09:00:00Z", "2026-03-02")]
)
async def test_an_answer_counts_at_the_experience_but_never_after_itself(client, told: str, day: str) -> None:
    answer = {
        "type": "feedback.received", "id": "a", "source": "crm", "occurred_at": "2026-03-02T10:00:00Z",
        "data": {"channel": "call", "scale": "nps_0_10", "value": 9, "experienced_at": told},
    }  # fmt: skip
    await post(client, answer)
    [item] = (await client.get("/v1/feedback")).json()["items"]
    assert item["occurred_at"][:10] == day


@pytest.mark.parametrize("told", ["yesterday", "2026-03-01T10:00:00", "0001-01-01T00:00:00Z"])
async def test_an_unreadable_experience_is_refused_with_its_place(client, told: str) -> None:
    answer = await client.post("/v1/events", json=[review("r", 1, 2, 5, experienced_at=told)])
    [result] = answer.json()["results"]
    assert (result["status"], result["error"]["pointer"]) == ("rejected", "/data/experienced_at")
