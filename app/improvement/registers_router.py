"""Recurring failures, staff debriefs and proactive notices, over HTTP."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from app.deps import CasesReader, CasesWriter, DatabaseDep, NowDep, parse_id, refuse_unknown_query
from app.domain.errors import NotFoundError
from app.improvement import commands, repository
from app.improvement.lists import Cursor, Filter, IdempotencyKey, Limit, page_of, read_place
from app.improvement.presentation import debrief_out, failures_out, notice_out
from app.improvement.run import run_order
from app.improvement.schemas import (
    BecauseIn,
    DebriefOut,
    FailureOut,
    FailurePage,
    NoticeOut,
    Page,
    StepIn,
    TakeIn,
)
from app.journal.orders import Asked
from app.problems import Problem

_MOST_FAILURES = 500

router = APIRouter(
    tags=["Improvement"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (401, 403, 404, 409, 422, 503)},
)


@router.get(
    "/v1/recurring-failures", summary="List recurring failures", operation_id="list_recurring_failures"
)
async def list_failures(
    principal: CasesReader,
    database: DatabaseDep,
    now: NowDep,
    state: Literal["open", "closed"] | None = None,
    owner: Filter = None,
    registry: bool = False,
) -> FailurePage:
    """Causes that came back too often, the heaviest first; `registry=true`: the twelve that weigh most."""
    filters = {"state": "open" if registry else state, "owner": None if registry else owner}
    async with database.tenant(principal.tenant_id, timeout_seconds=20) as connection:
        rows = await repository.list_rows(
            connection, repository.FAILURES, principal.tenant_id, filters,
            at="detected_at", key="failure_id", before=None, limit=_MOST_FAILURES,
        )  # fmt: skip
        causes = [row.cause for row in rows]
        counts = await repository.count_causes(connection, principal.tenant_id, causes, now)
    items = failures_out(rows, counts)
    return FailurePage(items=[item for item in items if item.in_registry] if registry else items)


@router.post(
    "/v1/recurring-failures/{failure_id}/take",
    summary="Take a recurring failure",
    operation_id="take_recurring_failure",
)
async def take_failure(
    principal: CasesWriter, request: Request, failure_id: str, body: TakeIn, now: NowDep,
    idempotency_key: IdempotencyKey = None,
) -> FailureOut:  # fmt: skip
    """Name who answers for it, or the corrective action that is to end it."""
    wanted, data = parse_id("failure", failure_id), body.model_dump(exclude_none=True)
    asked = Asked("failure.take", {"failure": failure_id, **data}, idempotency_key)
    await run_order(request, principal.tenant_id, asked, commands.take_failure(wanted, data, principal.hint))
    return await _failure(request, principal.tenant_id, wanted, now)


@router.post(
    "/v1/recurring-failures/{failure_id}/close",
    summary="Close a recurring failure",
    operation_id="close_recurring_failure",
)
async def close_failure(
    principal: CasesWriter, request: Request, failure_id: str, body: BecauseIn, now: NowDep,
    idempotency_key: IdempotencyKey = None,
) -> FailureOut:  # fmt: skip
    """It is over, with the reason; it may be found again when 28 days have passed."""
    wanted = parse_id("failure", failure_id)
    asked = Asked("failure.close", {"failure": failure_id, **body.model_dump()}, idempotency_key)
    await run_order(
        request, principal.tenant_id, asked, commands.close_failure(wanted, body.reason, principal.hint)
    )
    return await _failure(request, principal.tenant_id, wanted, now)


@router.get("/v1/debriefs", summary="List debriefs", operation_id="list_debriefs")
async def list_debriefs(
    principal: CasesReader,
    request: Request,
    response: Response,
    database: DatabaseDep,
    state: Literal["open", "held", "completed"] | None = None,
    employee: Filter = None,
    checklist: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[DebriefOut]:
    """Talks with employees about what customers said of them, newest first."""
    filters = {"employee": employee, "checklist": checklist, "state": state}
    async with database.tenant(principal.tenant_id, timeout_seconds=20) as connection:
        rows = await repository.list_rows(
            connection, repository.DEBRIEFS, principal.tenant_id, filters,
            at="opened_at", key="debrief_id", before=read_place(cursor), limit=limit + 1,
        )  # fmt: skip
    return page_of(rows, limit, debrief_out, lambda row: (row.opened_at, row.debrief_id), request, response)


@router.post(
    "/v1/debriefs/{debrief_id}/steps", summary="Take a step of a debrief", operation_id="do_debrief_step"
)
async def do_step(
    principal: CasesWriter, request: Request, debrief_id: str, body: StepIn,
    idempotency_key: IdempotencyKey = None,
) -> DebriefOut:  # fmt: skip
    """Seven steps of a talk about something bad, the last of them later; three about praise."""
    wanted = parse_id("debrief", debrief_id)
    asked = Asked("debrief.step", {"debrief": debrief_id, **body.stated()}, idempotency_key)
    said = {"owner": body.employee, "text": body.text}
    build = commands.do_step(wanted, body.step, said, body.occurred_at)
    await run_order(request, principal.tenant_id, asked, build)
    async with request.app.state.database.tenant(principal.tenant_id) as connection:
        row = await repository.find_row(
            connection, repository.DEBRIEFS, principal.tenant_id, "debrief_id", wanted
        )
    return debrief_out(row)


@router.get("/v1/proactive-notices", summary="List proactive notices", operation_id="list_proactive_notices")
async def list_notices(
    principal: CasesReader,
    request: Request,
    response: Response,
    database: DatabaseDep,
    cause: Filter = None,
    location: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[NoticeOut]:
    """News that we broke before customers had to ask; sent as `proactive_notice.sent`, newest first."""
    async with database.tenant(principal.tenant_id, timeout_seconds=20) as connection:
        rows = await repository.list_rows(
            connection, repository.NOTICES, principal.tenant_id, {"cause": cause, "location": location},
            at="occurred_at", key="event_id", before=read_place(cursor), limit=limit + 1,
        )  # fmt: skip
    return page_of(rows, limit, notice_out, lambda row: (row.occurred_at, row.event_id), request, response)


async def _failure(request: Request, tenant_id: UUID, failure_id: UUID, now: Any) -> FailureOut:
    async with request.app.state.database.tenant(tenant_id) as connection:
        row = await repository.find_row(connection, repository.FAILURES, tenant_id, "failure_id", failure_id)
        if row is None:
            raise NotFoundError("not_found", "there is no such failure")
        open_rows = await repository.list_rows(
            connection, repository.FAILURES, tenant_id, {},
            at="detected_at", key="failure_id", before=None, limit=_MOST_FAILURES,
        )  # fmt: skip
        causes = [item.cause for item in open_rows]
        counts = await repository.count_causes(connection, tenant_id, causes, now)
    shown = failures_out(open_rows, counts)
    return next(item for item in shown if item.cause == row.cause)
