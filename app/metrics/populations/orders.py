"""Orders by the time that was promised: kept, late, and told before the customer had to ask."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import DateTime, Select, Subquery, Text, and_, cast, extract, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, JSONB

from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.populations.counting import keys_of
from app.metrics.populations.renamed import by_its_name
from app.metrics.populations.standing import events_of, known_event, not_retracted
from app.metrics.query import MetricQuery
from app.metrics.shape import bucket_of, group_columns, identity, rows_of

_INSTANT: Final = DateTime(timezone=True)
_DIMENSIONS: Final = ("channel", "touchpoint", "location", "employee", "segment", "product")
_CONTACTS: Final = ("interaction.ended", "feedback.received", "case.opened")


def count_orders(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """Orders promised for the period (due by as_of), from the events of each order."""
    rows = list_orders(query, period, facts)
    keys = keys_of(rows, query)
    gaps = func.array_agg(rows.c.gap, type_=ARRAY(DOUBLE_PRECISION))
    return select(
        *keys,
        func.count().label("promised"),
        func.count().filter(rows.c.delivered).label("delivered"),
        func.count().filter(rows.c.late).label("late"),
        func.count().filter(rows.c.delayed).label("delayed"),
        func.count().filter(and_(rows.c.delayed, rows.c.told)).label("told_first"),
        gaps.filter(rows.c.gap.is_not(None)).label("gaps"),
    ).group_by(*keys)


def list_orders(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """The orders that `count_orders` counts."""
    orders = _orders(query, facts)
    as_of = literal(query.as_of)
    late = or_(
        orders.c.delivered_at > orders.c.promised_at,
        and_(orders.c.delivered_at.is_(None), orders.c.promised_at < as_of),
    )
    return (
        select(
            *group_columns(orders, bucket_of(orders.c.promised_at, query), query),
            *identity(orders.c.subject_id, orders.c.promised_at),
            late.label("late"),
            orders.c.delivered_at.is_not(None).label("delivered"),
            or_(orders.c.predicted_at.is_not(None), late).label("delayed"),
            and_(
                orders.c.notified_at.is_not(None),
                func.coalesce(orders.c.notified_at < orders.c.contacted_at, True),
            ).label("told"),
            extract("epoch", orders.c.delivered_at - orders.c.promised_at).label("gap"),
        )
        .where(
            rows_of(orders, orders.c.promised_at, query, period, facts),
            or_(orders.c.promised_at <= as_of, orders.c.delivered_at.is_not(None)),
        )
        .subquery("promised_orders")
    )


def _orders(query: MetricQuery, facts: TenantFacts) -> Any:
    """One row for each order: the time first promised, and when the rest happened."""
    event = events_of("of_order")
    fact, at = event.c.fact, event.c.occurred_at

    def first(*kinds: str) -> Any:
        return func.min(at).filter(event.c.type.in_(kinds))

    promised = func.coalesce(fact["promised_at"].astext, fact["due_at"].astext)
    attributes = cast(func.max(cast(fact["attributes"], Text)), JSONB)
    return (
        select(
            event.c.tenant_id,
            event.c.subject_id,
            func.min(cast(promised, _INSTANT)).filter(event.c.type == "order.promised").label("promised_at"),
            first("order.delivered").label("delivered_at"),
            first("order.delay_predicted").label("predicted_at"),
            first("customer.notified").label("notified_at"),
            first(*_CONTACTS).label("contacted_at"),
            func.min(event.c.source).label("source"),
            attributes.label("attributes"),
            *(
                by_its_name(name, func.min(fact[name].astext), query, facts).label(name)
                for name in _DIMENSIONS
            ),
        )
        .where(
            event.c.tenant_id == literal(facts.tenant_id),
            event.c.subject_kind == "order",
            at <= literal(query.as_of),
            known_event(event, query),
            not_retracted(event, query),
        )
        .group_by(event.c.tenant_id, event.c.subject_id)
        .subquery("orders")
    )
