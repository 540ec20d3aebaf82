"""HTTP: saved queries, their answers at a stable address, and feeds that need no key."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from starlette.responses import Response

from app.deps import ConfigManager, DatabaseDep, MetricsReader, NowDep, parse_id, refuse_unknown_query
from app.kit.crypto import Sealer
from app.metrics.answer import Reader, answer_query
from app.metrics.formats import Form, require_installed
from app.metrics.responses import FileEnding, reader_of, respond
from app.metrics.saved import repository, service
from app.metrics.saved.schemas import (
    FeedIn,
    Feeds,
    NewFeedOut,
    QueryKey,
    SavedQueries,
    SavedQueryIn,
    SavedQueryOut,
)
from app.metrics.saved.token import open_feed, seal_feed
from app.problems import Problem

router = APIRouter(
    tags=["Metrics"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (401, 403, 404, 406, 409, 422, 503)},
)
feeds_router = APIRouter(
    tags=["Metrics"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (404, 406, 422, 503)},
)

Key = Annotated[QueryKey, Path()]
Cursor = Annotated[str | None, Query(max_length=4000)]
Ending = Annotated[FileEnding, Path()]
_QUERIES: Final = "/v1/metrics/queries"
_FEED_HEADERS: Final = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@router.get(_QUERIES, summary="List saved queries", operation_id="list_saved_queries")
async def list_queries(principal: MetricsReader, database: DatabaseDep) -> SavedQueries:
    """All saved queries by key."""
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_queries(connection, principal.tenant_id)
    return SavedQueries(items=[service.query_out(row) for row in rows])


@router.put(_QUERIES + "/{key}", summary="Save a query", operation_id="save_query")
async def save_query(
    principal: ConfigManager,
    database: DatabaseDep,
    now: NowDep,
    key: Key,
    given: Annotated[SavedQueryIn, Body()],
) -> SavedQueryOut:
    """Keep a query under a key, or write it anew; its address and its feeds stay."""
    return await service.save_query(database, principal.tenant_id, key, given, now)


@router.get(_QUERIES + "/{key}", summary="Get a saved query", operation_id="get_saved_query")
async def get_query(principal: MetricsReader, database: DatabaseDep, key: Key) -> SavedQueryOut:
    """The query as it was saved."""
    async with database.tenant(principal.tenant_id) as connection:
        return service.query_out(await repository.get_query(connection, principal.tenant_id, key))


@router.delete(
    _QUERIES + "/{key}", status_code=204, summary="Delete a saved query", operation_id="delete_saved_query"
)
async def delete_query(principal: ConfigManager, database: DatabaseDep, key: Key) -> None:
    """Delete it; its feeds end with it."""
    async with database.tenant(principal.tenant_id) as connection:
        await repository.delete_query(connection, principal.tenant_id, key)


@router.get(
    _QUERIES + "/{key}/answer.{ending}",
    summary="Answer of a saved query as a file",
    operation_id="answer_saved_query_file",
    response_class=Response,
)
async def answer_file(
    request: Request,
    principal: MetricsReader,
    database: DatabaseDep,
    now: NowDep,
    key: Key,
    ending: Ending,
    cursor: Cursor = None,
) -> Response:
    """The same with its form in the address."""
    return await _answer(request, principal, database, now, key, Form(ending), cursor)


@router.get(
    _QUERIES + "/{key}/answer",
    summary="Answer of a saved query",
    operation_id="answer_saved_query",
    response_class=Response,
)
async def answer(
    request: Request,
    principal: MetricsReader,
    database: DatabaseDep,
    now: NowDep,
    key: Key,
    cursor: Cursor = None,
) -> Response:
    """What the query answers now, as JSON or in the form that the Accept header asks for."""
    return await _answer(request, principal, database, now, key, None, cursor)


async def _answer(
    request: Request,
    principal: MetricsReader,
    database: DatabaseDep,
    now: NowDep,
    key: str,
    form: Form | None,
    cursor: str | None,
) -> Response:
    saved = await get_query(principal, database, key)
    reader = reader_of(request, principal, form)
    given = saved.query.model_copy(update={"cursor": cursor})
    return await respond(request, reader, await answer_query(database, reader, given, now), name=key)


@router.post(_QUERIES + "/{key}/feeds", status_code=201, summary="Open a feed", operation_id="open_feed")
async def create_feed(
    request: Request, principal: ConfigManager, database: DatabaseDep, now: NowDep, key: Key, given: FeedIn
) -> NewFeedOut:
    """A signed address of the query's CSV for IMPORTDATA and Power Query; it is shown once and expires."""
    name, feed = await service.open_feed(database, principal, key, given, now)
    url = f"{str(request.base_url).rstrip('/')}/feeds/{seal_feed(_sealer(request), name)}.csv"
    return NewFeedOut(**feed.model_dump(), url=url)


@router.get(_QUERIES + "/{key}/feeds", summary="List feeds", operation_id="list_feeds")
async def list_feeds(principal: ConfigManager, database: DatabaseDep, now: NowDep, key: Key) -> Feeds:
    """The feeds of a query, without their addresses."""
    async with database.tenant(principal.tenant_id) as connection:
        await repository.get_query(connection, principal.tenant_id, key)
        rows = await repository.list_feeds(connection, principal.tenant_id, key)
    return Feeds(items=[service.feed_out(row, now) for row in rows])


@router.delete(
    "/v1/metrics/feeds/{feed_id}", status_code=204, summary="Revoke a feed", operation_id="revoke_feed"
)
async def revoke_feed(principal: ConfigManager, database: DatabaseDep, now: NowDep, feed_id: str) -> None:
    """Its address is refused from the next request on."""
    await service.revoke_feed(database, principal, parse_id("feed", feed_id), now)


@feeds_router.get(
    "/feeds/{token}.{ending}", summary="Read a feed", operation_id="read_feed", response_class=Response
)
async def read_feed(
    request: Request, database: DatabaseDep, now: NowDep, token: str, ending: Ending
) -> Response:
    """The rows of a saved query for whoever has the address; it needs no key, and it may be revoked."""
    name = open_feed(_sealer(request), token)
    key, given, reads_rows = await service.read_feed(database, name, now)
    form = Form(ending)
    require_installed(form)
    seen, services = request.headers.get("if-none-match"), request.app.state.services
    reader = Reader(name.tenant_id, reads_rows, form, seen, journal=services.journal, bodies=services.bodies)
    response = await respond(request, reader, await answer_query(database, reader, given, now), name=key)
    response.headers.update(_FEED_HEADERS)
    return response


# Whoever reads a file in parts asks for its size first.
for _router, _path, _read in (
    (router, _QUERIES + "/{key}/answer.{ending}", answer_file),
    (feeds_router, "/feeds/{token}.{ending}", read_feed),
):
    _router.add_api_route(_path, _read, methods=["HEAD"], include_in_schema=False, response_class=Response)


def _sealer(request: Request) -> Sealer:
    sealer: Sealer = request.app.state.sealer
    return sealer
