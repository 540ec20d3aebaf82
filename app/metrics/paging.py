"""Order and pages of an answer: the rows in the asked order, and a cursor that resumes after the last one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from itertools import dropwhile
from operator import itemgetter
from typing import Any, Final, NamedTuple

from app.domain.errors import InvalidError
from app.kit import json
from app.kit.cursors import CursorError, decode_cursor, encode_cursor
from app.metrics.buckets import Granularity
from app.metrics.columns import BUCKET
from app.metrics.query import MetricQuery
from app.metrics.rows import Row, Table

_CURSOR_PARTS: Final = 2


def page_of(query: MetricQuery, table: Table) -> tuple[Table, str | None]:
    """One page of the table (given in the order of its keys) and the cursor of the next, if there is one.

    The cursor holds the sort values of the last row given, so that rows which appear or vanish between two
    pages neither repeat nor hide others. Raises InvalidError `invalid_cursor`.
    """
    if not query.order and query.cursor is None and len(table[0]) <= query.limit:
        return table, None
    keys = _sort_keys(query)
    ordered = list(zip(*table, strict=True))
    for key in reversed(keys[: len(query.order)]):
        ordered = _sorted_by(key, ordered)
    if query.cursor is not None:
        last = _decoded(query, keys)
        try:
            ordered = list(dropwhile(lambda row: not _is_after(row, last, keys), ordered))
        except TypeError:
            raise _invalid_cursor() from None
    page = ordered[: query.limit]
    turned: Table = list(zip(*page, strict=True)) if page else [()] * len(table)
    if len(ordered) <= query.limit:
        return turned, None
    return turned, encode_cursor(_digest(query), [page[-1][key.place] for key in keys])


class _SortKey(NamedTuple):
    """A column of the rows by which they are sorted."""

    place: int
    name: str
    descending: bool = False


def _sort_keys(query: MetricQuery) -> list[_SortKey]:
    """The asked columns, then the key, by which no two rows are equal."""
    index = {column.name: number for number, column in enumerate(query.columns)}
    names = [] if query.granularity is Granularity.NONE else [BUCKET]
    names += [ref.name for ref in query.group_by]
    asked = [_SortKey(index[order.column], order.column, order.descending) for order in query.order]
    return [*asked, *(_SortKey(index[name], name) for name in names)]


def _sorted_by(key: _SortKey, rows: Sequence[Row]) -> list[Row]:
    """Stable, nulls last whatever the direction."""
    known = [row for row in rows if row[key.place] is not None]
    known.sort(key=itemgetter(key.place), reverse=key.descending)
    return [*known, *(row for row in rows if row[key.place] is None)]


def _is_after(row: Row, last: Sequence[Any], keys: Sequence[_SortKey]) -> bool:
    for key, before in zip(keys, last, strict=True):
        value = row[key.place]
        if value == before:
            continue
        if value is None or before is None:
            return value is None
        return bool(value < before) if key.descending else bool(value > before)
    return False


def _decoded(query: MetricQuery, keys: Sequence[_SortKey]) -> list[Any]:
    """The sort values in a cursor that this very query gave out."""
    try:
        digest, last = decode_cursor(query.cursor or "", _CURSOR_PARTS)
        if digest != _digest(query) or not isinstance(last, list) or len(last) != len(keys):
            raise CursorError("a cursor of another query")
        pairs = zip(keys, last, strict=True)
        return [datetime.fromisoformat(value) if key.name == BUCKET else value for key, value in pairs]
    except (CursorError, TypeError, ValueError):
        raise _invalid_cursor() from None


def _invalid_cursor() -> InvalidError:
    return InvalidError(
        "invalid_cursor",
        "this cursor belongs to another query, or to the same words on another day",
        pointer="/cursor",
        cure="send next_cursor with the very query that gave it, or start again without a cursor",
    )


def _digest(query: MetricQuery) -> str:
    """Tells queries apart by all that decides which rows there are and in which order."""
    told = [
        [metric.id for metric in query.metrics],
        [ref.name for ref in query.group_by],
        query.granularity,
        [query.period.start, query.period.end, query.zone.key],
        [[c.ref.name, c.op, list(c.values)] for c in query.conditions],
        [
            query.compare and [query.compare.start, query.compare.end],
            query.respondents,
            query.known_at,
            query.fill,
        ],
        [[order.column, order.descending] for order in query.order],
    ]
    return hashlib.sha256(json.dumps(told)).hexdigest()[:16]
