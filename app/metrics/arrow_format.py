"""An answer as an Arrow stream, and the same table as Parquet: typed columns, nothing nested."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import nanoarrow as na
from nanoarrow.ipc import StreamWriter

from app.metrics.columns import Column, ColumnType

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_PLAIN: Final = {"text": na.string, "number": na.float64, "integer": na.int64, "boolean": na.bool_}


def arrow_bytes(columns: Sequence[Column], rows: Sequence[dict[str, Any]], zone: str) -> bytes:
    """The stream: one batch, buffers not compressed (HTTP may do that). Lists are joined by `|`."""
    arrays = [_array(column.type, [row[column.name] for row in rows], zone) for column in columns]
    schema = na.struct({column.name: _type_of(column.type, zone) for column in columns})
    batch = na.c_array_from_buffers(schema, len(rows), buffers=[None], children=arrays)
    out = io.BytesIO()
    with StreamWriter.from_writable(out) as writer:
        writer.write_stream(batch)
    return out.getvalue()


def parquet_bytes(columns: Sequence[Column], rows: Sequence[dict[str, Any]], zone: str) -> bytes:
    """The same table as a Parquet file (needs the extra `parquet`)."""
    from pyarrow import ipc, parquet

    out = io.BytesIO()
    parquet.write_table(ipc.open_stream(arrow_bytes(columns, rows, zone)).read_all(), out)
    return out.getvalue()


def _type_of(kind: ColumnType, zone: str) -> Any:
    if kind == "datetime":
        return na.timestamp("us", timezone=zone)
    return _PLAIN.get(kind, na.string)()


def _array(kind: ColumnType, values: Sequence[Any], zone: str) -> Any:
    match kind:
        case "datetime":
            micros = na.c_array([_micros(value) for value in values], na.int64()).view()
            nulls = sum(value is None for value in values)
            buffers = list(micros.buffers)
            return na.c_array_from_buffers(
                _type_of(kind, zone), len(values), buffers=buffers, null_count=nulls
            )
        case "number":
            return na.c_array([None if value is None else float(value) for value in values], na.float64())
        case "list":
            texts = [None if value is None else "|".join(map(str, value)) for value in values]
            return na.c_array(texts, na.string())
        case _:
            return na.c_array(list(values), _type_of(kind, zone))


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - _EPOCH) // _MICROSECOND
