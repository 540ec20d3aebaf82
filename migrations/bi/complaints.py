"""`metric_daily` as revision 0014 made it: the complaint rate counts cases, and ratios add up over places."""

from __future__ import annotations

from typing import Final

from migrations.bi.daily import OF_PLACE
from migrations.bi.figures import metrics_daily, ratios

# An end by which a case turned out to be none, or none of its own, takes it out of the count.
_CASES: Final = (
    f"SELECT opened_date, {OF_PLACE}, NULL, count(*), NULL, NULL, NULL, NULL FROM bi.cases "
    "WHERE counts_as_opened AND kind = 'complaint' AND NOT (coalesce(ended_at <= now(), false) "
    f"AND state IN ('invalid', 'duplicate', 'merged')) GROUP BY opened_date, {OF_PLACE} UNION ALL "
)

# Sales without a complaint are part of the base, and complaints of a channel in which nothing is sold are
# complaints: a place that has one side only stays, or sums over places and days would be wrong.
CASES_COMPLAINED_OF = metrics_daily(
    ratios(
        "NULL::bigint AS complaints",
        "1000 * coalesce(a.complaints, 0 * coalesce(a.transactions, a.interactions))",
        _CASES,
        adds_up=True,
    )
)
