"""The view that compares customers: with a complaint resolved, with one open, and without any."""

from __future__ import annotations

from typing import Final

from migrations.bi.outcomes import counts_at, cycles, resolved_at
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
_ANSWERS: Final = f"""
    SELECT f.tenant_id, {local_date("f.occurred_at")} AS local_date, f.source, f.channel, f.touchpoint,
           f.location, f.employee, f.segment, f.product, f.question, f.scale_id, f.collection_mode,
           {_TOP} AS is_top, coalesce(had.complained, false) AS complained,
           coalesce(had.unresolved, false) AS unresolved
      FROM feedback f JOIN tenants t ON t.tenant_id = f.tenant_id
      LEFT JOIN LATERAL (
        SELECT true AS complained, bool_or({_OPEN} IS NULL OR {_OPEN} > f.occurred_at) AS unresolved
          FROM cases c {cycles("handled", _NOW)} WHERE {_THEIRS} HAVING count(*) > 0) AS had ON true
     WHERE f.seq_to IS NULL AND f.measure = 'csat' AND f.slot IS NOT NULL AND f.customer_ref IS NOT NULL
       AND f.qualification IS DISTINCT FROM 'invalid'"""
_GROUPED: Final = (
    "local_date", "source", "channel", "touchpoint", "location", "employee", "segment", "product", "question",
    "scale_id", "collection_mode",
)  # fmt: skip


def _count(condition: str) -> str:
    return f"count(*) FILTER (WHERE {condition})"


CUSTOMERS_DAILY: Final = View(
    "customers_daily",
    "Satisfaction answers of known customers by local day: of those whose complaint was resolved before, is "
    "not, and who had none. Every number may be added up; paradox = resolved_top / resolved_n - "
    "untroubled_top / untroubled_n.",
    (
        Shown("row_id", row_id(*(f"a.{name}" for name in _GROUPED)), "names the row"),
        Shown("local_date", "a.local_date", "day of the tenant's zone"),
        *dimensions("a"),
        Shown("question", "a.question", "key of the question"),
        Shown("scale_id", "a.scale_id", "scale; never add up across scales"),
        Shown("collection_mode", "a.collection_mode", "passive, staff_prompted, invited, scraped"),
        Shown(
            "resolved_top", _count("a.complained AND NOT a.unresolved AND a.is_top"), "of them in the top box"
        ),
        Shown("resolved_n", _count("a.complained AND NOT a.unresolved"), "answers: all complaints resolved"),
        Shown(
            "unresolved_top", _count("a.complained AND a.unresolved AND a.is_top"), "of them in the top box"
        ),
        Shown("unresolved_n", _count("a.complained AND a.unresolved"), "answers: a complaint was open"),
        Shown("untroubled_top", _count("NOT a.complained AND a.is_top"), "of them in the top box"),
        Shown("untroubled_n", _count("NOT a.complained"), "answers: never complained before"),
    ),
    f"FROM ({_ANSWERS}) AS a GROUP BY " + ", ".join(f"a.{name}" for name in _GROUPED),
)
