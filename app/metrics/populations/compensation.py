"""Net compensation of a case, from its `compensation.*` events: granted minus what was got back."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Numeric, Text, and_, cast, func, literal, or_, select
from sqlalchemy.sql.selectable import LateralFromClause

from app.db.tables.cases import cases
from app.metrics.facts import TenantFacts
from app.metrics.populations.standing import events_of, of_case
from app.metrics.query import MetricQuery

_GRANTS: Final = ("compensation.approved", "compensation.delivered")
_STATES: Final = ("compensation.offered", *_GRANTS)


def compensation(query: MetricQuery, facts: TenantFacts) -> LateralFromClause:
    """One row for each case: `net` (null: nothing granted), `currency`, `currencies`. Join it ON true.

    A compensation counts once approved or delivered, unless it was rejected and never delivered; sums are
    in the base currency of the grant where the event states one, of the offer rather than of its approval.
    """
    event = events_of("paid")
    amount = cast(func.coalesce(event.c.fact["base_amount"].astext, event.c.fact["amount"].astext), Numeric)
    currency = func.coalesce(
        event.c.fact["base_currency"].astext, event.c.fact["currency"].astext, "", type_=Text
    )
    delivered = func.bool_or(event.c.type == "compensation.delivered")
    back = func.sum(amount).filter(event.c.type == "compensation.recovered")
    each = (
        select(
            func.coalesce(*(func.max(amount).filter(event.c.type == kind) for kind in _STATES), 0).label(
                "amount"
            ),
            func.coalesce(back, 0).label("recovered"),
            func.max(currency).label("currency"),
            and_(
                func.bool_or(event.c.type.in_(_GRANTS)),
                or_(delivered, ~func.bool_or(event.c.type == "compensation.rejected")),
            ).label("granted"),
        )
        .where(of_case(event, query, facts), event.c.type.like(literal("compensation.%")))
        .group_by(func.coalesce(event.c.fact["compensation"].astext, "1"))
        .correlate(cases)
        .subquery("each")
    )
    granted: Any = each.c.granted
    return (
        select(
            func.sum(each.c.amount - each.c.recovered).filter(granted).label("net"),
            func.max(each.c.currency).filter(granted).label("currency"),
            func.count(each.c.currency.distinct()).filter(granted).label("currencies"),
        )
        .select_from(each)
        .correlate(cases)
        .lateral("compensated")
    )
