"""Vector I of domain.md 3.6: a day of presses, invitations and time-outs, in any order of arrival."""

from __future__ import annotations

import random

import httpx
import pytest

from app.asking.acts.loop import SilenceLoop
from app.journal.rebuild import rebuild
from app.wiring import Services
from tests.builders import Json, at, event, query
from tests.conftest import MovedClock, Server, Tenant
from tests.journal.world import projections

VALUES = {"pos": 1, "neu": 0, "neg": -1}
# 200 acts, four of them qualified invalid: pos 124 + 1, neg 22 + 1, neu 8 + 1, sil 42 + 1
ACTS = ["pos"] * 125 + ["neg"] * 23 + ["neu"] * 9 + ["sil"] * 43
INVALID = {0, 125, 148, 157}
FORCE_MAJEURE = {1, 2, 126, 127, 128, 129, 130, 131, 158, 159}
STAFF = {"question": "staff", "scale": "button_3", "measure": "staff"}
WHERE = {"location": "k1", "channel": "kiosk", "collection_mode": "staff_prompted"}


def day() -> list[Json]:
    """Every fact of the day: invitations, presses, refusals, late answers, judgements, counts."""
    facts: list[Json] = []
    for n, outcome in enumerate(ACTS):
        act, when = f"survey/A{n}", at(minutes=n)
        facts.append(event("survey.started", f"s{n}", when=when, subject=act, data={**WHERE, **STAFF}))
        if outcome != "sil":
            # every tenth answer comes long after the minute that a device waits
            late = at(minutes=n + 30) if n % 10 == 0 else at(minutes=n, seconds=20)
            data = {**WHERE, **STAFF, "value": VALUES[outcome]}
            facts.append(event("survey.answered", f"a{n}", when=late, subject=act, source="till", data=data))
        elif n % 7 == 0:
            facts.append(
                event("survey.refused", f"r{n}", when=at(minutes=n, seconds=9), subject=act, data=WHERE)
            )
        if n in INVALID:
            facts.append(event("response.qualified", f"q{n}", subject=act, data={"qualification": "invalid"}))
        if n in FORCE_MAJEURE:
            facts.append(event("force_majeure.claimed", f"fc{n}", when=at(hours=9), subject=act))
            facts.append(event("force_majeure.confirmed", f"f{n}", when=at(hours=8), subject=act))
    for n in range(15):  # sent, but never delivered: nobody was asked
        act = f"survey/N{n}"
        facts.append(
            event("survey.started", f"ns{n}", when=at(minutes=n), subject=act, data={**WHERE, **STAFF})
        )
        facts.append(event("survey.not_reached", f"nr{n}", when=at(minutes=n, seconds=5), subject=act))
    facts += [event("visitors.counted", f"v{n}", data={"location": "k1", "count": 50}) for n in range(10)]
    facts += [event("transaction.completed", f"t{n}", data={"location": "k1"}) for n in range(60)]
    facts.append(event("transactions.counted", "tc", data={"location": "k1", "count": 30}))
    return facts


async def state(server: Server) -> dict[str, int]:
    rows = await query(
        server,
        "SELECT class || CASE force_majeure WHEN 'confirmed' THEN '!' ELSE '' END AS what, count(*) AS n "
        "FROM feedback WHERE seq_to IS NULL AND qualification IS DISTINCT FROM 'invalid' "
        "AND measure = 'staff' GROUP BY 1",
    )
    return {row["what"]: row["n"] for row in rows}


@pytest.mark.parametrize("seed", [None, 1])
async def test_a_day_gives_exactly_vector_i_in_any_order_of_arrival(
    client: httpx.AsyncClient,
    silence_loop: SilenceLoop,
    services: Services,
    clock: MovedClock,
    server: Server,
    a_tenant: Tenant,
    seed: int | None,
) -> None:
    facts = day()
    if seed is not None:
        random.Random(seed).shuffle(facts)
    for first in range(0, len(facts), 120):
        answer = await client.post("/v1/events", json=facts[first : first + 120])
        assert {result["status"] for result in answer.json()["results"]} == {"created"}, answer.text
        if seed is not None:
            await silence_loop.step()  # whatever has not come yet is silent until it comes
    await silence_loop.step()
    assert await state(server) == {
        "positive": 122, "positive!": 2, "negative": 16, "negative!": 6,
        "neutral": 8, "silent": 40, "silent!": 2,
    }  # fmt: skip

    metrics = ["survey_acts", "silent", "visitors", "transactions"]
    metrics += ["coverage", "precise_conversion", "surveys_per_transaction", "raw_conversion"]
    answer = await client.post(
        "/v1/metrics/query", json={"metrics": metrics, "period": "28d", "group_by": ["location"]}
    )
    [row] = answer.json()["rows"]
    assert (row["survey_acts"], row["silent"]) == (196, 42)
    assert (row["visitors"], row["transactions"]) == (500, 90)
    assert row["coverage"] == pytest.approx(0.3920, abs=5e-5)
    assert row["precise_conversion"] == pytest.approx(0.4592, abs=5e-5)
    assert row["surveys_per_transaction"] == pytest.approx(2.1778, abs=5e-5)
    assert row["raw_conversion"] == pytest.approx(0.1800, abs=5e-5)

    # a silence belongs to the source that asked, although it is the service that states it
    answer = await client.post(
        "/v1/metrics/query", json={"metrics": ["silent"], "period": "28d", "group_by": ["source"]}
    )
    silent_by_source = {row["source"]: row["silent"] for row in answer.json()["rows"] if row["silent"]}
    assert silent_by_source == {"crm": 42}

    before = await projections(services.journal, server, a_tenant.tenant_id)
    await rebuild(services.journal, a_tenant.tenant_id)
    assert await projections(services.journal, server, a_tenant.tenant_id) == before
