"""Rebuild: every projection comes out equal, nothing is decided or announced, writers wait."""

from __future__ import annotations

import random

import httpx
import pytest

from app.asking.acts.loop import SilenceLoop
from app.journal.journal import Journal
from app.journal.rebuild import rebuild
from app.sla.loop import SlaLoop
from app.wiring import Services
from tests.builders import assert_problem, event, query, rating, value_of
from tests.conftest import MovedClock, Server, Tenant
from tests.journal.world import projections, random_event

_LEDGERS = ("outbox", "announcements", "raw_payloads", "events", "event_personal")


async def live(
    client: httpx.AsyncClient, services: Services, clock: MovedClock, dice: random.Random, size: int
) -> None:
    """Post a random history in random pieces, moving the clock and firing timers between them."""
    loop = SlaLoop(services.database, services.journal, services.bell, poll_seconds=0.01)
    silence = SilenceLoop(services.journal, services.asking_policies, services.bell)
    number = 0
    while number < size:
        piece = [random_event(dice, n) for n in range(number, number + dice.choice((1, 1, 2, 5, 20)))]
        number += len(piece)
        params = (
            {"atomic": "true"} if dice.random() < 0.2 else {"backfill": "true"} if dice.random() < 0.1 else {}
        )
        answer = await client.post("/v1/events", json=piece, params=params)
        assert answer.status_code == 200, answer.text
        for result in answer.json()["results"]:
            assert result["status"] != "rejected" or result["error"]["code"] in (
                "nothing_to_retract",
                "batch_refused",
            )
        if dice.random() < 0.3:
            clock.advance(hours=dice.choice((0.1, 3, 30)))
            await loop.step()
            await silence.step()


async def ledgers(server: Server) -> dict[str, int]:
    return {name: await value_of(server, f"SELECT count(*) FROM {name}") for name in _LEDGERS}


def differences(
    before: dict[str, list[str]], after: dict[str, list[str]]
) -> dict[str, tuple[set[str], set[str]]]:
    return {
        name: (set(before[name]) - set(after[name]), set(after[name]) - set(before[name]))
        for name in before
        if before[name] != after[name]
    }


async def check(
    client: httpx.AsyncClient,
    services: Services,
    clock: MovedClock,
    server: Server,
    tenant: Tenant,
    seed: int,
    size: int,
) -> None:
    await live(client, services, clock, random.Random(seed), size)
    before, told = await projections(services.journal, server, tenant.tenant_id), await ledgers(server)
    assert all(
        before[name]
        for name in (
            "feedback",
            "volumes",
            "survey_acts",
            "amendments",
            "touchpoint_retags",
            "cases",
            "subjects",
            "object_heads",
            "sla_timers",
            "compensations",
            "case_actions",
            "corrective_actions",
            "debriefs",
            "proactive_notices",
        )
    )
    await rebuild(services.journal, tenant.tenant_id)
    after = await projections(services.journal, server, tenant.tenant_id)
    assert differences(before, after) == {}, f"seed {seed}"
    assert await ledgers(server) == told


async def test_a_rebuild_leaves_every_projection_of_a_random_history_equal(
    client: httpx.AsyncClient, services: Services, clock: MovedClock, server: Server, a_tenant: Tenant
) -> None:
    await check(client, services, clock, server, a_tenant, seed=1, size=150)


async def test_what_the_clock_says_of_a_debrief_is_no_news_of_the_debrief(
    client: httpx.AsyncClient, services: Services, clock: MovedClock, server: Server, a_tenant: Tenant
) -> None:
    rude = {"kind": "complaint", "severity": "sev2", "cause": "staff.rudeness", "employee": "olena"}
    assert (
        await client.post("/v1/events", json=event("case.opened", "c1", subject="case/C-1", data=rude))
    ).is_success
    clock.advance(days=40)
    await SlaLoop(services.database, services.journal, services.bell, poll_seconds=0.01).step()
    fired = "SELECT count(*) FROM events WHERE subject_kind = 'debrief' AND type = 'sla.breached'"
    assert await value_of(server, fired) > 0
    before = await projections(services.journal, server, a_tenant.tenant_id)
    assert before["debriefs"]
    await rebuild(services.journal, a_tenant.tenant_id)
    after = await projections(services.journal, server, a_tenant.tenant_id)
    assert after["debriefs"] == before["debriefs"]


@pytest.mark.full
@pytest.mark.parametrize("seed", range(2, 10))
async def test_a_rebuild_leaves_larger_histories_equal(
    client: httpx.AsyncClient,
    services: Services,
    clock: MovedClock,
    server: Server,
    a_tenant: Tenant,
    seed: int,
) -> None:
    await check(client, services, clock, server, a_tenant, seed=seed, size=600)


async def test_a_damaged_projection_is_mended_by_a_rebuild(
    client: httpx.AsyncClient, services: Services, clock: MovedClock, server: Server, a_tenant: Tenant
) -> None:
    await live(client, services, clock, random.Random(7), 40)
    before = await projections(services.journal, server, a_tenant.tenant_id)
    await query(server, "UPDATE feedback SET value = 0, seq_to = 1 RETURNING 1")
    await query(server, "DELETE FROM cases RETURNING 1")
    assert differences(before, await projections(services.journal, server, a_tenant.tenant_id)) != {}
    await rebuild(services.journal, a_tenant.tenant_id)
    assert differences(before, await projections(services.journal, server, a_tenant.tenant_id)) == {}


async def test_writers_are_told_to_come_again_while_a_rebuild_is_going_on(
    client: httpx.AsyncClient,
    services: Services,
    server: Server,
    a_tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.ingest.service.RETRY_SECONDS", 0.0)
    await client.post("/v1/events", json=rating("a1"))
    await query(server, "UPDATE tenant_head SET rebuilding = true RETURNING 1")
    assert_problem(await client.post("/v1/events", json=rating("a2")), 503, "database_unavailable")
    assert (await client.post("/v1/events", json=rating("a1"))).json()["status"] == "duplicate"
    await rebuild(services.journal, a_tenant.tenant_id)
    assert (await client.post("/v1/events", json=rating("a2"))).status_code == 201


async def test_progress_is_told_up_to_the_last_commit(
    client: httpx.AsyncClient, services: Services, a_tenant: Tenant
) -> None:
    journal: Journal = services.journal
    for n in range(3):
        await client.post("/v1/events", json=rating(f"a{n}"))
    told: list[tuple[int, int]] = []
    assert await rebuild(journal, a_tenant.tenant_id, lambda done, of: told.append((done, of))) == 3
    assert told == [(3, 3)]


async def test_order_is_free_of_gaps_and_times_only_rise(
    client: httpx.AsyncClient, services: Services, clock: MovedClock, server: Server
) -> None:
    await live(client, services, clock, random.Random(3), 60)
    events = await query(server, "SELECT position, recorded_at, event_id FROM events ORDER BY position")
    per_seq: dict[int, list[int]] = {}
    for row in events:
        per_seq.setdefault(row["position"] >> 20, []).append(row["position"] & (2**20 - 1))
    assert all(places == list(range(len(places))) for places in per_seq.values())
    times = [row["recorded_at"] for row in events]
    assert times == sorted(times)
    assert len({row["recorded_at"] for row in events}) == len(per_seq)
    head = await value_of(server, "SELECT seq FROM tenant_head")
    assert max(per_seq) <= head
