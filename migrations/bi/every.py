"""Every metric by SQL: in `metric_daily` what is added up, the rest in views of its own."""

from __future__ import annotations

from typing import Final

from alembic.operations import Operations

from migrations.bi.complaints import CASES_COMPLAINED_OF
from migrations.bi.customers import CUSTOMERS_DAILY
from migrations.bi.daily import CSAT, DAILY, METRIC_DAILY, OF_PLACE, values
from migrations.bi.dimensions import DIM_SOURCE, DIMENSIONS
from migrations.bi.outcomes import CASE_OUTCOMES, taken_back
from migrations.bi.parts import Shown, View, local_date
from migrations.bi.periods import METRIC_BY_PERIOD
from migrations.bi.promises import DISPLAYED_RATINGS, ORDERS
from migrations.bi.pruning import named
from migrations.bi.replaced import REPLACED, has_overdue
from migrations.bi.rows import CASES, COUNTS, FEEDBACK, ROWS, SLA_TIMERS
from migrations.bi.schema import OWN_TENANT, READ
from migrations.bi.snapshots import BACKLOG_DAILY
from migrations.security import APP, BI


def _shares(day: str, source: str, where: str, metrics: tuple[tuple[str, str, str], ...]) -> str:
    """Shares of rows counted by day and place: (metric, what is counted, of what)."""
    counted = tuple(
        (metric, f"100 * count(*) FILTER (WHERE {part})", f"count(*) FILTER (WHERE {whole})")
        for metric, part, whole in metrics
    )
    return _of_rows(day, source, where, counted)


def _of_rows(
    day: str,
    source: str,
    where: str,
    metrics: tuple[tuple[str, str, str], ...],
    n: str = "NULL",
    currency: str = "NULL",
) -> str:
    """Aggregates of rows by day and place, one row for each metric; n and currency are those of the row."""
    numbers = ", ".join(
        f"({above}) AS a{n}, ({below}) AS b{n}" for n, (_, above, below) in enumerate(metrics)
    )
    written = values(tuple((metric, f"x.a{n}", f"x.b{n}") for n, (metric, *_) in enumerate(metrics)))
    return (
        f"SELECT x.local_date, m.metric, {', '.join(f'x.{name.strip()}' for name in OF_PLACE.split(','))}, "
        "NULL::text, NULL::text, m.numerator, m.denominator, x.n, x.currency "
        f"FROM (SELECT {day} AS local_date, {OF_PLACE}, {numbers}, ({n})::bigint AS n, "
        f"({currency})::text AS currency FROM {source} WHERE {where} GROUP BY {day}, {OF_PLACE}) AS x "
        f"CROSS JOIN LATERAL {written} AS m(metric, numerator, denominator) "
        "WHERE m.denominator IS NULL OR m.denominator > 0 OR m.numerator <> 0"
    )


def _money(amount: str) -> str:
    """A sum of money; two currencies have none."""
    return (
        f"CASE WHEN count(DISTINCT currency) FILTER (WHERE {amount} IS NOT NULL) <= 1 "
        f"AND coalesce(max(currencies) FILTER (WHERE {amount} IS NOT NULL), 0) <= 1 "
        f"THEN coalesce(sum({amount}), 0) END"
    )


_SPENT: Final = "CASE WHEN is_resolved THEN net_compensation END"
_CURRENCY: Final = "CASE WHEN min(currency) = max(currency) THEN nullif(max(currency), '') END"
_WAS_RESOLVED: Final = "counts AND resolved_date IS NOT NULL"
_ANSWERED: Final = "resurvey IN ('positive', 'neutral', 'negative')"

