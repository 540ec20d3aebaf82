"""What was known then is shown again, for cases and deadlines too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from tests.builders import at, event, rating, results_of

METRICS = (
    "cases_opened", "cases_closed", "unanswered_share", "first_response_median", "resolution_median",
    "cases_outstanding", "reopen_rate", "cost_per_resolved", "sla_attainment", "sla_attainment_cases",
    "complaint_rate",
)  # fmt: skip
Json = dict[str, Any]


async def ask(client: httpx.AsyncClient, **query: Any) -> Json:
    period = {"from": at(days=-60), "to": at(days=5)}
    answer = await client.post("/v1/metrics/query", json={"metrics": METRICS, "period": period, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(client: httpx.AsyncClient, *events: Json) -> None:
    answer = await client.post("/v1/events", json=list(events))
    assert {"created"} >= set(results_of(answer)), answer.text


def of_case(kind: str, case: str, hours: float, **data: Any) -> Json:
    return event(
        f"case.{kind}", f"{case}-{kind}-{hours}", when=at(hours=hours), subject=f"case/{case}", data=data
    )


async def test_a_report_of_then_can_be_made_again(client: httpx.AsyncClient) -> None:
    await post(client, *(of_case("opened", f"c{n}", n) for n in range(6)))
    await post(client, *(of_case("replied", f"c{n}", n + 1.5, human=True) for n in range(4)))
    await post(client, *(of_case("remedied", f"c{n}", n + 8) for n in range(3)))
    now = datetime.now(UTC).isoformat()
    then = await ask(client, as_of=now)
    assert then["rows"][0]["cases_opened"] == 6

    await post(
        client,
        of_case("remedied", "c3", 6),  # told late: it was remedied long ago
        of_case("reopened", "c0", 20),
        of_case("opened", "late", 2),
        event("compensation.offered", "p1", when=at(hours=3), subject="case/c1",
              data={"amount": "50", "currency": "UAH"}),
        event("compensation.approved", "p2", when=at(hours=4), subject="case/c1"),
        rating("r1", 9),
    )  # fmt: skip
    await post(client, event("event.retracted", "x1", data={"event": "c2-remedied-10"}))
    today = await ask(client, as_of=now)
    assert today["rows"] != then["rows"]

    again = await ask(client, as_of=now, known_at=then["data_seq"])
    assert again["rows"] == then["rows"]
    assert {plan["read"] for plan in again["plan"]} == {"replay"}
    as_today = await ask(client, as_of=now, known_at=today["data_seq"])
    assert as_today["rows"] == today["rows"]
    assert (await ask(client, as_of=now))["rows"] == today["rows"]  # nothing of the replay stays
    for _ in range(3):  # on connections that have prepared all these statements for the real tables
        assert (await ask(client, as_of=now, known_at=then["data_seq"]))["rows"] == then["rows"]
    assert (await ask(client, as_of=now))["rows"] == today["rows"]
    nothing = await ask(client, as_of=now, known_at=0)
    assert nothing["rows"][0]["cases_opened"] is None
