"""HTTP: `/odata/v4/`, its $metadata, its entity sets and their counts."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.bi.odata.errors import VERSION_HEADERS, error_response
from app.bi.odata.metadata import metadata_document, service_document
from app.bi.odata.model import Model
from app.bi.odata.options import next_link, read_options
from app.bi.odata.repository import count_rows, list_rows, read_model
from app.deps import DatabaseDep, FeedbackReader
from app.domain.errors import DomainError
from app.kit import json

PREFIX: Final = "/odata/v4"
_JSON: Final = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false"


class _Route(APIRoute):
    """Refusals leave in the shape that OData clients can show."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_refuse(request: Request) -> Response:
            try:
                return await handle(request)
            except DomainError as error:
                return error_response(error)

        return handle_or_refuse


# The feed describes itself by $metadata; in the OpenAPI document it would be noise.
router = APIRouter(prefix=PREFIX, route_class=_Route, include_in_schema=False)


@router.get("")
@router.get("/")
async def get_service(request: Request, _principal: FeedbackReader, database: DatabaseDep) -> Response:
    """The service document."""
    model = await _model(request, database)
    return _json(service_document(model, _base(request)))


@router.get("/$metadata")
async def get_metadata(request: Request, _principal: FeedbackReader, database: DatabaseDep) -> Response:
    """The model, as XML whatever is asked for: what Power BI and Tableau must have."""
    document = metadata_document(await _model(request, database))
    return Response(document, media_type="application/xml", headers=VERSION_HEADERS)


@router.get("/{name}/$count")
async def get_count(
    request: Request, principal: FeedbackReader, database: DatabaseDep, name: str
) -> Response:
    """How many rows the filter keeps, as plain text."""
    entity_set = (await _model(request, database)).get_set(name)
    options = read_options(entity_set, request.query_params.multi_items())
    total = await count_rows(database, principal.tenant_id, options)
    return Response(str(total), media_type="text/plain", headers=VERSION_HEADERS)


@router.get("/{name}")
async def list_entities(
    request: Request, principal: FeedbackReader, database: DatabaseDep, name: str
) -> Response:
    """One page of an entity set."""
    entity_set = (await _model(request, database)).get_set(name)
    prefer = request.headers.get("prefer", "")
    options = read_options(entity_set, request.query_params.multi_items(), prefer)
    rows, total, more = await list_rows(database, principal.tenant_id, options)
    base = _base(request)
    chosen = "" if options.select == tuple(entity_set.properties) else f"({','.join(options.select)})"
    body: dict[str, Any] = {"@odata.context": f"{base}$metadata#{name}{chosen}"}
    if total is not None:
        body["@odata.count"] = total
    body["value"] = [{column: row[column] for column in options.select} for row in rows]
    if more and (options.top is None or options.top > len(rows)):
        body["@odata.nextLink"] = next_link(base, options, rows[-1], len(rows))
    return _json(body)


async def _model(request: Request, database: DatabaseDep) -> Model:
    """The model, read once in the life of a process: it changes with the release."""
    known: Model | None = getattr(request.app.state, "odata_model", None)
    if known is None or not known.sets:
        known = await read_model(database)
        request.app.state.odata_model = known
    return known


def _base(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}{PREFIX}/"


def _json(document: dict[str, Any]) -> Response:
    return Response(json.dumps(document), headers={"Content-Type": _JSON, **VERSION_HEADERS})
