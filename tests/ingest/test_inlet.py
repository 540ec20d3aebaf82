"""`POST /in/{token}`: forged, replayed and broken deliveries are 401 or kept, and never a 500."""

from __future__ import annotations

import hmac
import json
import time

import httpx
import pytest

from tests.builders import assert_problem, query, value_of
from tests.conftest import Server

SECRET = "the secret that the partner shows"
RATED = {"event": "message_updated", "id": 7, "content_type": "input_csat"}


@pytest.fixture
async def inlet(client: httpx.AsyncClient) -> str:
    """The path of a Chatwoot source."""
    source = {
        "adapter": "chatwoot",
        "verification": "chatwoot",
        "secrets": [SECRET],
        "defaults": {"channel": "chat"},
    }
    answer = await client.put("/v1/sources/chat", json=source)
    assert answer.is_success, answer.text
    path: str = (await client.post("/v1/sources/chat/token")).json()["path"]
    return path


def signed(
    body: bytes, *, secret: str = SECRET, age_seconds: int = 0, algorithm: str = "sha256"
) -> dict[str, str]:
    stamp = str(int(time.time()) - age_seconds)
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, algorithm).hexdigest()
    return {
        "X-Chatwoot-Timestamp": stamp,
        "X-Chatwoot-Signature": f"sha256={digest}",
        "Content-Type": "application/json",
    }


async def test_a_delivery_that_is_not_proven_genuine_is_401_and_leaves_nothing(
    client: httpx.AsyncClient, inlet: str, server: Server
) -> None:
    body = json.dumps(RATED).encode()
    good = signed(body)
    stamp, signature = good["X-Chatwoot-Timestamp"], good["X-Chatwoot-Signature"]
    forged: list[dict[str, str | bytes]] = [
        {},
        {"X-Chatwoot-Timestamp": stamp},
        {"X-Chatwoot-Signature": signature},
        {**good, "X-Chatwoot-Signature": ""},
        {**good, "X-Chatwoot-Signature": "sha256="},
        {**good, "X-Chatwoot-Signature": signature.removeprefix("sha256=")},
        {**good, "X-Chatwoot-Signature": "v1,a,b"},
        {**good, "X-Chatwoot-Signature": signature[:-1]},
        {**good, "X-Chatwoot-Signature": " ".join([signature] * 100)},
        {**good, "X-Chatwoot-Signature": b"sha256=\xe9\xff"},
        {**good, "X-Chatwoot-Timestamp": "soon"},
        {**good, "X-Chatwoot-Timestamp": "9" * 40},
        {**good, "X-Chatwoot-Timestamp": "NaN"},
        {**good, "X-Chatwoot-Timestamp": str(int(stamp) + 1)},
        signed(body, secret="another"),
        signed(body, age_seconds=301),
        signed(body, age_seconds=-330),  # not -301: seconds may pass before it is sent
        signed(body, algorithm="sha1"),
        signed(body + b" "),
    ]
    for headers in forged:
        answer = await client.post(inlet, content=body, headers=headers)
        assert_problem(answer, 401, "not_genuine")
    assert await value_of(server, "SELECT count(*) FROM raw_payloads") == 0
    assert await value_of(server, "SELECT count(*) FROM events") == 0


async def test_a_genuine_delivery_that_is_not_understood_is_kept_as_it_came(
    client: httpx.AsyncClient, inlet: str, server: Server
) -> None:
    broken = [
        b"{",
        b"",
        b"\xff\xfe",
        b"NaN",
        b'{"a":"\\u0000"}',
        b"[" * 900 + b"]" * 900,
        b"[]",
        b"5",
        b"null",
        b"\x00",
    ]
    for body in broken:
        answer = await client.post(inlet, content=body, headers=signed(body))
        assert answer.status_code == 200, (body[:20], answer.text)
        assert answer.json()["events"] == 0
    kept = await query(server, "SELECT body, state, reason FROM raw_payloads")
    assert sorted(row["body"] for row in kept) == sorted(broken)
    reasons = {bytes(row["body"]): row["reason"] for row in kept if row["state"] == "quarantined"}
    assert reasons[b"NaN"] == "malformed_json"
    assert reasons[b"[" * 900 + b"]" * 900] == "too_deep"


async def test_an_unknown_path_tells_nothing(client: httpx.AsyncClient, inlet: str) -> None:
    for path in ("/in/x", "/in/" + "a" * 3000, "/in/%ff%fe", inlet + "x", inlet[:-1]):
        assert (await client.post(path, content=b"{}")).status_code == 404
    assert_problem(await client.post(inlet, content=b" " * (5 * 2**20)), 413, "body_too_large")


async def test_a_delivery_sent_again_doubles_nothing(
    client: httpx.AsyncClient, inlet: str, server: Server
) -> None:
    body = json.dumps(
        {
            "event": "conversation_created",
            "id": 42,
            "created_at": int(time.time()) - 60,
            "meta": {"sender": {"id": 1}},
            "messages": [],
        }
    ).encode()
    first = await client.post(inlet, content=body, headers=signed(body))
    again = await client.post(inlet, content=body, headers=signed(body))
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    rows = await query(server, "SELECT external_id, count(*) FROM events GROUP BY 1")
    assert all(row["count"] == 1 for row in rows)


async def test_a_source_that_is_not_pulled_has_nothing_to_pull_in_the_database(
    inlet: str, server: Server
) -> None:
    assert inlet
    unset = "pull IS NULL AND mapping IS NULL AND sealed_credentials IS NULL"
    assert await value_of(server, f"SELECT {unset} FROM sources WHERE key = 'chat'") is True
