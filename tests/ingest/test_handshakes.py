"""What partners ask an address before they use it, and the address that they sign."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.builders import assert_problem, value_of
from tests.conftest import Server

SECRET = "first live secret"
PUBLIC = "https://feedback.example.com/in/hidden"


async def open_inlet(client: httpx.AsyncClient, **settings: Any) -> str:
    answer = await client.put("/v1/sources/partner", json=settings)
    assert answer.is_success, answer.text
    path: str = (await client.post("/v1/sources/partner/token")).json()["path"]
    return path


def b64(key: str, message: bytes, algorithm: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), message, algorithm).digest()).decode()


async def test_an_address_is_greeted_before_it_is_used(client: httpx.AsyncClient) -> None:
    path = await open_inlet(client, adapter="whatsapp", verification="meta", secrets=[SECRET])
    token = path.rpartition("/")[2]
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token}
    meta = await client.get(path, params=asked)
    assert (meta.status_code, meta.text) == (200, "1158201444")
    assert (await client.get(path, params=asked | {"hub.verify_token": "guess"})).status_code == 403
    assert (await client.get(path, params={"challenge": "abc"})).text == "abc"
    assert (await client.head(path)).status_code == 200
    permitted = await client.options(path, headers={"WebHook-Request-Origin": "events.example.com"})
    assert permitted.headers["WebHook-Allowed-Origin"] == "events.example.com"
    for method in ("GET", "HEAD", "OPTIONS"):
        assert (await client.request(method, path + "x")).status_code == 404


async def test_a_challenge_in_the_body_is_answered_after_it_is_proven(
    client: httpx.AsyncClient, server: Server
) -> None:
    path = await open_inlet(client, adapter="appfollow", verification="hmac_hex_body", secrets=[SECRET])
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1a"}).encode()
    signature = hmac.new(SECRET.encode(), body, "sha256").hexdigest()
    answer = await client.post(path, content=body, headers={"X-Signature": signature})
    assert answer.json() == {"challenge": "3eZbrw1a"}
    assert_problem(await client.post(path, content=body), 401, "not_genuine")
    assert await value_of(server, "SELECT count(*) FROM raw_payloads") == 0


async def test_the_public_address_is_what_was_signed(client: httpx.AsyncClient) -> None:
    path = await open_inlet(
        client, adapter="twilio", verification="twilio", secrets=["old", SECRET], public_url=PUBLIC
    )
    fields = {"CallSid": "CA1", "CallStatus": "completed", "From": "+380501112233"}
    joined = "".join(key + fields[key] for key in sorted(fields))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(fields).encode()
    for secret in ("old", SECRET):
        good = {"X-Twilio-Signature": b64(secret, (PUBLIC + joined).encode(), "sha1")}
        answer = await client.post(path, content=body, headers=form | good)
        assert answer.json()["events"] == 1, answer.text
    queried = {"X-Twilio-Signature": b64(SECRET, (PUBLIC + "?a=1" + joined).encode(), "sha1")}
    assert (await client.post(path + "?a=1", content=body, headers=form | queried)).status_code == 200
    seen = str(client.base_url.join(path))
    forged = {"X-Twilio-Signature": b64(SECRET, (seen + joined).encode(), "sha1")}
    assert_problem(await client.post(path, content=body, headers=form | forged), 401, "not_genuine")


async def test_a_json_body_is_bound_by_the_signed_address(client: httpx.AsyncClient) -> None:
    path = await open_inlet(
        client, adapter="twilio", verification="twilio", secrets=[SECRET], public_url=PUBLIC
    )
    body = b'{"event_type":"worker.activity","sid":"EV1"}'
    query = f"?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {
        "Content-Type": "application/json",
        "X-Twilio-Signature": b64(SECRET, (PUBLIC + query).encode(), "sha1"),
    }
    assert (await client.post(path + query, content=body, headers=headers)).status_code == 200
    assert_problem(await client.post(path + query, content=body + b" ", headers=headers), 401, "not_genuine")


async def test_deliveries_from_elsewhere_are_refused(client: httpx.AsyncClient) -> None:
    path = await open_inlet(client, adapter="binotel", allowed_networks=["203.0.113.0/24"])
    assert_problem(await client.post(path, json={"requestType": "newRecord"}), 401, "not_genuine")
    path = await open_inlet(client, adapter="binotel", allowed_networks=["127.0.0.0/8", "::1"])
    answer = await client.post(path, json={"requestType": "newRecord"})
    assert (answer.status_code, answer.json()["status"]) == (200, "success")
    wrong = await client.put("/v1/sources/x", json={"adapter": "binotel", "allowed_networks": ["here"]})
    assert wrong.status_code == 422


async def test_a_dry_run_says_what_would_happen_and_stores_nothing(
    client: httpx.AsyncClient, server: Server
) -> None:
    path = await open_inlet(client, adapter="viber")
    said = {"event": "message", "timestamp": 1767945600000, "message_token": 7, "sender": {"id": "u"}}
    body = said | {"message": {"type": "text", "text": "Ok"}}
    tried = (await client.post(path, params={"dry_run": "true"}, json=body)).json()
    assert tried["results"] == [{"type": "feedback.received", "id": "message:7", "status": "created"}]
    wrong = (await client.post(path, params={"dry_run": "true"}, json={"event": "waved"})).json()
    assert [error["code"] for error in wrong["errors"]] == ["unknown_event"]
    assert await value_of(server, "SELECT count(*) FROM events") == 0
    assert await value_of(server, "SELECT count(*) FROM raw_payloads") == 0


async def test_a_trial_needs_no_source_and_stores_nothing(client: httpx.AsyncClient, server: Server) -> None:
    payload = {"event": "message", "timestamp": 1767945600000, "message_token": 7, "message": {"text": "Ok"}}
    tried = (await client.post("/v1/sources/test", json={"adapter": "viber", "payload": payload})).json()
    assert [event["type"] for event in tried["events"]] == ["feedback.received"]
    form = {
        "adapter": "twilio",
        "body": "CallSid=CA1&Digits=5",
        "content_type": "application/x-www-form-urlencoded",
    }
    asked = (await client.post("/v1/sources/test", json=form)).json()
    assert [error["code"] for error in asked["errors"]] == ["question_unknown"]
    rule = {"digits": {"scale": "csat_1_5", "measure": "csat"}}
    scored = (await client.post("/v1/sources/test", json=form | {"defaults": {"questions": rule}})).json()
    assert scored["events"][0]["data"]["answers"][0]["value"] == "5"
    for wrong in (
        {},
        {"adapter": "vibre"},
        {"mapping": {"mapping": 2}},
        {"adapter": "viber", "time_zone": "x"},
    ):
        assert (await client.post("/v1/sources/test", json=wrong)).status_code == 422, wrong
    assert await value_of(server, "SELECT count(*) FROM events") == 0


async def test_what_arrived_is_counted_by_what_became_of_it(client: httpx.AsyncClient) -> None:
    path = await open_inlet(client, adapter="viber", expected_every_seconds=3600)
    for body in ({"event": "seen"}, {"event": "seen"}, {"event": "waved"}):
        assert (await client.post(path, json=body)).status_code == 200
    counts = (await client.get("/v1/sources/partner/counts")).json()
    assert (counts["adapted"], counts["ignored"], counts["quarantined"]) == (0, 2, 1)
    assert counts["quarantine_reasons"] == {"unknown_event": 1}
    assert counts["is_silent"] is True and counts["last_payload_at"] is not None
    ready = (await client.get("/v1/mappings")).json()["items"]
    document = (await client.get(f"/v1/mappings/{ready[0]['id']}")).json()["document"]
    used = await client.put("/v1/sources/x", json={"adapter": "mapping", "mapping": document})
    assert used.json()["mapping_version"] == 1


async def test_a_secret_that_travels_in_the_body_is_not_kept(
    client: httpx.AsyncClient, server: Server
) -> None:
    path = await open_inlet(client, adapter="livechat", verification="livechat", secrets=['p+"w'])
    said = {"action": "chat_deactivated", "payload": {"chat_id": "C", "thread_id": "T"}}
    assert_problem(await client.post(path, json=said | {"secret_key": "no"}), 401, "not_genuine")
    assert (await client.post(path, json=said | {"secret_key": 'p+"w'})).json()["events"] == 1
    body = bytes(await value_of(server, "SELECT body FROM raw_payloads"))
    assert b"***" in body and b"p+" not in body


async def test_the_known_systems_say_how_they_prove_themselves(client: httpx.AsyncClient) -> None:
    items = {one["name"]: one for one in (await client.get("/v1/adapters")).json()["items"]}
    assert (items["whatsapp"]["verification"], items["binotel"]["verification"]) == ("meta", "none")
    assert items["yelp"]["pull_settings"] == ["business"] and items["zendesk"]["about"]
    answer = await client.put("/v1/sources/x", json={"adapter": "whatsapp", "secrets": ["s"]})
    assert "`meta`" in assert_problem(answer, 422, "secrets_unused")["errors"][0]["cure"]


async def test_a_trial_asks_the_journal_too(client: httpx.AsyncClient) -> None:
    answer = {"question": {"value": "q"}, "scale": {"value": "csat_1_5"}, "value": "score"}
    event = {
        "type": "feedback.received",
        "id": "id",
        "occurred_at": "at",
        "data": {"channel": {"value": "web"}, "answers": [answer]},
    }
    mapping = {"mapping": 1, "id": "m", "format": "json", "events": [event]}
    for score, status, codes in ((4, "created", []), (9, "rejected", ["score_outside_scale"])):
        payload = {"id": "1", "at": "2026-01-09T08:00:00Z", "score": score}
        tried = (await client.post("/v1/sources/test", json={"mapping": mapping, "payload": payload})).json()
        assert [one["status"] for one in tried["events"]] == [status]
        assert [one["code"] for one in tried["errors"]] == codes
    assert (await client.get("/v1/feedback")).json()["items"] == []
