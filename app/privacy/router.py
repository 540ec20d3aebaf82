"""`/v1/privacy`: forget a person, hand out what is known of one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from app.deps import Admin, NowDep, parse_id, refuse_unknown_query
from app.domain.errors import NotFoundError
from app.journal.journal import Journal
from app.privacy import service
from app.privacy.schemas import ErasureIn, ErasureOut, ErasurePage, ExportIn, ExportOut
from app.problems import Problem

router = APIRouter(
    prefix="/v1/privacy",
    tags=["Privacy"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (401, 403, 404, 422, 503)},
)


def get_journal(request: Request) -> Journal:
    """The journal of this process."""
    journal: Journal = request.app.state.services.journal
    return journal


JournalDep = Annotated[Journal, Depends(get_journal)]


@router.post("/erasures", status_code=202, summary="Forget a person", operation_id="post_erasure")
async def post_erasure(
    principal: Admin, wanted: ErasureIn, journal: JournalDep, request: Request
) -> ErasureOut:
    """Carried out in the background within seconds. Words, references, raw bodies and messages go, the person
    gets one random name everywhere; what was counted stays counted. It cannot be taken back.
    """
    erasure_id = await service.request_erasure(
        journal, principal.tenant_id, wanted.customer, by=principal.hint
    )
    request.app.state.services.bell.ring("erasure")
    [found] = await service.list_erasures(journal, principal.tenant_id, erasure_id=erasure_id)
    return found


@router.get("/erasures", summary="List erasures", operation_id="list_erasures")
async def list_erasures(
    principal: Admin, journal: JournalDep, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> ErasurePage:
    """Who was forgotten, without a name; the newest first."""
    return ErasurePage(items=await service.list_erasures(journal, principal.tenant_id, limit=limit))


@router.get("/erasures/{erasure_id}", summary="Read an erasure", operation_id="get_erasure")
async def get_erasure(principal: Admin, erasure_id: str, journal: JournalDep) -> ErasureOut:
    """Whether it is done, and what it reached."""
    wanted = parse_id("ers", erasure_id)
    found = await service.list_erasures(journal, principal.tenant_id, erasure_id=wanted)
    if not found:
        raise NotFoundError("not_found", "there is no such erasure")
    return found[0]


@router.post("/exports", summary="Everything about one person", operation_id="post_export")
async def post_export(principal: Admin, wanted: ExportIn, journal: JournalDep, now: NowDep) -> ExportOut:
    """One JSON document of all that is stored about a person; noted in the audit."""
    return await service.export_person(
        journal, principal.tenant_id, wanted.customer, by=principal.hint, now=now
    )
