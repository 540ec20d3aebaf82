"""`config`: a tenant's whole configuration as one document, to be kept, reviewed and applied elsewhere."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from app.command_line.client import HERE, Client, Key, RefusedError, Url, connected
from app.command_line.console import err, fail, out
from app.command_line.sections import SECTIONS, Section, parents_first
from app.domain.sla.document import nearest
from app.kit import json

config = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
FORMAT: Final = "vidhuk_config"
_ONLY: Final = ""
"""the key of a section that is one document"""


class Change(StrEnum):
    """What applying does to one document."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ONLY_THERE = "only_there"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One document: what stands there, what is wanted, and what came of it."""

    section: str
    key: str
    change: Change
    was: Any = None
    wanted: Any = None
    reason: str = ""


@config.command("export")
def export_config(
    key: Key,
    file: Annotated[Path | None, typer.Argument(help="default: standard output")] = None,
    url: Url = HERE,
) -> None:
    """Write the configuration as one JSON document: no secrets, keys or webhook endpoints."""
    with connected(url, key) as client:
        document: dict[str, Any] = {FORMAT: 1}
        for section in SECTIONS:
            found = _read(client, section)
            if found:
                document[section.name] = found[_ONLY] if section.is_single else found
    text = _pretty(document) + "\n"
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")


@config.command("apply")
def apply_config(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    key: Key,
    url: Url = HERE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show the difference, write nothing")] = False,
    as_json: AsJson = False,
) -> None:
    """Write what differs. What stands only there is left alone. Exit 1 where a document was refused."""
    wanted = _load(file)
    with connected(url, key) as client:
        steps = [step for section in SECTIONS for step in _apply(client, section, wanted, dry_run=dry_run)]
    if as_json:
        typer.echo(json.dumps_text({"dry_run": dry_run, "steps": [_as_json(step) for step in steps]}))
    else:
        _print(steps, dry_run=dry_run)
    if any(step.change is Change.REFUSED for step in steps):
        raise typer.Exit(1)


def _read(client: Client, section: Section) -> dict[str, Any]:
    """Key -> body of every document of a section that somebody wrote."""
    if section.is_single:
        shown = [(_ONLY, client.get(section.path))]
    else:
        shown = [(item["key"], item) for item in client.items(section.path)]
    return {key: body for key, item in shown if (body := section.body(item)) is not None}


def _load(file: Path) -> dict[str, Any]:
    try:
        document = json.parse_untrusted(file.read_bytes())
    except json.JsonError as error:
        fail(f"{file}: {error}", "Give a file that `vidhuk config export` wrote.")
    if not isinstance(document, dict) or document.pop(FORMAT, None) != 1:
        fail(f'{file} has no "{FORMAT}": 1', "Give a file that `vidhuk config export` wrote.")
    known = [section.name for section in SECTIONS]
    for name, content in document.items():
        if name not in known:
            fail(f"there is no section {name!r}", nearest(name, known))
        if not isinstance(content, dict):
            fail(f"the section {name!r} is no JSON object", "Write `{key: document}`, or the one document.")
    return document


def _apply(client: Client, section: Section, wanted: Mapping[str, Any], *, dry_run: bool) -> Iterator[Step]:
    there = _read(client, section)
    told = wanted.get(section.name, {})
    documents = {_ONLY: told} if section.is_single and told else told
    for key in parents_first(documents):
        was, document = there.get(key), documents[key]
        if was == document:
            yield Step(section.name, key, Change.UNCHANGED)
            continue
        change = Change.CREATED if was is None else Change.CHANGED
        reason = "" if dry_run else _write(client, section.place(key), document)
        yield Step(section.name, key, Change.REFUSED if reason else change, was, document, reason)
    for key in sorted(there.keys() - documents.keys()):
        yield Step(section.name, key, Change.ONLY_THERE)


def _write(client: Client, place: str, document: Any) -> str:
    """Why the service does not take it; "" when it did."""
    try:
        _, etag = client.find(place)
        client.put(place, document, etag)
    except RefusedError as error:
        if error.status == 0:
            raise
        return f"{error} {error.cure}".strip()
    return ""


def _as_json(step: Step) -> dict[str, str]:
    told = {"section": step.section, "key": step.key, "change": step.change.value, "reason": step.reason}
    return {name: value for name, value in told.items() if value}


def _print(steps: list[Step], *, dry_run: bool) -> None:
    table = Table("section", *(change.value for change in Change), title="dry run" if dry_run else None)
    for section in SECTIONS:
        mine = [step.change for step in steps if step.section == section.name]
        if mine:
            table.add_row(section.name, *(str(mine.count(change) or "") for change in Change))
    out.print(table)
    for step in steps:
        if step.change is Change.REFUSED:
            err.print(f"{step.section} {step.key}: {step.reason}", style="red", markup=False)
        elif dry_run and step.change in (Change.CREATED, Change.CHANGED):
            for line in _difference(step):
                out.print(line, markup=False)


def _difference(step: Step) -> Iterator[str]:
    was = "" if step.was is None else _pretty(step.was)
    name = f"{step.section}/{step.key}".rstrip("/")
    return unified_diff(was.splitlines(), _pretty(step.wanted).splitlines(), name, name, lineterm="", n=2)


def _pretty(document: Any) -> str:
    return jsonlib.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
