"""`POST /v1/sources/test`: a sample tried on an adapter, a mapping or a configured source."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from app.deps import ConfigManager, DatabaseDep, NowDep, refuse_unknown_query
from app.ingest.adapting import get_source
from app.ingest.results import Terms
from app.ingest.service import Ingest
from app.ingest.trial.schemas import TrialIn, TrialOut
from app.ingest.trial.service import read_sample, shown
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
    """The events that a sample would give, and what would go to quarantine. Nothing is stored.

    Each event is tried on the journal too: a score outside its scale, an unknown question.
    """
    adapter, context = None, None
    if wanted.source is not None:
        sealer = request.app.state.sealer
        source = await get_source(database, sealer, principal.tenant_id, wanted.source, now)
        adapter, context = source.adapter, source.context
    reading = read_sample(wanted, now, adapter, context)
    ingest: Ingest = request.app.state.services.ingest
    terms = Terms(None, now)
    results = (
        await ingest.accept(principal.tenant_id, reading.events, terms, dry_run=True)
        if reading.events
        else []
    )
    return shown(reading, results)
