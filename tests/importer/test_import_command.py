"""`vidhuk import` as it is typed: arguments in, summary and exit code out, over a real loopback socket."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from app.importer.command import import_command
from tests.conftest import MakeKey
from tests.importer.conftest import CSV_MAPPING, GOOD_ROWS, HEADER

Write = Callable[[str, str | bytes], Path]

ROOT = Path(__file__).parents[2]
_COMMAND = typer.Typer()
_COMMAND.command()(import_command)


async def _typed(*arguments: str | Path, **environment: str) -> tuple[int, str]:
    """The command in a process of its own: exit code and standard output."""
    program = "import typer; from app.importer.command import import_command; typer.run(import_command)"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
        cwd=ROOT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def _refused(*arguments: str | Path) -> str:
    """What the command says on standard error when it cannot start."""
    result: Result = await asyncio.to_thread(CliRunner().invoke, _COMMAND, [str(each) for each in arguments])
    assert result.exit_code == 2, result.output
    return result.stderr


async def test_an_import_ends_with_a_summary_and_zero(
    served: str, api_key: MakeKey, write: Write, mapping_file: Path
) -> None:
    path, key = write("a.csv", HEADER + GOOD_ROWS), await api_key("events:write")
    code, shown = await _typed(path, "--mapping", mapping_file, "--url", served, VIDHUK_KEY=key)
    assert code == 0
    assert "created" in shown
    code, shown = await _typed(path, "--mapping", mapping_file, "--url", served, "--json", VIDHUK_KEY=key)
    summary = json.loads(shown)
    assert (code, summary["exit_code"], summary["rows"]) == (0, 0, {"duplicate": 3})
    assert len(summary["file_sha256"]) == 64


async def test_rejected_rows_end_with_one_and_are_explained(
    served: str, api_key: MakeKey, write: Write, mapping_file: Path, tmp_path: Path
) -> None:
    path = write("a.csv", HEADER + GOOD_ROWS + "01.03.2026 10:00;kyiv-1;9;\n")
    report = tmp_path / "report.ndjson"
    options = ("--mapping", mapping_file, "--url", served, "--key", await api_key(), "--report", report)
    code, shown = await _typed(path, *options, "--json")
    assert code == 1
    assert [(error["code"], error["count"], error["first_row"]) for error in json.loads(shown)["errors"]] == [
        ("score_outside_scale", 1, 4)
    ]
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [line["status"] for line in lines] == ["created", "created", "created", "rejected"]
    _, shown = await _typed(path, *options)
    assert "score_outside_scale, first in row 4" in shown


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"file": "missing.csv"}, "unreadable_file"),
        ({"mapping": "missing.json"}, "unreadable_mapping"),
        ({"document": {**CSV_MAPPING, "zone": "Mars/Olympus"}}, "unknown_zone"),
        ({"document": {**CSV_MAPPING, "evnts": []}}, "unknown_key"),
        ({"zone": "Mars/Olympus"}, "unknown_zone"),
        ({"url": "http://127.0.0.1:1"}, "unreachable"),
        ({"url": "ftp://127.0.0.1"}, "bad_url"),
        ({"key": "vk_test_nobody"}, "key"),
        ({"report": "/nowhere/at/all.csv"}, "unwritable_report"),
    ],
)
async def test_what_cannot_start_ends_with_two_and_says_why(
    change: dict[str, Any], word: str, served: str, api_key: MakeKey, write: Write, tmp_path: Path
) -> None:
    write("a.csv", HEADER + GOOD_ROWS)
    write("m.json", json.dumps(change.get("document", CSV_MAPPING)))
    said = await _refused(
        *(tmp_path / change.get("file", "a.csv"), "--mapping", tmp_path / change.get("mapping", "m.json")),
        *("--url", change.get("url", served), "--key", change.get("key") or await api_key()),
        *(("--zone", change["zone"]) if "zone" in change else ()),
        *(("--report", change["report"]) if "report" in change else ()),
    )
    assert word in said


async def test_broken_json_in_the_mapping_is_named(write: Write) -> None:
    said = await _refused(write("a.csv", HEADER), "--mapping", write("m.json", "{"), "--key", "vk_x")
    assert "malformed_json" in said


async def test_the_zone_of_the_command_line_stands_in_for_the_mappings(
    served: str, api_key: MakeKey, write: Write, mapping_file: Path
) -> None:
    """The second run gives the same ids at other instants: another fact under the same name."""
    path, key = write("a.csv", HEADER + "01.03.2026 10:00;k;5;\n"), await api_key()
    options = (path, "--mapping", mapping_file, "--url", served, "--key", key, "--json")
    assert json.loads((await _typed(*options))[1])["rows"] == {"created": 1}
    moved = json.loads((await _typed(*options, "--zone", "America/New_York"))[1])
    assert [error["code"] for error in moved["errors"]] == ["event_conflict"]
