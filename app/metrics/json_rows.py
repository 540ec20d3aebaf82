"""The rows of an answer as JSON objects, written column by column: no object is made for a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
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
    lead = "},{"
    for number, (column, cells) in enumerate(zip(columns, table, strict=True)):
        texts = _texts(column, cells, lead + ("," if number else "") + json.dumps_text(column.name) + ":")
        if len(texts) != count:
            raise ValueError(f"the column {column.name} has {len(texts)} cells, not {count}")
        if texts[0] == texts[-1] and texts.count(texts[0]) == count:
            lead = texts[0]
        else:
            pieces.append(texts)
            lead = ""
    if lead:
        pieces.append(repeat(lead, count))
    written = "".join(map("".join, zip(*pieces, strict=False)))
    return b"[%b}]" % written.encode()[2:]


def _texts(column: Column, cells: Sequence[Any], lead: str) -> Sequence[str]:
    """Each cell as JSON, with what stands before it: two pieces in one are one less to join."""
    match column.type:
        case "number" | "integer":
            # numbers hold no comma, and JSON nowhere the end of a line
            written = json.dumps_text(cells)[1:-1].replace(",", "\n" + lead)
            return (lead + written).split("\n")
        case "text" | "boolean":
            distinct = {cell: lead + json.dumps_text(cell) for cell in set(cells)}
            return list(map(distinct.__getitem__, cells))
        case "datetime" | "list":
            # By identity: rows share these, and hashing an aware time costs more than writing it.
            places = list(map(id, cells))
            shared = dict(zip(places, cells, strict=True))
            by_place = {place: lead + json.dumps_text(cell) for place, cell in shared.items()}
            return list(map(by_place.__getitem__, places))
        case _:
            assert_never(column.type)
