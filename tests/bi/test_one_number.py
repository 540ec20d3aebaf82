"""One definition, one number, everywhere: REST from rows and from cuboids, CSV, OData and the SQL views."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from app.bi.logins import revoke_login
from app.domain.measures.registry import METRICS
from app.domain.measures.statistics import round_half_away
from app.main import create_api
from app.metrics.folder import fold
from app.wiring import Services
from tests.conftest import MakeKey, Server
from tests.metrics.world import Answer, World

from .conftest import connected, grant

PLACE = ("channel", "touchpoint", "location")
SCORES = ("nps", "csat_t2b", "csat_mean", "ces_mean", "ces_easy", "stars_mean", "stars_negative")
COUNTS = ("happiness", "responses", "feedback_count", "survey_acts", "silent", "complaints")
VARIANTS = ("nps_1_10", "happiness_without_neutral", "happiness_net")
INDICES = ("ink_personal", "ink_office", "iel", "iel_2013", "fm_level", "reliability_positive",
           "reliability_negative", "negative_per_contact")  # fmt: skip
RATIOS = ("coverage", "precise_conversion", "surveys_per_transaction", "raw_conversion", "complaint_rate",
          "negative_per_visitor", "negative_per_transaction")  # fmt: skip
OTHERS = (
    ("visitors", "transactions", "interactions"),
    ("cases_opened", "unanswered_share", "proactive_share"),
    ("cases_closed", "closed_within_4_weeks", "closed_within_8_weeks", "closed_after_8_weeks"),
    ("sla_attainment", "sla_met", "sla_breached", "closed_late", "open_overdue"),
)
UNSUPPRESSED = tuple(name for name in RATIOS if not name.startswith("negative"))
EVERY = (*SCORES, *COUNTS, *VARIANTS, *INDICES, *RATIOS, *(name for group in OTHERS for name in group))
SCALES = {
    "nps_0_10": range(11), "nps_1_10": range(1, 11), "csat_1_5": range(1, 6), "csat_1_7": range(1, 8),
    "csat_1_10": range(1, 11),
    "ces1_effort_1_5": range(1, 6), "ces2_1_7": range(1, 8), "stars_half": (1, 2.5, 3, 4, 5),
    "button_3": (-1, 0, 1), "text_only": ("positive", "negative", "neutral", "unknown"),
}  # fmt: skip
DESK = {"locations": ["kyiv"], "mode": "calibrated", "followed_up": 60, "dissatisfied": 21}
ADDED = tuple(name for name in RATIOS if name != "complaint_rate")
"""Ratios whose base is one thing; that of complaints is sales, or contacts in places without sales."""
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
KYIV = ZoneInfo("Europe/Kyiv")

Numbers = dict[tuple[Any, ...], tuple[Any, Any]]
"""(metric, local day, place, scale, mode) -> (value, n)."""


@pytest.fixture
async def history(services: Services, a_tenant) -> World:
    """March as a chance of seed 7 made it: revisions, withdrawals, silence, invalid answers, repeats."""
    world = World(services.database, a_tenant.tenant_id)
    chance = Random(7)
    await world.relational("monthly")
    await world.terms({"silent": {"mode": "mar", "location_types": {"desk": DESK}}})
    for _ in range(4):
        answers = [
            *(_answer(chance) for _ in range(250)),
            *(_press(chance) for _ in range(50)),
            *(_act(chance) for _ in range(250)),
        ]
        revised = chance.sample(sorted(world.live), min(10, len(world.live)))
        await world.commit(*answers, ended=revised[:5])
        for _ in range(3):
            at, where = _at(chance), _place(chance)
            for kind in ("visitors", "transactions", "interactions"):
                await world.count(kind, chance.randint(0, 90), at, **where)
        for _ in range(15):
            await _case(world, chance)
    return world


def _at(chance: Random) -> datetime:
    return FIRST + timedelta(minutes=chance.randrange(4 * 24 * 60))


def _place(chance: Random) -> dict[str, str]:
    return {
        "channel": chance.choice(["call", "web"]),
        "touchpoint": chance.choice(["checkout", "=1+1"]),
        "location": chance.choice(["kyiv", "lviv"]),
    }


def _answer(chance: Random) -> Answer:
    scale = chance.choice(list(SCALES))
    relational = scale == "nps_0_10" and chance.random() < 0.5
    return Answer(
        chance.choice(SCALES[scale]),
        _at(chance),
        scale,
        question="monthly" if relational else None,
        customer=chance.randbytes(1) if relational else None,
        mode=chance.choice(["invited", "passive"]),
        silent=chance.random() < 0.1,
        kind=chance.choice(["rating", "complaint"]),
        qualification=chance.choice([None, None, "valid", "invalid"]),
        index=chance.choice([0, 0, 1]),
        **_place(chance),
    )


def _press(chance: Random) -> Answer:
    """One of a flurry of presses: most of them are echoes."""
    return Answer(
        chance.choice(SCALES["button_3"]),
        FIRST + timedelta(hours=chance.randrange(24), seconds=chance.randrange(60)),
        "button_3",
        mode=chance.choice(["passive", "passive", "passive", "staff_prompted"]),
        qualification=chance.choice([None, None, "invalid"]),
        device=chance.choice(["d1", "d2"]),
        **_place(chance),
    )


def _act(chance: Random) -> Answer:
    """A survey act of one of the three key questions."""
    return Answer(
        chance.choice(SCALES["button_3"]),
        _at(chance),
        "button_3",
        measure=chance.choice(["staff", "office", "recommend"]),
        mode=chance.choice(["staff_prompted", "staff_prompted", "invited"]),
        silent=chance.random() < 0.3,
        qualification=chance.choice([None, "valid", "invalid"]),
        force_majeure=chance.choice([None, None, "claimed", "confirmed"]),
        cause=chance.choice([None, "staff.rudeness", "office_process.queue", "external"]),
        **_place(chance),
    )


async def _case(world: World, chance: Random) -> None:
    opened = _at(chance)
    later = opened + timedelta(hours=chance.randint(1, 200))
    await world.case(
        opened,
        state=chance.choice(["open", "closed", "awaiting_opening", "invalid", "duplicate", "merged"]),
        kind=chance.choice(["complaint", "complaint", "question"]),
        customer_facing=chance.random() < 0.8,
        initiative=chance.choice(["reactive", "reactive", "proactive"]),
        first_response_at=chance.choice([None, later]),
        closed_at=chance.choice([None, later]),
        ended_at=chance.choice([None, None, later]),
        **_place(chance),
    )
    await world.timer(
        later,
        state=chance.choice(["running", "paused"]),
        stopped_at=chance.choice([None, later, later + timedelta(hours=1), opened]),
        cancelled_at=chance.choice([None, None, opened, later + timedelta(hours=2)]),
        started_at=opened,
        **_place(chance),
    )


@pytest.fixture
async def http(services: Services, api_key: MakeKey) -> AsyncIterator[httpx.AsyncClient]:
    key = await api_key("metrics:read", "feedback:read")
    transport = httpx.ASGITransport(app=create_api(services))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://vidhuk.test", auth=("any", key)
    ) as http:
        yield http


def _told(metric: str, row: dict[str, Any]) -> tuple[Any, Any] | None:
    """Value and base of a row of the API; None where there is nothing. Few answers have a base only."""
    value, n = row[metric], row[f"{metric}_n"]
    if METRICS[metric].unit == "count" or metric in UNSUPPRESSED:
        return None if value in (None, "") else (float(value), int(n if metric in UNSUPPRESSED else value))
    if n in (None, "", 0, "0"):
        return None
    return (None if value in (None, "") else float(value)), int(n)


def _shown(metric: str, value: float | None, n: int) -> tuple[Any, Any]:
    """A value of a view as the API shows it: rounded, and not at all below five answers."""
    few = metric not in UNSUPPRESSED and METRICS[metric].unit != "count" and n < 5
    return (None if few or value is None else round_half_away(value, METRICS[metric].unit.decimals)), n


async def by_api(
    http: httpx.AsyncClient, form: str, metrics: tuple[str, ...] = EVERY, place: tuple[str, ...] = PLACE
) -> Numbers:
    found: Numbers = {}
    for metric in metrics:
        asked = {
            "metrics": metric, "group_by": ",".join(place), "granularity": "day",
            "from": "2026-02-01", "to": "2026-05-01", "limit": "20000",
        }  # fmt: skip
        answer = await http.get(f"/v1/metrics/query.{form}", params=asked)
        assert answer.status_code == 200, answer.text
        rows = (
            answer.json()["rows"]
            if form == "json"
            else list(csv.DictReader(io.StringIO(answer.text, newline="")))
        )
        for row in rows:
            day = datetime.fromisoformat(row["bucket"]).date()
            where = [row[name].removeprefix("'") for name in place]
            if (told := _told(metric, row)) is not None:
                found[(metric, day, *where, row.get("scale_id"), row.get("collection_mode"))] = told
    return found


def of_view(rows: list[dict[str, Any]]) -> Numbers:
    """The same from rows of metric_daily (see test_every_metric for those that are not of EVERY)."""
    found: Numbers = {}
    for row in rows:
        if row["value"] is not None and row["metric"] in EVERY:
            place = [row[name] for name in PLACE]
            key = (row["metric"], row["local_date"], *place, row["scale_id"], row["collection_mode"])
            found[key] = _shown(row["metric"], row["value"], row["n"])
    return found


def _added_over_places(rows: list[dict[str, Any]]) -> Numbers:
    """Ratios of whole days, as a report adds them up from the rows of all places (a sum of nulls is null)."""
    added: dict[tuple[Any, ...], tuple[float | None, int]] = {}
    for row in rows:
        if row["metric"] in ADDED:
            key = (row["metric"], row["local_date"], None, None)
            above, below = added.get(key, (None, 0))
            if row["numerator"] is not None:
                above = (above or 0) + row["numerator"]
            added[key] = (above, below + row["denominator"])
    return {
        key: _shown(key[0], above / below, below)
        for key, (above, below) in added.items()
        if below and above is not None
    }


async def by_odata(http: httpx.AsyncClient, entity_set: str) -> list[dict[str, Any]]:
    """All rows, page by page as a client would."""
    rows: list[dict[str, Any]] = []
    address: str | None = f"/odata/v4/{entity_set}"
    while address:
        answer = await http.get(address, headers={"Prefer": "odata.maxpagesize=150"})
        assert answer.status_code == 200, answer.text
        rows += answer.json()["value"]
        address = answer.json().get("@odata.nextLink")
    for row in rows:
        row["local_date"] = date.fromisoformat(row["local_date"])
    return rows


async def test_rest_csv_odata_and_sql_give_the_same_numbers(http, history: World, server: Server):
    from_rows = await by_api(http, "json")
    assert {key[0] for key in from_rows} == set(EVERY)
    assert sum(value is not None for value, _ in from_rows.values()) > 400
    url = await grant(server, history.tenant_id, "equal")
    async with connected(url) as login:
        from_sql = [dict(row) for row in await login.fetch("SELECT * FROM metric_daily")]
        components = [dict(row) for row in await login.fetch("SELECT * FROM feedback_daily")]
    await revoke_login(server.owner, history.tenant_id, "equal")
    assert of_view(from_sql) == from_rows
    assert await by_api(http, "csv") == from_rows
    assert of_view(await by_odata(http, "metric_daily")) == from_rows
    assert _added_over_places(from_sql) == await by_api(http, "json", ADDED, ())
    paged = await by_odata(http, "feedback_daily")
    assert sorted(map(repr, paged)) == sorted(map(repr, components))


async def test_added_up_components_are_the_number_that_the_cuboids_give(
    http, history: World, services: Services
):
    metrics, place = (*SCORES, *COUNTS), ("channel", "touchpoint")
    while await fold(services.database, history.tenant_id, datetime(2026, 4, 2, tzinfo=UTC)):
        pass
    plan = await http.get(
        "/v1/metrics/query", params={"metrics": "nps", "group_by": "channel", "period": "1y"}
    )
    assert plan.json()["plan"][0]["read"] == "cuboid_day_touchpoint_channel"
    added: dict[tuple[Any, ...], list[float]] = {}
    for row in await by_odata(http, "metric_daily"):
        if row["metric"] in metrics:
            where = (row["channel"], row["touchpoint"], row["scale_id"], row["collection_mode"])
            sums = added.setdefault((row["metric"], row["local_date"], *where), [0.0, 0])
            sums[0] += row["numerator"]
            sums[1] += row["denominator"] or 0
    from_parts = {
        key: _shown(key[0], top / base, int(base)) if key[0] in (*SCORES, "happiness") else (top, int(top))
        for key, (top, base) in added.items()
        if base or key[0] not in (*SCORES, "happiness")
    }
    assert from_parts == await by_api(http, "json", metrics, place)
