"""Questions about March over HTTP: the answer, or the refusal with its place."""

from __future__ import annotations

from typing import Any

import httpx

MARCH = {"from": "2026-03-01", "to": "2026-04-01"}


async def post(http: httpx.AsyncClient, *metrics: str, **query: Any) -> dict[str, Any]:
    answer = await http.post("/v1/metrics/query", json={"metrics": metrics, "period": MARCH, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(http: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    document = {"metrics": ["nps"], "period": MARCH, **query}
    answer = await http.post("/v1/metrics/query", json=document)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    return {"code": problem["code"], **problem["errors"][0]}
