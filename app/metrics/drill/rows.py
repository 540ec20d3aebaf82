"""Reads the rows behind a number in pages, newest first, and how many there are in all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Boolean, Select, Subquery, cast, func, null, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.measures.definition import Population
from app.metrics.buckets import Period
from app.metrics.drill.behind import Behind
from app.metrics.facts import TenantFacts
from app.metrics.feedback_counts import list_answers
from app.metrics.populations.cases import list_backlog, list_closed, list_returning
from app.metrics.populations.customers import list_comebacks, list_customers
from app.metrics.populations.displayed import list_displayed
from app.metrics.populations.opened import list_opened, list_overdue_cases
from app.metrics.populations.orders import list_orders
from app.metrics.populations.resolved import list_resolved
from app.metrics.populations.reviews import list_overdue_reviews, list_reviews
from app.metrics.populations.surveys import list_acts, list_unsolicited
from app.metrics.populations.timers import list_cycles, list_timed_cases
from app.metrics.populations.volumes import list_volumes
from app.metrics.populations.waits import list_resolutions, list_responses
from app.metrics.query import MetricQuery

Place = tuple[datetime, UUID]
"""Where a page ends: the time and the id of its last row."""

_LISTS: Final[Mapping[Population, Callable[[MetricQuery, Period, TenantFacts], Subquery]]] = {
    Population.FEEDBACK: list_answers,
    Population.CHANNELS: list_answers,
    Population.VOLUME: list_volumes,
    Population.CASES_OPENED: list_opened,
    Population.OVERDUE_CASES: list_overdue_cases,
    Population.CASES_CLOSED: list_closed,
    Population.CASES_RESOLVED: list_resolved,
    Population.RESPONSES: list_responses,
    Population.RESOLUTIONS: list_resolutions,
    Population.BACKLOG: lambda query, _period, facts: list_backlog(query, facts),
    Population.RETURNING: list_returning,
    Population.TIMERS: list_cycles,
    Population.TIMED_CASES: list_timed_cases,
    Population.SURVEYS: list_acts,
    Population.UNSOLICITED: list_unsolicited,
    Population.CUSTOMERS: list_customers,
    Population.COMEBACKS: list_comebacks,
    Population.ORDERS: list_orders,
    Population.REVIEWS: list_reviews,
    Population.OVERDUE_REVIEWS: list_overdue_reviews,
    Population.DISPLAYED: list_displayed,
}
_OF_TIMERS: Final = ("timer", "subject_kind", "subject_id")


async def list_rows(
    connection: AsyncConnection, counted: Select[Any], limit: int, after: Place | None
) -> Sequence[Any]:
    """Rows of `counted_rows` behind a place."""
    rows = counted.subquery("behind")
    page = select(rows).order_by(rows.c.row_at.desc(), rows.c.row_id.desc()).limit(limit)
    if after is not None:
        page = page.where(tuple_(rows.c.row_at, rows.c.row_id) < after)
    found: Sequence[Any] = (await connection.execute(page)).all()
    return found


async def count_all(connection: AsyncConnection, counted: Select[Any], spec: Behind) -> Any:
    """`total` (rows, or what they add up to) and `hits` among them."""
    rows = counted.subquery("behind")
    total = func.coalesce(func.sum(rows.c.value), 0) if spec.adds else func.count()
    hits = func.count().filter(rows.c.hit)
    return (await connection.execute(select(total.label("total"), hits.label("hits")))).one()


def counted_rows(query: MetricQuery, facts: TenantFacts, spec: Behind) -> Select[Any]:
    """The rows that a metric counts: id, time, `hit`, `value`, and of timers whose they are."""
    rows = _LISTS[spec.population](query, query.period, facts)
    hit = cast(null(), Boolean) if spec.hit is None else func.coalesce(spec.hit(rows.c), False)
    value = null() if spec.value is None else rows.c[spec.value]
    more = [rows.c[name] for name in _OF_TIMERS] if spec.population is Population.TIMERS else []
    return select(rows.c.row_id, rows.c.row_at, hit.label("hit"), value.label("value"), *more).where(
        func.coalesce(spec.base(rows.c), False)
    )
