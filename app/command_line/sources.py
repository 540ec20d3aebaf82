"""`sources` and `reprocess`: try a sample, look at what arrived, read it again."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.progress import Progress

from app.command_line.console import fail, load_settings, out, run_with_services, show
from app.configuration.mappings.gallery import list_mappings
from app.domain.errors import DomainError
from app.ingest.payloads.schemas import ReprocessIn, ReprocessOut
from app.ingest.payloads.service import Rereader
from app.ingest.trial.schemas import TrialIn, TrialOut
from app.ingest.trial.service import try_sample
from app.kit.clock import utc_now
from app.sources.registry import ADAPTERS
from app.tenants.repository import get_tenant
from app.wiring import Services

sources = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
_TYPES = {".csv": "text/csv", ".form": "application/x-www-form-urlencoded", ".txt": "text/plain"}


@sources.command("list")
def list_known(as_json: AsJson = False) -> None:
    """Adapters and ready mappings that a source may use."""
    mappings = {one.id: one.title for one in list_mappings()}
    if as_json:
        typer.echo(jsonlib.dumps({"adapters": list(ADAPTERS), "mappings": mappings}))
        return
    out.print("[bold]adapters[/]  " + ", ".join(ADAPTERS))
    for name, title in mappings.items():
        out.print(f"[bold]mapping[/]  {name}: {title}")


@sources.command("test")
def test_sample(
    sample: Annotated[Path, typer.Argument(help="a payload as it travels", exists=True, dir_okay=False)],
    adapter: Annotated[str | None, typer.Option(help="adapter to read it with")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="mapping document (JSON)", exists=True, dir_okay=False)
    ] = None,
    defaults: Annotated[
        Path | None, typer.Option(help="`defaults` of the source (JSON)", exists=True, dir_okay=False)
    ] = None,
    zone: Annotated[str | None, typer.Option(help="zone of times without an offset")] = None,
    content_type: Annotated[str | None, typer.Option(help="by the file's name by default")] = None,
    header: Annotated[list[str] | None, typer.Option(help="`Name: value`, repeatable")] = None,
    handles_cases: Annotated[bool, typer.Option(help="complaints are worked there")] = False,
    as_json: AsJson = False,
) -> None:
    """Say which events a sample would give, and what would go to quarantine (exit 1). Stores nothing."""
    try:
        wanted = TrialIn(
            adapter=adapter,
            mapping=_document(mapping),
            defaults=_document(defaults),
            time_zone=zone,
            handles_cases=handles_cases,
            body=sample.read_text(encoding="utf-8", errors="surrogateescape"),
            content_type=content_type or _TYPES.get(sample.suffix, "application/json"),
            headers=dict(_header(one) for one in header or []),
        )
        found = try_sample(wanted, utc_now())
    except DomainError as error:
        fail(f"{error.pointer}: {error.detail}", error.cure)
    except ValueError as error:
        fail(str(error))
    _print(found, as_json=as_json)
    if found.errors:
        raise typer.Exit(1)


def reprocess_command(
    tenant: Annotated[str, typer.Argument(help="short name of the tenant")],
    source: Annotated[str, typer.Argument(help="key of the source")],
    state: Annotated[str | None, typer.Option(help="only adapted, ignored or quarantined payloads")] = None,
    announce: Annotated[bool, typer.Option(help="announce what follows")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would happen, change nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Read a source's raw payloads again, after its mapping, questions or adapter was corrected."""
    totals = dict.fromkeys(("read", "added", "unchanged", "retracted", "quarantined"), 0)

    async def work(services: Services) -> None:
        found = await get_tenant(services.database, tenant)
        with Progress(transient=True, disable=as_json) as progress:
            task = progress.add_task("reading again", total=None)
            cursor: str | None = None
            while True:
                page = await _page(services, found.tenant_id, source, state, announce, dry_run, cursor)
                for name in totals:
                    totals[name] += getattr(page, name)
                progress.update(task, advance=page.read)
                cursor = page.next_cursor
                if cursor is None:
                    return

    run_with_services(load_settings(log_json=False), work)
    show({**totals, "dry_run": dry_run}, as_json=as_json)


async def _page(
    services: Services,
    tenant_id: UUID,
    source: str,
    state: Any,
    announce: bool,
    dry_run: bool,
    cursor: str | None,
) -> ReprocessOut:
    wanted = ReprocessIn(source=source, state=state, announce=announce, dry_run=dry_run, cursor=cursor)
    rereader = Rereader(services.database, services.sealer, services.ingest, tenant_id, services.clock())
    return await rereader.reprocess(wanted)


def _document(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    document = jsonlib.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise ValueError(f"{path} is no JSON object")
    return document


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator:
        raise ValueError(f"{text!r} is no header: write `Name: value`")
    return name.strip(), value.strip()


def _print(found: TrialOut, *, as_json: bool) -> None:
    if as_json:
        typer.echo(found.model_dump_json())
        return
    for event in found.events:
        out.print(f"[bold]{event.type}[/]  {event.id}  {event.occurred_at.isoformat()}")
        out.print_json(data=event.data, default=str)
    if not found.events:
        out.print("no event: the payload says nothing that is kept")
    if found.unscored:
        out.print(f"[yellow]unscored[/]  {', '.join(found.unscored)}: explain them in `defaults.questions`")
    for error in found.errors:
        out.print(f"[red]{error.code}[/]  {error.pointer}: {error.detail} {error.cure or ''}")