_RESOLVED: Final = _shares(
    "resolved_date",
    "bi.case_outcomes",
    _WAS_RESOLVED,
    (
        ("reopen_rate", "is_reopened", "true"),
        ("fcr", "resolved_once", "is_resolved"),
        ("fcr_net", "resolved_once AND first_level", "first_level"),
        ("fcr_confirmed", "resolved_once AND is_recovered", _ANSWERED),
        ("recovery_rate", "is_recovered", _ANSWERED),
        ("double_deviation_rate", "has_failed", "is_evaluable"),
        ("loyalty_conversion", "is_promoter OR has_returned OR has_joined", "knows_customer"),
    ),
)
_COSTS: Final = _of_rows(
    "resolved_date",
    "bi.case_outcomes",
    _WAS_RESOLVED,
    (
        ("cost_per_resolved", _money(_SPENT), "count(*) FILTER (WHERE is_resolved)"),
        (
            "cost_per_compensated",
            _money(_SPENT),
            "count(*) FILTER (WHERE is_resolved AND net_compensation > 0)",
        ),
    ),
    currency=_CURRENCY,
)
_CLOSED: Final = (
    _shares(
        "closed_date",
        "bi.case_outcomes",
        "closed_date IS NOT NULL",
        (("upheld_share", "outcome IN ('upheld', 'partly_upheld', 'goodwill')", "outcome IS NOT NULL"),),
    ),
    _of_rows(
        "closed_date",
        "bi.case_outcomes",
        "closed_date IS NOT NULL",
        (("redress_paid", _money("net_compensation"), "NULL"),),
        f"CASE WHEN {_money('net_compensation')} IS NOT NULL THEN count(*) END",
        _CURRENCY,
    ),
)
_PROMISES: Final = _shares(
    "promised_date",
    "bi.orders",
    "true",
    (
        ("late_share", "is_late", "true"),
        ("proactive_notice_rate", "is_delayed AND was_told_first", "is_delayed"),
    ),
)
_UNANSWERED: Final = _shares(
    "opened_date",
    "bi.cases",
    "counts_as_opened",
    (("unanswered_overdue_share", "is_unanswered AND has_overdue", "is_answerable"),),
)
_CONTACTS: Final = _of_rows(
    "local_date",
    "bi.volumes",
    "kind IN ('interactions', 'transactions')",
    (
        (
            "contact_rate",
            "sum(count) FILTER (WHERE kind = 'interactions')",
            "coalesce(sum(count) FILTER (WHERE kind = 'transactions'), 0)",
        ),
    ),
)
_JOURNEYS: Final = (
    f"SELECT a.local_date, m.metric, {OF_PLACE}, a.scale_id, a.collection_mode, sum(m.numerator), "
    "sum(m.denominator)::bigint, NULL::bigint, NULL::text FROM bi.feedback_daily AS a CROSS JOIN LATERAL "
    + values((("journey_t2b", "100 * a.top", "a.classed"), ("journey_mean", "a.score_sum", "a.classed")))
    + f" AS m(metric, numerator, denominator) WHERE a.measure = 'journey_overall' AND a.scale_id IN ({CSAT}) "
    f"AND a.classed > 0 GROUP BY a.local_date, m.metric, {OF_PLACE}, a.scale_id, a.collection_mode"
)
_OF_FEEDBACK: Final = (
    f"(SELECT {local_date('f.occurred_at')} AS local_date, f.channel, f.touchpoint, f.location, f.class, "
    "{0} FROM feedback f JOIN tenants t ON t.tenant_id = f.tenant_id {1} "
    "WHERE f.seq_to IS NULL AND f.answer_index = 0 AND f.qualification IS DISTINCT FROM 'invalid' "
    "AND {2}) AS r"
)
_IS_REVIEW: Final = "coalesce(f.subject_kind = 'review', false)"
_REPLIED: Final = (
    f"{_IS_REVIEW} AND EXISTS (SELECT FROM events e "
    "WHERE e.tenant_id = f.tenant_id AND e.subject_id = f.subject_id AND e.type = 'review.replied' "
    "AND coalesce(e.fact ->> 'human', 'true') <> 'false' AND e.occurred_at <= now() "
    f"AND NOT {taken_back('e')})"
)
_REVIEWS: Final = _shares(
    "local_date",
    _OF_FEEDBACK.format(
        f"{_REPLIED} AS replied, {_IS_REVIEW} AND {has_overdue('f.tenant_id', 'f.subject_id')} AS late",
        "",
        "(f.kind = 'review' OR f.subject_kind = 'review')",
    ),
    "true",
    (
        ("reviews_answered_share", "replied", "true"),
        ("reviews_unanswered_share", "NOT replied", "true"),
        ("reviews_overdue_share", "NOT replied AND late", "true"),
    ),
)

# The low rate of the terms that are valid now gives the estimate (domain.md 4.7). Row-level security leaves
# the terms of one tenant.
_VOICE: Final = """coalesce((SELECT (m.document -> 'voice_rates' ->> 'low')::float8 FROM metric_terms m
    WHERE m.valid_from <= now() ORDER BY m.version DESC LIMIT 1), 0.05)"""
_UNASKED: Final = "count(*) FILTER (WHERE class = 'negative')"
_LATENT: Final = _of_rows(
    "local_date",
    _OF_FEEDBACK.format(
        "k.stands AS applies",
        f"CROSS JOIN LATERAL (SELECT {COUNTS} AS stands OFFSET 0) AS k",
        "f.collection_mode IN ('passive', 'scraped') AND f.class <> 'unknown'",
    ),
    "applies",
    (("latent_negatives", f"{_UNASKED} / {_VOICE}", "NULL"),),
    _UNASKED,
)

