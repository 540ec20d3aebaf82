"""What review sites display of us: the last figure of each site and place in a bucket, never averaged."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Double, Select, Subquery, cast, func, literal, select

from app.metrics.buckets import Period
from app.metrics.facts import TenantFacts
from app.metrics.populations.counting import keys_of
from app.metrics.populations.renamed import by_its_name
from app.metrics.populations.standing import events_of, known_event, not_retracted
from app.metrics.query import MetricQuery
from app.metrics.shape import bucket_of, group_columns, identity, rows_of

DISPLAYED: Final = "rating.displayed"
_PLACE: Final = ("channel", "touchpoint", "location", "employee", "segment", "product")
_SITE: Final = ("source", "location", "product")
"""What tells one displayed figure from another."""


def count_displayed(query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    """The latest figure of each site and place by as_of, and how many of them a group holds."""
    rows = list_displayed(query, period, facts)
    keys = keys_of(rows, query)
    return (
        select(
            *keys,
            func.count().label("sites"),
            cast(func.sum(rows.c.count), BigInteger).label("reviews"),
            func.max(rows.c.value).label("rating"),
        )
        .where(rows.c.age == 1)
        .group_by(*keys)
    )


def list_displayed(query: MetricQuery, period: Period, facts: TenantFacts) -> Subquery:
    """The figures of which `count_displayed` takes the newest (`age` 1) of each site and place."""
    stated = _stated(query, facts)
    bucket = bucket_of(stated.c.occurred_at, query)
    site = [func.coalesce(stated.c[name], "") for name in _SITE]
    newest = func.row_number().over(
        partition_by=[bucket, *site], order_by=[stated.c.occurred_at.desc(), stated.c.position.desc()]
    )
    return (
        select(
            *group_columns(stated, bucket, query),
            *identity(stated.c.event_id, stated.c.occurred_at),
            stated.c.value,
            stated.c.count,
            newest.label("age"),
        )
        .where(rows_of(stated, stated.c.occurred_at, query, period, facts))
        .subquery("displayed_figures")
    )


def _stated(query: MetricQuery, facts: TenantFacts) -> Any:
    event = events_of("of_site")
    fact = event.c.fact
    return (
        select(
            event.c.tenant_id,
            event.c.source,
            event.c.occurred_at,
            event.c.position,
            event.c.event_id,
            fact["attributes"].label("attributes"),
            cast(fact["rating"].astext, Double).label("value"),
            cast(fact["count"].astext, BigInteger).label("count"),
            *(by_its_name(name, fact[name].astext, query, facts).label(name) for name in _PLACE),
        )
        .where(
            event.c.tenant_id == literal(facts.tenant_id),
            event.c.type == DISPLAYED,
            event.c.occurred_at <= literal(query.as_of),
            known_event(event, query),
            not_retracted(event, query),
        )
        .subquery("displayed")
    )
