"""`/v1/metrics/terms` and `/v1/metrics/annotations`: what numbers depend on, and what explains them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from app.configuration.changes import configuring, difference
from app.configuration.fields import REFUSALS, Cursor, DocumentKey, Limit, link_next, read_cursor
from app.configuration.measures import repository
from app.configuration.measures.schemas import (
    AnnotationIn,
    AnnotationOut,
    AnnotationPage,
    TermsIn,
    TermsOut,
    TermsPage,
)
from app.deps import ConfigManager, DatabaseDep, MetricsReader, NowDep, refuse_unknown_query
from app.domain.errors import NotFoundError
from app.editing import EditingRoute, IfMatch, check_match, etag_of
from app.kit import json

router = APIRouter(
    prefix="/v1/metrics",
    tags=["Metrics"],
    route_class=EditingRoute,
    dependencies=[Depends(refuse_unknown_query)],
    responses=REFUSALS,
)


@router.get("/terms", summary="Read the terms of the metrics", operation_id="get_metric_terms")
async def get_terms(principal: MetricsReader, response: Response, database: DatabaseDep) -> TermsOut:
    """The newest version, also where it is not valid yet; version 0 are the defaults."""
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_terms(connection, principal.tenant_id, limit=1)
    terms = _terms(rows[0]) if rows else TermsOut(version=0)
    response.headers["ETag"] = etag_of(terms)
    return terms


@router.put("/terms", summary="Write the terms of the metrics", operation_id="put_metric_terms")
async def put_terms(
    principal: ConfigManager,
    wanted: TermsIn,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    if_match: IfMatch = None,
) -> TermsOut:
    """A new version, unless it says what the newest says. It counts for answers as of `valid_from` on.

    Each answer uses one version, that of its `as_of`, for all its periods: a new k changes no comparison.
    """
    async with configuring(database, principal, now) as change:
        rows = await repository.list_terms(change.connection, principal.tenant_id, limit=1)
        newest = _terms(rows[0]) if rows else TermsOut(version=0)
        check_match(if_match, etag_of(newest))
        same = wanted.document() == newest.document() and wanted.valid_from in (None, newest.valid_from)
        if not (same and rows):
            valid_from = wanted.valid_from or change.now
            newest = TermsOut(
                **{**wanted.model_dump(), "version": newest.version + 1, "valid_from": valid_from}
            )
            await repository.append_terms(
                change.connection,
                principal.tenant_id,
                version=newest.version,
                valid_from=valid_from,
                document=wanted.document(),
                now=change.now,
            )
            change.note("metric_terms.put", str(newest.version), json.dumps_text(wanted.document()))
    response.headers["ETag"] = etag_of(newest)
    return newest


@router.get(
    "/terms/versions", summary="List versions of the terms", operation_id="list_metric_terms_versions"
)
async def list_terms_versions(
    principal: MetricsReader, database: DatabaseDep, limit: Limit = 100
) -> TermsPage:
    """Versions, the newest first."""
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_terms(connection, principal.tenant_id, limit=limit)
    return TermsPage(items=[_terms(row) for row in rows])


@router.get("/annotations", summary="List annotations", operation_id="list_annotations")
async def list_annotations(
    principal: MetricsReader,
    request: Request,
    response: Response,
    database: DatabaseDep,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> AnnotationPage:
    """What happened to the tenant, by key."""
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_annotations(
            connection, principal.tenant_id, after=read_cursor(cursor), limit=limit + 1
        )
    page = AnnotationPage(items=[_annotation(row) for row in rows[:limit]])
    if len(rows) > limit:
        page.next_cursor = link_next(request, response, page.items[-1].key)
    return page


@router.put("/annotations/{key}", summary="Write an annotation", operation_id="put_annotation")
async def put_annotation(
    principal: ConfigManager,
    key: DocumentKey,
    wanted: AnnotationIn,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    if_match: IfMatch = None,
) -> AnnotationOut:
    """Write an annotation, or replace it. One that breaks the series forbids claims across its ends."""
    annotation = AnnotationOut(key=key, **wanted.model_dump())
    async with configuring(database, principal, now) as change:
        row = await repository.find_annotation(change.connection, principal.tenant_id, key)
        before = None if row is None else _annotation(row)
        check_match(if_match, None if before is None else etag_of(before))
        detail = difference(None if before is None else before.model_dump(), annotation.model_dump())
        if detail is not None:
            await repository.put_annotation(
                change.connection, principal.tenant_id, key, wanted.model_dump(), change.now
            )
            change.note("metric_annotation.put", key, detail)
    response.headers["ETag"] = etag_of(annotation)
    return annotation


@router.delete(
    "/annotations/{key}", summary="Remove an annotation", operation_id="delete_annotation", status_code=204
)
async def delete_annotation(
    principal: ConfigManager, key: DocumentKey, database: DatabaseDep, now: NowDep
) -> None:
    """Remove an annotation; the series is whole again."""
    async with configuring(database, principal, now) as change:
        if not await repository.delete_annotation(change.connection, principal.tenant_id, key):
            raise NotFoundError("not_found", f"there is no annotation {key!r}")
        change.note("metric_annotation.deleted", key)


def _terms(row: Any) -> TermsOut:
    return TermsOut(**{**row.document, "version": row.version, "valid_from": row.valid_from})


def _annotation(row: Any) -> AnnotationOut:
    return AnnotationOut(**{name: row._mapping[name] for name in AnnotationOut.model_fields})