EVERY_METRIC_DAILY: Final = View(
    METRIC_DAILY.name,
    METRIC_DAILY.comment,
    (
        *(
            Shown("n", "coalesce(d.n, d.denominator, d.numerator::bigint)", shown.comment)
            if shown.name == "n"
            else shown
            for shown in METRIC_DAILY.columns
        ),
        Shown("currency", "d.currency", "of money; null: none, or several (numerator is null then)"),
    ),
    named(
        "FROM (SELECT d.*, NULL::bigint AS n, NULL::text AS currency "
        + CASES_COMPLAINED_OF.rest
        + "\nUNION ALL "
        + "\nUNION ALL ".join(
            (_RESOLVED, _COSTS, *_CLOSED, _UNANSWERED, _PROMISES, _REVIEWS, _LATENT, _CONTACTS, _JOURNEYS)
        )
        + ") AS d"
    ),
)
EVERY_METRIC_IDS: Final = (
    "reopen_rate", "fcr", "fcr_net", "fcr_confirmed", "recovery_rate", "double_deviation_rate",
    "loyalty_conversion", "cost_per_resolved", "cost_per_compensated", "upheld_share", "redress_paid",
    "unanswered_overdue_share", "late_share", "proactive_notice_rate", "reviews_answered_share",
    "reviews_unanswered_share", "reviews_overdue_share", "latent_negatives", "contact_rate", "journey_t2b",
    "journey_mean",
)  # fmt: skip
EVERY_RATIO_IDS: Final = frozenset(EVERY_METRIC_IDS) - {"redress_paid", "latent_negatives"}
SNAPSHOT_METRIC_IDS: Final = (
    "cases_outstanding", "cases_overdue", "backlog_age_median", "backlog_age_p90",
)  # fmt: skip

NEW: Final = (CASE_OUTCOMES, ORDERS, DISPLAYED_RATINGS, CUSTOMERS_DAILY, BACKLOG_DAILY, METRIC_BY_PERIOD)
_REPLACED: Final = {view.name: view for view in (*REPLACED, EVERY_METRIC_DAILY)}
VIEWS: Final = (*(_REPLACED.get(view.name, view) for view in (*ROWS, *DAILY, *DIMENSIONS)), *NEW)
"""The views as they are now."""

# Of the journal reports may read what is told of cases, orders and reviews, and the few other kinds of facts
# that figures rest on: never the answers themselves, nor anything of the personal part but whose it is.
OWN_FACTS: Final = (
    f"{OWN_TENANT} AND (subject_kind IN ('case', 'order', 'review') OR type IN ('rating.displayed', "
    "'event.retracted', 'transaction.completed', 'customer.returned', 'customer.enrolled'))"
)
_POLICIES: Final = {
    "events": OWN_FACTS,
    **dict.fromkeys(("event_personal", "case_spans", "touchpoint_retags"), OWN_TENANT),
}
MORE_READ: Final = {
    "events": "tenant_id, position, event_id, type, source, occurred_at, subject_kind, subject_id, fact",
    "event_personal": "tenant_id, event_id, customer_ref",
    "case_spans": "tenant_id, home_id, after_at, until_at, case_id",
    "touchpoint_retags": "tenant_id, seq, raw, touchpoint",
    "cases": "steps, deviations",
    "sla_timers": "subject_kind, breaches_after",
    "feedback": "slot",
}


def read_now() -> dict[str, str]:
    """Table -> the columns that reports may read below the views."""
    tables = {**READ, "metric_terms": "tenant_id, version, valid_from, document"}
    for table, columns in MORE_READ.items():
        tables[table] = f"{tables[table]}, {columns}" if table in tables else columns
    return tables


def show_every_metric(operations: Operations) -> None:
    """The rights, the changed views, the new ones."""
    for table, rows in _POLICIES.items():
        operations.execute(f"CREATE POLICY reports ON {table} FOR SELECT TO {BI} USING ({rows})")
    for table, columns in MORE_READ.items():
        operations.execute(f"GRANT SELECT ({columns}) ON {table} TO {BI}")
    for view in REPLACED:
        operations.execute(view.replacement)
    for view in NEW:
        _create(operations, view)
    operations.execute(EVERY_METRIC_DAILY.replacement)
    for view in _REPLACED.values():
        for statement in view.statements[1:]:
            operations.execute(statement)


def show_as_before(operations: Operations) -> None:
    """Columns cannot be taken from a view: those that got more are made anew."""
    for view in (METRIC_DAILY, *reversed(NEW), SLA_TIMERS, CASES, DIM_SOURCE):
        operations.execute(f"DROP VIEW bi.{view.name}")
    operations.execute(FEEDBACK.replacement)
    for view in (DIM_SOURCE, CASES, SLA_TIMERS, CASES_COMPLAINED_OF):
        _create(operations, view)
    for table, columns in MORE_READ.items():
        operations.execute(f"REVOKE SELECT ({columns}) ON {table} FROM {BI}")
    for table in _POLICIES:
        operations.execute(f"DROP POLICY reports ON {table}")


def _create(operations: Operations, view: View) -> None:
    for statement in view.statements:
        operations.execute(statement)
    operations.execute(f"GRANT SELECT ON bi.{view.name} TO {BI}, {APP}")
