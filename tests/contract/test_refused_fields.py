"""What the schemas refuse: the place, what is wrong there, and the cure."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from app.problem_handlers import install_problem_handlers


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Limit(_Strict):
    per_minute: int = Field(alias="perMinute", default=1)


class _Endpoint(_Strict):
    url: str
    kind: str = Field(default="full", pattern="^(full|thin)$")
    limits: list[_Limit] = Field(default_factory=list)
    throttle: _Limit | None = None


@pytest.fixture
async def client() -> httpx.AsyncClient:
    app = FastAPI()
    install_problem_handlers(app)

    @app.post("/endpoints")
    async def _create(endpoint: _Endpoint) -> str:
        return endpoint.url

    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


@pytest.mark.parametrize(
    ("document", "pointer", "code", "cure"),
    [
        ({}, "/url", "missing_field", "send it"),
        ({"url": "x", "throtle": {}}, "/throtle", "unknown_field", "Did you mean 'throttle'?"),
        ({"url": "x", "zzz": 1}, "/zzz", "unknown_field", "Known here: kind, limits, throttle, url."),
        ({"url": "x", "limits": [{}, {"per_minut": 1}]}, "/limits/1/per_minut", "unknown_field", "perMinute"),
        ({"url": "x", "throttle": {"perMinut": 1}}, "/throttle/perMinut", "unknown_field", "'perMinute'"),
        ({"url": "x", "a/b~": 1}, "/a~1b~0", "unknown_field", "Known here"),
    ],
)
async def test_a_refused_field_says_where_it_stands_and_how_to_mend_it(
    client: httpx.AsyncClient, document: object, pointer: str, code: str, cure: str
) -> None:
    answer = await client.post("/endpoints", json=document)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert cure in error["cure"]


async def test_a_body_that_is_no_json_is_a_400_with_a_cure(client: httpx.AsyncClient) -> None:
    answer = await client.post("/endpoints", content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    assert answer.json()["errors"][0]["cure"] == "send one JSON document in UTF-8"


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "cure"),
    [
        ("GET", "/nowhere", 404, "not_found", "the addresses are in /openapi.json"),
        ("DELETE", "/endpoints", 405, "method_not_allowed", "use POST"),
    ],
)
async def test_an_address_that_is_none_is_told_where_they_stand(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str, cure: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["errors"][0]["cure"] == cure
