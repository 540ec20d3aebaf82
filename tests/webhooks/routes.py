"""The webhook routes as tests call them."""

from __future__ import annotations

import httpx

ENDPOINTS = "/v1/webhooks/endpoints"


MESSAGES = "/v1/messages"


async def create(http: httpx.AsyncClient, url: str, **more: object) -> dict[str, object]:
    answer = await http.post(ENDPOINTS, json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    created: dict[str, object] = answer.json()
    return created


def code_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]
