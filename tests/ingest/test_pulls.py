"""Sources that are asked: every page once, nothing twice, faults wait longer, secrets stay sealed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.ingest.pulling.loop import backoff_seconds
from app.wiring import Services
from app.worker import build_pulls
from tests.builders import assert_problem, query, value_of
from tests.conftest import Server
from tests.receiver import Receiver, status

FORMS = "https://forms.googleapis.com"
FIRST = "/v1/forms/f1/responses?pageSize=500"
TOKENS = "https://oauth2.googleapis.com"
SECRET = {"client_id": "c", "client_secret": "very-secret", "refresh_token": "r"}
SOURCE = {
    "adapter": "google_forms",
    "pull": {"settings": {"form": "f1"}, "every_seconds": 900},
    "defaults": {"questions": {"q": {"scale": "csat_1_5", "measure": "csat"}}},
}


def page(*numbers: int, following: str | None = None, score: str = "4") -> bytes:
    responses = [
        {
            "responseId": f"r{n}",
            "createTime": "2026-11-01T10:00:00Z",
            "answers": {"q": {"textAnswers": {"answers": [{"value": score}]}}},
        }
        for n in numbers
    ]
    return json.dumps({"responses": responses, "nextPageToken": following}).encode()


@pytest.fixture
async def partner() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        receiver.on("/token", status(200, b'{"access_token":"at"}'))
        yield receiver


async def pull(services: Services, partner: Receiver) -> None:
    origin = partner.url("").rstrip("/")
    await build_pulls(services, {FORMS: origin, TOKENS: origin}).step()


async def due_again(client: httpx.AsyncClient, **changed: Any) -> None:
    """Configured anew, a source is asked at once."""
    changed = changed or {"title": str(id(object()))}
    answer = await client.put("/v1/sources/forms", json=SOURCE | {"credentials": SECRET} | changed)
    assert answer.is_success, answer.text


async def test_pages_are_asked_for_until_there_are_none_and_nothing_doubles(
    client: httpx.AsyncClient, services: Services, partner: Receiver, server: Server
) -> None:
    await due_again(client)
    second = f"{FIRST}&pageToken=p2"
    partner.on(FIRST, status(200, page(1, 2, following="p2")))
    partner.on(second, status(200, page(3)))
    await pull(services, partner)
    asked = [
        arrival.headers["authorization"] for path in (FIRST, second) for arrival in partner.arrivals(path)
    ]
    assert asked == ["Bearer at", "Bearer at"]
    assert await value_of(server, "SELECT count(*) FROM feedback") == 3
    state = (await client.get("/v1/sources/forms/pull")).json()
    assert (state["failures"], state["last_error"]) == (0, None) and state["pulled_at"]

    await due_again(client)
    partner.on(FIRST, status(200, page(1, 2, 3, 4)))
    await pull(services, partner)
    assert await value_of(server, "SELECT count(*) FROM feedback") == 4
    # a page with nothing new leaves no raw copy
    await due_again(client)
    await pull(services, partner)
    assert await value_of(server, "SELECT count(*) FROM raw_payloads") == 3


async def test_a_fault_waits_longer_and_says_why(
    client: httpx.AsyncClient, services: Services, partner: Receiver, server: Server
) -> None:
    await due_again(client)
    partner.on(FIRST, status(429, **{"Retry-After": "7200"}))
    await pull(services, partner)
    state = (await client.get("/v1/sources/forms/pull")).json()
    assert (state["failures"], state["last_error"]) == (1, "the partner answers: HTTP 429")
    wait = await value_of(server, "SELECT extract(epoch FROM next_at - now())::int FROM source_pulls")
    assert 7_100 < wait <= 7_200
    await due_again(client)
    partner.on(FIRST, status(302, Location="http://127.0.0.1:1/"))
    await pull(services, partner)
    assert "HTTP 302" in (await client.get("/v1/sources/forms/pull")).json()["last_error"]
    await due_again(client)
    partner.on(FIRST, status(200, b"<html>"))
    await pull(services, partner)
    assert "no JSON" in (await client.get("/v1/sources/forms/pull")).json()["last_error"]


async def test_a_score_outside_its_scale_is_kept_once_however_often_it_is_asked_for(
    client: httpx.AsyncClient, services: Services, partner: Receiver, server: Server
) -> None:
    await due_again(client)
    partner.on(FIRST, status(200, page(1, score="9")))
    for _ in range(3):
        await pull(services, partner)
        async with services.database.worker() as tx:
            await tx.execute("UPDATE source_pulls SET next_at = now()")
    kept = await query(server, "SELECT state, reason FROM raw_payloads")
    assert [tuple(row) for row in kept] == [("quarantined", "score_invalid")]


async def test_credentials_are_sealed_and_asked_for(client: httpx.AsyncClient, server: Server) -> None:
    missing = await client.put("/v1/sources/forms", json=SOURCE)
    assert_problem(missing, 422, "credentials_missing")
    await due_again(client)
    shown = (await client.get("/v1/sources/forms")).json()
    assert shown["has_credentials"] is True and "very-secret" not in json.dumps(shown)
    assert (await client.put("/v1/sources/forms", json=SOURCE)).is_success  # they stay
    stored = await query(server, "SELECT sealed_credentials::text AS s FROM sources")
    audit = await query(server, "SELECT detail FROM audit")
    assert "very-secret" not in str(stored) + str(audit) and stored[0]["s"] is not None
    assert (await client.put("/v1/sources/forms", json={"adapter": "google_forms"})).is_success
    assert await value_of(server, "SELECT count(*) FROM source_pulls") == 0
    assert (await client.get("/v1/sources/forms/pull")).status_code == 404


def test_waiting_doubles_to_six_hours() -> None:
    assert [backoff_seconds(900, n, None) for n in (0, 1, 2, 9)] == [900, 1_800, 3_600, 21_600]
    assert backoff_seconds(86_400, 3, None) == 86_400
    assert backoff_seconds(900, 1, 9_000) == 9_000


async def test_a_notice_lets_the_source_be_asked_at_once(
    client: httpx.AsyncClient, services: Services, partner: Receiver, server: Server
) -> None:
    await due_again(client)
    partner.on(FIRST, status(200, page(1)))
    await pull(services, partner)
    partner.on(FIRST, status(200, page(1, 2)))
    await pull(services, partner)  # it is not its turn
    assert await value_of(server, "SELECT count(*) FROM feedback") == 1
    path = (await client.post("/v1/sources/forms/token")).json()["path"]
    assert (await client.post(path, json={"message": {"attributes": {"formId": "f1"}}})).status_code == 200
    await pull(services, partner)
    assert await value_of(server, "SELECT count(*) FROM feedback") == 2


QUALTRICS = "https://fra1.qualtrics.com"
EXPORTS = "/API/v3/surveys/SV_1/export-responses"
SURVEY = {
    "adapter": "qualtrics",
    "pull": {"settings": {"datacenter": "fra1", "survey": "SV_1"}, "every_seconds": 900},
    "credentials": {"api_token": "very-secret"},
    "defaults": {"questions": {"QID1": {"scale": "nps_0_10", "measure": "nps"}}},
}


async def test_an_export_is_asked_for_read_once_and_begun_anew_after_a_fault(
    client: httpx.AsyncClient, services: Services, partner: Receiver, server: Server
) -> None:
    assert (await client.put("/v1/sources/survey", json=SURVEY)).is_success
    values = {"recordedDate": "2026-11-20T10:00:00Z", "QID1": 9, "QID2_TEXT": "Fine"}
    file = json.dumps({"responses": [{"responseId": "R_1", "values": values}]}).encode()
    partner.on(EXPORTS, status(200, b'{"result":{"progressId":"ES_1","status":"inProgress"}}'))
    partner.on(f"{EXPORTS}/ES_1", status(404))

    async def turn() -> None:
        await build_pulls(services, {QUALTRICS: partner.url("").rstrip("/")}).step()
        async with services.database.worker() as tx:
            await tx.execute("UPDATE source_pulls SET next_at = now()")

    await turn()
    assert await value_of(server, "SELECT failures FROM source_pulls") == 1
    partner.on(f"{EXPORTS}/ES_1", status(200, b'{"result":{"status":"complete","fileId":"f-1"}}'))
    partner.on(f"{EXPORTS}/f-1/file", status(200, file))
    await turn()
    await turn()
    asked = [json.loads(arrival.body) for arrival in partner.arrivals(EXPORTS)]
    assert [one.get("startDate") is not None for one in asked] == [False, False, True]
    assert {arrival.headers["x-api-token"] for arrival in partner.arrivals(EXPORTS)} == {"very-secret"}
    stored = await query(server, "SELECT value::float AS value FROM feedback WHERE seq_to IS NULL")
    assert [row["value"] for row in stored] == [9.0]
