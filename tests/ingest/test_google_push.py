"""A push of Google Pub/Sub at an inlet: its token is checked with keys that are asked for once."""

from __future__ import annotations

import json
import time

import httpx

from app.ingest.google_keys import URL, GoogleKeys
from app.ingest.pulling.client import PullClient
from app.wiring import Services
from tests.builders import assert_problem
from tests.receiver import Receiver, status
from tests.sources.test_oidc import OTHER, key_set, token

SOURCE = {
    "adapter": "google_forms",
    "verification": "google_oidc",
    "signature": {"audience": "https://us/in", "email": "push@x.iam.gserviceaccount.com"},
}
NOTICE = {"message": {"attributes": {"formId": "f1", "eventType": "RESPONSES"}}, "subscription": "s"}


async def test_only_googles_push_for_us_is_let_in_and_its_keys_are_read_once(
    client: httpx.AsyncClient, services: Services
) -> None:
    assert (await client.put("/v1/sources/forms", json=SOURCE)).is_success
    path = (await client.post("/v1/sources/forms/token")).json()["path"]
    now = int(time.time())
    good, forged = token(iat=now, exp=now + 600), token(OTHER, iat=now, exp=now + 600)

    async def push(written: str | None) -> httpx.Response:
        headers = {} if written is None else {"Authorization": f"Bearer {written}"}
        return await client.post(path, json=NOTICE, headers=headers)

    async with Receiver() as google:
        hosts = {"https://www.googleapis.com": google.url("").rstrip("/")}
        services.google_keys = GoogleKeys(PullClient(services.egress.vetted_url, hosts), services.clock)
        certificates = URL.removeprefix("https://www.googleapis.com")
        google.on(certificates, status(200, json.dumps(key_set()).encode()))
        assert (await push(good)).json()["status"] == "success"
        assert_problem(await push(forged), 401, "not_genuine")
        assert_problem(
            await push(token(head={"kid": "stranger"}, iat=now, exp=now + 600)), 401, "not_genuine"
        )
        assert_problem(await push(None), 401, "not_genuine")
        assert (await push(good)).status_code == 200
        assert len(google.arrivals(certificates)) == 1

        services.google_keys = GoogleKeys(PullClient(services.egress.vetted_url, hosts), services.clock)
        google.on(certificates, status(500))
        assert_problem(await push(good), 503, "keys_unavailable")


async def test_a_source_for_googles_tokens_says_for_whom_they_are(client: httpx.AsyncClient) -> None:
    answer = await client.put("/v1/sources/forms", json=SOURCE | {"signature": None})
    assert_problem(answer, 422, "signature_document")
    stored = (await client.put("/v1/sources/forms", json=SOURCE)).json()
    assert stored["signature"]["audience"] == "https://us/in"
    assert (await client.get("/v1/sources/forms")).json()["signature"] == stored["signature"]
