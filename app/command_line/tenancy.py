"""`tenants` and `keys`: what the operator sets up."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated
from uuid import UUID

import typer
from pydantic import ValidationError

from app.auth import Scope
from app.command_line.console import fail, load_settings, out, run_with_services, show, show_rows
from app.journal.audit import OPERATOR
from app.kit.ids import parse_public_id, public_id
from app.kit.zones import zone_names
from app.settings import Settings
from app.tenants.repository import get_tenant, insert_tenant, list_keys, list_tenants
from app.tenants.schemas import KeyIn, NewKeyOut, TenantPatch
from app.tenants.service import create_key as create_key_of
from app.tenants.service import edit_tenant, revoke_key, tenant_out
from app.wiring import Services

tenants = typer.Typer(no_args_is_help=True)
keys = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@tenants.command("create")
def create_tenant(
    key: Annotated[str, typer.Argument(help="short name")],
    name: Annotated[str, typer.Option(help="full name")] = "",
    zone: Annotated[str, typer.Option(help="IANA time zone of its reports")] = "UTC",
    as_json: AsJson = False,
) -> None:
    """Create a tenant with the preset calendars and SLA policy, and its first API key (shown once)."""
    if zone not in zone_names():
        fail(f"there is no time zone {zone!r}", "use an IANA name such as Europe/Kyiv")
    settings = load_settings(log_json=False)

    async def work(services: Services) -> dict[str, str]:
        now = services.clock()
        tenant_id = await insert_tenant(
            services.database,
            services.sealer,
            key=key,
            name=name or key,
            time_zone=zone,
            synthetic=False,
            now=now,
        )
        first = KeyIn(name="first", scopes=[Scope.ADMIN])
        made = await _make_key(services, settings, tenant_id, first)
        return {"tenant": key, "tenant_id": str(tenant_id), "key": made.key}

    show(run_with_services(settings, work), as_json=as_json)


@tenants.command("list")
def list_all(as_json: AsJson = False) -> None:
    """All tenants."""

    async def work(services: Services) -> list[dict[str, str]]:
        return [
            {
                "key": row.key,
                "name": row.name,
                "time_zone": row.time_zone,
                "created_at": row.created_at.astimezone(UTC).isoformat(),
            }
            for row in await list_tenants(services.database)
        ]

    show_rows(run_with_services(load_settings(log_json=False), work), as_json=as_json)


@tenants.command("edit")
def edit(
    key: Annotated[str, typer.Argument(help="short name")],
    name: Annotated[str | None, typer.Option(help="full name")] = None,
    disabled: Annotated[
        bool | None,
        typer.Option("--disable/--enable", help="refuse its keys and inlets, or let them in again"),
    ] = None,
    rate: Annotated[
        int | None, typer.Option(help="events a minute that its keys may post; 0: any number")
    ] = None,
) -> None:
    """Rename, disable or enable a tenant, or limit what it posts."""
    stated: dict[str, object] = {"name": name, "disabled": disabled, "events_per_minute": rate or None}
    asked = {"name": name, "disabled": disabled, "events_per_minute": rate}
    wanted = TenantPatch.model_validate(
        {field: stated[field] for field, value in asked.items() if value is not None}
    )

    async def work(services: Services) -> dict[str, object]:
        row = await get_tenant(services.database, key)
        async with services.database.operator() as connection:
            await edit_tenant(connection, row, wanted, actor=OPERATOR, now=services.clock())
        return tenant_out(await get_tenant(services.database, key)).model_dump(mode="json")

    show(run_with_services(load_settings(log_json=False), work), as_json=True)


@keys.command("create")
def create_key(
    tenant: str,
    name: Annotated[str, typer.Option(help="what it is for")],
    scope: Annotated[list[Scope], typer.Option(help="may be given several times")],
    as_json: AsJson = False,
) -> None:
    """Create an API key of a tenant; it is shown once."""
    settings = load_settings(log_json=False)
    try:
        wanted = KeyIn(name=name, scopes=scope)
    except ValidationError as error:
        fail(error.errors()[0]["msg"], "give another --name")

    async def work(services: Services) -> dict[str, str]:
        found = await get_tenant(services.database, tenant)
        made = await _make_key(services, settings, found.tenant_id, wanted)
        return {"key": made.key, "key_id": made.id, "scopes": " ".join(made.scopes)}

    show(run_with_services(settings, work), as_json=as_json)


@keys.command("list")
def list_all_keys(tenant: str, as_json: AsJson = False) -> None:
    """The keys of a tenant (never the keys themselves)."""

    async def work(services: Services) -> list[dict[str, str]]:
        found = await get_tenant(services.database, tenant)
        async with services.database.operator() as connection:
            rows = await list_keys(connection, found.tenant_id)
        return [
            {
                "id": public_id("key", row.key_id),
                "key": row.hint,
                "name": row.name,
                "scopes": " ".join(row.scopes),
                "state": "revoked" if row.revoked_at else "live",
            }
            for row in rows
        ]

    show_rows(run_with_services(load_settings(log_json=False), work), as_json=as_json)


@keys.command("revoke")
def revoke(tenant: str, key_id: str) -> None:
    """Revoke a key; it counts from the next request on."""
    parsed = parse_public_id("key", key_id)
    if parsed is None:
        fail(f"{key_id!r} is no key id", "see `vidhuk keys list`")

    async def work(services: Services) -> None:
        found = await get_tenant(services.database, tenant)
        async with services.database.operator() as connection:
            await revoke_key(connection, found.tenant_id, parsed, actor=OPERATOR, now=services.clock())

    run_with_services(load_settings(log_json=False), work)
    out.print("revoked")


async def _make_key(services: Services, settings: Settings, tenant_id: UUID, wanted: KeyIn) -> NewKeyOut:
    async with services.database.operator() as connection:
        return await create_key_of(
            connection,
            tenant_id,
            wanted,
            environment=settings.environment,
            actor=OPERATOR,
            now=services.clock(),
        )
