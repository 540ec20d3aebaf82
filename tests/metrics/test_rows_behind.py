"""The rows behind a number: for every metric as many as it counted, in and out of its numerator."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.domain.errors import InvalidError
from app.domain.measures.registry import METRICS
from app.metrics.answer import Reader
from app.metrics.drill.behind import behind
from app.metrics.drill.service import find_rows
from app.metrics.schemas import MetricQueryIn
from tests.metrics.asking import MARCH, post
from tests.metrics.conftest import NOW, Ask
from tests.metrics.test_recovery_populations import HOUR, OPENED, vector_r
from tests.metrics.world import NOON, Answer, World, several

LONG = {"from": "2025-01-01", "to": "2026-04-01"}
NUMERATORS = {
    "fcr": "once", "fcr_confirmed": "confirmed", "recovery_rate": "recovered", "loyalty_conversion": "loyal",
    "reopen_rate": "reopened", "double_deviation_rate": "failed", "unanswered_share": "unanswered",
    "unanswered_overdue_share": "overdue", "sla_attainment": "met", "sla_attainment_cases": "met",
    "late_share": "late", "proactive_notice_rate": "told_first", "happiness": "positive",
    "fm_level": "confirmed", "ink_personal": "negative", "iel": "positive", "upheld_share": "upheld",
    "reviews_overdue_share": "overdue", "paradox_delta": "top", "paradox_delta_nps": "promoters",
    "first_response_median": "ended", "resolution_p90": "ended",
}  # fmt: skip
"""The part that says how many rows are in the numerator, where there is one."""


async def a_full_world(world: World) -> None:
    """Something for every metric."""
    await vector_r(world)
    await acts(world)
    await reviews_and_orders(world)
    long_ago = NOON - timedelta(days=250)
    for number in range(4):
        customer = bytes([number])
        answered = long_ago + HOUR if number < 3 else None
        case_id = await world.case(
            long_ago,
            customer_ref=customer,
            first_response_at=answered,
            remedied_at=long_ago + HOUR,
            closed_at=long_ago + (10 + 25 * number) * 24 * HOUR,
            initiative="proactive" if number else "reactive",
        )
        await world.event("case.decision_communicated", long_ago, ("case", case_id), outcome="upheld")
        await world.commit(
            Answer(9, long_ago + 50 * HOUR, customer=customer),
            Answer(5, long_ago + 51 * HOUR, "csat_1_5", customer=bytes([number, number])),
            Answer(5, long_ago + 51 * HOUR, "csat_1_5", customer=customer),
        )
    await world.event("transaction.completed", long_ago + 60 * HOUR, customer=bytes([1]))


async def acts(world: World) -> None:
    await world.relational("again")
    twice = Answer(9, question="again", customer=b"twice")
    for measure in ("staff", "office", "recommend"):
        act = Answer(1, scale="button_3", measure=measure, mode="staff_prompted")
        no = replace(act, value=-1)
        await world.commit(
            *several(12, act),
            *several(3, replace(act, value=None, silent=True)),
            *several(4, no),
            *several(2, replace(no, cause="office_process.queue")),
            *several(2, replace(no, force_majeure="confirmed", cause="staff.rudeness")),
            *several(2, replace(act, qualification="valid")),
            *several(2, replace(no, qualification="invalid")),
        )
    await world.commit(
        twice,
        replace(twice, value=3, at=NOON + HOUR, answer_id=uuid4()),
        *several(3, Answer(1, scale="button_3", measure="happiness_only", mode="passive", device="lobby")),
        *several(2, Answer(-1, scale="button_3", measure="happiness_only", mode="passive")),
        Answer(6, scale="ces2_1_7"),
        Answer(4, scale="csat_1_5", measure="journey_overall"),
        Answer("negative", scale="text_only", kind="complaint"),
        Answer(9, scale="nps_1_10"),
        Answer(8, index=1),
    )
    for kind, number in (("visitors", 120), ("visitors", 30), ("transactions", 40), ("interactions", 7)):
        await world.count(kind, number)


async def reviews_and_orders(world: World) -> None:
    for stars in (1, 4, 5):
        await world.commit(Answer(stars, scale="stars_1_5", kind="review", mode="scraped", channel="review"))
    for hours in (-3, 2, None):
        order = ("order", uuid4())
        await world.event("order.promised", OPENED, order, promised_at=NOON.isoformat())
        if hours is not None:
            await world.event("order.delivered", NOON + hours * HOUR, order)
        if hours == 2:
            await world.event("customer.notified", NOON - HOUR, order)
    await world.event("rating.displayed", NOON, rating="4.5", count=200)
    await world.event("rating.displayed", NOON + HOUR, rating="4.6", count=201)


OF_EACH_KIND = (
    "ces_mean", "survey_acts", "visitors", "ink_personal", "unanswered_overdue_share", "fcr",
    "resolution_p90", "backlog_age_p90", "sla_attainment_cases", "paradox_delta_nps", "late_share",
    "displayed_rating",
)  # fmt: skip


@pytest.mark.parametrize("metrics", [OF_EACH_KIND, pytest.param(tuple(METRICS), marks=pytest.mark.full)])
async def test_as_many_rows_lie_behind_a_number_as_it_counted(
    world: World, ask: Ask, metrics: tuple[str, ...]
) -> None:
    await a_full_world(world)
    reader = Reader(world.tenant_id, True, "json")
    empty = []
    for metric in metrics:
        given: dict[str, Any] = {"metrics": [metric], "period": LONG}
        rows = (await ask(metric, period=LONG)).rows
        found = await find_rows(world.database, reader, MetricQueryIn.model_validate(given), NOW, 500)
        spec = behind(metric)
        counted = sum(row[f"{metric}_{spec.equals}"] or 0 for row in rows)
        assert found.total == counted, metric
        shown = sum(float(item.value) for item in found.items) if spec.adds else len(found.items)
        assert shown == counted, metric
        part = f"{metric}_{NUMERATORS.get(metric)}"
        if part in rows[0]:
            wanted = sum(row[part] or 0 for row in rows)
            listed = sum(bool(item.in_numerator) for item in found.items)
            assert found.in_numerator == listed == wanted, metric
        empty += [] if counted else [metric]
    assert empty == []


async def test_pages_of_rows_meet_without_gap_or_overlap(world: World) -> None:
    await world.commit(*several(7, Answer(9)), *several(4, Answer(2, at=NOON + HOUR)))
    reader = Reader(world.tenant_id, True, "json")
    seen, cursor = [], None
    while True:
        given = MetricQueryIn.model_validate({"metrics": ["nps"], "period": LONG, "cursor": cursor})
        page = await find_rows(world.database, reader, given, NOW, 3)
        seen += [(item.at, item.id) for item in page.items]
        assert (page.total is None) == (cursor is not None)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(set(seen)) == 11
    assert seen == sorted(seen, reverse=True)


async def test_the_address_in_an_answer_leads_to_its_rows(http: httpx.AsyncClient, world: World) -> None:
    solved = await world.case(OPENED, remedied_at=NOON, location="kyiv")
    await world.case(OPENED, remedied_at=NOON, location="lviv")
    await world.timer(NOON, subject_id=solved, stopped_at=NOON, location="kyiv")
    only = [{"dimension": "location", "op": "not_in", "values": ["lviv"]}]
    answer = await post(http, "fcr", "sla_attainment", filters=only)
    assert set(answer["drill"]) == {"fcr", "sla_attainment"}
    rows = (await http.get(answer["drill"]["fcr"])).json()
    assert (rows["equals"], rows["total"], rows["in_numerator"]) == ("fcr_n", 1, 1)
    [item] = rows["items"]
    assert (item["type"], item["url"]) == ("case", f"/v1/cases/{item['id']}")
    [timer] = (await http.get(answer["drill"]["sla_attainment"])).json()["items"]
    assert (timer["type"], timer["case"], timer["timer"]) == ("timer", item["id"], "given_due")


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ("metrics=nps,fcr", "query:metrics"),
        ("metrics=nps&group_by=location", "query:group_by"),
        ("metrics=nps&granularity=day", "query:granularity"),
        ("metrics=nps&compare=previous_period", "query:compare"),
        ("metrics=nps&cursor=nonsense", "query:cursor"),
        ("metrics=nps&format=csv", "query:format"),
        ("metrics=nps&colour=red", "query:colour"),
        ("metrics=cases_opened&lang=uk", "query:filter"),
    ],
)
async def test_rows_stand_behind_one_number(http: httpx.AsyncClient, wrong: str, place: str) -> None:
    answer = await http.get(f"/v1/metrics/rows?{wrong}")
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == place


async def test_a_number_of_the_future_has_no_rows(world: World) -> None:
    given = MetricQueryIn.model_validate({"metrics": ["fcr"], "period": MARCH, "as_of": "2027-01-01"})
    with pytest.raises(InvalidError, match="nobody knows"):
        await find_rows(world.database, Reader(world.tenant_id, True, "json"), given, NOW, 3)
