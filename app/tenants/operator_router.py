"""The operator's routes: tenants, and the first key of each."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.deps import DatabaseDep, NowDep, parse_id, refuse_unknown_query
from app.journal.audit import OPERATOR
from app.kit.cursors import encode_cursor
from app.problems import Problem
from app.tenants import repository, service
from app.tenants.operator import KeySettingsDep, require_operator
from app.tenants.schemas import KeyIn, KeyPage, NewKeyOut, TenantIn, TenantOut, TenantPage

_BEARER: dict[str, Any] = {"security": [{"HTTPBearer": []}]}

router = APIRouter(
    prefix="/v1/operator/tenants",
    tags=["Operator"],
    dependencies=[Depends(require_operator), Depends(refuse_unknown_query)],
    responses={code: {"model": Problem} for code in (401, 403, 404, 409, 422)},
)

TenantName = Annotated[str, Path(max_length=63, pattern=r"^[^\x00]*$", examples=["acme"])]
Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str | None, Query(max_length=500)]


@router.get("", summary="List tenants", operation_id="list_tenants", openapi_extra=_BEARER)
async def list_tenants(
    request: Request, response: Response, database: DatabaseDep, limit: Limit = 100, cursor: Cursor = None
) -> TenantPage:
    """All tenants, oldest first."""
    rows = await repository.list_tenants(database, after=service.read_cursor(cursor), limit=limit + 1)
    page = TenantPage(items=[service.tenant_out(row) for row in rows[:limit]])
    if len(rows) > limit:
        page.next_cursor = encode_cursor(rows[limit - 1].tenant_id)
        link = request.url.include_query_params(cursor=page.next_cursor)
        response.headers["Link"] = f'<{link}>; rel="next"'
    return page


@router.post(
    "", status_code=201, summary="Create a tenant", operation_id="create_tenant", openapi_extra=_BEARER
)
async def create_tenant(
    wanted: TenantIn, request: Request, response: Response, database: DatabaseDep, now: NowDep
) -> TenantOut:
    """A tenant with the preset calendars and SLA policy. It has no key yet: create its first one next."""
    await repository.insert_tenant(
        database,
        request.app.state.sealer,
        key=wanted.key,
        name=wanted.name,
        time_zone=wanted.time_zone,
        synthetic=wanted.synthetic,
        now=now,
        actor=OPERATOR,
    )
    response.headers["Location"] = f"{router.prefix}/{wanted.key}"
    return service.tenant_out(await repository.get_tenant(database, wanted.key))


@router.get("/{tenant}", summary="Read a tenant", operation_id="get_tenant", openapi_extra=_BEARER)
async def get_tenant(tenant: TenantName, database: DatabaseDep) -> TenantOut:
    """One tenant by its short name."""
    return service.tenant_out(await repository.get_tenant(database, tenant))


@router.get(
    "/{tenant}/keys", summary="List a tenant's keys", operation_id="list_tenant_keys", openapi_extra=_BEARER
)
async def list_tenant_keys(
    tenant: TenantName,
    request: Request,
    response: Response,
    database: DatabaseDep,
    now: NowDep,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> KeyPage:
    """The keys of a tenant, oldest first, the dead ones too."""
    row = await repository.get_tenant(database, tenant)
    async with database.operator() as connection:
        page = await service.list_keys(connection, row.tenant_id, cursor=cursor, limit=limit, now=now)
    if page.next_cursor:
        link = request.url.include_query_params(cursor=page.next_cursor)
        response.headers["Link"] = f'<{link}>; rel="next"'
    return page


@router.post(
    "/{tenant}/keys",
    status_code=201,
    summary="Create a key of a tenant",
    operation_id="create_tenant_key",
    openapi_extra=_BEARER,
)
async def create_tenant_key(
    tenant: TenantName, wanted: KeyIn, database: DatabaseDep, now: NowDep, settings: KeySettingsDep
) -> NewKeyOut:
    """A key of a tenant, usually its first one with the scope `admin`; the text is shown once."""
    row = await repository.get_tenant(database, tenant)
    async with database.operator() as connection:
        return await service.create_key(
            connection, row.tenant_id, wanted, environment=settings.environment, actor=OPERATOR, now=now
        )


@router.delete(
    "/{tenant}/keys/{key_id}",
    status_code=204,
    summary="Revoke a key of a tenant",
    operation_id="revoke_tenant_key",
    openapi_extra=_BEARER,
)
async def revoke_tenant_key(tenant: TenantName, key_id: str, database: DatabaseDep, now: NowDep) -> None:
    """Refuse the key from its next request on; the operator may revoke the last one too."""
    row = await repository.get_tenant(database, tenant)
    async with database.operator() as connection:
        await service.revoke_key(connection, row.tenant_id, parse_id("key", key_id), actor=OPERATOR, now=now)
