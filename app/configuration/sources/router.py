"""`/v1/sources`: who sends, and the secret path of its webhooks."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.configuration.changes import configuring
from app.configuration.fields import REFUSALS, Cursor, Limit, link_next, read_cursor
from app.configuration.sources import repository, service
from app.configuration.sources.schemas import (
    PullOut,
    SourceCounts,
    SourceIn,
    SourceKey,
    SourceOut,
    SourcePage,
    TokenOut,
)
from app.deps import ConfigManager, DatabaseDep, NowDep, refuse_unknown_query
from app.domain.errors import NotFoundError
from app.editing import EditingRoute, IfMatch, check_match, etag_of

router = APIRouter(
    prefix="/v1/sources",
    tags=["Sources"],
    route_class=EditingRoute,
    dependencies=[Depends(refuse_unknown_query)],
    responses=REFUSALS,
)


@router.get("", summary="List sources", operation_id="list_sources")
async def list_sources(
    principal: ConfigManager,
    request: Request,
    response: Response,
    database: DatabaseDep,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> SourcePage:
    """Sources, by key; those that only posted events too."""
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_sources(
            connection, principal.tenant_id, after=read_cursor(cursor), limit=limit + 1
        )
    page = SourcePage(items=[service.source_out(row) for row in rows[:limit]])
    if len(rows) > limit:
        page.next_cursor = link_next(request, response, page.items[-1].key)
    return page


@router.get("/{key:path}/counts", summary="Count what arrived", operation_id="count_source")
async def count_source(
    principal: ConfigManager,
    key: SourceKey,
    database: DatabaseDep,
    now: NowDep,
    days: Annotated[int, Query(ge=1, le=90, description="how many days back")] = 7,
) -> SourceCounts:
    """Payloads of a source by what became of them, and when it last spoke."""
    async with database.tenant(principal.tenant_id) as connection:
        row = await repository.find_source(connection, principal.tenant_id, key)
        if row is None:
            raise NotFoundError("not_found", f"there is no source {key!r}")
        since = now - timedelta(days=days)
        counted = await repository.count_payloads(connection, principal.tenant_id, key, since)
    return service.counts_of(row, counted, days, now)


@router.get("/{key:path}/pull", summary="How the asking goes", operation_id="get_source_pull")
async def get_source_pull(principal: ConfigManager, key: SourceKey, database: DatabaseDep) -> PullOut:
    """When a source is asked next, and what came of the last time."""
    async with database.tenant(principal.tenant_id) as connection:
        row = await repository.find_pull(connection, principal.tenant_id, key)
    if row is None:
        raise NotFoundError("not_found", f"the source {key!r} is not asked")
    return PullOut(
        next_at=row.next_at, pulled_at=row.pulled_at, failures=row.failures, last_error=row.last_error
    )


@router.post(
    "/{key:path}/token",
    status_code=201,
    summary="Create or rotate the secret path",
    operation_id="create_source_token",
)
async def create_source_token(
    principal: ConfigManager,
    key: SourceKey,
    database: DatabaseDep,
    now: NowDep,
    keep_previous: Annotated[
        bool, Query(description="let the newest path before work on, until the next rotation")
    ] = False,
) -> TokenOut:
    """A new secret path for the partner's webhooks. It is in this answer and never shown again."""
    async with configuring(database, principal, now) as change:
        return await service.create_token(change, key, keep_previous=keep_previous)


@router.delete(
    "/{key:path}/token",
    status_code=204,
    summary="Close the secret paths",
    operation_id="delete_source_tokens",
)
async def delete_source_tokens(
    principal: ConfigManager, key: SourceKey, database: DatabaseDep, now: NowDep
) -> None:
    """Close every secret path of a source; what arrives there is refused from the next delivery on."""
    async with configuring(database, principal, now) as change:
        await service.drop_tokens(change, key)


@router.get("/{key:path}", summary="Read a source", operation_id="get_source")
async def get_source(
    principal: ConfigManager, key: SourceKey, response: Response, database: DatabaseDep
) -> SourceOut:
    """One source by its key; its secrets are counted, never shown."""
    async with database.tenant(principal.tenant_id) as connection:
        row = await repository.find_source(connection, principal.tenant_id, key)
    if row is None:
        raise NotFoundError("not_found", f"there is no source {key!r}")
    source = service.source_out(row)
    response.headers["ETag"] = _etag(source)
    return source


@router.put("/{key:path}", summary="Configure a source", operation_id="put_source")
async def put_source(
    principal: ConfigManager,
    key: SourceKey,
    wanted: SourceIn,
    request: Request,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    if_match: IfMatch = None,
) -> SourceOut:
    """Configure a source, replacing its settings; it is created when no event named it yet."""
    async with configuring(database, principal, now) as change:
        row = await repository.find_source(change.connection, principal.tenant_id, key)
        check_match(if_match, None if row is None else _etag(service.source_out(row)))
        source = await service.put_source(change, request.app.state.sealer, key, wanted, row)
    response.headers["ETag"] = _etag(source)
    return source


def _etag(source: SourceOut) -> str:
    return etag_of(source, without=("last_event_at", "live_tokens"))
