"""`/v1/journey/coverage` and `/v1/journey/retags`: what the map leaves out, and other names."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from app.deps import ConfigManager, MetricsReader, NowDep, refuse_unknown_query
from app.journey import service
from app.journey.schemas import CoverageOut, RetagIn, RetagOut
from app.problems import Problem

router = APIRouter(
    prefix="/v1/journey",
    tags=["Journey"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (401, 403, 422, 503)},
)


@router.get("/coverage", summary="What the map leaves out", operation_id="get_journey_coverage")
async def get_coverage(
    principal: MetricsReader,
    request: Request,
    now: NowDep,
    days: Annotated[int, Query(ge=1, le=3_650, description="how far back")] = 28,
) -> CoverageOut:
    """The whole map, stage by stage: a key touchpoint without a living survey is a finding."""
    journal = request.app.state.services.journal
    return await service.coverage(journal, principal.tenant_id, now - timedelta(days=days), now)


@router.post("/retags", summary="Give a touchpoint another name", operation_id="post_journey_retag")
async def post_retag(principal: ConfigManager, wanted: RetagIn, request: Request) -> RetagOut:
    """For what is stored and for what comes: counters follow at once. To undo it, name it back."""
    journal = request.app.state.services.journal
    return await service.retag(journal, principal.tenant_id, wanted.raw, wanted.touchpoint, by=principal.hint)
