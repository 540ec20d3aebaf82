"""HTTP: the catalogue of metrics, and the query as a document (POST) or as flat parameters (GET)."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Query, Request
from starlette.responses import Response

from app.deps import DatabaseDep, MetricsReader, NowDep, refuse_unknown_query
from app.domain.errors import InvalidError
from app.metrics.answer import answer_query
from app.metrics.answer_schemas import AnswerOut
from app.metrics.catalogue import catalogue_of
from app.metrics.flat import DIMENSION_PARAMETERS, FlatQueryIn, place_of, unfold
from app.metrics.formats import MEDIA_TYPES, TABULAR, Form
from app.metrics.repository import snapshot
from app.metrics.responses import FileEnding, reader_of, respond
from app.metrics.schemas import CatalogueOut, MetricQueryIn
from app.problems import Problem

router = APIRouter(
    prefix="/v1/metrics",
    tags=["Metrics"],
    responses={code: {"model": Problem} for code in (401, 403, 406, 422, 503)},
)

FormParameter = Annotated[Form | None, Query(alias="format", description="instead of the Accept header")]
ExplainParameter = Annotated[bool, Query(description="tell the SQL too (needs `feedback:read`)")]
FlatParameters = Annotated[FlatQueryIn, Query()]

_TABLES: Final[dict[str, Any]] = {MEDIA_TYPES[form]: {"schema": {"type": "string"}} for form in TABULAR}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": AnswerOut,
        "description": "The rows; in the other forms the same rows under the same column names",
        "content": _TABLES,
    },
    304: {"description": "unchanged since the answer with this ETag"},
}
_TABLE_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The rows", "content": _TABLES},
    304: _RESPONSES[304],
}
_FLAT: Final[dict[str, Any]] = {"parameters": DIMENSION_PARAMETERS}


@router.get(
    "", summary="List the metrics", operation_id="list_metrics", dependencies=[Depends(refuse_unknown_query)]
)
async def list_metrics(principal: MetricsReader, database: DatabaseDep) -> CatalogueOut:
    """Definitions of all metrics: formula, unit, direction, dimensions, gates, version."""
    async with snapshot(database, principal.tenant_id) as view:
        return catalogue_of(await view.get_facts())


@router.post(
    "/query",
    summary="Ask for metrics",
    operation_id="query_metrics",
    response_class=Response,
    responses=_RESPONSES,
    dependencies=[Depends(refuse_unknown_query)],
)
async def query_metrics(
    request: Request,
    principal: MetricsReader,
    database: DatabaseDep,
    now: NowDep,
    given: Annotated[MetricQueryIn, Body()],
    form: FormParameter = None,
    explain: ExplainParameter = False,
) -> Response:
    """Metrics by dimensions and time, each with n, interval and status. What is empty is null, never 0."""
    reader = reader_of(request, principal, form, explain=explain)
    return await respond(request, reader, await answer_query(database, reader, given, now))


# The QUERY method is a POST that may be repeated and cached; OpenAPI 3.1 has no place for it.
router.add_api_route(
    "/query", query_metrics, methods=["QUERY"], include_in_schema=False, response_class=Response
)


@router.get(
    "/query",
    summary="Ask for metrics by flat parameters",
    operation_id="query_metrics_flat",
    response_class=Response,
    responses=_RESPONSES,
    openapi_extra=_FLAT,
)
async def query_metrics_flat(
    request: Request, principal: MetricsReader, database: DatabaseDep, now: NowDep, flat: FlatParameters
) -> Response:
    """The same as the POST, for links and BI tools; `attributes.<key>=...` filters by an attribute."""
    reader = reader_of(request, principal, flat.format, explain=flat.explain)
    try:
        answer = await answer_query(database, reader, unfold(flat), now)
    except InvalidError as error:
        place = place_of(error.pointer)
        raise InvalidError(error.reason, error.detail, pointer=place, cure=error.cure) from None
    return await respond(request, reader, answer)


@router.get(
    "/query.{ending}",
    summary="Ask for metrics as a file",
    operation_id="query_metrics_file",
    response_class=Response,
    responses=_TABLE_RESPONSES,
    openapi_extra=_FLAT,
)
async def query_metrics_file(
    request: Request,
    principal: MetricsReader,
    database: DatabaseDep,
    now: NowDep,
    ending: FileEnding,
    flat: FlatParameters,
) -> Response:
    """The flat query with its form in the address, whatever the Accept header says."""
    as_file = flat.model_copy(update={"format": Form(ending)})
    return await query_metrics_flat(request, principal, database, now, as_file)


# Whoever reads a file in parts asks for its size first.
router.add_api_route(
    "/query.{ending}", query_metrics_file, methods=["HEAD"], include_in_schema=False, response_class=Response
)
