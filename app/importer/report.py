"""The per-row report: one line per row of the file, as CSV or (by the name of the file) NDJSON."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

from app.importer.files import FileError
from app.importer.ledger import RowResult
from app.kit import json

_COLUMNS = ("row", "status", "ids", "code", "pointer", "detail", "cure")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Report(Protocol):
    """Takes results in the order of the file."""

    def write(self, result: RowResult) -> None:
        """Add one line."""
        ...


class NoReport:
    """Nobody asked."""

    def write(self, result: RowResult) -> None:
        """Forget it."""


class CsvReport:
    """CSV for people with a spreadsheet: no cell starts a formula."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(_COLUMNS)

    def write(self, result: RowResult) -> None:
        """Add one line."""
        texts = (" ".join(result.ids), result.code, result.pointer, result.detail, result.cure)
        self._writer.writerow([result.row, result.status, *(_harmless(text) for text in texts)])


class NdjsonReport:
    """One JSON object per row."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, result: RowResult) -> None:
        """Add one line."""
        stated = {
            "row": result.row,
            "status": result.status,
            "ids": list(result.ids),
            "code": result.code,
            "pointer": result.pointer,
            "detail": result.detail,
            "cure": result.cure,
        }
        line = json.dumps_text({key: value for key, value in stated.items() if value not in ("", [])})
        self._file.write(line + "\n")


@contextmanager
def open_report(path: Path | None) -> Iterator[Report]:
    """The report at `path`, flushed and closed whatever happens; none without a path. Raises FileError."""
    if path is None:
        yield NoReport()
        return
    try:
        file = path.open("w", encoding="utf-8", newline="", errors="backslashreplace")
    except OSError as error:
        raise FileError(
            "unwritable_report", str(error), cure="Give --report a path that can be written."
        ) from error
    with file:
        yield NdjsonReport(file) if path.suffix in (".ndjson", ".jsonl", ".json") else CsvReport(file)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
