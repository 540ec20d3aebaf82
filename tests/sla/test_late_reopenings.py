"""A case closed weeks ago that its CRM reopens: timers run anew, and hear what is told of the old one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.journal.rebuild import rebuild
from tests.sla.conftest import Bench, acknowledge_within, policy_document

_DAYS = 24 * 3600


async def _figures(bench: Bench) -> dict[str, Any]:
    now = bench.clock()
    period = {"from": (now - timedelta(days=60)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
    asked = {"metrics": ["cases_opened", "sla_attainment"], "period": period}
    answer = await bench.client.post("/v1/metrics/query", json=asked)
    assert answer.status_code == 200, answer.text
    [row] = answer.json()["rows"]
    return {name: row[name] for name in ("cases_opened", "sla_attainment_met", "sla_attainment_breached")}


async def _written(bench: Bench) -> list[Any]:
    told: list[Any] = []
    for table in ("cases", "sla_timers", "case_spans", "subject_aliases", "case_ties"):
        rows = await bench.fetch(f"SELECT to_jsonb(t) - 'seq' AS row FROM {table} t WHERE tenant_id = $1")
        told += sorted(str(row["row"]) for row in rows)
    return told


async def test_a_case_reopened_after_weeks_runs_timers_anew_and_what_the_crm_says_stops_them(
    bench: Bench,
) -> None:
    await bench.put_policy(policy_document(acknowledge_within(60)))
    await bench.case("case.opened", data={"kind": "complaint", "channel": "email"})
    await bench.case("case.acknowledged")
    await bench.case("case.closed", data={"outcome": "upheld"})
    old = await bench.get("/v1/cases/by-ref/T-1")
    await bench.tick(20 * _DAYS)
    await bench.case("case.reopened")
    new = await bench.get("/v1/cases/by-ref/T-1")
    assert (new["repeat_of"], new["state"], new["severity"]) == (old["id"], "open", "sev2")
    assert [timer["state"] for timer in new["timers"]] == ["running"]
    await bench.tick(20)
    await bench.case("case.acknowledged")
    await bench.tick(3600)
    [timer] = (await bench.get("/v1/cases/by-ref/T-1"))["timers"]
    assert timer["state"] == "met"
    assert await bench.types() == ["sla.met", "sla.met"], "nothing was breached, and each was told once"
    assert (await bench.get(f"/v1/cases/{old['id']}"))["state"] == "closed"
    wanted = {"cases_opened": 2, "sla_attainment_met": 2, "sla_attainment_breached": 0}
    assert await _figures(bench) == wanted
    before = await _written(bench)
    await rebuild(bench.services.journal, bench.tenant_id)
    assert await _written(bench) == before


async def test_where_the_crm_stays_silent_the_new_case_is_breached(bench: Bench) -> None:
    await bench.put_policy(policy_document(acknowledge_within(60)))
    for kind in ("opened", "acknowledged", "closed"):
        await bench.case(f"case.{kind}")
    await bench.tick(20 * _DAYS)
    await bench.case("case.reopened")
    await bench.tick(61)
    new = await bench.get("/v1/cases/by-ref/T-1")
    breached = [told.data["subject"]["id"] for told in await bench.told() if told.type == "sla.breached"]
    assert breached == [new["id"]]
