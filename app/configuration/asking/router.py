"""`/v1/asking/policy`: how long answers are waited for, whom to leave in peace, when to ask."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request, Response

from app.configuration.asking.repository import KEY, POLICIES
from app.configuration.asking.schemas import POLICY_EXAMPLE, AskingPolicyOut, AskingPolicyPage, AskingPreset
from app.configuration.changes import Change, configuring
from app.configuration.documents import repository
from app.configuration.documents.paging import read_version_cursor
from app.configuration.fields import REFUSALS, Cursor, Limit, link_next
from app.deps import ConfigManager, DatabaseDep, NowDep, refuse_unknown_query
from app.domain.asking.policy import preset_document
from app.domain.asking.policy_document import parse_asking_policy
from app.editing import EditingRoute, IfMatch, check_match, etag_of_version

_IN_FORCE = ("format", "response_timeouts", "eligibility")
"""What of the preset holds until a policy is written: nobody is asked of the service's own accord."""
_DEFAULTS: dict[str, Any] = {name: part for name, part in preset_document().items() if name in _IN_FORCE}

router = APIRouter(
    prefix="/v1/asking/policy",
    tags=["Asking"],
    route_class=EditingRoute,
    dependencies=[Depends(refuse_unknown_query)],
    responses=REFUSALS,
)


@router.get("", summary="Read the asking policy", operation_id="get_asking_policy")
async def get_asking_policy(
    principal: ConfigManager, response: Response, database: DatabaseDep
) -> AskingPolicyOut:
    """The newest version; the defaults (version 0, without moments) until one is written."""
    async with database.tenant(principal.tenant_id) as connection:
        row = await repository.find_newest(connection, POLICIES, principal.tenant_id, KEY)
    found = _out(row)
    response.headers["ETag"] = etag_of_version(found.version)
    return found


@router.put("", summary="Write the asking policy", operation_id="put_asking_policy")
async def put_asking_policy(
    principal: ConfigManager,
    document: Annotated[dict[str, Any], Body(examples=[POLICY_EXAMPLE])],
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    if_match: IfMatch = None,
) -> AskingPolicyOut:
    """A new version, unless it says what the newest one says already; it binds what comes in from now on."""
    async with configuring(database, principal, now) as change:
        found = await _put(change, document, if_match)
    response.headers["ETag"] = etag_of_version(found.version)
    return found


@router.get("/versions", summary="List versions of the policy", operation_id="list_asking_policies")
async def list_asking_policies(
    principal: ConfigManager,
    request: Request,
    response: Response,
    database: DatabaseDep,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> AskingPolicyPage:
    """Versions of the policy, the newest first."""
    below = read_version_cursor(cursor)
    async with database.tenant(principal.tenant_id) as connection:
        rows = await repository.list_versions(
            connection, POLICIES, principal.tenant_id, KEY, below=below, limit=limit + 1
        )
    page = AskingPolicyPage(items=[_out(row) for row in rows[:limit]])
    if len(rows) > limit:
        page.next_cursor = link_next(request, response, str(page.items[-1].version))
    return page


@router.get("/preset", summary="Read the preset", operation_id="get_asking_preset")
async def get_asking_preset(_principal: ConfigManager) -> AskingPreset:
    """Every default of the method: survey moments and product life cycles too. PUT it to adopt it."""
    return AskingPreset(document=preset_document())


async def _put(change: Change, document: dict[str, Any], if_match: str | None) -> AskingPolicyOut:
    before = await repository.find_newest(change.connection, POLICIES, change.tenant_id, KEY)
    check_match(if_match, None if before is None else etag_of_version(before.version))
    if before is not None and before.document == document:
        return _out(before)
    version = 1 if before is None else before.version + 1
    parse_asking_policy(document, version)
    values = {
        "tenant_id": change.tenant_id,
        "key": KEY,
        "version": version,
        "document": document,
        "created_at": change.now,
    }
    await repository.insert_version(change.connection, POLICIES, values)
    change.note("asking_policy.put", KEY, f"version {version}")
    return AskingPolicyOut(version=version, document=document, created_at=change.now)


def _out(row: Any) -> AskingPolicyOut:
    if row is None:
        return AskingPolicyOut(version=0, document=_DEFAULTS, created_at=None)
    return AskingPolicyOut(version=row.version, document=row.document, created_at=row.created_at)
