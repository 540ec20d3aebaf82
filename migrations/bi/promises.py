"""Views of what was promised and shown: orders by their promised time, ratings as sites display them."""

from __future__ import annotations

from typing import Final

from migrations.bi.belonging import named_now
from migrations.bi.outcomes import taken_back
from migrations.bi.parts import Shown, View, dimensions, local_date

_PLACE: Final = ("channel", "touchpoint", "location", "employee", "segment", "product")


def _named(alias: str) -> tuple[Shown, ...]:
    """The dimensions as events state them, a touchpoint by the name that it has now."""
    return tuple(
        shown._replace(expression=f"coalesce(named.touchpoint, {alias}.touchpoint)")
        if shown.name == "touchpoint"
        else shown
        for shown in dimensions(alias)
    )


def _first(*kinds: str) -> str:
    named = ", ".join(f"'{kind}'" for kind in kinds)
    return f"min(e.occurred_at) FILTER (WHERE e.type IN ({named}))"


_PLACES: Final = ", ".join(f"min(e.fact ->> '{name}') AS {name}" for name in _PLACE)
_ORDERS: Final = f"""
    SELECT e.tenant_id, e.subject_id AS order_id,
           min(coalesce(e.fact ->> 'promised_at', e.fact ->> 'due_at')::timestamptz)
               FILTER (WHERE e.type = 'order.promised') AS promised_at,
           {_first("order.delivered")} AS delivered_at,
           {_first("order.delay_predicted")} AS predicted_at,
           {_first("customer.notified")} AS notified_at,
           {_first("interaction.ended", "feedback.received", "case.opened")} AS contacted_at,
           min(e.source) AS source, {_PLACES}
      FROM events e
     WHERE e.subject_kind = 'order' AND e.occurred_at <= now() AND NOT {taken_back("e")}
     GROUP BY e.tenant_id, e.subject_id"""
_LATE: Final = "coalesce(o.delivered_at > o.promised_at, o.delivered_at IS NULL AND o.promised_at < now())"

ORDERS: Final = View(
    "orders",
    "One row per order with a promised time that is over, or that was delivered.",
    (
        Shown("order_id", "o.order_id", "the order"),
        Shown("promised_at", "o.promised_at", "the time first promised"),
        Shown("promised_date", local_date("o.promised_at"), "the same as a day of the tenant's zone"),
        *_named("o"),
        Shown("delivered_at", "o.delivered_at", "when it was delivered"),
        Shown("is_late", _LATE, "true: delivered after the promised time, or not yet"),
        Shown(
            "gap_hours",
            "(extract(epoch FROM o.delivered_at - o.promised_at) / 3600)::double precision",
            "from the promised to the actual delivery; negative is early; null: not delivered",
        ),
        Shown(
            "is_delayed",
            f"(o.predicted_at IS NOT NULL OR {_LATE})",
            "true: a delay was foreseen, or happened",
        ),
        Shown("notified_at", "o.notified_at", "when we told the customer of it"),
        Shown("contacted_at", "o.contacted_at", "when the customer first came to us"),
        Shown(
            "was_told_first",
            "(o.notified_at IS NOT NULL AND coalesce(o.notified_at < o.contacted_at, true))",
            "true: we told the customer before the customer came to us",
        ),
    ),
    f"FROM ({_ORDERS}) AS o JOIN tenants t ON t.tenant_id = o.tenant_id {named_now('o')}\n "
    "WHERE o.promised_at IS NOT NULL AND (o.promised_at <= now() OR o.delivered_at IS NOT NULL)",
)

_SITE: Final = "x.source, coalesce(x.location, ''), coalesce(x.product, '')"
_STATED: Final = (
    "SELECT e.tenant_id, e.event_id, e.position, e.occurred_at, e.source, "
    + ", ".join(f"e.fact ->> '{name}' AS {name}" for name in _PLACE)
    + ", (e.fact ->> 'rating')::double precision AS rating, (e.fact ->> 'count')::bigint AS reviews "
    "FROM events e WHERE e.type = 'rating.displayed' AND e.occurred_at <= now() "
    f"AND NOT {taken_back('e')}"
)
_BEFORE: Final = "ORDER BY x.occurred_at DESC, x.position DESC"

DISPLAYED_RATINGS: Final = View(
    "displayed_ratings",
    "One row per figure that a review site displayed of a place. Sites weigh in their own way: never average "
    "them; take the last one of each source, location and product.",
    (
        Shown("event_id", "x.event_id", "the event that told it"),
        Shown("occurred_at", "x.occurred_at", "when it was seen"),
        Shown("local_date", local_date("x.occurred_at"), "the same as a day of the tenant's zone"),
        *_named("x"),
        Shown("rating", "x.rating", "as displayed"),
        Shown("reviews", "x.reviews", "how many reviews the site says it rests on"),
        Shown(
            "is_last_of_day",
            f"(row_number() OVER (PARTITION BY x.tenant_id, {local_date('x.occurred_at')}, {_SITE} "
            f"{_BEFORE}) = 1)",
            "true: the day's last figure of the site and place",
        ),
        Shown(
            "is_latest",
            f"(row_number() OVER (PARTITION BY x.tenant_id, {_SITE} {_BEFORE}) = 1)",
            "true: the last figure of the site and place",
        ),
    ),
    f"FROM ({_STATED}) AS x JOIN tenants t ON t.tenant_id = x.tenant_id {named_now('x')}",
)
