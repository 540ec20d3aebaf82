"""The rows of an answer as JSON objects, written column by column: no object is made for a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import Any, assert_never

from app.kit import json
from app.metrics.columns import Column
from app.metrics.rows import Row


def rows_json(columns: Sequence[Column], rows: Sequence[Row]) -> bytes:
    """What the encoder would write of `[{column: cell, ...}, ...]`."""
    if not rows:
        return b"[]"
    pieces: list[Iterator[bytes]] = []
    for column, cells in zip(columns, zip(*rows, strict=True), strict=True):
        before = b"," if pieces else b"},{"
        pieces += (repeat(before + json.dumps(column.name) + b":"), _cells(column, cells))
    written = b"".join(chain.from_iterable(zip(*pieces, strict=False)))
    return b"[" + written.removeprefix(b"},") + b"}]"


def _cells(column: Column, cells: Sequence[Any]) -> Iterator[bytes]:
    match column.type:
        case "number" | "integer":
            return iter(json.dumps(cells)[1:-1].split(b","))
        case "text" | "datetime" | "boolean":
            written = {cell: json.dumps(cell) for cell in set(cells)}
            return map(written.__getitem__, cells)
        case "list":
            return (json.dumps(cell) if cell else b"[]" for cell in cells)
        case _:
            assert_never(column.type)
