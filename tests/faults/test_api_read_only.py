"""A database that takes no writes (read-only, disk full): every write is 503, come again; reads go on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from tests.builders import Json, assert_problem, at, event, rating, value_of
from tests.conftest import Server
from tests.ingest.test_inlet import SECRET, signed

_CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = 'vidhuk'"
)
# What PostgreSQL says when a table or the log of its writes cannot grow.
_NO_SPACE = """
CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
END $$
"""
_FILL = """
DO $$
DECLARE name regclass;
BEGIN
    FOR name IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace
                   AND relkind IN ('r', 'p') AND NOT relispartition
    LOOP
        EXECUTE format('CREATE TRIGGER no_space BEFORE INSERT OR UPDATE OR DELETE ON %s '
                       'EXECUTE FUNCTION no_space()', name);
    END LOOP;
END $$
"""


async def as_superuser(server: Server, *statements: str) -> None:
    writable = {"default_transaction_read_only": "off"}
    connection = await asyncpg.connect(server.superuser, server_settings=writable)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


@asynccontextmanager
async def unwritable(server: Server, fault: str) -> AsyncIterator[None]:
    """The database refuses writes; afterwards it takes them again."""
    name = server.superuser.rpartition("/")[2]
    if fault == "read-only":
        await as_superuser(server, f"ALTER DATABASE {name} SET default_transaction_read_only = on", _CUT)
    else:
        await as_superuser(server, _NO_SPACE, _FILL)
    try:
        yield
    finally:
        if fault == "read-only":
            await as_superuser(server, f"ALTER DATABASE {name} RESET default_transaction_read_only", _CUT)
        else:
            await as_superuser(server, "DROP FUNCTION no_space CASCADE")


@pytest.fixture
async def inlet(client: httpx.AsyncClient) -> str:
    """The path of a source."""
    source = {"adapter": "chatwoot", "verification": "chatwoot", "secrets": [SECRET]}
    assert (await client.put("/v1/sources/chat", json=source)).is_success
    path: str = (await client.post("/v1/sources/chat/token")).json()["path"]
    return path


def writes(case_id: str, endpoint_id: str) -> list[tuple[str, str, Any]]:
    """A command or a setting of each slice."""
    return [
        ("POST", "/v1/events", rating("w1")),
        ("POST", "/v1/events?atomic=true", [rating("w2"), rating("w3")]),
        ("POST", "/v1/cases", {"kind": "complaint", "channel": "call"}),
        ("POST", f"/v1/cases/{case_id}/acknowledge", {}),
        ("POST", "/v1/webhooks/endpoints", {"url": "http://127.0.0.1:9/", "event_types": ["*"]}),
        ("PATCH", f"/v1/webhooks/endpoints/{endpoint_id}", {"description": "other"}),
        ("POST", f"/v1/webhooks/endpoints/{endpoint_id}/test", {}),
        ("DELETE", f"/v1/webhooks/endpoints/{endpoint_id}", None),
        ("PUT", "/v1/privacy/retention", {"text_days": 30, "raw_days": None, "decision_days": None}),
        ("POST", "/v1/privacy/erasures", {"customer": {"type": "email", "value": "a@example.com"}}),
        ("PUT", "/v1/sources/other", {"adapter": "chatwoot", "verification": "none"}),
        ("POST", "/v1/sources/chat/token", None),
        ("POST", "/v1/keys", {"name": "till", "scopes": ["events:write"]}),
        ("PUT", "/v1/directory/location/k1", {"details": {"time_zone": "Europe/Kyiv"}}),
        ("PUT", "/v1/metrics/annotations/sale", {"starts_at": at(), "title": "a sale"}),
    ]


async def made(client: httpx.AsyncClient) -> tuple[str, str]:
    """A case and an endpoint."""
    opened = event("case.opened", "c1", subject="case/C-1", data={"kind": "complaint"})
    assert (await client.post("/v1/events", json=opened)).status_code == 201
    case_id: str = (await client.get("/v1/cases")).json()["items"][0]["id"]
    wanted: Json = {"url": "http://127.0.0.1:9/", "event_types": ["*"]}
    endpoint_id: str = (await client.post("/v1/webhooks/endpoints", json=wanted)).json()["id"]
    return case_id, endpoint_id


@pytest.mark.parametrize("fault", ["read-only", pytest.param("disk full", marks=pytest.mark.full)])
async def test_every_write_is_503_with_a_time_to_come_again_and_reads_go_on(
    client: httpx.AsyncClient, server: Server, inlet: str, fault: str
) -> None:
    requests = writes(*await made(client))
    body = json.dumps({"event": "message_updated", "id": 7, "content_type": "input_csat"}).encode()
    async with unwritable(server, fault):
        await client.get("/v1/cases")  # the first connection after the cut may be one of the dead
        answers = {
            f"{method} {path}": await client.request(method, path, json=document)
            for method, path, document in requests
        }
        answers["inlet"] = await client.post(inlet, content=body, headers=signed(body))
        batch = await client.post("/v1/events", json=[rating("b1"), rating("b2")])
        read = await client.get("/v1/cases")
    refused = {
        what: (answer.status_code, answer.text)
        for what, answer in answers.items()
        if answer.status_code != 503
    }
    assert refused == {}
    for answer in answers.values():
        assert_problem(answer, 503, "database_unavailable")
        assert int(answer.headers["retry-after"]) >= 1
    assert (batch.status_code, batch.headers["retry-after"]) == (503, "1")
    assert {result["error"]["retryable"] for result in batch.json()["results"]} == {True}
    assert (read.status_code, len(read.json()["items"])) == (200, 1)
    assert await value_of(server, "SELECT count(*) FROM events WHERE source = 'crm'") == 1
    await client.get("/v1/cases")
    assert (await client.post(inlet, content=body, headers=signed(body))).status_code == 200
    again = [
        (f"{method} {path}", (await client.request(method, path, json=document)).status_code)
        for method, path, document in requests
    ]
    assert [(what, status) for what, status in again if status >= 300] == []  # nothing else was wrong
