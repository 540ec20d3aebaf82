"""States of one object: the greatest version is current in any order; retraction restores the one before."""

from __future__ import annotations

from typing import Any

import httpx

from tests.builders import Json, at, error_of, event, query, rating, results_of
from tests.conftest import Server


async def current(server: Server) -> list[tuple[Any, ...]]:
    """The answers that count now: (value, feedback id)."""
    rows = await query(
        server, "SELECT value, feedback_id FROM feedback WHERE seq_to IS NULL ORDER BY position"
    )
    return [(int(row["value"]), row["feedback_id"]) for row in rows]


async def values(server: Server) -> list[int]:
    return [value for value, _ in await current(server)]


def state(version: Any, value: int, **fields: Any) -> Json:
    return rating(f"r@{version}", value, object="review-1", version=version, **fields)


def retraction(event_id: str, **data: Any) -> Json:
    return event("event.retracted", f"undo-{event_id}", data={"event": event_id, **data})


async def test_the_greater_version_is_current_in_either_order_of_arrival(
    client: httpx.AsyncClient, server: Server
) -> None:
    pairs = [
        (1, 2),
        (9, 10),
        ("2", "10"),
        (1.5, 1.25e1),
        (at(hours=1), at(hours=2)),
        (at(), "2199-01-01T00:00+02:00"),
    ]
    for n, (older, newer) in enumerate(pairs):
        low, high = rating(f"low{n}", 3, version=older), rating(f"high{n}", 8, version=newer)
        forth = [{**low, "object": f"forth{n}"}, {**high, "object": f"forth{n}"}]
        assert results_of(await client.post("/v1/events", json=forth)) == ["created", "revised"], (
            older,
            newer,
        )
        back = [{**high, "id": f"h{n}", "object": f"back{n}"}, {**low, "id": f"l{n}", "object": f"back{n}"}]
        assert results_of(await client.post("/v1/events", json=back)) == ["created", "stale"], (older, newer)
    assert await values(server) == [8] * 2 * len(pairs)


async def test_the_answer_keeps_its_id_over_its_versions(client: httpx.AsyncClient, server: Server) -> None:
    ids = []
    for version in (1, 2, 3):
        await client.post("/v1/events", json=state(version, version))
        ids.append((await current(server))[0][1])
    assert ids == [ids[0]] * 3
    intervals = await query(server, "SELECT seq_from, seq_to FROM feedback ORDER BY seq_from")
    assert [tuple(row) for row in intervals] == [(1, 2), (2, 3), (3, None)]


async def test_without_a_version_the_later_state_is_current(
    client: httpx.AsyncClient, server: Server
) -> None:
    later = rating("a", 8, object="o", when=at(hours=2))
    earlier = rating("b", 3, object="o", when=at(hours=1))
    assert results_of(await client.post("/v1/events", json=[later, earlier])) == ["created", "stale"]
    assert await values(server) == [8]


async def test_equal_versions_are_told_apart_by_time_and_then_by_id(
    client: httpx.AsyncClient, server: Server
) -> None:
    states = [
        rating("b", 1, object="o", version=7, when=at(hours=1)),
        rating("a", 2, object="o", version=7, when=at(hours=2)),
        rating("c", 3, object="o", version=7, when=at(hours=2)),
        rating("B", 4, object="o", version=7, when=at(hours=2)),
    ]
    assert results_of(await client.post("/v1/events", json=states)) == [
        "created",
        "revised",
        "revised",
        "stale",
    ]
    assert await values(server) == [3]


async def test_several_versions_in_one_commit_leave_one_current_answer(
    client: httpx.AsyncClient, server: Server
) -> None:
    await client.post("/v1/events", json=state(1, 1))
    answer = await client.post("/v1/events", json=[state(2, 2), state(4, 4), state(3, 3)])
    assert results_of(answer) == ["revised", "revised", "stale"]
    found = await current(server)
    assert [value for value, _ in found] == [4]
    first = await query(server, "SELECT feedback_id FROM feedback WHERE seq_from = 1")
    assert found[0][1] == first[0][0]


async def test_a_retracted_state_gives_way_to_the_greatest_one_left(
    client: httpx.AsyncClient, server: Server
) -> None:
    for version in (1, 2, 3):
        await client.post("/v1/events", json=state(version, version))
    original = (await current(server))[0][1]
    await client.post("/v1/events", json=retraction("r@2"))
    assert await values(server) == [3]
    await client.post("/v1/events", json=retraction("r@3"))
    assert await current(server) == [(1, original)]
    assert (await client.post("/v1/events", json=state(2.5, 5))).json()["status"] == "revised"
    assert await current(server) == [(5, original)]


async def test_a_retracted_only_state_leaves_nothing_and_the_next_one_is_created(
    client: httpx.AsyncClient, server: Server
) -> None:
    await client.post("/v1/events", json=state(5, 5))
    await client.post("/v1/events", json=retraction("r@5"))
    assert await values(server) == []
    assert (await client.post("/v1/events", json=state(1, 1))).json()["status"] == "created"
    assert await values(server) == [1]


