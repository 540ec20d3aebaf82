"""Corrective actions and what customers are owed, over HTTP."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from app.deps import CasesReader, CasesWriter, DatabaseDep, parse_id, refuse_unknown_query
from app.domain.errors import NotFoundError
from app.improvement import commands, obligations, repository
from app.improvement.lists import Cursor, Filter, IdempotencyKey, Limit, page_of, read_place
from app.improvement.presentation import action_out, owed_out
from app.improvement.run import run_order
from app.improvement.schemas import ActionIn, ActionOut, BecauseIn, LinkIn, OwedOut, Page
from app.journal.orders import Asked
from app.problems import Problem

router = APIRouter(
    tags=["Improvement"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (401, 403, 404, 409, 422, 503)},
)


@router.get(
    "/v1/corrective-actions", summary="List corrective actions", operation_id="list_corrective_actions"
)
async def list_actions(
    principal: CasesReader,
    request: Request,
    response: Response,
    database: DatabaseDep,
    state: Literal["open", "deployed", "cancelled"] | None = None,
    cause: Filter = None,
    owner: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[ActionOut]:
    """Systemic fixes, newest first."""
    filters = {"state": state, "cause": cause, "owner": owner}
    async with database.tenant(principal.tenant_id, timeout_seconds=20) as connection:
        rows = await repository.list_rows(
            connection, repository.ACTIONS, principal.tenant_id, filters,
            at="opened_at", key="action_id", before=read_place(cursor), limit=limit + 1,
        )  # fmt: skip
        links = await repository.count_links(connection, principal.tenant_id, [row.ref for row in rows])
    return page_of(
        rows,
        limit,
        lambda row: action_out(row, links),
        lambda row: (row.opened_at, row.action_id),
        request,
        response,
    )


@router.get(
    "/v1/corrective-actions/{action_id}",
    summary="Read a corrective action",
    operation_id="get_corrective_action",
)
async def get_action(principal: CasesReader, database: DatabaseDep, action_id: str) -> ActionOut:
    """One systemic fix, with how many cases it is for and how many customers are to be told."""
    return await _read(database, principal.tenant_id, parse_id("action", action_id))


@router.post(
    "/v1/corrective-actions",
    status_code=201,
    summary="Open a corrective action",
    operation_id="open_corrective_action",
)
async def open_action(
    principal: CasesWriter, request: Request, body: ActionIn, idempotency_key: IdempotencyKey = None
) -> ActionOut:
    """A systemic fix, for any number of cases; more may be linked later, from either side."""
    data = body.model_dump(mode="json", exclude={"ref", "cases"}, exclude_none=True)
    build = commands.open_action(body.ref, data, body.cases, principal.hint)
    asked = Asked("action.open", body.model_dump(mode="json"), idempotency_key)
    action_id = await run_order(request, principal.tenant_id, asked, build)
    return await _read(request.app.state.database, principal.tenant_id, action_id)


@router.post(
    "/v1/corrective-actions/{action_id}/link",
    summary="Link cases to it",
    operation_id="link_corrective_action",
)
async def link_cases(
    principal: CasesWriter,
    request: Request,
    action_id: str,
    body: LinkIn,
    idempotency_key: IdempotencyKey = None,
) -> ActionOut:
    """More cases that it is for; their customers are owed a word when it is in force."""
    wanted = parse_id("action", action_id)
    build = commands.link_cases(wanted, body.cases, principal.hint)
    return await _done(
        request, principal.tenant_id, wanted, "link", body.model_dump(), idempotency_key, build
    )


@router.post(
    "/v1/corrective-actions/{action_id}/deploy",
    summary="Say that it is in force",
    operation_id="deploy_corrective_action",
)
async def deploy_action(
    principal: CasesWriter, request: Request, action_id: str, idempotency_key: IdempotencyKey = None
) -> ActionOut:
    """From here every customer of a linked case is to be told: thanks to you it is better."""
    wanted = parse_id("action", action_id)
    build = commands.deploy_action(wanted, principal.hint)
    return await _done(request, principal.tenant_id, wanted, "deploy", {}, idempotency_key, build)


@router.post(
    "/v1/corrective-actions/{action_id}/cancel", summary="Give it up", operation_id="cancel_corrective_action"
)
async def cancel_action(
    principal: CasesWriter,
    request: Request,
    action_id: str,
    body: BecauseIn,
    idempotency_key: IdempotencyKey = None,
) -> ActionOut:
    """It will not be done, with the reason."""
    wanted = parse_id("action", action_id)
    build = commands.cancel_action(wanted, body.reason, principal.hint)
    return await _done(
        request, principal.tenant_id, wanted, "cancel", body.model_dump(), idempotency_key, build
    )


@router.get(
    "/v1/improvements-owed", summary="List customers to be told", operation_id="list_improvements_owed"
)
async def list_owed(
    principal: CasesReader,
    request: Request,
    response: Response,
    database: DatabaseDep,
    action: Filter = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page[OwedOut]:
    """Each customer whose complaint led to something better and who was not told; `inform-of-improvement`
    on the case settles it.
    """
    async with database.tenant(principal.tenant_id, timeout_seconds=20) as connection:
        rows = await obligations.list_owed(
            connection, principal.tenant_id, action=action, before=read_place(cursor), limit=limit + 1
        )
    return page_of(rows, limit, owed_out, lambda row: (row.deployed_at, row.case_id), request, response)


async def _done(
    request: Request,
    tenant_id: UUID,
    action_id: UUID,
    command: str,
    stated: dict[str, Any],
    key: str | None,
    build: Any,
) -> ActionOut:
    asked = Asked(f"action.{command}", {"action": str(action_id), **stated}, key)
    await run_order(request, tenant_id, asked, build)
    return await _read(request.app.state.database, tenant_id, action_id)


async def _read(database: Any, tenant_id: UUID, action_id: UUID) -> ActionOut:
    async with database.tenant(tenant_id) as connection:
        row = await repository.find_row(connection, repository.ACTIONS, tenant_id, "action_id", action_id)
        if row is None:
            raise NotFoundError("not_found", "there is no such corrective action")
        return action_out(row, await repository.count_links(connection, tenant_id, [row.ref]))
