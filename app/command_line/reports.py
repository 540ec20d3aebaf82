"""`bi`: read-only database logins of a tenant, for Power BI, Tableau, Metabase, Grafana and psql."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from app.bi.logins import Limits, grant_login, list_logins, login_url, revoke_login
from app.command_line.console import load_settings, out, run_with_services, show, show_rows
from app.journal.audit import OPERATOR, Deed, append_audit
from app.tenants.repository import get_tenant
from app.wiring import Services

bi = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Label = Annotated[str, typer.Argument(help="what the login is for: small letters, digits, underscores")]


@bi.command("grant")
def grant(
    tenant: str,
    label: Label,
    connections: Annotated[int, typer.Option(min=1, max=100, help="at most so many at once")] = 5,
    timeout: Annotated[int, typer.Option(min=1, max=3600, help="seconds that a statement may take")] = 60,
    days: Annotated[int | None, typer.Option(min=1, help="the password expires after so many")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a read-only login that sees the `bi` views of this tenant; its password is shown once."""
    settings = load_settings(log_json=False)

    async def work(services: Services) -> dict[str, str]:
        found = await get_tenant(services.database, tenant)
        now = services.clock()
        limits = Limits(connections, timeout, None if days is None else now + timedelta(days=days))
        name, password = await grant_login(settings.owner_url, found.tenant_id, label, limits)
        await _note(services, found.tenant_id, "bi_login.granted", name)
        return {
            "login": name,
            "password": password,
            "url": login_url(settings.owner_url, name, password),
            "expires_at": "never" if limits.expires_at is None else limits.expires_at.isoformat(),
        }

    show(run_with_services(settings, work), as_json=as_json)


@bi.command("revoke")
def revoke(tenant: str, label: Label) -> None:
    """Take a login back; its open sessions end."""
    settings = load_settings(log_json=False)

    async def work(services: Services) -> int:
        found = await get_tenant(services.database, tenant)
        ended = await revoke_login(settings.owner_url, found.tenant_id, label)
        await _note(services, found.tenant_id, "bi_login.revoked", label)
        return ended

    out.print(f"revoked; {run_with_services(settings, work)} sessions ended")


@bi.command("list")
def list_all(tenant: str, as_json: AsJson = False) -> None:
    """The logins of a tenant (never their passwords)."""
    settings = load_settings(log_json=False)

    async def work(services: Services) -> list[dict[str, Any]]:
        found = await get_tenant(services.database, tenant)
        return [
            {
                "label": login.label,
                "login": login.name,
                "open_sessions": login.open_sessions,
                "connections": login.connections,
                "expires_at": "never" if login.expires_at is None else login.expires_at.isoformat(),
            }
            for login in await list_logins(settings.owner_url, found.tenant_id)
        ]

    show_rows(run_with_services(settings, work), as_json=as_json)


async def _note(services: Services, tenant_id: UUID, action: str, target: str) -> None:
    async with services.database.operator() as connection:
        await append_audit(connection, tenant_id, Deed(OPERATOR, action, target, services.clock()))
