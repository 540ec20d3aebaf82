"""`POST /v1/sla/simulations`: a draft policy over past cases, before it binds anybody."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from app.deps import ConfigManager, NowDep, refuse_unknown_query
from app.problems import Problem
from app.sla.comparison_schemas import ComparisonOut
from app.sla.router import JournalDep
from app.sla.simulations.schemas import SimulationIn
from app.sla.simulations.service import simulate

router = APIRouter(
    tags=["SLA"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (400, 401, 403, 404, 409, 422, 503)},
)


@router.post("/v1/sla/simulations", summary="Simulate a policy", operation_id="simulate_sla")
async def post_simulation(
    principal: ConfigManager, wanted: SimulationIn, journal: JournalDep, now: NowDep
) -> ComparisonOut:
    """What a draft would have made of the subjects of a period: attainment, who breaches, who is saved.

    Nothing is written and nobody is told. Both sides are read from the journal by the same clock.
    """
    return await simulate(journal, principal.tenant_id, wanted, now)
