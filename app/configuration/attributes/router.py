"""`/v1/attributes`: which custom attributes queries may use, and which are personal."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from app.configuration.attributes import repository
from app.configuration.attributes.schemas import AttributeIn, AttributeKey, AttributeOut, AttributePage
from app.configuration.changes import configuring, difference
from app.configuration.fields import REFUSALS, Cursor, Limit, link_next, read_cursor
from app.deps import ConfigManager, DatabaseDep, NowDep, refuse_unknown_query
from app.domain.errors import InvalidError, NotFoundError
from app.editing import EditingRoute, IfMatch, check_match, etag_of

router = APIRouter(
    prefix="/v1/attributes",
    tags=["Attributes"],
    route_class=EditingRoute,
    dependencies=[Depends(refuse_unknown_query)],
    responses=REFUSALS,
)


@router.get("", summary="List attributes", operation_id="list_attributes")
async def list_attributes(
    principal: ConfigManager,
    request: Request,
    response: Response,
    database: DatabaseDep,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> AttributePage:
    """Registered attributes, by key. Unregistered ones are stored, and neither filtered nor grouped by."""
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_attributes(
            connection, principal.tenant_id, after=read_cursor(cursor), limit=limit + 1
        )
    page = AttributePage(items=[_shown(row) for row in rows[:limit]])
    if len(rows) > limit:
        page.next_cursor = link_next(request, response, page.items[-1].key)
    return page


@router.get("/{key}", summary="Read an attribute", operation_id="get_attribute")
async def get_attribute(
    principal: ConfigManager, key: AttributeKey, response: Response, database: DatabaseDep
) -> AttributeOut:
    """One registered attribute."""
    async with database.tenant(principal.tenant_id) as connection:
        row = await repository.find_attribute(connection, principal.tenant_id, key)
    if row is None:
        raise NotFoundError("not_found", f"the attribute {key!r} is not registered")
    attribute = _shown(row)
    response.headers["ETag"] = etag_of(attribute)
    return attribute


@router.put("/{key}", summary="Register an attribute", operation_id="put_attribute")
async def put_attribute(
    principal: ConfigManager,
    key: AttributeKey,
    wanted: AttributeIn,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    if_match: IfMatch = None,
) -> AttributeOut:
    """Register an attribute or replace its definition. Facts already stored stay where they are."""
    if wanted.personal and wanted.groupable:
        raise InvalidError(
            "personal_dimension",
            "a personal attribute cannot be a dimension: groups of one would name people",
            pointer="/groupable",
            cure="choose one of the two",
        )
    attribute = AttributeOut(key=key, **wanted.model_dump())
    async with configuring(database, principal, now) as change:
        row = await repository.find_attribute(change.connection, principal.tenant_id, key)
        before = None if row is None else _shown(row)
        check_match(if_match, None if before is None else etag_of(before))
        detail = difference(None if before is None else before.model_dump(), attribute.model_dump())
        if detail is not None:
            await repository.put_attribute(change.connection, principal.tenant_id, key, wanted.model_dump())
            change.note("attribute.put", key, detail)
    response.headers["ETag"] = etag_of(attribute)
    return attribute


def _shown(row: Any) -> AttributeOut:
    return AttributeOut(**{name: row._mapping[name] for name in AttributeOut.model_fields})
