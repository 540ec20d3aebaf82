"""Files and mappings of our own, and a way to run an import against the real application."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.importer.batches import RowMapper
from app.importer.files import open_rows
from app.importer.ledger import Ledger
from app.importer.poster import Flags, Poster
from app.importer.report import open_report
from app.importer.run import run_import
from app.kit.clock import utc_now
from app.sources.base import SourceContext
from app.sources.mapping import CompiledMapping, compile_mapping

CSV_MAPPING: dict[str, Any] = {
    "mapping": 1,
    "id": "kiosk",
    "format": "csv",
    "csv": {"delimiter": ";"},
    "zone": "Europe/Kyiv",
    "events": [
        {
            "type": "feedback.received",
            "occurred_at": {"column": "date", "format": "%d.%m.%Y %H:%M"},
            "data": {
                "channel": {"value": "kiosk"},
                "location": {"column": "shop"},
                "answers": [
                    {"question": {"value": "q"}, "scale": {"value": "csat_1_5"}, "value": {"column": "score"}}
                ],
                "text": {"column": "text"},
            },
        }
    ],
}

HEADER = "date;shop;score;text\n"
GOOD_ROWS = (
    "01.03.2026 10:00;kyiv-1;5;дякую\n"
    '01.03.2026 11:00;kyiv-1;1;"довго; дуже\nдовго"\n'
    "01.03.2026 12:00;lviv-1;3;\n"
)


@pytest.fixture
def csv_mapping() -> CompiledMapping:
    return compile_mapping(CSV_MAPPING)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file into the test's folder."""

    def _write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


@pytest.fixture
def mapping_file(tmp_path: Path) -> Path:
    path = tmp_path / "kiosk.json"
    path.write_text(json.dumps(CSV_MAPPING))
    return path


async def do_import(
    client: httpx.AsyncClient,
    path: Path,
    mapping: CompiledMapping,
    *,
    flags: Flags = Flags(),  # noqa: B008 - a frozen value
    report: Path | None = None,
    source: str = "kiosk",
    batch_events: int = 2,
    poster: Callable[[Flags], Poster] | None = None,
) -> Ledger:
    """Import a file through a client, in batches small enough to have several."""
    with open_rows(path, mapping) as rows, open_report(report) as lines:
        mapper = RowMapper(mapping, SourceContext(source, utc_now()), rows.identity)
        made = Poster(client, flags) if poster is None else poster(flags)
        return await run_import(rows, mapper, made, lines, batch_events=batch_events)
