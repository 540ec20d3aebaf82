"""`/v1/directory/{kind}`: what events name, described at leisure."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from app.configuration.changes import configuring
from app.configuration.fields import REFUSALS, Cursor, KeyPath, Limit, link_next, read_cursor
from app.configuration.nouns import repository
from app.configuration.nouns.schemas import KeyedNounIn, NounIn, NounKind, NounOut, NounPage, NounsIn
from app.configuration.nouns.service import describe, noun_out
from app.deps import ConfigManager, DatabaseDep, NowDep, refuse_unknown_query
from app.domain.errors import NotFoundError
from app.editing import EditingRoute, IfMatch, check_match, etag_of

router = APIRouter(
    prefix="/v1/directory",
    tags=["Directory"],
    route_class=EditingRoute,
    dependencies=[Depends(refuse_unknown_query)],
    responses=REFUSALS,
)


@router.get("/{kind}", summary="List nouns", operation_id="list_nouns")
async def list_nouns(
    principal: ConfigManager,
    kind: NounKind,
    request: Request,
    response: Response,
    database: DatabaseDep,
    uncategorised: bool | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> NounPage:
    """Locations, employees, touchpoints, products or segments, by key."""
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_nouns(
            connection,
            principal.tenant_id,
            kind,
            uncategorised=uncategorised,
            after=read_cursor(cursor),
            limit=limit + 1,
        )
    page = NounPage(items=[noun_out(row) for row in rows[:limit]])
    if len(rows) > limit:
        page.next_cursor = link_next(request, response, page.items[-1].key)
    return page


@router.put("/{kind}", summary="Describe nouns", operation_id="put_nouns")
async def put_nouns(
    principal: ConfigManager, kind: NounKind, wanted: NounsIn, database: DatabaseDep, now: NowDep
) -> NounPage:
    """Describe many at once, all or none; those that are not listed stay as they are."""
    async with configuring(database, principal, now) as change:
        return NounPage(items=await describe(change, kind, wanted.items, "/items/{}"))


@router.get("/{kind}/{key:path}", summary="Read a noun", operation_id="get_noun")
async def get_noun(
    principal: ConfigManager, kind: NounKind, key: KeyPath, response: Response, database: DatabaseDep
) -> NounOut:
    """One noun by its key."""
    async with database.tenant(principal.tenant_id) as connection:
        known = await repository.find_nouns(connection, principal.tenant_id, kind, [key])
    if key not in known:
        raise NotFoundError("not_found", f"there is no {kind} {key!r}")
    noun = noun_out(known[key])
    response.headers["ETag"] = etag_of(noun)
    return noun


@router.put("/{kind}/{key:path}", summary="Describe a noun", operation_id="put_noun")
async def put_noun(
    principal: ConfigManager,
    kind: NounKind,
    key: KeyPath,
    wanted: NounIn,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    if_match: IfMatch = None,
) -> NounOut:
    """Describe one noun, replacing its description; it is created when no event named it yet."""
    async with configuring(database, principal, now) as change:
        known = await repository.find_nouns(change.connection, principal.tenant_id, kind, [key])
        check_match(if_match, etag_of(noun_out(known[key])) if key in known else None)
        [noun] = await describe(change, kind, [KeyedNounIn(key=key, **wanted.model_dump())], "")
    response.headers["ETag"] = etag_of(noun)
    return noun
