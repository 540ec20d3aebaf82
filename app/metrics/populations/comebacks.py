"""What a known customer did later: bought, came back, joined a programme."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, literal, select

from app.db.tables.journal import event_personal
from app.metrics.populations.standing import events_of, known_event, not_retracted
from app.metrics.query import MetricQuery

LOYAL_WITHIN: Final = timedelta(days=90)
_CAME: Final = ("transaction.completed", "customer.returned")


def came_back(of: Any, after: ColumnElement[datetime], query: MetricQuery) -> ColumnElement[bool]:
    """True when the customer of these columns bought or came back within 90 days after that time."""
    return customer_did(_CAME, of, query, after, after + literal(LOYAL_WITHIN))


def customer_did(
    kinds: Sequence[str],
    of: Any,
    query: MetricQuery,
    after: ColumnElement[datetime],
    until: ColumnElement[datetime] | None = None,
) -> ColumnElement[bool]:
    """True when the journal holds such an event of the customer after that time (and by `until`)."""
    event, person = events_of("of_customer"), event_personal.alias("who")
    within = [event.c.occurred_at > after, event.c.occurred_at <= literal(query.as_of)]
    if until is not None:
        within.append(event.c.occurred_at <= until)
    return exists(
        select(literal(1)).where(
            person.c.tenant_id == of.tenant_id,
            person.c.customer_ref == of.customer_ref,
            event.c.tenant_id == person.c.tenant_id,
            event.c.event_id == person.c.event_id,
            event.c.type.in_(kinds),
            known_event(event, query),
            not_retracted(event, query),
            *within,
        )
    )
