"""`POST /v1/sources/test`: a sample tried on an adapter, a mapping or a configured source."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from app.deps import ConfigManager, DatabaseDep, NowDep, refuse_unknown_query
from app.ingest.adapting import get_source
from app.ingest.trial.schemas import TrialIn, TrialOut
from app.ingest.trial.service import try_sample
from app.problems import Problem

router = APIRouter(
    prefix="/v1/sources",
    tags=["Sources"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (400, 401, 403, 404, 422, 503)},
)


@router.post("/test", summary="Try a sample", operation_id="test_source")
async def test_source(
    wanted: TrialIn, request: Request, principal: ConfigManager, database: DatabaseDep, now: NowDep
) -> TrialOut:
    """The events that a sample would give, and what would go to quarantine. Nothing is stored."""
    if wanted.source is None:
        return try_sample(wanted, now)
    sealer = request.app.state.sealer
    source = await get_source(database, sealer, principal.tenant_id, wanted.source, now)
    return try_sample(wanted, now, source.adapter, source.context)
