"""Replays over HTTP: ask for a range to be sent again, watch it, stop it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.deps import DatabaseDep, NowDep, WebhooksManager, parse_id, refuse_unknown_query
from app.editing import EditingRoute
from app.journal.audit import Deed, append_audit_rows
from app.kit.ids import public_id
from app.problems import Problem
from app.webhooks.deps import BellDep
from app.webhooks.paging import next_cursor, read_id
from app.webhooks.replay_schemas import ReplayIn, ReplayOut, ReplayPage
from app.webhooks.replays import cancel_replay, create_replay, get_replay, list_replays, replay_out
from app.webhooks.router import Cursor, Limit

router = APIRouter(
    prefix="/v1/webhooks",
    tags=["Webhook replays"],
    dependencies=[Depends(refuse_unknown_query)],
    route_class=EditingRoute,
    responses={code: {"model": Problem} for code in (400, 401, 403, 404, 409, 422, 503)},
)


@router.post(
    "/endpoints/{endpoint_id}/replays",
    status_code=202,
    summary="Replay a range",
    operation_id="create_replay",
)
async def post_replay(
    endpoint_id: str,
    wanted: ReplayIn,
    principal: WebhooksManager,
    database: DatabaseDep,
    now: NowDep,
    bell: BellDep,
) -> ReplayOut:
    """Send a range of messages again: durable, at the pace asked for, each message once.

    They go behind first tries, by today's URL, secret and throttle, with a whole schedule of tries
    each. One replay of an endpoint runs at a time.
    """
    target = parse_id("ep", endpoint_id)
    async with database.write(principal.tenant_id) as tx:
        row = await create_replay(tx, principal.tenant_id, target, wanted, actor=principal.hint, now=now)
        deed = Deed(principal.hint, "endpoint.replayed", public_id("ep", target), now)
        await append_audit_rows(tx, principal.tenant_id, deed)
    bell.ring("replay")
    return replay_out(row)


@router.get("/replays", summary="List replays", operation_id="list_replays")
async def read_replays(
    principal: WebhooksManager,
    database: DatabaseDep,
    request: Request,
    response: Response,
    endpoint: Annotated[str | None, Query(max_length=40, description="only of this endpoint")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> ReplayPage:
    """Replays, newest first."""
    before, target = read_id(cursor), None if endpoint is None else parse_id("ep", endpoint)
    async with database.write(principal.tenant_id) as tx:
        found = await list_replays(
            tx, principal.tenant_id, endpoint_id=target, before=before, limit=limit + 1
        )
    items = [replay_out(row) for row in found[:limit]]
    rows = [SimpleNamespace(**row) for row in found]
    return ReplayPage(items=items, next_cursor=next_cursor(rows, limit, request, response, "replay_id"))


@router.get("/replays/{replay_id}", summary="Get a replay", operation_id="get_replay")
async def read_replay(replay_id: str, principal: WebhooksManager, database: DatabaseDep) -> ReplayOut:
    """One replay and how far it is."""
    async with database.write(principal.tenant_id) as tx:
        return replay_out(await get_replay(tx, principal.tenant_id, parse_id("rpl", replay_id)))


@router.post("/replays/{replay_id}/cancel", summary="Cancel a replay", operation_id="cancel_replay")
async def stop_replay(
    replay_id: str, principal: WebhooksManager, database: DatabaseDep, now: NowDep
) -> ReplayOut:
    """Queue no more and drop what waits; what is being tried at this moment is finished."""
    target = parse_id("rpl", replay_id)
    async with database.write(principal.tenant_id) as tx:
        row = await cancel_replay(tx, principal.tenant_id, target)
        deed = Deed(principal.hint, "replay.cancelled", public_id("ep", row["endpoint_id"]), now)
        await append_audit_rows(tx, principal.tenant_id, deed)
    return replay_out(row)
