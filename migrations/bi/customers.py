"""Customers compared: with a complaint resolved, with one open, and without any."""

from __future__ import annotations

from typing import Final

from migrations.bi.outcomes import counts_at, cycles, resolved_at, taken_back
from migrations.bi.parts import Shown, View, dimensions, local_date, row_id

_NOW: Final = "now()"
_TOP: Final = (
    "CASE f.scale_id WHEN 'csat_1_7' THEN f.value >= 6 WHEN 'csat_1_10' THEN f.value >= 9 "
    "ELSE f.class = 'positive' END"
)
_THEIRS: Final = (
    "c.tenant_id = f.tenant_id AND c.customer_ref = f.customer_ref AND c.opened_at < f.occurred_at "
    f"AND c.customer_facing AND {counts_at(_NOW)}"
)
_OPEN: Final = resolved_at("handled", _NOW)

# Both questions are one look at the customer's cases: none, all resolved before the answer, or one not.
_HAD: Final = f"""LEFT JOIN LATERAL (
        SELECT true AS complained, bool_or({_OPEN} IS NULL OR {_OPEN} > f.occurred_at) AS unresolved
          FROM cases c {cycles("handled", _NOW)} WHERE {_THEIRS} HAVING count(*) > 0) AS had ON true
     WHERE f.seq_to IS NULL AND f.customer_ref IS NOT NULL AND f.qualification IS DISTINCT FROM 'invalid'"""
_SIDE: Final = (
    "CASE WHEN had.complained IS NULL THEN 'untroubled' WHEN had.unresolved THEN 'unresolved' "
    "ELSE 'resolved' END AS side"
)
_ANSWERS: Final = f"""
    SELECT f.tenant_id, {local_date("f.occurred_at")} AS local_date, f.source, f.channel, f.touchpoint,
           f.location, f.employee, f.segment, f.product, f.question, f.measure, f.scale_id,
           f.collection_mode, {_TOP} AS is_top, f.class, {_SIDE}
      FROM feedback f JOIN tenants t ON t.tenant_id = f.tenant_id {_HAD}
       AND f.measure IN ('csat', 'nps') AND f.slot IS NOT NULL"""
_GROUPED: Final = (
    "local_date", "source", "channel", "touchpoint", "location", "employee", "segment", "product", "question",
    "measure", "scale_id", "collection_mode",
)  # fmt: skip

_QUARTER: Final = "interval '90 days'"
COMEBACKS: Final = f"""
    SELECT {local_date("f.occurred_at")} AS local_date, f.channel, f.touchpoint, f.location, {_SIDE},
           EXISTS (SELECT FROM event_personal who
                     JOIN events e ON e.tenant_id = who.tenant_id AND e.event_id = who.event_id
                    WHERE who.tenant_id = f.tenant_id AND who.customer_ref = f.customer_ref
                      AND e.type IN ('transaction.completed', 'customer.returned')
                      AND e.occurred_at > f.occurred_at AND e.occurred_at <= f.occurred_at + {_QUARTER}
                      AND e.occurred_at <= now() AND NOT {taken_back("e")}) AS came_back
      FROM feedback f JOIN tenants t ON t.tenant_id = f.tenant_id {_HAD}
       AND f.answer_index = 0 AND f.class <> 'silent' AND f.occurred_at + {_QUARTER} <= now()"""
"""Feedback items of known customers whose 90 days are over, by `side`: did the customer come back?"""

SIDES: Final = {
    "resolved": "all complaints resolved",
    "unresolved": "a complaint was open",
    "untroubled": "never complained before",
}
_COUNTED: Final = {
    "n": ("true", "answers: {}"),
    "top": ("a.is_top", "in the top box, of those: {}"),
    "positive": ("a.class = 'positive'", "positive (on NPS: promoters), of those: {}"),
    "negative": ("a.class = 'negative'", "negative (on NPS: detractors), of those: {}"),
}

CUSTOMERS_DAILY: Final = View(
    "customers_daily",
    "Answers of known customers about satisfaction (csat) and recommendation (nps) by local day: of those "
    "whose complaint was resolved before, is not, and who had none. Every number may be added up within one "
    "measure; paradox = resolved_top / resolved_n - untroubled_top / untroubled_n.",
    (
        Shown("row_id", row_id(*(f"a.{name}" for name in _GROUPED)), "names the row"),
        Shown("local_date", "a.local_date", "day of the tenant's zone"),
        *dimensions("a"),
        Shown("question", "a.question", "key of the question"),
        Shown("measure", "a.measure", "csat or nps: never add up across measures"),
        Shown("scale_id", "a.scale_id", "scale; never add up across scales"),
        Shown("collection_mode", "a.collection_mode", "passive, staff_prompted, invited, scraped"),
        *(
            Shown(
                f"{side}_{name}",
                f"count(*) FILTER (WHERE a.side = '{side}' AND {test})",
                comment.format(meaning),
            )
            for side, meaning in SIDES.items()
            for name, (test, comment) in _COUNTED.items()
        ),
    ),
    f"FROM ({_ANSWERS}) AS a GROUP BY " + ", ".join(f"a.{name}" for name in _GROUPED),
)
