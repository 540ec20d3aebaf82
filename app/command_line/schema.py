"""`migrate` and `openapi`: the two descriptions that a release ships, of the tables and of the API."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from app.command_line.console import fail, load_settings, out
from app.db.migrate import migrate
from app.kit.crypto import generate_master_key
from app.main import create_api
from app.settings import Settings
from app.wiring import build_services

OPENAPI_FILE = Path(__file__).resolve().parents[2] / "openapi" / "openapi.json"


def migrate_command() -> None:
    """Bring the database to the newest schema (by MIGRATION_URL) and grant the service's login its roles."""
    settings = load_settings(log_json=False)
    changed = asyncio.run(migrate(settings.owner_url, settings.database_url))
    out.print("schema upgraded" if changed else "schema is up to date")


def openapi_command(
    check: Annotated[
        bool, typer.Option(help="compare with the committed file instead of writing it")
    ] = False,
) -> None:
    """Write openapi/openapi.json from the code, or check that it is the same."""
    text = json.dumps(description(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if not check:
        OPENAPI_FILE.parent.mkdir(exist_ok=True)
        OPENAPI_FILE.write_text(text)
        out.print(f"wrote {OPENAPI_FILE.name}")
    elif not OPENAPI_FILE.exists() or OPENAPI_FILE.read_text() != text:
        fail("openapi/openapi.json differs from the code", "run `make openapi` and commit the result")
    else:
        out.print("openapi.json is up to date")


def description() -> dict[str, object]:
    """The API description, whatever the environment."""
    settings = Settings(master_keys=[SecretStr(generate_master_key("none"))])
    return create_api(build_services(settings)).openapi()
