"""`/v1/sla/recomputations`: after a forgotten holiday or a corrected policy; weighed first, then applied."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from app.deps import ConfigManager, DatabaseDep, NowDep, parse_id, refuse_unknown_query
from app.domain.errors import NotFoundError
from app.problems import Problem
from app.sla.recomputations import repository
from app.sla.recomputations.schemas import (
    RecomputationAnswer,
    RecomputationIn,
    RecomputationOut,
    RecomputationPage,
)
from app.sla.recomputations.service import PREFIX, begin, recomputation_out, weigh
from app.sla.router import JournalDep

router = APIRouter(
    prefix="/v1/sla/recomputations",
    tags=["SLA"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (400, 401, 403, 404, 409, 422, 503)},
)


@router.post(
    "",
    summary="Recompute a period",
    operation_id="recompute_sla",
    responses={202: {"model": RecomputationAnswer, "description": "being applied"}},
)
async def post_recomputation(
    principal: ConfigManager,
    wanted: RecomputationIn,
    journal: JournalDep,
    request: Request,
    response: Response,
    now: NowDep,
) -> RecomputationAnswer:
    """By default only the difference. Applied, the newest calendars (and a policy version, if one is named)
    bind what opened in the period; nobody is told of what is past, what falls due later is announced.
    """
    if wanted.dry_run:
        return RecomputationAnswer(comparison=await weigh(journal, principal.tenant_id, wanted, now))
    begun = await begin(journal, principal, wanted)
    request.app.state.bell.ring("recompute")
    response.status_code = 202
    response.headers["Location"] = f"/v1/sla/recomputations/{begun.id}"
    return RecomputationAnswer(recomputation=begun)


@router.get("", summary="List recomputations", operation_id="list_sla_recomputations")
async def list_recomputations(principal: ConfigManager, database: DatabaseDep) -> RecomputationPage:
    """The latest hundred, the newest first."""
    async with database.write(principal.tenant_id) as tx:
        rows = await repository.list_recomputations(tx, principal.tenant_id)
    return RecomputationPage(items=[recomputation_out(row) for row in rows])


@router.get("/{recomputation_id}", summary="Read a recomputation", operation_id="get_sla_recomputation")
async def get_recomputation(
    principal: ConfigManager, recomputation_id: str, database: DatabaseDep
) -> RecomputationOut:
    """How far it came and what it changed."""
    wanted = parse_id(PREFIX, recomputation_id)
    async with database.write(principal.tenant_id) as tx:
        row = await repository.find_recomputation(tx, principal.tenant_id, wanted)
    if row is None:
        raise NotFoundError("not_found", "there is no such recomputation")
    return recomputation_out(row)
