"""`vidhuk import FILE --mapping M`: arguments, progress, summary and an honest exit code.

0: every row is stored or was before; 1: some rows are not; 2: nothing could start.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from app.domain.errors import InvalidError
from app.importer.batches import RowMapper
from app.importer.display import advancing, print_refusal, print_summary
from app.importer.files import FileError, RowFile, open_rows
from app.importer.ledger import Ledger
from app.importer.poster import Flags, Poster, ServiceError
from app.importer.report import Report, open_report
from app.importer.run import OnProgress, run_import
from app.kit import json
from app.kit.clock import utc_now
from app.sources.base import SourceContext
from app.sources.mapping import CompiledMapping, compile_mapping
from app.sources.times import find_zone

STARTED_NOTHING = 2
INTERRUPTED = 130
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)


def import_command(
    file: Annotated[Path, typer.Argument(help="CSV or NDJSON file")],
    mapping: Annotated[Path, typer.Option(help="mapping document (JSON); see examples/mappings")],
    key: Annotated[str, typer.Option(envvar="VIDHUK_KEY", help="API key with the scope events:write")],
    source: Annotated[
        str | None, typer.Option(help="source of the events (default: the mapping's id)")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="IANA zone of times written without one")] = None,
    url: Annotated[str, typer.Option(envvar="VIDHUK_URL", help="the service")] = "http://127.0.0.1:8080",
    backfill: Annotated[
        bool, typer.Option("--backfill/--live", help="history: what fell due before now is not announced")
    ] = True,
    open_cases: Annotated[
        bool, typer.Option("--open-cases", help="let imported complaints open cases")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would happen, store nothing")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="summary as JSON on standard output")] = False,
    report: Annotated[Path | None, typer.Option(help="per-row report: .csv, or .ndjson")] = None,
) -> None:
    """Import a file of rows. Run again, it resumes: what is stored is recognised by its id."""
    errors = Console(stderr=True)
    flags = Flags(backfill, open_cases, dry_run)
    try:
        compiled = load_mapping(mapping, zone)
        with open_rows(file, compiled) as rows, open_report(report) as lines:
            mapper = RowMapper(compiled, SourceContext(source or compiled.id, utc_now()), rows.identity)
            with advancing(errors, rows.size, shown=not as_json) as progress:
                ledger = asyncio.run(_import(rows, mapper, lines, flags, url=url, key=key, progress=progress))
            identity = rows.identity
    except InvalidError as error:
        print_refusal(errors, error.reason, error.detail, error.pointer, error.cure)
        raise typer.Exit(STARTED_NOTHING) from None
    except ServiceError as error:
        print_refusal(errors, error.reason, str(error), "", error.cure)
        raise typer.Exit(STARTED_NOTHING) from None
    except KeyboardInterrupt:
        errors.print("stopped; the same command goes on from here")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        about = {"file": str(file), "file_sha256": identity, "mapping": compiled.id, "dry_run": dry_run}
        typer.echo(json.dumps_text(about | ledger.as_json() | {"exit_code": ledger.exit_code}))
    else:
        print_summary(Console(), ledger, dry_run=dry_run)
    raise typer.Exit(ledger.exit_code)


def load_mapping(path: Path, zone: str | None) -> CompiledMapping:
    """The compiled mapping document at `path`; `zone` stands in for the document's own.

    Raises FileError, MappingError.
    """
    try:
        document = json.parse_untrusted(path.read_bytes())
    except OSError as error:
        raise FileError(
            "unreadable_mapping", str(error), cure="Give the path of a mapping document."
        ) from error
    except json.JsonError as error:
        raise FileError(error.reason, f"{path}: {error}", cure="Mend the JSON of the mapping.") from error
    compiled = compile_mapping(document)
    if zone is None:
        return compiled
    found = find_zone(zone)
    if found is None:
        raise FileError(
            "unknown_zone", f"there is no time zone {zone!r}", cure="Use an IANA name: Europe/Kyiv."
        )
    return replace(compiled, zone=found)


async def _import(
    rows: RowFile,
    mapper: RowMapper,
    report: Report,
    flags: Flags,
    *,
    url: str,
    key: str,
    progress: OnProgress,
) -> Ledger:
    headers = {"Authorization": f"Bearer {key}"}
    try:
        client = httpx.AsyncClient(base_url=url, headers=headers, timeout=_TIMEOUT)
    except (httpx.InvalidURL, ValueError) as error:
        raise ServiceError(
            "bad_url", str(error), "Give --url as http://host:port, and an ASCII key."
        ) from error
    async with client:
        return await run_import(rows, mapper, Poster(client, flags), report, progress=progress)
