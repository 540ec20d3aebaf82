"""HTTP: headline, Pareto, journey coverage, before and after a fix, the expert's worklist."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query
from starlette.responses import Response

from app.auth import Principal, Scope
from app.deps import DatabaseDep, FeedbackReader, MetricsReader, NowDep, refuse_unknown_query
from app.kit import json
from app.metrics.answer import Reader
from app.metrics.document import answer_document
from app.metrics.period import DEFAULT_PERIOD
from app.metrics.views import service
from app.metrics.views.schemas import (
    BeforeAfterIn,
    BeforeAfterOut,
    HeadlineOut,
    JourneyCoverageOut,
    ParetoIn,
    ParetoOut,
    WorklistOut,
)
from app.problems import Problem

router = APIRouter(
    prefix="/v1/metrics",
    tags=["Metrics"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (401, 403, 422, 503)},
)

Period = Annotated[
    str, Query(min_length=1, max_length=32, description='"28d", "this_month", "last_quarter" ...')
]
Key = Annotated[str, Query(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
_JSON: dict[int | str, dict[str, Any]] = {200: {"model": HeadlineOut}}


@router.get(
    "/headline",
    summary="The one number",
    operation_id="get_headline",
    responses=_JSON,
    response_class=Response,
)
async def get_headline(
    principal: MetricsReader, database: DatabaseDep, now: NowDep, period: Period = DEFAULT_PERIOD
) -> Response:
    """The metric that the tenant's terms name as its general criterion, against the period before."""
    metric, answer = await service.make_headline(database, _reader(principal), period, now)
    body = {**answer_document(answer), "headline_metric": metric}
    return Response(json.dumps(body), media_type="application/json")


@router.post("/pareto", summary="The few that make most", operation_id="get_pareto")
async def get_pareto(
    principal: MetricsReader, database: DatabaseDep, now: NowDep, asked: Annotated[ParetoIn, Body()]
) -> ParetoOut:
    """A count by a dimension, largest first, with shares: causes of cases, complaints by journey stage."""
    return await service.make_pareto(database, _reader(principal), asked, now)


@router.get("/journey-coverage", summary="Touchpoints without data", operation_id="get_touchpoint_coverage")
async def get_journey_coverage(
    principal: MetricsReader, database: DatabaseDep, now: NowDep, period: Period = DEFAULT_PERIOD
) -> JourneyCoverageOut:
    """Every touchpoint of the map with its answers in the period; those without any first."""
    return await service.make_journey_coverage(database, principal.tenant_id, period, now)


@router.post("/before-after", summary="What a fix changed", operation_id="get_before_after")
async def get_before_after(
    principal: MetricsReader, database: DatabaseDep, now: NowDep, asked: Annotated[BeforeAfterIn, Body()]
) -> BeforeAfterOut:
    """Cases of a cause per transaction and paired satisfaction, 28 days before and after a fix."""
    return await service.make_before_after(database, principal.tenant_id, asked, now)


@router.get("/worklist", summary="Answers for the expert to check", operation_id="get_worklist")
async def get_worklist(
    principal: FeedbackReader,
    database: DatabaseDep,
    now: NowDep,
    reviewer: Key,
    seed: Key = "1",
    size: Annotated[int, Query(ge=1, le=500, description="of each side")] = 50,
    location: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00-\x1f]+$")] = None,
    period: Period = DEFAULT_PERIOD,
) -> WorklistOut:
    """A random sample, the same for the same seed, without answers about the reviewer or his people."""
    return await service.make_worklist(
        database,
        principal.tenant_id,
        reviewer=reviewer,
        period=period,
        location=location,
        size=size,
        seed=seed,
        now=now,
    )


def _reader(principal: Principal) -> Reader:
    return Reader(principal.tenant_id, principal.may(Scope.FEEDBACK_READ), "json")
