"""What a person at the terminal sees of an import: a bar while it runs, a table when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.importer.ledger import Ledger
from app.importer.run import OnProgress
from app.importer.run import Progress as Reached

_ORDER = ("created", "revised", "stale", "duplicate", "passed_over", "rejected")


@contextmanager
def advancing(console: Console, size: int, *, shown: bool) -> Iterator[OnProgress]:
    """A bar over the bytes of the file, on a terminal only."""
    columns = (
        TextColumn("importing"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows, {task.fields[rejected]} rejected"),
        TimeRemainingColumn(),
    )
    visible = shown and console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not visible) as bar:
        task = bar.add_task("import", total=size, rows=0, rejected=0)

        def advance(reached: Reached) -> None:
            bar.update(task, completed=reached.position, rows=reached.rows, rejected=reached.rejected)

        yield advance


def print_summary(console: Console, ledger: Ledger, *, dry_run: bool) -> None:
    """Counts of rows and events, then each kind of error once with its first row."""
    table = Table(title="would be (dry run)" if dry_run else None)
    table.add_column("status")
    table.add_column("rows", justify="right")
    table.add_column("events", justify="right")
    for status in (*_ORDER, *sorted((set(ledger.rows) | set(ledger.events)) - set(_ORDER))):
        if ledger.rows[status] or ledger.events[status]:
            table.add_row(status, str(ledger.rows[status]), str(ledger.events[status]))
    console.print(table)
    for complaint in sorted(ledger.complaints.values(), key=lambda known: -known.count):
        console.print(
            f"{complaint.count} x {escape(complaint.code)}, first in row {complaint.first_row}: "
            f"{escape(complaint.detail)} {escape(complaint.cure)}"
        )
    if ledger.stopped is not None:
        console.print(f"stopped {escape(ledger.stopped)}")


def print_refusal(console: Console, reason: str, detail: str, pointer: str, cure: str) -> None:
    """Why nothing could start."""
    place = f" at {pointer}" if pointer else ""
    console.print(f"{escape(reason)}{escape(place)}: {escape(detail)}", style="red")
    if cure:
        console.print(escape(cure))
