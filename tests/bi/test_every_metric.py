"""Every registered metric is readable by SQL and OData, and is there what it is in the API."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.bi.logins import revoke_login
from app.domain.measures.registry import METRICS
from app.domain.measures.statistics import round_half_away
from app.wiring import Services
from migrations.bi.daily import METRIC_IDS
from migrations.bi.every import EVERY_METRIC_IDS, SNAPSHOT_METRIC_IDS
from migrations.bi.figures import MORE_METRIC_IDS
from migrations.bi.periods import PERIOD_METRIC_IDS
from tests.conftest import Server
from tests.metrics.world import Answer, World

from .conftest import connected, grant
from .test_one_number import KYIV, http

__all__ = ("http",)


ONLY_ASKED: tuple[str, ...] = ()
"""Metrics that no view holds; docs/bi/README.md has to say why."""


def _a_tuesday() -> date:
    """In the middle of a month, more than 195 days ago: half a year is over, and the backlog reaches it."""
    day = datetime.now(UTC).date() - timedelta(days=200)
    while day.weekday() != 1 or not 8 <= day.day <= 20:
        day -= timedelta(days=1)
    return day


DAY = _a_tuesday()
FIRST = datetime.combine(DAY, time(0), UTC)
PLACE = ("channel", "touchpoint", "location")
HOUR = timedelta(hours=1)
HALF_YEAR = timedelta(days=190)
APART = ("paradox_delta", "resolved_delta")
WITHOUT_CHANNEL = ("happiness_equal_channels",)

Figures = dict[tuple[Any, ...], tuple[float | None, int]]
"""(metric, first day, grain, place ..., scale, mode) -> (value, n)."""


def test_every_registered_metric_stands_in_one_view():
    told = (*METRIC_IDS, *MORE_METRIC_IDS, *EVERY_METRIC_IDS, *PERIOD_METRIC_IDS, *SNAPSHOT_METRIC_IDS)
    assert sorted((*told, *ONLY_ASKED)) == sorted(METRICS)
    text = (Path(__file__).parents[2] / "docs" / "bi" / "README.md").read_text()
    assert [metric for metric in ONLY_ASKED if f"`{metric}`" not in text] == []


@pytest.fixture
async def history(services: Services, a_tenant) -> World:
    """A few days of cases, orders, reviews and answers as a chance of seed 11 made them."""
    world = World(services.database, a_tenant.tenant_id)
    chance = Random(11)
    await world.terms({"voice_rates": {"low": 0.1, "high": 0.5}})
    content = [
        Answer(
            chance.randint(3, 5),
            _at(chance) + 30 * HOUR,
            "csat_1_5",
            customer=bytes([200 + n]),
            **_place(chance),
        )
        for n in range(40)
    ]
    await world.commit(*content)
    for _ in range(80):
        await _case(world, chance)
    for _ in range(20):
        await _order(world, chance)
    for _ in range(20):
        await _review(world, chance)
        await world.event(
            "rating.displayed",
            _at(chance),
            source="maps",
            count=chance.randint(1, 90),
            rating=chance.choice([3.9, 4.2, 4.5]),
            location=chance.choice(["kyiv", "kyiv", "lviv"]),
            channel="web",
        )
    return world


def _at(chance: Random) -> datetime:
    return FIRST + timedelta(minutes=chance.randrange(20 * 60))


def _place(chance: Random) -> dict[str, str]:
    return {
        "channel": "web",
        "touchpoint": "checkout",
        "location": chance.choice(["kyiv", "lviv"]),
    }


async def _case(world: World, chance: Random) -> None:
    opened, place, customer = (
        _at(chance),
        _place(chance),
        chance.choice([None, *(bytes([n]) for n in range(40))]),
    )
    ended = [opened + chance.randint(1, 25) * HOUR for _ in range(3)]
    steps: list[dict[str, Any]] = []
    again = chance.random() < 0.2
    if again:
        first, second = sorted(ended[:2])
        steps = [
            {"started_at": opened.isoformat(), "steps": {"remedied": first.isoformat()}},
            {
                "started_at": (first + HOUR).isoformat(),
                "steps": {"closed": second.isoformat()} if second > first + HOUR else {},
            },
        ]
    case_id = await world.case(
        opened,
        state=chance.choice(["open", "closed", "closed", "awaiting_opening"]),
        customer_facing=chance.random() < 0.8,
        customer_ref=customer,
        cause=chance.choice([None, "staff", "price"]),
        first_response_at=chance.choice(
            [*[opened + chance.randint(1, 300) * timedelta(minutes=7)] * 20, *[opened + HALF_YEAR] * 4, None]
        ),
        remedied_at=None if again else chance.choice([None, *[ended[0]] * 24]),
        closed_at=chance.choice([None, ended[1]]),
        ended_at=chance.choice([None] * 5 + [ended[2]]),
        reopened_count=int(again),
        steps=steps,
        **place,
    )
    about = ("case", case_id)
    for kind in ("customer_contacted", "escalated", "double_deviation"):
        if chance.random() < 0.15:
            await world.event(f"case.{kind}", opened + HOUR, about)
    if chance.random() < 0.6:
        outcome = chance.choice(["upheld", "rejected", "goodwill"])
        told = await world.event("case.closed", ended[1], about, outcome=outcome)
        if chance.random() < 0.2:
            await world.event("event.retracted", ended[1], event_id=str(told))
    if chance.random() < 0.4:
        spent_abroad = "UAH" if place["location"] == "kyiv" else "EUR"
        money = {
            "amount": str(chance.randint(1, 90)),
            "currency": chance.choice(["UAH", "UAH", spent_abroad]),
        }
        for kind in chance.sample(["offered", "approved", "delivered", "rejected", "recovered"], 3):
            await world.event(f"compensation.{kind}", opened + HOUR, about, **money)
    for _ in range(chance.choice([0, 1, 1, 1])):
        scale, measure = chance.choice([("csat_1_7", "resurvey"), *[("csat_1_5", "csat")] * 3])
        heard = opened + chance.choice([4, 8, 22, 30, 40]) * HOUR
        answer = Answer(
            chance.randint(1, 5), heard, scale, measure, customer=customer, silent=chance.random() < 0.2,
            case_id=chance.choice([None, case_id, case_id, case_id]),
            mode=chance.choice(["invited", "invited", "passive"]), **place,
        )  # fmt: skip
        await world.commit(answer, Answer(chance.randint(7, 10), heard, customer=customer, **place))
    if customer is not None and chance.random() < 0.3:
        await world.event("customer.returned", opened + 30 * HOUR, customer=customer)
    for _ in range(chance.randint(0, 2)):
        due = opened + chance.randint(1, 60) * HOUR
        await world.timer(
            due,
            timer=uuid4().hex,
            subject_id=case_id,
            started_at=opened,
            breaches_after=chance.choice([None, due + 9 * HOUR]),
            stopped_at=chance.choice([None, due, due + 5 * HOUR, due + 20 * HOUR]),
            state=chance.choice(["running", "running", "paused"]),
            **place,
        )


async def _order(world: World, chance: Random) -> None:
    about, promised, place = ("order", uuid4()), _at(chance), _place(chance)
    await world.event("order.promised", promised - 9 * HOUR, about, promised_at=promised.isoformat(), **place)
    for kind in ("order.delivered", "order.delay_predicted", "customer.notified", "interaction.ended"):
        if chance.random() < 0.6:
            await world.event(kind, promised + chance.randint(-8, 8) * HOUR, about, **place)


async def _review(world: World, chance: Random) -> None:
    review = uuid4()
    await world.commit(
        Answer(
            chance.randint(1, 5), _at(chance), "stars_1_5", kind="review", mode="scraped",
            subject=("review", review), **_place(chance),
        )
    )  # fmt: skip
    if chance.random() < 0.6:
        human = chance.choice([{}, {"human": True}, {"human": False}])
        await world.event("review.replied", _at(chance), ("review", review), **human)


async def asked(http: httpx.AsyncClient, metric: str, granularity: str, place: tuple[str, ...]) -> Figures:
    """A metric by the API: what it shows, and how much it rests on."""
    answer = await http.get(
        "/v1/metrics/query",
        params={
            "metrics": metric, "group_by": ",".join(place), "granularity": granularity,
            "from": str(DAY - timedelta(days=60)), "to": str(datetime.now(UTC).date() + timedelta(days=1)),
            "limit": "20000",
        },
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    found: Figures = {}
    grain = {(): "total", PLACE: "place"}.get(place, place[0] if place else "total")
    for row in answer.json()["rows"]:
        n = row[f"{metric}_n"]
        if n:
            day = datetime.fromisoformat(row["bucket"]).date()
            where = [row.get(name) if name in place else None for name in PLACE]
            value = "hidden" if row[f"{metric}_status"] == "suppressed" else row[metric]
            found[(metric, day, grain, *where, row.get("scale_id"), row.get("collection_mode"))] = (value, n)
    return found


def shown(rows: list[Any], granularity: str = "day", grain: str = "place") -> Figures:
    """The same of the rows of a view (metric_daily is by place and day)."""
    found: Figures = {}
    for row in rows:
        told = dict(row)
        if told.get("granularity", granularity) != granularity or told.get("grain", grain) != grain:
            continue
        if not told["n"]:
            continue
        value, decimals = told["value"], METRICS[told["metric"]].unit.decimals
        key = (told["metric"], told.get("starts_on") or told["local_date"], grain, *(told[x] for x in PLACE))
        rounded = None if value is None else round_half_away(value, decimals)
        found[(*key, told["scale_id"], told["collection_mode"])] = (rounded, told["n"])
    return found


def same(told: Figures, seen: Figures) -> set[str]:
    """Equal; of what the API hides (few answers) the base is. Gives the metrics that have values."""
    assert {key: n for key, (_, n) in seen.items()} == {key: n for key, (_, n) in told.items()}
    open_ones = {key: value for key, value in told.items() if value[0] != "hidden"}
    assert {key: seen[key] for key in open_ones} == open_ones
    return {key[0] for key, (value, _) in open_ones.items() if value is not None}


async def test_the_views_show_every_other_metric_as_the_api_tells_it(http, server: Server, history: World):
    """One history for all: what is added up, made for each period, and open at the end of a day."""
    url = await grant(server, history.tenant_id, "every")
    async with connected(url) as login:
        daily = await login.fetch("SELECT * FROM metric_daily WHERE metric = ANY ($1)", EVERY_METRIC_IDS)
        periods = await login.fetch("SELECT * FROM metric_by_period")
        backlog = await login.fetch("SELECT * FROM backlog_daily WHERE grain = 'location'")
    await revoke_login(server.owner, history.tenant_id, "every")
    valued = same(await _all_asked(http, EVERY_METRIC_IDS, "day", PLACE), shown(daily))
    for granularity, place in (("day", PLACE), ("week", ("location",)), ("month", ())):
        grain = {(): "total", PLACE: "place"}.get(place, place[0] if place else "")
        told = await _all_asked(http, PERIOD_METRIC_IDS, granularity, place)
        valued |= same(told, shown(periods, granularity, grain))
    assert valued == {*EVERY_METRIC_IDS, *PERIOD_METRIC_IDS}
    await _backlog_is_the_same(http, backlog)


async def _all_asked(
    http: httpx.AsyncClient, metrics: tuple[str, ...], granularity: str, place: tuple[str, ...]
) -> Figures:
    told: Figures = {}
    for metric in metrics:
        if metric in WITHOUT_CHANNEL and "channel" in place:
            continue
        told |= await asked(http, metric, granularity, place)
    return told


async def _backlog_is_the_same(http: httpx.AsyncClient, rows: list[Any]) -> None:
    days = sorted({row["local_date"] for row in rows})
    assert days[0] == DAY
    overdue = 0
    for day in days[:4]:
        end = datetime.combine(day, datetime.max.time(), KYIV).isoformat()
        asking = {"metrics": ",".join(SNAPSHOT_METRIC_IDS), "group_by": "location", "as_of": end}
        answer = await http.get("/v1/metrics/query", params=asking)
        told = {row["location"]: [row[name] for name in SNAPSHOT_METRIC_IDS] for row in answer.json()["rows"]}
        seen = {
            row["location"]: [
                round_half_away(row[name], METRICS[name].unit.decimals) for name in SNAPSHOT_METRIC_IDS
            ]
            for row in rows
            if row["local_date"] == day
        }
        assert seen == told
        overdue += sum(late for _, late, *_ in told.values())
    assert overdue > 0
