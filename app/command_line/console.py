"""What every command shares: settings, running a coroutine, and honest exits."""

from __future__ import annotations

import asyncio
import json as jsonlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from app.demo.keys import keep_keys
from app.domain.errors import DomainError
from app.embedded import Access, find_running
from app.kit.crypto import SealError
from app.kit.logging import configure_logging
from app.settings import Settings
from app.wiring import Services, build_services

T = TypeVar("T")
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def load_settings(**changes: Any) -> Settings:
    """Settings of this environment, or of the demonstration that runs here; and logging as they say."""
    settings = Settings(**changes)
    configure_logging(settings.log_level, as_json=settings.log_json)
    if "database_url" in settings.model_fields_set:
        return settings
    running = find_running(settings.home.absolute())
    return settings if running is None else beside_demo(settings, running)


def beside_demo(settings: Settings, access: Access) -> Settings:
    """The same settings on the database (and with the keys) of the demonstration that runs here."""
    urls, keys = access.urls(), keep_keys(settings.home.absolute())
    return settings.model_copy(
        update={
            "database_url": urls.database_url,
            "migration_url": urls.migration_url,
            "master_keys": settings.master_keys or [SecretStr(keys.master)],
            "operator_key": settings.operator_key or SecretStr(keys.operator),
        }
    )


def run_with_services(settings: Settings, work: Callable[[Services], Awaitable[T]]) -> T:
    """Run work on wired services and close them; a refusal becomes a message and exit code 1."""

    async def body() -> T:
        services = build_services(settings)
        try:
            return await work(services)
        finally:
            await services.close()

    try:
        return asyncio.run(body())
    except SealError as error:
        fail(
            str(error), "Set DATABASE_URL and VIDHUK_MASTER_KEYS, or start the demonstration first: make run"
        )
    except DomainError as error:
        fail(error.detail, error.cure)


def show(value: dict[str, Any], *, as_json: bool) -> None:
    """Print a result for a person, or as one JSON object."""
    if as_json:
        typer.echo(jsonlib.dumps(value, default=str))
        return
    for name, item in value.items():
        out.print(f"[bold]{name}[/]  {item}")


def show_rows(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print rows with the same columns as a table for a person, or as one JSON array."""
    if as_json:
        typer.echo(jsonlib.dumps(rows, default=str))
        return
    table = Table(*(rows[0] if rows else ()))
    for row in rows:
        table.add_row(*map(str, row.values()))
    out.print(table if rows else "none")


def fail(detail: str, cure: str = "") -> NoReturn:
    """Say what is wrong and how to mend it; exit code 1."""
    err.print(f"[red]{detail}[/]" + (f"\n{cure}" if cure else ""))
    raise typer.Exit(1)