async def test_an_event_and_its_retraction_in_one_atomic_batch_come_to_nothing(
    client: httpx.AsyncClient, server: Server
) -> None:
    await client.post("/v1/events", json=state(1, 1))
    posted = [state(2, 2), rating("single", 9), retraction("r@2"), retraction("single")]
    answer = await client.post("/v1/events", json=posted, params={"atomic": "true"})
    assert results_of(answer) == ["revised", "created", "created", "created"]
    assert await values(server) == [1]


async def test_a_retraction_of_what_is_not_known_is_refused_alone(
    client: httpx.AsyncClient, server: Server
) -> None:
    posted = [
        rating("a1"),
        retraction("nobody"),
        rating("a2"),
        retraction("a1", source="other"),
        retraction("a1"),
    ]
    answer = await client.post("/v1/events", json=posted)
    assert results_of(answer) == ["created", "rejected", "created", "rejected", "created"]
    errors = [answer.json()["results"][index]["error"] for index in (1, 3)]
    assert {error["code"] for error in errors} == {"nothing_to_retract"}
    assert {error["pointer"] for error in errors} == {"/data/event"}
    assert await values(server) == [9]


async def test_a_retraction_twice_changes_nothing_more(client: httpx.AsyncClient, server: Server) -> None:
    await client.post("/v1/events", json=[rating("a1"), rating("a2", 2)])
    first = await client.post("/v1/events", json=retraction("a1"))
    assert first.json()["status"] == "created"
    assert (await client.post("/v1/events", json=retraction("a1"))).json()["status"] == "duplicate"
    again = event("event.retracted", "undo-again", data={"event": "a1"})
    assert (await client.post("/v1/events", json=again)).status_code == 201
    assert await values(server) == [2]


async def test_a_retraction_takes_back_another_sources_event_when_it_names_it(
    client: httpx.AsyncClient, server: Server
) -> None:
    await client.post("/v1/events", json=rating("a1", source="chat"))
    await client.post("/v1/events", json=retraction("a1", source="chat"))
    assert await values(server) == []


async def test_a_retraction_makes_no_alias_of_the_subject_that_it_states(
    client: httpx.AsyncClient, server: Server
) -> None:
    await client.post("/v1/events", json=event("case.opened", "o1", subject="case/C-1"))
    stated = event("event.retracted", "u1", subject="case/C-2", data={"event": "o1"})
    assert (await client.post("/v1/events", json=stated)).status_code == 201
    refs = await query(server, "SELECT ref FROM subject_aliases ORDER BY ref")
    assert [row["ref"] for row in refs] == ["C-1"]


async def test_a_removed_review_counts_no_more_and_its_restored_version_does_again(
    client: httpx.AsyncClient, server: Server
) -> None:
    data = {"question": "stars", "scale": "stars_1_5", "value": 2, "channel": "review"}
    published = event("review.published", "p", subject="review/R", object="R", version=1, data=data)
    edited = event("review.edited", "e", subject="review/R", object="R", version=2, data={**data, "value": 5})
    removed = event("review.removed", "d", subject="review/R", object="R", version=3)
    assert results_of(await client.post("/v1/events", json=[published, removed])) == ["created", "revised"]
    assert await values(server) == []
    assert (await client.post("/v1/events", json=edited)).json()["status"] == "stale"
    await client.post("/v1/events", json=retraction("d"))
    assert await values(server) == [5]


async def test_a_corrected_count_replaces_the_one_before(client: httpx.AsyncClient, server: Server) -> None:
    for version, count in ((1, 100), (2, 120), (3, 90)):
        counted = event(
            "visitors.counted",
            f"v{version}",
            object="door-1",
            version=version,
            data={"count": count, "location": "k1"},
        )
        assert (await client.post("/v1/events", json=counted)).status_code in (200, 201)
    rows = await query(server, "SELECT count FROM volumes WHERE seq_to IS NULL")
    assert [row["count"] for row in rows] == [90]


async def test_a_version_that_cannot_be_ordered_is_refused_at_its_place(client: httpx.AsyncClient) -> None:
    bad = ["no number", "NaN", "-Infinity", "1e30", "1e-19", "1e999999999", "2026-13-01T00:00:00Z", "9" * 400]
    answer = await client.post(
        "/v1/events", json=[rating(f"v{n}", object="o", version=v) for n, v in enumerate(bad)]
    )
    assert results_of(answer) == ["rejected"] * len(bad)
    assert {error_of(answer, n)["pointer"] for n in range(len(bad))} == {"/version"}


async def test_the_greatest_and_the_finest_version_are_stored(
    client: httpx.AsyncClient, server: Server
) -> None:
    for version in ("999999999999999999999999999999", "0.000000000000000001", "-5"):
        answer = await client.post(
            "/v1/events", json=rating(f"v{version}", 5, object=version, version=version)
        )
        assert answer.status_code == 201, answer.text
    assert len(await values(server)) == 3
