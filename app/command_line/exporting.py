"""`export`: what the service keeps, as lines of JSON, without a report tool and without a limit."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TextColumn

from app.command_line.client import HERE, Key, Url, connected
from app.command_line.console import err, fail
from app.kit import json


class Kind(StrEnum):
    """What can be exported."""

    FEEDBACK = "feedback"
    CASES = "cases"
    TIMERS = "timers"
    ANNOUNCEMENTS = "announcements"
    MESSAGES = "messages"


_PATHS = {
    Kind.FEEDBACK: "/v1/feedback",
    Kind.CASES: "/v1/cases",
    Kind.TIMERS: "/v1/sla/timers",
    Kind.ANNOUNCEMENTS: "/v1/sla/announcements",
    Kind.MESSAGES: "/v1/messages",
}


def export_command(
    kind: Kind,
    key: Key,
    file: Annotated[Path | None, typer.Argument(help="default: standard output")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", help="`name=value`: a query parameter of the list, repeatable"),
    ] = None,
    url: Url = HERE,
) -> None:
    """Write every row of a list as NDJSON. The filters are those of the list's own address."""
    filters: dict[str, list[str]] = {}
    for one in where or []:
        name, separator, value = one.partition("=")
        if not separator or name in ("limit", "cursor"):
            fail(f"{one!r} is no filter", "write `name=value`, as in --where channel=call")
        filters.setdefault(name, []).append(value)
    columns = (TextColumn(kind.value), TextColumn("{task.completed:.0f}"))
    with (
        connected(url, key) as client,
        nullcontext(sys.stdout.buffer) if file is None else file.open("wb") as target,
        Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress,
    ):
        task = progress.add_task(kind.value, total=None)
        for row in client.items(_PATHS[kind], **filters, limit=500):
            target.write(json.dumps(row) + b"\n")
            progress.advance(task)
