"""An answer as CSV (RFC 4180): the same cells as the JSON rows, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from app.metrics.columns import Column

# The full-width signs are read as the plain ones by some spreadsheets.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_bytes(columns: Sequence[Column], rows: Iterable[dict[str, Any]]) -> bytes:
    """Header and rows in UTF-8 with CRLF; null is an empty cell, a list is joined by `|`."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    names = [column.name for column in columns]
    writer.writerow([_text(name) for name in names])
    writer.writerows([_cell(row[name]) for name in names] for row in rows)
    return buffer.getvalue().encode()


def _cell(value: Any) -> str | int | float | None:
    match value:
        case None | bool():
            return None if value is None else str(value).lower()
        case int() | float():
            return value
        case datetime():
            return value.isoformat()
        case list():
            return _text("|".join(map(str, value)))
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    """Text that a spreadsheet would run as a formula is made text again by a leading apostrophe."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text
