"""`replay`: a range of webhook messages once more, from start to end."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress

from app.command_line.client import HERE, Client, Key, Url, connected
from app.command_line.console import err, show
from app.webhooks.replay_schemas import Which

_LOOK_SECONDS = 1.0
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


def replay_command(
    endpoint: Annotated[str, typer.Argument(help="id of the endpoint")],
    since: Annotated[datetime, typer.Option(help="messages from then on; UTC unless it has an offset")],
    key: Key,
    until: Annotated[datetime | None, typer.Option(help="and before then; default: now")] = None,
    which: Annotated[Which, typer.Option(help="failed, missing (never sent), or all")] = Which.FAILED,
    event_type: Annotated[list[str] | None, typer.Option(help="only of these types, repeatable")] = None,
    per_second: Annotated[int, typer.Option(min=1, max=500, help="how fast they are queued")] = 20,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="stay until all is queued")] = True,
    as_json: AsJson = False,
    url: Url = HERE,
) -> None:
    """Send webhooks again after an outage of their receiver. Ctrl-C cancels what is not queued yet."""
    wanted: dict[str, Any] = {
        "which": which.value,
        "since": _instant(since),
        "until": None if until is None else _instant(until),
        "event_types": event_type or None,
        "messages_per_second": per_second,
    }
    with connected(url, key) as client:
        replay = client.post(f"/v1/webhooks/endpoints/{endpoint}/replays", wanted)
        if wait:
            replay = _follow(client, replay)
    show(replay, as_json=as_json)


def _follow(client: Client, replay: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/webhooks/replays/{replay['id']}"
    columns = (*Progress.get_default_columns()[:1], BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("queued", total=None)
        try:
            while replay["state"] == "running":
                time.sleep(_LOOK_SECONDS)
                replay = client.get(path)
                done = replay["queued"] + replay["passed_over"]
                progress.update(task, completed=done, total=replay["total"])
        except KeyboardInterrupt:
            client.post(f"{path}/cancel", None)
            raise
    return replay


def _instant(moment: datetime) -> str:
    return moment.isoformat() + ("Z" if moment.tzinfo is None else "")
