"""Volumes, cases and deadlines, and the ratios that join two populations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.errors import InvalidError
from tests.metrics.conftest import NOW, Ask
from tests.metrics.world import NOON, Answer, World, several


async def test_volumes_add_up_and_a_missing_feed_is_null(world: World, ask: Ask) -> None:
    await world.count("visitors", 120, location="kyiv")
    await world.count("visitors", 80, location="kyiv")
    await world.count("transactions", 1, location="lviv")
    answer = await ask("visitors", "transactions", group_by=["location"])
    assert [(r["location"], r["visitors"], r["transactions"]) for r in answer.rows] == [
        ("kyiv", 200, None),
        ("lviv", None, 1),
    ]


async def test_coverage_joins_answers_and_visitors_of_a_place(world: World, ask: Ask) -> None:
    # kyiv: 7 answers + 3 silent = 10 survey acts of 40 visitors -> 0.25; lviv has no counter at its door
    await world.commit(
        *several(7, Answer(9, location="kyiv")),
        *several(3, Answer(None, silent=True, location="kyiv")),
        *several(5, Answer(9, location="lviv")),
    )
    await world.count("visitors", 40, location="kyiv")
    await world.count("transactions", 5, location="kyiv")
    answer = await ask("coverage", "precise_conversion", "raw_conversion", group_by=["location"])
    kyiv, lviv = answer.rows
    assert (kyiv["coverage"], kyiv["coverage_survey_acts"], kyiv["coverage_visitors"]) == (0.25, 10, 40)
    assert (kyiv["precise_conversion"], kyiv["raw_conversion"]) == (0.5, 0.125)
    assert (lviv["coverage"], lviv["coverage_reasons"]) == (None, ["no_visitors"])
    assert {read.population for read in answer.reads} == {"feedback", "volume"}


async def test_complaints_per_thousand_sales(world: World, ask: Ask) -> None:
    # 10 complaints: 8 open, 1 withdrawn, 1 merged only after as_of. Out: a question, those that were none
    for _ in range(8):
        await world.case(NOON)
    await world.case(NOON, state="withdrawn", ended_at=NOON)
    await world.case(NOON, state="merged", ended_at=NOW + timedelta(hours=1))
    await world.case(NOON, kind="question")
    for state in ("invalid", "duplicate", "merged"):
        await world.case(NOON, state=state, ended_at=NOON + timedelta(hours=2))
    await world.case(NOON, state="awaiting_opening")
    await world.commit(Answer(1, kind="complaint"))  # feedback is counted by `complaints`
    await world.count("transactions", 2500)
    [row] = (await ask("complaint_rate", "cases_opened")).rows
    assert (row["complaint_rate"], row["complaint_rate_ci_low"], row["complaint_rate_ci_high"]) == (
        4.0,
        1.92,
        7.36,
    )
    assert (row["complaint_rate_complaints"], row["complaint_rate_status"]) == (10, "ok")
    [feedback] = (await ask("complaints")).rows
    assert feedback["complaints"] == 1


async def test_complaints_are_of_the_place_and_day_of_their_case(world: World, ask: Ask) -> None:
    await world.case(NOON, location="kyiv", product="loan")
    await world.case(NOON - timedelta(days=1), location="kyiv", product="card")
    for place in ("kyiv", "lviv"):
        await world.count("transactions", 500, location=place, product="loan")
    daily = await ask("complaint_rate", group_by=["location", "product"], granularity="day")
    assert [
        (r["bucket"].day, r["location"], r["product"], r["complaint_rate"], r["complaint_rate_reasons"])
        for r in daily.rows
    ] == [
        (9, "kyiv", "card", None, ["no_exposure"]),
        (10, "kyiv", "loan", 2.0, []),
        (10, "lviv", "loan", 0.0, ["no_cases"]),
    ]


async def test_a_branch_is_asked_for_with_all_that_lies_beneath_it(world: World, ask: Ask) -> None:
    tree = (("shop", None), ("signs", "shop"), ("inside", "shop"), ("till", "inside"), ("x", "y"), ("y", "x"))
    for key, parent in tree:
        await world.noun("touchpoint", key, parent)
    for touchpoint, number in (("shop", 1), ("signs", 5), ("till", 7), ("site", 90), ("x", 2), ("y", 3)):
        await world.commit(*several(number, Answer(9, touchpoint=touchpoint)))

    async def under(key: str, metric: str = "responses", dimension: str = "touchpoint") -> int | None:
        branch = [{"dimension": dimension, "op": "under", "values": [key]}]
        [row] = (await ask(metric, filters=branch)).rows
        return row[metric]

    assert [await under(key) for key in ("shop", "inside", "signs", "nowhere")] == [13, 7, 5, None]
    assert await under("x") == 5  # a circle of parents ends
    for cause in ("staff", "staff.rudeness", "staffing"):
        await world.case(NOON, cause=cause)
    assert await under("staff", "cases_opened", "cause") == 2


async def test_cases_are_told_apart_by_the_stage_that_they_were_opened_at(world: World, ask: Ask) -> None:
    for stage, number in (("waiting", 3), ("after", 1), (None, 1)):
        for _ in range(number):
            case_id = await world.case(NOON)
            await world.event("case.opened", NOON, ("case", case_id), journey_stage=stage)
    answer = await ask("cases_opened", group_by=["stage"])
    assert [(r["stage"], r["cases_opened"]) for r in answer.rows] == [("after", 1), ("waiting", 3), (None, 1)]
    waiting = [{"dimension": "stage", "values": ["waiting"]}]
    assert [r["cases_opened"] for r in (await ask("cases_opened", filters=waiting)).rows] == [3]


async def test_cases_are_counted_by_opening_and_by_closing(world: World, ask: Ask) -> None:
    february = datetime(2026, 2, 10, tzinfo=UTC)
    await world.case(NOON, channel="call")
    await world.case(NOON, channel="call", state="closed", closed_at=NOON + timedelta(days=2))
    await world.case(february, channel="chat", state="closed", closed_at=NOON)
    await world.case(NOON, channel="chat", state="awaiting_opening")
    answer = await ask("cases_opened", "cases_closed", group_by=["channel"])
    assert [(r["channel"], r["cases_opened"], r["cases_closed"]) for r in answer.rows] == [
        ("call", 2, 1),
        ("chat", None, 1),
    ]


async def test_unanswered_leaves_out_whom_nobody_can_or_need_answer(world: World, ask: Ask) -> None:
    # answerable: 2 answered + 3 not = 5 -> 60 %; out: internal, duplicate
    for _ in range(2):
        await world.case(NOON, first_response_at=NOON + timedelta(hours=1))
    for _ in range(3):
        await world.case(NOON)
    await world.case(NOON, customer_facing=False)
    await world.case(NOON, state="duplicate", ended_at=NOON + timedelta(hours=2))
    [row] = (await ask("unanswered_share", "cases_opened")).rows
    assert (row["unanswered_share"], row["unanswered_share_n"], row["cases_opened"]) == (60.0, 5, 7)
    [early] = (await ask("unanswered_share", as_of="2026-03-10T12:30:00Z")).rows
    assert (early["unanswered_share_unanswered"], early["unanswered_share_n"]) == (6, 6)


async def test_vector_r_resolution_attainment(world: World, ask: Ask) -> None:
    # as_of = NOON; met C01-C05, closed late C06, open past due C09 C10, pending C07 and C08 (exactly at due)
    hour, target = timedelta(hours=1), timedelta(hours=24)
    for hours in (2, 5, 5, 8, 20, 30):
        opened = NOON - timedelta(days=5)
        await world.timer(opened + target, started_at=opened, stopped_at=opened + hours * hour)
    for age in (10, 24, 40, 60):
        opened = NOON - age * hour
        await world.timer(opened + target, started_at=opened)
    [row] = (
        await ask(
            "sla_attainment",
            "sla_met",
            "sla_breached",
            "closed_late",
            "open_overdue",
            now=NOON,
        )
    ).rows
    assert (row["sla_attainment"], row["sla_attainment_n"], row["sla_attainment_pending"]) == (62.5, 8, 2)
    assert [row[name] for name in ("sla_met", "sla_breached", "closed_late", "open_overdue")] == [5, 3, 1, 2]


@pytest.mark.parametrize(
    ("columns", "counted"),
    [
        ({"stopped_at": NOON}, "met"),  # a stop at the very due time
        ({"stopped_at": NOON + timedelta(microseconds=1)}, "closed_late"),
        ({}, "open_overdue"),
        ({"state": "paused"}, "pending"),
        ({"cancelled_at": NOON - timedelta(hours=1)}, None),
        ({"cancelled_at": NOON + timedelta(hours=1)}, "closed_late"),  # the breach stands
        ({"stopped_at": NOW + timedelta(hours=1)}, "open_overdue"),  # not known to have stopped at as_of
    ],
)
async def test_a_cycle_is_exactly_one_thing(world: World, ask: Ask, columns, counted) -> None:
    await world.timer(NOON, **columns)
    [row] = (await ask("sla_attainment", "sla_met", "closed_late", "open_overdue")).rows
    found = {
        "met": row["sla_met"],
        "closed_late": row["closed_late"],
        "open_overdue": row["open_overdue"],
        "pending": row["sla_attainment_pending"],
    }
    assert found == {name: int(name == counted) for name in found}


@pytest.mark.parametrize(
    ("columns", "as_of", "counted"),
    [
        ({"stopped_at": NOON + timedelta(hours=9)}, NOW, "met"),
        ({"stopped_at": NOON + timedelta(hours=11)}, NOW, "closed_late"),
        ({"cancelled_at": NOON + timedelta(hours=9)}, NOW, None),
        ({"cancelled_at": NOON + timedelta(hours=11)}, NOW, "closed_late"),
        ({}, NOON + timedelta(hours=9), "pending"),
        ({}, NOON + timedelta(hours=11), "open_overdue"),
    ],
)
async def test_a_cycle_of_a_known_day_is_judged_by_the_end_of_its_due_day(
    world: World, ask: Ask, columns, as_of, counted
) -> None:
    await world.timer(NOON, breaches_after=NOON + timedelta(hours=10), **columns)
    names = ("sla_met", "closed_late", "open_overdue")
    [row] = (await ask("sla_attainment", *names, now=as_of)).rows
    found = {name: row[name] for name in names} | {"pending": row["sla_attainment_pending"]}
    assert found == {name: int(name in (counted, f"sla_{counted}")) for name in found}


async def test_deadlines_group_by_timer_policy_and_attribute(world: World, ask: Ask) -> None:
    await world.attribute("agency")
    await world.timer(NOON, stopped_at=NOON, attributes={"agency": "DOT"})
    await world.timer(NOON, attributes={"agency": "DOT"})
    await world.timer(NOON, timer="first_response", attributes={"agency": "NYPD"})
    answer = await ask("sla_met", "sla_breached", group_by=["timer", "attributes.agency"])
    assert [(r["timer"], r["attributes.agency"], r["sla_met"], r["sla_breached"]) for r in answer.rows] == [
        ("first_response", "NYPD", 0, 1),
        ("given_due", "DOT", 1, 1),
    ]


async def test_as_of_may_not_lie_ahead(ask: Ask) -> None:
    with pytest.raises(InvalidError, match="nobody knows yet"):
        await ask("sla_attainment", as_of="2026-04-01")


async def test_of_a_customers_answers_the_latest_counts_for_indices_too(world: World, ask: Ask) -> None:
    pressed = {"scale": "button_3", "measure": "recommend", "mode": "passive"}
    rows = []
    for number in range(6):
        said = {**pressed, "customer": bytes([number])}
        rows += [Answer(-1, at=NOON, **said), Answer(1, at=NOON + timedelta(hours=1), **said)]
        # what the expert found invalid takes nobody's turn
        rows.append(Answer(-1, at=NOON + timedelta(hours=2), qualification="invalid", **said))
    await world.commit(*rows, *several(2, Answer(-1, **pressed)))
    shown = []
    for respondents in ("all", "latest_per_customer"):
        [index] = (await ask("iel", respondents=respondents)).rows
        [latent] = (await ask("latent_negatives", respondents=respondents)).rows
        shown.append((index["iel_n"], index["iel_negative"], latent["latent_negatives_observed"]))
    assert shown == [(14, 8, 8), (8, 2, 2)]


async def test_the_paradox_reads_one_answer_of_each_customer_where_that_is_asked(
    world: World, ask: Ask
) -> None:
    for number in range(3):
        said = {"scale": "csat_1_5", "customer": bytes([number])}
        await world.commit(Answer(1, at=NOON, **said), Answer(5, at=NOON + timedelta(days=1), **said))
    found = {
        respondents: (await ask("paradox_delta", respondents=respondents)).rows[0]
        for respondents in ("all", "latest_per_customer", "first_per_case")
    }
    counted = {
        name: (row["paradox_delta_other_top"], row["paradox_delta_other_n"]) for name, row in found.items()
    }
    assert counted == {"all": (3, 6), "latest_per_customer": (3, 3), "first_per_case": (3, 6)}
