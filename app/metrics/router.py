"""HTTP: the catalogue of metrics, and the query as a document (POST) or as flat parameters (GET)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Depends, Query, Request
from starlette.responses import Response

from app.auth import Principal, Scope
from app.deps import DatabaseDep, MetricsReader, NowDep, refuse_unknown_query
from app.domain.errors import InvalidError
from app.kit import json
from app.metrics.answer import Answer, NotModified, Reader, answer_query
from app.metrics.catalogue import catalogue_of
from app.metrics.csv_format import csv_bytes
from app.metrics.document import answer_document
from app.metrics.flat import DIMENSION_PARAMETERS, FlatQueryIn, place_of, unfold
from app.metrics.negotiation import CSV, JSON, prefers_csv
from app.metrics.repository import snapshot
from app.metrics.schemas import AnswerOut, CatalogueOut, MetricQueryIn
from app.problems import Problem

router = APIRouter(
    prefix="/v1/metrics",
    tags=["Metrics"],
    responses={code: {"model": Problem} for code in (401, 403, 422, 503)},
)

Form = Literal["json", "csv"]
FormParameter = Annotated[Form | None, Query(alias="format", description="instead of the Accept header")]
FlatParameters = Annotated[FlatQueryIn, Query()]

_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": AnswerOut,
        "description": "The rows; as CSV the same rows under the same column names",
        "content": {CSV: {"schema": {"type": "string"}}},
    },
    304: {"description": "unchanged since the answer with this ETag"},
}
_CSV_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The rows", "content": {CSV: {"schema": {"type": "string"}}}},
    304: _RESPONSES[304],
}
_FLAT: Final[dict[str, Any]] = {"parameters": DIMENSION_PARAMETERS}
_REVALIDATE: Final = "private, no-cache"


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
) -> Response:
    """Metrics by dimensions and time, each with n, interval and status. What is empty is null, never 0."""
    reader = _reader(request, principal, form)
    return _response(request, reader, await answer_query(database, reader, given, now))


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
    reader = _reader(request, principal, flat.format)
    try:
        answer = await answer_query(database, reader, unfold(flat), now)
    except InvalidError as error:
        place = place_of(error.pointer)
        raise InvalidError(error.reason, error.detail, pointer=place, cure=error.cure) from None
    return _response(request, reader, answer)


@router.get(
    "/query.csv",
    summary="Ask for metrics as CSV",
    operation_id="query_metrics_csv",
    response_class=Response,
    responses=_CSV_RESPONSES,
    openapi_extra=_FLAT,
)
async def query_metrics_csv(
    request: Request, principal: MetricsReader, database: DatabaseDep, now: NowDep, flat: FlatParameters
) -> Response:
    """The flat query with CSV as its answer, whatever the Accept header says."""
    as_csv = flat.model_copy(update={"format": "csv"})
    return await query_metrics_flat(request, principal, database, now, as_csv)


def _reader(request: Request, principal: Principal, form: Form | None) -> Reader:
    chosen: Form = form or ("csv" if prefers_csv(request.headers) else "json")
    known = None if request.method == "POST" else request.headers.get("if-none-match")
    journal = request.app.state.services.journal
    return Reader(principal.tenant_id, principal.may(Scope.FEEDBACK_READ), chosen, known, journal)


def _response(request: Request, reader: Reader, answer: Answer | NotModified) -> Response:
    headers = {"ETag": answer.etag, "Cache-Control": _REVALIDATE, "Vary": "Accept, Authorization, X-Api-Key"}
    if isinstance(answer, NotModified):
        return Response(status_code=304, headers=headers)
    if answer.next_cursor is not None:
        headers["X-Next-Cursor"] = answer.next_cursor
        if request.method == "GET":
            url = request.url.include_query_params(cursor=answer.next_cursor)
            headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'
    if reader.form == "csv":
        headers["Content-Disposition"] = 'attachment; filename="metrics.csv"'
        body = csv_bytes(answer.query.columns, answer.rows)
        return Response(body, media_type=f"{CSV}; charset=utf-8; header=present", headers=headers)
    return Response(json.dumps(answer_document(answer)), media_type=JSON, headers=headers)
