"""The rows of an answer as JSON objects, written column by column: no object is made for a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from typing import Any, assert_never

from app.kit import json
from app.metrics.columns import Column
from app.metrics.rows import Table


def rows_json(columns: Sequence[Column], table: Table) -> bytes:
    """What the encoder would write of `[{column: cell, ...}, ...]`; text that all rows share is one piece."""
    count = len(table[0])
    if not count:
        return b"[]"
    pieces: list[Iterable[str]] = []
    lead = "{"
    for number, (column, cells) in enumerate(zip(columns, table, strict=True)):
        lead += ("," if number else "") + json.dumps_text(column.name) + ":"
        texts = _texts(column, cells)
        if len(texts) != count:
            raise ValueError(f"the column {column.name} has {len(texts)} cells, not {count}")
        if texts.count(texts[0]) == count:
            lead += texts[0]
        else:
            pieces += (repeat(lead), texts)
            lead = ""
    pieces.append(repeat(lead + "},", count))
    written = "".join(chain.from_iterable(zip(*pieces, strict=False)))
    return f"[{written[:-1]}]".encode()


def _texts(column: Column, cells: Sequence[Any]) -> Sequence[str]:
    match column.type:
        case "number" | "integer":
            return json.dumps_text(cells)[1:-1].split(",")
        case "text" | "boolean":
            written = {cell: json.dumps_text(cell) for cell in set(cells)}
            return list(map(written.__getitem__, cells))
        case "datetime" | "list":
            # By identity: rows share these, and hashing an aware time costs more than writing it.
            distinct = dict(zip(map(id, cells), cells, strict=True))
            written = {place: json.dumps_text(cell) for place, cell in distinct.items()}
            return list(map(written.__getitem__, map(id, cells)))
        case _:
            assert_never(column.type)
