"""A thing that is not there: a 404 that says what in words, where it was named, and where to look."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest

from app.kit.ids import public_id
from tests.builders import assert_problem

_NOBODY = UUID(int=7)
ADDRESSES = [
    ("/v1/cases/{}", "case", "case", "path:case_id", "GET /v1/cases"),
    ("/v1/cases/{}/events", "case", "case", "path:case_id", "GET /v1/cases"),
    ("/v1/webhooks/endpoints/{}", "ep", "endpoint", "path:endpoint_id", "GET /v1/webhooks/endpoints"),
    ("/v1/messages/{}", "msg", "message", "path:message_id", "GET /v1/messages"),
    ("/v1/payloads/{}", "raw", "payload", "path:payload_id", "GET /v1/payloads"),
    ("/v1/feedback/{}", "fb", "answer", "path:feedback_id", "GET /v1/feedback"),
]


@pytest.mark.parametrize("address, prefix, noun, pointer, cure", ADDRESSES)
@pytest.mark.parametrize("shape", ["well formed", "nonsense"])
async def test_a_404_names_the_thing_its_place_and_where_those_there_are_stand(
    client: httpx.AsyncClient, address: str, prefix: str, noun: str, pointer: str, cure: str, shape: str
) -> None:
    name = public_id(prefix, _NOBODY) if shape == "well formed" else "nonsense"
    body = assert_problem(await client.get(address.format(name)), 404, "not_found")
    assert noun in body["detail"]
    assert f"`{prefix}`" not in body["detail"]
    assert [(error["pointer"], error["code"]) for error in body["errors"]] == [(pointer, "not_found")]
    assert body["errors"][0]["cure"].startswith(cure + " ")


async def test_an_id_of_a_filter_is_pointed_at_in_the_query(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/messages", params={"limit": "5", "endpoint": "mine"})
    error = assert_problem(answer, 404, "not_found")["errors"][0]
    assert (error["pointer"], error["detail"]) == (
        "query:endpoint",
        "there is no webhook endpoint with the id 'mine'",
    )
    assert error["cure"] == "GET /v1/webhooks/endpoints lists those there are"


async def test_a_404_that_names_its_place_itself_keeps_it(client: httpx.AsyncClient) -> None:
    body = assert_problem(
        await client.post(f"/v1/cases/{public_id('case', _NOBODY)}/closs"), 404, "unknown_command"
    )
    assert body["errors"][0]["pointer"] == "path:command"
    assert "close" in body["errors"][0]["cure"]
