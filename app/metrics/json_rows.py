"""The rows of an answer as JSON objects, written column by column: no object is made for a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import Any, assert_never

from app.kit import json
from app.metrics.columns import Column
from app.metrics.rows import Row


def rows_json(columns: Sequence[Column], rows: Sequence[Row]) -> bytes:
    """What the encoder would write of `[{column: cell, ...}, ...]`; text that all rows share is one piece."""
    if not rows:
        return b"[]"
    pieces: list[Iterable[str]] = []
    lead = "{"
    for number, (column, cells) in enumerate(zip(columns, zip(*rows, strict=True), strict=True)):
        lead += ("," if number else "") + json.dumps_text(column.name) + ":"
        texts = _texts(column, cells)
        if texts.count(texts[0]) == len(texts):
            lead += texts[0]
        else:
            pieces += (repeat(lead), texts)
            lead = ""
    pieces.append(repeat(lead + "},", len(rows)))
    written = "".join(chain.from_iterable(zip(*pieces, strict=False)))
    return f"[{written[:-1]}]".encode()


def _texts(column: Column, cells: Sequence[Any]) -> Sequence[str]:
    match column.type:
        case "number" | "integer":
            return json.dumps_text(cells)[1:-1].split(",")
        case "text" | "datetime" | "boolean":
            written = {cell: json.dumps_text(cell) for cell in set(cells)}
            return list(map(written.__getitem__, cells))
        case "list":
            return [json.dumps_text(cell) if cell else "[]" for cell in cells]
        case _:
            assert_never(column.type)
