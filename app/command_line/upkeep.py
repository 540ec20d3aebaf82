"""`import`, `rebuild`, `bench`: work on data that is there."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from app.command_line.console import fail, load_settings, out, run_with_services
from app.importer.command import import_command
from app.journal.rebuild import rebuild
from app.tenants.repository import get_tenant
from app.wiring import Services

__all__ = ["bench_command", "import_command", "rebuild_command"]

_BENCH = Path(__file__).resolve().parents[2] / "benchmarks" / "run.py"


def rebuild_command(tenant: Annotated[str, typer.Argument(help="short name of the tenant")]) -> None:
    """Rebuild every projection of a tenant from its journal; writers are told to come again meanwhile."""

    async def work(services: Services) -> int:
        found = await get_tenant(services.database, tenant)
        with Progress(transient=True) as progress:
            task = progress.add_task("rebuilding")

            def report(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            return await rebuild(services.journal, found.tenant_id, report)

    commits = run_with_services(load_settings(log_json=False), work)
    out.print(f"{commits} commits applied again")


def bench_command(context: typer.Context) -> None:
    """Measure speed beside its limit and a naive equivalent, as ratios (from a checkout)."""
    if not _BENCH.exists():
        fail("the benchmarks are not part of this installation", "run them from a checkout: `make bench`")
    sys.argv = [str(_BENCH), *context.args]
    runpy.run_path(str(_BENCH), run_name="__main__")
