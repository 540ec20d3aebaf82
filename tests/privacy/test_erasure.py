"""A person is forgotten everywhere, and nothing that was counted changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest

from app.db.kinds import metadata
from app.ingest.quarantine import RawRow, keep_raw
from app.journal.rebuild import rebuild
from app.privacy.erasure import ErasureLoop
from app.webhooks.fanout import Fanout
from app.wiring import Services
from tests.builders import Json, assert_problem, at, error_of, event, query, rating, results_of, value_of
from tests.conftest import MakeKey, Server, Tenant
from tests.journal.world import projections

OLENA = {"type": "email", "value": "olena@example.com"}
TARAS = {"type": "email", "value": "taras@example.com"}
CASE = "case/olena@example.com"  # some systems have no better name for a case
SECRETS = ("olena@example.com", "shouted at olena", "olena k. senior", "reviews/olena", "olena koval")
TOLD = {"author_name": "Olena Koval", "wish": "Olena Koval", "note": "x", "tier": "gold", "visits": 3}


@pytest.fixture
def loop(services: Services) -> ErasureLoop:
    return ErasureLoop(services.journal, services.sealer, services.bell)


def history() -> list[Json]:
    """Two people: one will be forgotten, the other one stays."""
    text = "they shouted at olena"
    return [
        rating("f1", 2, customer=OLENA, text=text, author="Olena K. senior", location="k1"),
        rating("f2", 3, customer=TARAS, text="taras waited", location="k1"),
        event("case.opened", "c1", subject=CASE, data={"kind": "complaint", "customer": OLENA}),
        event("case.replied", "c2", when=at(hours=1), subject=CASE, data={"text": text}),
        event("case.opened", "d1", subject="case/T-1", data={"kind": "complaint", "customer": TARAS}),
        event("survey.started", "s1", subject="survey/I-1", data={"customer": OLENA, "channel": "sms"}),
        event("customer.opted_out", "o1", data={"customer": OLENA}),
        rating("f3", 4, customer=OLENA, attributes=TOLD, source_url="https://site.example/reviews/olena"),
        event("case.opened", "c9", subject="case/C-9", data={"customer": OLENA, "attributes": TOLD}),
    ]


async def everything(server: Server) -> str:
    """All that the database holds, as one text; bytes as letters."""
    found: list[str] = []
    for table in metadata.tables.values():
        rows = await query(server, f"SELECT t::text AS row FROM {table.name} t")
        found += [row["row"] for row in rows]
    bodies = await query(
        server,
        "SELECT convert_from(body, 'UTF8') AS row FROM raw_payloads "
        "UNION ALL SELECT convert_from(body, 'UTF8') FROM message_bodies",
    )
    return "\n".join([*found, *(row["row"] for row in bodies)])


async def counted(client: httpx.AsyncClient) -> Json:
    answer = await client.post(
        "/v1/metrics/query",
        json={"metrics": ["responses", "complaints", "feedback_count"], "period": "28d"},
    )
    rows: Json = answer.json()["rows"]
    return rows


async def test_a_person_is_forgotten_everywhere_and_nothing_counted_changes(
    client: httpx.AsyncClient,
    services: Services,
    loop: ErasureLoop,
    server: Server,
    a_tenant: Tenant,
) -> None:
    endpoint = {"url": "http://127.0.0.1:9/", "event_types": ["*"]}
    assert (await client.post("/v1/webhooks/endpoints", json=endpoint)).status_code == 201
    assert set(results_of(await client.post("/v1/events", json=history()))) == {"created"}
    for who in (OLENA, TARAS):
        body = b'{"from": "%s"}' % who["value"].title().encode()
        row = RawRow("chat", datetime.now(UTC), "adapted", None, None, headers={}, body=body)
        await keep_raw(services.database, a_tenant.tenant_id, [row])
    await Fanout(services.database, lambda: None, poll_seconds=0.01).step()  # some messages wait already
    await client.post("/v1/events", json=event("case.escalated", "c3", subject=CASE))
    before = await counted(client)
    stored = (await everything(server)).lower()
    assert all(secret in stored for secret in SECRETS)

    known = (await client.post("/v1/privacy/exports", json={"customer": OLENA})).json()
    assert {item["external_id"] for item in known["events"]} >= {"f1", "c1", "c2", "s1", "o1"}
    assert [item["body"] for item in known["raw_payloads"]] == ['{"from": "Olena@Example.Com"}']
    assert known["tables"].keys() >= {"feedback", "cases", "survey_acts", "contact_permissions"}

    asked = await client.post("/v1/privacy/erasures", json={"customer": OLENA})
    assert (asked.status_code, asked.json()["state"]) == (202, "pending")
    await loop.step()
    done = (await client.get(f"/v1/privacy/erasures/{asked.json()['id']}")).json()
    assert done["state"] == "completed"
    assert done["counts"]["raw_payloads"] == 1
    assert (done["counts"]["event_personal"], done["counts"]["facts"]) == (4, 3)
    assert done["counts"]["message_bodies"] >= 1

    left = (await everything(server)).lower()
    assert [secret for secret in (*SECRETS, known["customer_ref"]) if secret in left] == []
    assert all(secret in left for secret in ("taras waited", "taras@example.com"))
    assert await counted(client) == before
    nothing = (await client.post("/v1/privacy/exports", json={"customer": OLENA})).json()
    assert (nothing["events"], nothing["tables"], nothing["raw_payloads"]) == ([], {}, [])
    kept = await query(server, "SELECT attributes::text AS a FROM feedback WHERE attributes <> '{}'")
    assert [json.loads(row["a"]) for row in kept] == [{"note": "x", "tier": "gold", "visits": 3}]
    tokens = await query(
        server,
        "SELECT DISTINCT customer_ref FROM (SELECT customer_ref FROM feedback UNION ALL "
        "SELECT customer_ref FROM cases UNION ALL SELECT customer_ref FROM survey_acts) t",
    )
    assert len(tokens) == 2  # one name a person, still apart
    audited = await query(server, "SELECT action FROM audit WHERE action LIKE 'erasure%' ORDER BY at")
    assert [row["action"] for row in audited] == ["erasure.requested", "erasure.completed"]

    rows = await projections(services.journal, server, a_tenant.tenant_id)
    await rebuild(services.journal, a_tenant.tenant_id)
    assert await projections(services.journal, server, a_tenant.tenant_id) == rows


async def test_what_is_sent_again_of_a_forgotten_person_is_not_stored_again(
    client: httpx.AsyncClient, loop: ErasureLoop, server: Server
) -> None:
    facts = history()
    await client.post("/v1/events", json=facts)
    request = event("erasure.requested", "x1", data={"customer": OLENA})
    await client.post("/v1/events", json=request)
    await loop.step()
    assert results_of(await client.post("/v1/events", json=facts[:2])) == ["duplicate", "duplicate"]
    changed = rating("f2", 9, customer=TARAS, text="taras waited", location="k1")
    assert error_of(await client.post("/v1/events", json=[changed]))["code"] == "event_conflict"
    assert "olena@example.com" not in (await everything(server)).lower()


async def test_a_key_that_may_only_report_events_may_make_nobody_be_forgotten(
    client: httpx.AsyncClient, api_key: MakeKey, server: Server
) -> None:
    request = event("erasure.requested", "x1", data={"customer": OLENA})
    headers = {"Authorization": f"Bearer {await api_key('events:write')}"}
    for body in (request, [rating("f9", 9), request]):
        assert_problem(await client.post("/v1/events", json=body, headers=headers), 403, "missing_scope")
    assert await value_of(server, "SELECT count(*) FROM events") == 0
    assert (await client.post("/v1/events", json=rating("f9", 9), headers=headers)).status_code == 201


async def test_a_second_run_of_an_interrupted_erasure_ends_it(
    client: httpx.AsyncClient, services: Services, loop: ErasureLoop, server: Server, a_tenant: Tenant
) -> None:
    await client.post("/v1/events", json=history())
    asked = (await client.post("/v1/privacy/erasures", json={"customer": OLENA})).json()
    await loop.step()
    first = (await client.get(f"/v1/privacy/erasures/{asked['id']}")).json()
    again = (await client.post("/v1/privacy/erasures", json={"customer": OLENA})).json()
    await loop.step()
    second = (await client.get(f"/v1/privacy/erasures/{again['id']}")).json()
    assert first["counts"] and second["state"] == "completed"
    assert second["counts"].get("event_personal", 0) == 0


async def test_the_name_of_a_merged_case_is_forgotten_with_its_person(
    client: httpx.AsyncClient, services: Services, loop: ErasureLoop, server: Server, a_tenant: Tenant
) -> None:
    merged = event("case.merged", "m1", when=at(hours=2), subject=CASE, data={"into": "C-9"})
    assert set(results_of(await client.post("/v1/events", json=[*history(), merged]))) == {"created"}
    await client.post("/v1/privacy/erasures", json={"customer": OLENA})
    await loop.step()
    assert "olena@example.com" not in (await everything(server)).lower()
    rows = await projections(services.journal, server, a_tenant.tenant_id)
    await rebuild(services.journal, a_tenant.tenant_id)
    assert await projections(services.journal, server, a_tenant.tenant_id) == rows
