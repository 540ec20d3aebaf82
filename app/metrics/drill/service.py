"""Finds the rows behind one metric of a query, in the snapshot and by the rules of the query itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from app.db.engine import Database
from app.domain.errors import InvalidError
from app.domain.measures.definition import Population
from app.kit.cursors import CursorError, decode_cursor, encode_cursor
from app.kit.ids import public_id
from app.metrics.answer import Reader, replay_cases
from app.metrics.drill.behind import Behind, behind
from app.metrics.drill.rows import Place, count_all, counted_rows, list_rows
from app.metrics.drill.schemas import CountedRowOut, CountedRowsOut, RowType
from app.metrics.feedback_counts import is_by_question
from app.metrics.known import known_by_seq
from app.metrics.query import resolve
from app.metrics.replay import needs_replay
from app.metrics.repository import in_time, snapshot
from app.metrics.schemas import MetricQueryIn

_TYPES: Final[Mapping[Population, RowType]] = {
    **dict.fromkeys(
        (
            Population.FEEDBACK,
            Population.CHANNELS,
            Population.SURVEYS,
            Population.UNSOLICITED,
            Population.CUSTOMERS,
            Population.COMEBACKS,
            Population.REVIEWS,
            Population.OVERDUE_REVIEWS,
        ),
        RowType.FEEDBACK,
    ),
    Population.TIMERS: RowType.TIMER,
    Population.ORDERS: RowType.ORDER,
    Population.VOLUME: RowType.EVENT,
    Population.DISPLAYED: RowType.EVENT,
}
"""What the rows of a population are; those that are not named are cases."""
_ADDRESSES: Final = {
    RowType.FEEDBACK: ("fb", "/v1/feedback/"),
    RowType.CASE: ("case", "/v1/cases/"),
    RowType.TIMER: ("evt", "/v1/events/"),
    RowType.EVENT: ("evt", "/v1/events/"),
    RowType.ORDER: ("order", None),
}
_MEANINGS: Final = {
    "age": "seconds",
    "gap": "seconds",
    "net": "money",
    "answer_class": "class",
    "value": "rating",
}


async def find_rows(
    database: Database, reader: Reader, given: MetricQueryIn, now: datetime, limit: int
) -> CountedRowsOut:
    """A page of the rows. Raises InvalidError for more than one metric, groups, and what a query refuses."""
    _check(given)
    after = _place(given.cursor)
    async with snapshot(database, reader.tenant_id, writable=given.known_at is not None) as view:
        facts = await view.get_facts()
        asked = await known_by_seq(view, given.model_copy(update={"cursor": None}), facts, now)
        query = replace(resolve(asked, facts, now), group_by=())
        if needs_replay(query):
            await replay_cases(view, reader, query)
        spec = behind(query.metrics[0].id, by_question=is_by_question(query))
        counted = counted_rows(query, facts, spec)
        with in_time(spec.population):
            total = None if after is not None else await count_all(view.connection, counted, spec)
            rows = await list_rows(view.connection, counted, limit + 1, after)
    last = rows[limit - 1] if len(rows) > limit else None
    return CountedRowsOut(
        metric=query.metrics[0].id,
        population=spec.population.value,
        equals=f"{query.metrics[0].id}_{spec.equals}",
        value_is=None if spec.value is None else _MEANINGS.get(spec.value, spec.value),
        total=None if total is None else float(total.total),
        in_numerator=None if total is None or spec.hit is None else total.hits,
        items=[_row(row, spec) for row in rows[:limit]],
        next_cursor=None if last is None else encode_cursor(last.row_at.isoformat(), last.row_id),
    )


def _check(given: MetricQueryIn) -> None:
    """One metric, one number: everything that would split it is a filter here."""
    wrong = next(
        (
            name
            for name, split in (
                ("metrics", len(given.metrics) != 1),
                ("group_by", bool(given.group_by)),
                ("compare", given.compare is not None),
                ("order", bool(given.order)),
            )
            if split
        ),
        "granularity" if given.granularity != MetricQueryIn.model_fields["granularity"].default else None,
    )
    if wrong is not None:
        raise InvalidError(
            "not_one_number",
            "rows stand behind one number: one metric of one group and period",
            pointer=f"/{wrong}",
            cure="name one metric, and put the group and the bucket into filters, from and to",
        )


def _row(row: Any, spec: Behind) -> CountedRowOut:
    kind = _TYPES.get(spec.population, RowType.CASE)
    prefix, address = _ADDRESSES[kind]
    row_id = public_id(prefix, row.row_id)
    is_timer = spec.population is Population.TIMERS
    of_case = is_timer and row.subject_kind == "case"
    return CountedRowOut(
        type=kind,
        id=row_id,
        at=row.row_at,
        in_numerator=row.hit,
        value=_plain(row.value),
        timer=row.timer if is_timer else None,
        case=public_id("case", row.subject_id) if of_case else None,
        url=None if address is None else address + row_id,
    )


def _plain(value: Any) -> float | str | None:
    return float(value) if isinstance(value, int | float | Decimal) else value


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    try:
        at, row_id = decode_cursor(cursor, 2)
        return datetime.fromisoformat(str(at)).astimezone(UTC), UUID(str(row_id))
    except (CursorError, ValueError, OverflowError):
        raise InvalidError(
            "invalid_cursor",
            "this is no cursor of these rows",
            pointer="/cursor",
            cure="take `next_cursor` of the page before, or leave it out to begin anew",
        ) from None
