"""How cases stood at as_of: their resolution by the cycles of their handling, and facts of their journal."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    not_,
    null,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.selectable import LateralFromClause

from app.db.tables.cases import cases
from app.db.tables.journal import events
from app.journal.ports import POSITION_BITS
from app.metrics.facts import TenantFacts
from app.metrics.populations.belonging import belongs_to_case
from app.metrics.query import MetricQuery

AWAITING_OPENING: Final = "awaiting_opening"
_INSTANT: Final = DateTime(timezone=True)


class Standing(NamedTuple):
    """Joins and columns that say how each case stood.

    `resolved_at` is the final resolution (null: open), `last_resolved_at` the latest of any cycle, by
    which a reopened case is placed; `reopenings` counts the cycles after the first.
    """

    cycles: LateralFromClause
    resolved_at: ColumnElement[datetime]
    last_resolved_at: ColumnElement[datetime]
    reopenings: ColumnElement[int]


def standing(as_of: datetime) -> Standing:
    """Join `cycles` to the table of cases ON true; it is read for reopened cases only."""
    now = literal(as_of)
    steps = case((func.jsonb_typeof(cases.c.steps) == "array", cases.c.steps), else_=cast("[]", JSONB))
    element = func.jsonb_array_elements(steps).table_valued("value").render_derived()
    cycle: ColumnElement[Any] = cast(element.c.value, JSONB)
    started = cast(cycle["started_at"].astext, _INSTANT)
    done = {name: cast(cycle["steps"][name].astext, _INSTANT) for name in ("remedied", "closed")}
    ended = _ended(done["remedied"], done["closed"], now)
    last = func.max(ended, type_=_INSTANT)
    cycles = (
        select(
            case((last >= func.max(started), last)).label("resolved_at"),
            last.label("last_resolved_at"),
            (func.count() - 1).label("reopenings"),
        )
        .select_from(element)
        .where(cases.c.reopened_count > 0, started <= now)
        .lateral("handled")
    )
    only = _ended(cases.c.remedied_at, cases.c.closed_at, now)
    reopened = cases.c.reopened_count > 0
    return Standing(
        cycles=cycles,
        resolved_at=case((reopened, cycles.c.resolved_at), else_=only),
        last_resolved_at=case((reopened, cycles.c.last_resolved_at), else_=only),
        reopenings=case((reopened, cycles.c.reopenings), else_=0),
    )


def _ended(
    remedied: ColumnElement[Any], closed: ColumnElement[Any], as_of: ColumnElement[Any]
) -> ColumnElement[Any]:
    """When a cycle was resolved: remedied, or closed without a remedy; null while it was not."""
    return case((remedied <= as_of, remedied), (closed <= as_of, closed), else_=null())


def counts_at(as_of: datetime) -> ColumnElement[bool]:
    """Cases that were opened by then, and did not turn out withdrawn, duplicate or invalid."""
    now = literal(as_of)
    return and_(
        cases.c.opened_at <= now,
        cases.c.state != AWAITING_OPENING,
        func.coalesce(cases.c.ended_at > now, true()),
    )


def happened(kind: str, query: MetricQuery, facts: TenantFacts) -> ColumnElement[bool]:
    """True when the journal holds an event of this type about the case, not taken back."""
    event = events_of(kind.replace(".", "_"))
    return exists(select(literal(1)).where(event.c.type == kind, of_case(event, query, facts)))


def events_of(name: str) -> Any:
    """The journal under another name."""
    return events.alias(name)


def of_case(event: Any, query: MetricQuery, facts: TenantFacts) -> ColumnElement[bool]:
    """Events of the case that happened by as_of, were known then, and were not taken back."""
    return and_(
        event.c.tenant_id == cases.c.tenant_id,
        belongs_to_case(event, merges=facts.merges),
        event.c.occurred_at <= literal(query.as_of),
        known_event(event, query),
        not_retracted(event, query),
    )


def known_event(event: Any, query: MetricQuery) -> ColumnElement[bool]:
    """True for events of the commits up to known_at."""
    if query.known_at is None:
        return true()
    known: ColumnElement[bool] = event.c.position < literal((query.known_at + 1) << POSITION_BITS, BigInteger)
    return known


def not_retracted(event: Any, query: MetricQuery) -> ColumnElement[bool]:
    """True unless a later event took it back."""
    back = events.alias("taken_back")
    return not_(
        exists(
            select(literal(1)).where(
                back.c.tenant_id == event.c.tenant_id,
                back.c.type == "event.retracted",
                known_event(back, query),
                back.c.fact["event_id"].astext == cast(event.c.event_id, Text),
            )
        )
    )
