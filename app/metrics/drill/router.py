"""HTTP: the rows behind a number."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.deps import DatabaseDep, FeedbackReader, NowDep
from app.domain.errors import InvalidError
from app.metrics.answer import Reader
from app.metrics.drill import service
from app.metrics.drill.schemas import CountedRowsOut
from app.metrics.flat import DIMENSION_PARAMETERS, FlatQueryIn, place_of, unfold
from app.problems import Problem

MOST_ROWS = 500

router = APIRouter(
    prefix="/v1/metrics",
    tags=["Metrics"],
    responses={code: {"model": Problem} for code in (401, 403, 422, 503)},
)


@router.get(
    "/rows",
    summary="List the rows behind a number",
    operation_id="list_metric_rows",
    openapi_extra={"parameters": DIMENSION_PARAMETERS},
)
async def list_metric_rows(
    request: Request,
    principal: FeedbackReader,
    database: DatabaseDep,
    now: NowDep,
    flat: Annotated[FlatQueryIn, Query()],
) -> CountedRowsOut:
    """Every row that one metric counted, newest first, with the same parameters as the flat query.

    `drill` of an answer holds the address for each of its metrics; for one group of it add the
    group as a filter (`location=kyiv`, `filter=location:is_null`), for one bucket its `from` and `to`. At
    most 500 a page.
    """
    for name in ("format", "explain"):
        if name in flat.model_fields_set:
            raise InvalidError(
                "unknown_parameter",
                f"`{name}` says nothing about rows",
                pointer=f"query:{name}",
                cure="leave it out: rows come as JSON",
            )
    reader = Reader(principal.tenant_id, True, "json", journal=request.app.state.services.journal)
    try:
        limit = min(flat.limit, MOST_ROWS)
        return await service.find_rows(database, reader, unfold(flat), now, limit)
    except InvalidError as error:
        place = place_of(error.pointer)
        raise InvalidError(error.reason, error.detail, pointer=place, cure=error.cure) from None
