"""An answer as an Excel workbook: the rows, and a second sheet that says what they are."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from app.metrics.columns import Column

_WIDTH: Final = 16
_WIDE: Final = 80
# A spreadsheet has no time zones: local wall time is shown, and its offset stands beside it.
_OFFSET: Final = "_offset"


def xlsx_bytes(
    columns: Sequence[Column], rows: Sequence[dict[str, Any]], about: Iterable[tuple[str, str]]
) -> bytes:
    """The workbook (needs the extra `xlsx`). Text is written as text: no cell is ever a formula."""
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        bold = book.add_format({"bold": True})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet = book.add_worksheet("rows")
        sheet.freeze_panes(1, 0)
        titles = [title for column in columns for title in _titles(column)]
        sheet.set_column(0, max(len(titles) - 1, 0), _WIDTH)
        for place, title in enumerate(titles):
            sheet.write_string(0, place, title, bold)
        for number, row in enumerate(rows, start=1):
            cells = [cell for column in columns for cell in _cells(column, row[column.name])]
            for place, cell in enumerate(cells):
                _write(sheet, number, place, cell, moment)
        sheet.autofilter(0, 0, len(rows), max(len(titles) - 1, 0))
        _about(book.add_worksheet("about"), about, bold)
    return out.getvalue()


def _about(sheet: Any, lines: Iterable[tuple[str, str]], bold: Any) -> None:
    sheet.set_column(0, 0, _WIDTH * 2)
    sheet.set_column(1, 1, _WIDE)
    for number, (name, text) in enumerate(lines):
        sheet.write_string(number, 0, name, bold)
        sheet.write_string(number, 1, text)


def _titles(column: Column) -> list[str]:
    return [column.name, column.name + _OFFSET] if column.type == "datetime" else [column.name]


def _cells(column: Column, value: Any) -> list[Any]:
    if column.type == "datetime":
        return [None, None] if value is None else [value, value.strftime("%z")]
    return ["|".join(map(str, value))] if isinstance(value, list) else [value]


def _write(sheet: Any, row: int, place: int, value: Any, moment: Any) -> None:
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, place, value)
        case int() | float():
            sheet.write_number(row, place, value)
        case datetime():
            sheet.write_datetime(row, place, value.replace(tzinfo=None), moment)
        case _:
            sheet.write_string(row, place, str(value))
