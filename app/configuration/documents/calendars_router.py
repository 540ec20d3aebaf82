"""`/v1/calendars`: working hours, of which every change is a new version."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response

from app.configuration.changes import configuring
from app.configuration.documents import repository
from app.configuration.documents.paging import Version, found, read_version_cursor
from app.configuration.documents.repository import CALENDARS
from app.configuration.documents.schemas import CALENDAR_EXAMPLE, CalendarOut, CalendarPage
from app.configuration.documents.service import calendar_out, put_calendar
from app.configuration.fields import REFUSALS, Cursor, DocumentKey, Limit, link_next, read_cursor
from app.deps import ConfigManager, DatabaseDep, NowDep, refuse_unknown_query
from app.editing import EditingRoute, IfMatch, etag_of_version

router = APIRouter(
    prefix="/v1/calendars",
    tags=["SLA"],
    route_class=EditingRoute,
    dependencies=[Depends(refuse_unknown_query)],
    responses=REFUSALS,
)


@router.get("", summary="List calendars", operation_id="list_calendars")
async def list_calendars(
    principal: ConfigManager,
    request: Request,
    response: Response,
    database: DatabaseDep,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> CalendarPage:
    """The newest version of each calendar, by key."""
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_newest(
            connection, CALENDARS, principal.tenant_id, after=read_cursor(cursor), limit=limit + 1
        )
    page = CalendarPage(items=[calendar_out(row) for row in rows[:limit]])
    if len(rows) > limit:
        page.next_cursor = link_next(request, response, page.items[-1].key)
    return page


@router.get("/{key}", summary="Read a calendar", operation_id="get_calendar")
async def get_calendar(
    principal: ConfigManager, key: DocumentKey, response: Response, database: DatabaseDep
) -> CalendarOut:
    """The newest version of a calendar."""
    async with database.tenant(principal.tenant_id) as connection:
        row = await repository.find_newest(connection, CALENDARS, principal.tenant_id, key)
    return calendar_out(found(row, response, f"calendar {key!r}"))


@router.put("/{key}", summary="Write a calendar", operation_id="put_calendar")
async def write_calendar(
    principal: ConfigManager,
    key: DocumentKey,
    document: Annotated[dict[str, Any], Body(examples=[CALENDAR_EXAMPLE])],
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    if_match: IfMatch = None,
) -> CalendarOut:
    """A new version of a calendar, unless it says what the newest one says already."""
    async with configuring(database, principal, now) as change:
        calendar = await put_calendar(change, key, document, if_match)
    response.headers["ETag"] = etag_of_version(calendar.version)
    return calendar


@router.get("/{key}/versions", summary="List versions of a calendar", operation_id="list_calendar_versions")
async def list_calendar_versions(
    principal: ConfigManager,
    key: DocumentKey,
    request: Request,
    response: Response,
    database: DatabaseDep,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> CalendarPage:
    """Versions of a calendar, the newest first."""
    below = read_version_cursor(cursor)
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_versions(
            connection, CALENDARS, principal.tenant_id, key, below=below, limit=limit + 1
        )
    if below is None:
        found(rows[0] if rows else None, response, f"calendar {key!r}")
    page = CalendarPage(items=[calendar_out(row) for row in rows[:limit]])
    if len(rows) > limit:
        page.next_cursor = link_next(request, response, str(page.items[-1].version))
    return page


@router.get(
    "/{key}/versions/{version}", summary="Read a version of a calendar", operation_id="get_calendar_version"
)
async def get_calendar_version(
    principal: ConfigManager, key: DocumentKey, version: Version, response: Response, database: DatabaseDep
) -> CalendarOut:
    """One version of a calendar; it never changes."""
    async with database.tenant(principal.tenant_id) as connection:
        row = await repository.find_version(connection, CALENDARS, principal.tenant_id, key, version)
    return calendar_out(found(row, response, f"version {version} of the calendar {key!r}"))
