"""`known_at` as a time: what was known then, for answers and for cases, whatever came later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.builders import at, event, rating, results_of

METRICS = ("responses", "cases_opened")


async def post(client: httpx.AsyncClient, *events: dict[str, Any]) -> datetime:
    """A moment after these were recorded."""
    assert set(results_of(await client.post("/v1/events", json=list(events)))) == {"created"}
    return datetime.now(UTC)


async def ask(client: httpx.AsyncClient, metric: str, known_at: Any) -> dict[str, Any]:
    period = {"from": at(days=-60), "to": at(days=5)}
    asked = {"metrics": [metric], "period": period, "known_at": known_at}
    answer = await client.post("/v1/metrics/query", json=asked)
    assert answer.status_code == 200, answer.text
    flat = {"metrics": metric, **period, "known_at": str(known_at)}
    same = await client.get("/v1/metrics/query", params=flat)
    assert same.status_code == 200, same.text
    assert same.json()["rows"] == answer.json()["rows"]
    assert same.json()["query"]["known_at"] == answer.json()["query"]["known_at"]
    return answer.json()


async def test_a_time_is_the_last_commit_recorded_by_then(client: httpx.AsyncClient) -> None:
    begun = datetime.now(UTC)
    moments = []
    for number in range(5):
        opened = event("case.opened", f"o{number}", subject=f"case/c{number}", data={"kind": "complaint"})
        moments.append(await post(client, rating(f"r{number}", 9), opened))
    for metric in METRICS:
        seqs = []
        for number, moment in enumerate(moments):
            told = await ask(client, metric, moment.isoformat())
            assert told["rows"][0][metric] == number + 1
            seqs.append(told["query"]["known_at"])
            assert (await ask(client, metric, seqs[-1]))["rows"] == told["rows"]
        assert seqs == sorted(set(seqs))
        before = await ask(client, metric, (begun - timedelta(days=1)).isoformat())
        assert (before["query"]["known_at"], before["rows"][0][metric]) == (0, None)


@pytest.mark.parametrize(
    ("known_at", "code", "cure"),
    [
        ("yesterday", "invalid_time", "data_seq"),
        ("-1", "invalid_time", "data_seq"),
        ("2026-13-01T00:00:00Z", "invalid_time", "2026-03-01"),
        ("2999-01-01T00:00:00Z", "known_at_in_the_future", "has passed"),
        ("9" * 60, "known_at_in_the_future", "has passed"),
    ],
)
async def test_what_is_no_time_that_has_passed_is_refused_at_its_place(
    client: httpx.AsyncClient, known_at: str, code: str, cure: str
) -> None:
    query = {"metrics": ["nps"], "known_at": known_at}
    posted = await client.post("/v1/metrics/query", json=query)
    flat = await client.get("/v1/metrics/query", params={"metrics": "nps", "known_at": known_at})
    saved = await client.put("/v1/metrics/queries/then", json={"title": "Then", "query": query})
    for answer, place in ((posted, "/known_at"), (flat, "query:known_at"), (saved, "/query/known_at")):
        assert answer.status_code == 422, answer.text
        problem = answer.json()
        assert (problem["code"], problem["errors"][0]["pointer"]) == (code, place)
        assert cure in problem["errors"][0]["cure"]


async def test_a_saved_query_keeps_the_time_and_its_answer_tells_the_commit(
    client: httpx.AsyncClient,
) -> None:
    moment = await post(client, rating("r1", 9))
    await post(client, rating("r2", 9))
    query = {"metrics": ["responses"], "period": {"from": at(days=-5), "to": at(days=5)}}
    query["known_at"] = moment.isoformat()
    saved = await client.put("/v1/metrics/queries/then", json={"title": "Then", "query": query})
    assert saved.json()["query"]["known_at"] == moment.isoformat(), saved.text
    answer = (await client.get("/v1/metrics/queries/then/answer")).json()
    assert answer["rows"][0]["responses"] == 1
    assert isinstance(answer["query"]["known_at"], int)
