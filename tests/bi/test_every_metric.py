"""Every registered metric is readable by SQL and OData, and is there what it is in the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

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
from tests.metrics.world import World

from .conftest import connected, grant
from .history import DAY, PLACE, make_history
from .test_one_number import KYIV, http

__all__ = ("http",)


ONLY_ASKED: tuple[str, ...] = ()
"""Metrics that no view holds; docs/bi/README.md has to say why."""
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
    """What a chance of seed 11 made."""
    world = World(services.database, a_tenant.tenant_id)
    await make_history(world, Random(11))
    return world


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
