"""Cuboids answer exactly as the rows do: folded, half folded, revised, retracted, in any zone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from app.domain.measures.cell import AnswerKey, Cell
from app.domain.measures.counters import Counters
from app.domain.measures.registry import get_metric
from app.domain.measures.statistics import round_half_away
from app.domain.scales import QuestionMeasure
from app.metrics.folder import fold
from tests.metrics.conftest import NOW, Ask
from tests.metrics.world import NOON, Answer, World, several

KYIV = ZoneInfo("Europe/Kyiv")
SCALES = ("nps_0_10", "csat_1_5", "stars_half", "ces1_effort_1_5", "text_only", "button_3")
VALUES: dict[str, list[Any]] = {
    "nps_0_10": list(range(11)),
    "csat_1_5": [1, 2, 3, 4, 5],
    "stars_half": [1, 2.5, 3.5, 4, 4.5],
    "ces1_effort_1_5": [1, 2, 3, 4, 5],
    "text_only": [None, "positive", "negative"],
    "button_3": [-1, 0, 1],
}


async def fold_all(world: World, *, now: datetime = NOW, at_once: int = 500) -> None:
    while await fold(world.database, world.tenant_id, now, commits_at_once=at_once):
        pass


async def both(world: World, ask: Ask, *metrics: str, **query: Any) -> tuple[list[Any], str]:
    """The rows of a query and the cuboid that gave them; checked against the rows plan on the way."""
    answer = await ask(*metrics, **query)
    # known_at = now reads the rows: the same commits, the other plan
    from_rows = await ask(*metrics, **query, known_at=answer.facts.seq)
    assert from_rows.reads[0].source == "rows"
    assert answer.rows == from_rows.rows
    return list(answer.rows), answer.reads[0].source


async def test_a_folded_month_reads_the_smallest_cuboid_that_covers_it(world: World, ask: Ask) -> None:
    await world.commit(
        *several(6, Answer(10, location="kyiv", touchpoint="shop", employee="anna")),
        *several(5, Answer(0, location="kyiv", touchpoint=None, employee="boris")),
    )
    await fold_all(world)
    plans = {
        (): "cuboid_day_touchpoint_channel",
        ("channel",): "cuboid_day_touchpoint_channel",
        ("touchpoint", "channel"): "cuboid_day_touchpoint_channel",
        ("location",): "cuboid_day_location",
        ("employee",): "cuboid_day_employee",
        ("question", "employee"): "cuboid_day_employee",
        ("location", "channel"): "rows",
        ("segment",): "rows",
    }
    for group_by, plan in plans.items():
        rows, source = await both(world, ask, "nps", group_by=list(group_by), granularity="week")
        assert (group_by, source) == (group_by, plan)
        assert sum(row["nps_n"] for row in rows) == 11
    rows, _ = await both(world, ask, "nps", group_by=["touchpoint"])
    assert [(row["touchpoint"], row["nps"]) for row in rows] == [("shop", 100.0), (None, -100.0)]


async def test_acts_and_silence_are_told_apart_by_question_and_measure(world: World, ask: Ask) -> None:
    # 6 customers answered two questions in one contact, 4 were asked the first and 2 the second in vain
    nps, csat = Answer(9, question="loyalty"), Answer(4, scale="csat_1_5", question="visit", index=1)
    await world.commit(*several(6, nps), *several(6, csat))
    await world.commit(
        *several(4, replace(nps, silent=True)), Answer(None, scale="text_only", question="loyalty")
    )
    await fold_all(world)
    await world.commit(*several(2, replace(csat, silent=True)))

    async def shown(**query: Any) -> list[tuple[int, int]]:
        rows, source = await both(world, ask, "survey_acts", "silent", **query)
        assert source == "cuboid_day_touchpoint_channel"
        return [(row["survey_acts"], row["silent"]) for row in rows]

    assert await shown() == [(13, 6)]  # contacts: 7 answered, 6 silent
    assert await shown(group_by=["question"]) == [(11, 4), (8, 2)]
    assert await shown(filters=[{"dimension": "question", "values": ["visit"]}]) == [(8, 2)]
    assert await shown(group_by=["measure"]) == [(8, 2), (1, 0), (10, 4)]  # csat, text only, nps
    assert await shown(filters=[{"dimension": "measure", "values": ["nps"]}], granularity="day") == [(10, 4)]


async def test_what_was_committed_after_the_fold_is_seen_at_once(world: World, ask: Ask) -> None:
    review = Answer(0, location="kyiv")
    await world.commit(review, *several(5, Answer(10, location="kyiv")))
    await fold_all(world)
    await world.commit(Answer(10, location="lviv", answer_id=review.answer_id))
    await world.commit(*several(3, Answer(5, location="kyiv")))
    rows, source = await both(world, ask, "nps", "responses", group_by=["location"])
    assert source == "cuboid_day_location"
    assert [(row["location"], row["nps"], row["nps_n"]) for row in rows] == [
        ("kyiv", 25.0, 8),  # 5 promoters, 3 detractors; the revised one moved to lviv
        ("lviv", None, 1),  # fewer than 5
    ]


async def test_a_group_that_was_wholly_taken_back_is_gone(world: World, ask: Ask) -> None:
    lone = Answer(3, location="odesa")
    await world.commit(lone, Answer(9, location="kyiv"))
    await fold_all(world)
    await world.commit(ended=[lone.answer_id])
    before_folding, _ = await both(world, ask, "responses", group_by=["location"])
    await fold_all(world)
    after_folding, source = await both(world, ask, "responses", group_by=["location"])
    assert source == "cuboid_day_location"
    assert [row["location"] for row in before_folding] == ["kyiv"] == [r["location"] for r in after_folding]


@pytest.mark.parametrize(
    ("query", "plan"),
    [
        ({"granularity": "day"}, "cuboid_day_touchpoint_channel"),
        ({"granularity": "hour"}, "cuboid_hour_touchpoint_channel"),
        ({"time_zone": "America/New_York", "granularity": "day"}, "cuboid_hour_touchpoint_channel"),
        ({"time_zone": "Asia/Kolkata", "granularity": "day"}, "rows"),
        ({"time_zone": "Europe/Kyiv", "group_by": ["location"], "granularity": "hour"}, "rows"),
        ({"period": {"from": "2026-03-10T07:00:00Z", "to": "2026-03-20"}}, "cuboid_day_touchpoint_channel"),
        ({"period": {"from": "2026-03-10T07:30:00Z", "to": "2026-03-20"}}, "cuboid_day_touchpoint_channel"),
        ({"period": {"from": "2026-03-10T07:30:00Z", "to": "2026-03-11T20:30:00Z"}}, "rows"),
        ({"period": {"from": "2025-03-01", "to": "2026-04-01"}}, "cuboid_day_touchpoint_channel"),
        ({"period": {"from": "2025-03-01", "to": "2026-04-01"}, "granularity": "hour"}, "rows"),
        ({"respondents": "latest_per_customer"}, "rows"),
        (
            {
                "filters": [{"dimension": "location", "op": "in", "values": ["l0", "l1"]}],
                "granularity": "day",
            },
            "cuboid_day_location",
        ),
        ({"filters": [{"dimension": "touchpoint", "op": "is_null"}]}, "cuboid_day_touchpoint_channel"),
        ({"filters": [{"dimension": "source", "values": ["crm"]}]}, "rows"),
    ],
)
async def test_every_plan_gives_the_same_numbers(world: World, ask: Ask, query, plan) -> None:
    await a_history(world, Random(7), commits=12)
    await fold_all(world, at_once=5)
    await a_history(world, Random(8), commits=3)
    answer = await ask("happiness", "responses", "complaints", **query)
    assert answer.reads[0].source == plan
    if query.get("respondents") is None:
        await both(world, ask, "happiness", "responses", "complaints", **query)
        await both(world, ask, "nps", **query)


async def a_history(world: World, random: Random, *, commits: int) -> None:
    """Commits of new, revised and retracted answers over March and some of the year before."""
    for _ in range(commits):
        live = list(world.live.values())
        revised = [
            an_answer(random, answer_id=a.answer_id) for a in random.sample(live, min(3, len(live) // 4))
        ]
        rest = [answer for answer in live if answer.answer_id not in {r.answer_id for r in revised}]
        ended = [answer.answer_id for answer in random.sample(rest, min(2, len(rest) // 5))]
        fresh = [an_answer(random, answer_id=uuid4()) for _ in range(random.randint(0, 12))]
        await world.commit(*revised, *fresh, ended=ended)


def an_answer(random: Random, **columns: Any) -> Answer:
    scale = random.choice(SCALES)
    hours = random.choice([random.randint(0, 31 * 24), random.randint(-300 * 24, 0)])
    return Answer(
        value=random.choice(VALUES[scale]),
        scale=scale,
        at=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hours, minutes=random.choice([0, 17, 59])),
        channel=random.choice(["web", "call"]),
        touchpoint=random.choice([None, "shop", "site"]),
        location=random.choice([None, "l0", "l1", "l2"]),
        employee=random.choice([None, "anna"]),
        kind=random.choice(["rating", "complaint"]),
        mode=random.choice(["invited", "passive"]),
        silent=random.random() < 0.1,
        qualification=random.choice([None, None, None, "valid", "invalid"]),
        customer=random.choice([None, b"a" * 16, b"b" * 16]),
        question=random.choice([None, f"loyalty_{scale}"]),
        **columns,
    )


def is_given_again(answer: Answer, answers: list[Answer]) -> bool:
    """The rule of relational questions, one pair at a time."""
    if answer.customer is None or answer.question is None:
        return False
    return any(
        other.customer == answer.customer
        and other.question == answer.question
        and not other.silent
        and other.qualification != "invalid"
        and (other.at, other.answer_id) > (answer.at, answer.answer_id)
        and other.at <= answer.at + timedelta(days=90)
        for other in answers
    )


def by_hand(answers: list[Answer], metric_id: str, group: str) -> dict[tuple[Any, ...], tuple[Any, int]]:
    """A naive oracle: local day, mode, scale, group -> value and n, one answer at a time."""
    metric = get_metric(metric_id)
    cells: dict[tuple[Any, ...], Counter[int]] = {}
    for answer in answers:
        local = answer.at.astimezone(KYIV)
        if (local.year, local.month) != (2026, 3) or answer.qualification == "invalid" or answer.silent:
            continue
        if answer.measured != metric.measure or answer.scale not in metric.scale_ids:
            continue
        key = (local.date(), getattr(answer, group), answer.mode, answer.scale)
        cells.setdefault(key, Counter())[answer.value] += 1
    expected = {}
    for key, histogram in cells.items():
        counters = Counters.of(key[3], histogram)
        value = metric.compute(Cell(answers={AnswerKey(QuestionMeasure(metric.measure), key[3]): counters}))
        shown = (
            None if value.value is None or value.n < 5 else round_half_away(value.value, metric.unit.decimals)
        )
        expected[key] = (shown, value.n)
    return expected


@pytest.mark.parametrize("seed", range(4))
async def test_rows_cuboids_and_a_naive_count_agree_over_a_long_history(
    world: World, ask: Ask, seed: int
) -> None:
    random = Random(seed)
    folds = 0
    if relational := seed % 2 == 1:
        for scale in SCALES:
            await world.relational(f"loyalty_{scale}")
    for _ in range(4):
        await a_history(world, random, commits=random.randint(2, 8))
        if random.random() < 0.7:
            await fold_all(world, at_once=random.choice([1, 3, 500]))
            folds += 1
        for metric_id, group in (("nps", "location"), ("csat_mean", "employee"), ("ces_easy", "touchpoint")):
            rows, source = await both(world, ask, metric_id, group_by=[group], granularity="day")
            assert source != "rows" or folds == 0
            found = {
                (r["bucket"].date(), r[group], r["collection_mode"], r["scale_id"]): (
                    r[metric_id],
                    r[f"{metric_id}_n"],
                )
                for r in rows
                if r[f"{metric_id}_n"]
            }
            answers = list(world.live.values())
            counted = [a for a in answers if not (relational and is_given_again(a, answers))]
            assert found == by_hand(counted, metric_id, group)


async def test_a_repeated_relational_answer_moves_between_fold_and_tail(world: World, ask: Ask) -> None:
    shared = {"question": "loyalty", "customer": b"a" * 16}
    first = Answer(0, at=NOON, **shared)
    second = Answer(10, at=NOON + timedelta(days=1), **shared)
    await world.relational("loyalty")
    await world.commit(first, *several(5, Answer(9, question="visit")))
    await fold_all(world)

    async def loyalty() -> tuple[int, int, str]:
        rows, source = await both(world, ask, "nps", group_by=["question"])
        return rows[0]["nps_detractors"], rows[0]["nps_promoters"], source

    day = "cuboid_day_touchpoint_channel"
    assert await loyalty() == (1, 0, day)
    await world.commit(second)  # in the tail: it replaces what is folded
    assert await loyalty() == (0, 1, day)
    await fold_all(world)
    assert await loyalty() == (0, 1, day)
    await world.commit(ended=[second.answer_id])  # retracted: the first one stands again
    assert await loyalty() == (1, 0, day)
    await fold_all(world)
    assert await loyalty() == (1, 0, day)
