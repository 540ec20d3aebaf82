"""A tenant's own routes: who am I, and the keys that speak for it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.auth import Principal, find_principal, key_of
from app.deps import Admin, DatabaseDep, NowDep, get_database, get_now, parse_id, refuse_unknown_query
from app.problems import Problem
from app.tenants import repository, service
from app.tenants.operator import KeySettingsDep
from app.tenants.schemas import AuditPage, KeyIn, KeyPage, NewKeyOut, WhoAmI

_ANY_KEY: dict[str, Any] = {"security": [{"HTTPBearer": []}, {"APIKeyHeader": []}, {"HTTPBasic": []}]}

router = APIRouter(
    tags=["Keys"],
    dependencies=[Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (401, 403, 404, 409, 422)},
)


async def get_principal(request: Request) -> Principal:
    """The principal of any live key, whatever it may do."""
    return await find_principal(get_database(request), key_of(request.headers), get_now(request))


@router.get("/v1/whoami", summary="Whose key is this?", operation_id="whoami", openapi_extra=_ANY_KEY)
async def whoami(
    principal: Annotated[Principal, Depends(get_principal)], database: DatabaseDep, now: NowDep
) -> WhoAmI:
    """The tenant of the key and what the key may do; needs no scope."""
    async with database.tenant(principal.tenant_id) as connection:
        tenant = await repository.get_own_tenant(connection, principal.tenant_id)
        key = await repository.get_key(connection, principal.tenant_id, principal.key_id)
    return WhoAmI(tenant=service.tenant_out(tenant), key=service.key_out(key, now))


@router.get("/v1/keys", summary="List keys", operation_id="list_keys")
async def list_keys(
    principal: Admin,
    request: Request,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> KeyPage:
    """The tenant's keys, oldest first, the dead ones too."""
    async with database.tenant(principal.tenant_id) as connection:
        page = await service.list_keys(connection, principal.tenant_id, cursor=cursor, limit=limit, now=now)
    if page.next_cursor:
        link = request.url.include_query_params(cursor=page.next_cursor)
        response.headers["Link"] = f'<{link}>; rel="next"'
    return page


@router.get("/v1/audit", summary="Who changed what?", operation_id="list_audit", tags=["Audit"])
async def list_audit(
    principal: Admin,
    request: Request,
    response: Response,
    database: DatabaseDep,
    action: Annotated[
        str | None, Query(max_length=100, pattern=r"^[^\x00]*$", description="`key.created`, or all of `key`")
    ] = None,
    target: Annotated[str | None, Query(max_length=300, pattern=r"^[^\x00]*$")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> AuditPage:
    """Changes of configuration, keys, endpoints and tenant, erasures and replays; the newest first.

    Entries are only ever added. What happened to customers is in the journal, not here.
    """
    async with database.tenant(principal.tenant_id) as connection:
        page = await service.list_audit(
            connection, principal.tenant_id, action=action, target=target, cursor=cursor, limit=limit
        )
    if page.next_cursor:
        link = request.url.include_query_params(cursor=page.next_cursor)
        response.headers["Link"] = f'<{link}>; rel="next"'
    return page


@router.post("/v1/keys", status_code=201, summary="Create a key", operation_id="create_key")
async def create_key(
    principal: Admin, wanted: KeyIn, database: DatabaseDep, now: NowDep, settings: KeySettingsDep
) -> NewKeyOut:
    """A new key of the tenant. Its text is in this answer and never shown again."""
    async with database.tenant(principal.tenant_id) as connection:
        return await service.create_key(
            connection,
            principal.tenant_id,
            wanted,
            environment=settings.environment,
            actor=principal.hint,
            now=now,
        )


@router.delete("/v1/keys/{key_id}", status_code=204, summary="Revoke a key", operation_id="revoke_key")
async def revoke_key(principal: Admin, key_id: str, database: DatabaseDep, now: NowDep) -> None:
    """Refuse the key from its next request on. The last live admin key is not revoked (409)."""
    target = parse_id("key", key_id)
    async with database.tenant(principal.tenant_id) as connection:
        await repository.refuse_last_admin(connection, principal.tenant_id, target, now)
        await service.revoke_key(connection, principal.tenant_id, target, actor=principal.hint, now=now)
