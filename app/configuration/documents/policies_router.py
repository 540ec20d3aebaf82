"""`/v1/sla/policies`: what is promised; a change is a new version and binds what opens from then on."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response

from app.configuration.changes import configuring
from app.configuration.documents import repository
from app.configuration.documents.paging import Version, found, read_version_cursor
from app.configuration.documents.repository import POLICIES
from app.configuration.documents.schemas import POLICY_EXAMPLE, PolicyOut, PolicyPage
from app.configuration.documents.service import policy_out, put_policy
from app.configuration.fields import REFUSALS, Cursor, DocumentKey, Limit, link_next, read_cursor
from app.deps import ConfigManager, DatabaseDep, NowDep, refuse_unknown_query
from app.editing import EditingRoute, IfMatch, etag_of_version

router = APIRouter(
    prefix="/v1/sla/policies",
    tags=["SLA"],
    route_class=EditingRoute,
    dependencies=[Depends(refuse_unknown_query)],
    responses=REFUSALS,
)


@router.get("", summary="List policies", operation_id="list_policies")
async def list_policies(
    principal: ConfigManager,
    request: Request,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> PolicyPage:
    """The newest version of each policy, by key."""
    async with database.tenant(principal.tenant_id) as connection:
        in_force = await repository.find_policies_in_force(connection, principal.tenant_id, now)
        rows = await repository.list_newest(
            connection, POLICIES, principal.tenant_id, after=read_cursor(cursor), limit=limit + 1
        )
    page = PolicyPage(items=[policy_out(row, in_force) for row in rows[:limit]])
    if len(rows) > limit:
        page.next_cursor = link_next(request, response, page.items[-1].key)
    return page


@router.get("/{key}", summary="Read a policy", operation_id="get_policy")
async def get_policy(
    principal: ConfigManager, key: DocumentKey, response: Response, database: DatabaseDep, now: NowDep
) -> PolicyOut:
    """The newest version of a policy."""
    async with database.tenant(principal.tenant_id) as connection:
        in_force = await repository.find_policies_in_force(connection, principal.tenant_id, now)
        row = await repository.find_newest(connection, POLICIES, principal.tenant_id, key)
    return policy_out(found(row, response, f"policy {key!r}"), in_force)


@router.put("/{key}", summary="Write a policy", operation_id="put_policy")
async def write_policy(
    principal: ConfigManager,
    key: DocumentKey,
    document: Annotated[dict[str, Any], Body(examples=[POLICY_EXAMPLE])],
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    if_match: IfMatch = None,
) -> PolicyOut:
    """A new version of a policy, unless it says what the newest one says already.

    It binds cases that open from its `effective_from` on (now, when the document names none); earlier cases
    keep the version they opened under. Policies of different keys bind side by side; of two that give a
    timer of the same key, the one with the smaller `order` (default 100) gives it.
    """
    async with configuring(database, principal, now) as change:
        policy = await put_policy(change, key, document, if_match)
    response.headers["ETag"] = etag_of_version(policy.version)
    return policy


@router.get("/{key}/versions", summary="List versions of a policy", operation_id="list_policy_versions")
async def list_policy_versions(
    principal: ConfigManager,
    key: DocumentKey,
    request: Request,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> PolicyPage:
    """Versions of a policy, the newest first."""
    below = read_version_cursor(cursor)
    async with database.tenant(principal.tenant_id) as connection:
        in_force = await repository.find_policies_in_force(connection, principal.tenant_id, now)
        rows = await repository.list_versions(
            connection, POLICIES, principal.tenant_id, key, below=below, limit=limit + 1
        )
    if below is None:
        found(rows[0] if rows else None, response, f"policy {key!r}")
    page = PolicyPage(items=[policy_out(row, in_force) for row in rows[:limit]])
    if len(rows) > limit:
        page.next_cursor = link_next(request, response, str(page.items[-1].version))
    return page


@router.get(
    "/{key}/versions/{version}", summary="Read a version of a policy", operation_id="get_policy_version"
)
async def get_policy_version(
    principal: ConfigManager,
    key: DocumentKey,
    version: Version,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
) -> PolicyOut:
    """One version of a policy; it never changes."""
    async with database.tenant(principal.tenant_id) as connection:
        in_force = await repository.find_policies_in_force(connection, principal.tenant_id, now)
        row = await repository.find_version(connection, POLICIES, principal.tenant_id, key, version)
    return policy_out(found(row, response, f"version {version} of the policy {key!r}"), in_force)
