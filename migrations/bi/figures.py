"""`metric_daily` as revision 0011 made it: variants, conversions, silent indices, closing ages too."""

from __future__ import annotations

from typing import Final

from alembic.operations import Operations

from migrations.bi.daily import (
    CLOSED,
    COUNTS,
    DEADLINES,
    METRIC_DAILY,
    OF_PLACE,
    OPENED,
    SCORES,
    counted,
    of_answers,
    part,
    values,
)
from migrations.bi.parts import View
from migrations.bi.rows import COUNTS as STANDS_AND_VALID
from migrations.bi.schema import OWN_TENANT
from migrations.security import BI

_NPS_1_10 = (
    "nps_1_10",
    "100 * (a.positive - a.negative)",
    "a.classed",
    "a.measure = 'nps' AND a.scale_id = 'nps_1_10'",
)
_HAPPINESS = (
    ("happiness_without_neutral", "100 * a.positive", "a.positive + a.negative"),
    ("happiness_net", "100 * (a.positive - a.negative)", "a.classed"),
)
_PROACTIVE = ("proactive_share", "100 * a.proactive", "a.opened")
_AGES = (
    ("closed_within_4_weeks", "a.within_4", "NULL"),
    ("closed_within_8_weeks", "a.within_8", "NULL"),
    ("closed_after_8_weeks", "a.after_8", "NULL"),
)
_WEEK: Final = 7 * 86_400

# The rule of who counts without the expert's verdict: what was found invalid is part of his sample.
_STANDS = STANDS_AND_VALID.replace("f.qualification IS DISTINCT FROM 'invalid' AND ", "", 1)
_ROOT = "split_part(f.cause, '.', 1)"
_FM = "f.force_majeure = 'confirmed'"
_NEGATIVE = f"f.class = 'negative' AND {_FM} IS NOT TRUE"
_VALID = "f.qualification IS DISTINCT FROM 'invalid'"
_OUTCOMES = ("positive", "neutral", "negative", "silent")
_CHECKED = "f.qualification IN ('valid', 'invalid')"


def _acts() -> str:
    """Survey acts of the key questions by day, place, mode and question."""
    counts = {
        **{name: f"{_VALID} AND f.class = '{name}'" for name in _OUTCOMES},
        **{f"fm_{name}": f"{_VALID} AND f.class = '{name}' AND {_FM}" for name in _OUTCOMES},
        "not_staff": f"{_VALID} AND {_NEGATIVE} AND {_ROOT} IN "
        "('office_process', 'product_price', 'external', 'customer_error')",
        "not_office": f"{_VALID} AND {_NEGATIVE} AND {_ROOT} IN ('staff', 'product_price', 'external')",
        "checked_positive": f"{_CHECKED} AND f.class = 'positive'",
        "ok_positive": "f.qualification = 'valid' AND f.class = 'positive'",
        "checked_negative": f"{_CHECKED} AND f.class = 'negative'",
        "ok_negative": "f.qualification = 'valid' AND f.class = 'negative'",
    }
    keys = "f.tenant_id, (f.occurred_at AT TIME ZONE t.time_zone)::date, f.channel, f.touchpoint, f.location"
    columns = ", ".join(f"count(*) FILTER (WHERE {test}) AS {name}" for name, test in counts.items())
    return (
        f"SELECT f.tenant_id, (f.occurred_at AT TIME ZONE t.time_zone)::date AS local_date, f.channel, "
        f"f.touchpoint, f.location, f.collection_mode, f.measure, {columns} "
        "FROM feedback f JOIN tenants t ON t.tenant_id = f.tenant_id "
        f"CROSS JOIN LATERAL (SELECT {_STANDS} AS stands OFFSET 0) AS k "
        "WHERE f.seq_to IS NULL AND f.measure IN ('staff', 'office', 'recommend') "
        f"AND f.class <> 'unknown' AND k.stands GROUP BY {keys}, f.collection_mode, f.measure"
    )


def _eligible(excluded: str) -> str:
    """Acts without force majeure and without negatives of excluded causes, and their silent ones."""
    return (
        "a.positive - a.fm_positive AS pos, a.neutral - a.fm_neutral AS neu, "
        f"a.negative - a.fm_negative - {excluded} AS neg, a.silent - a.fm_silent AS sil"
    )


# k of domain.md 3.3: the terms that are valid now; a type of location may have terms of its own.
_TERMS = """LEFT JOIN LATERAL (
    SELECT m.document->'silent' AS silent FROM metric_terms m
     WHERE m.tenant_id = a.tenant_id AND m.valid_from <= now() ORDER BY m.version DESC LIMIT 1
 ) AS terms ON true
 CROSS JOIN LATERAL (
    SELECT coalesce((SELECT told.value FROM jsonb_each(terms.silent->'location_types') AS told
                      WHERE told.value->'locations' ? a.location LIMIT 1), terms.silent, '{}') AS own) AS s
 CROSS JOIN LATERAL (
    SELECT CASE s.own->>'mode'
        WHEN 'mar' THEN (e.neg::float8 / nullif(e.pos + e.neu + e.neg, 0))
        WHEN 'calibrated' THEN CASE WHEN (s.own->>'followed_up')::int >= 50 THEN
            CASE WHEN (s.own->>'smoothed')::boolean
                 THEN ((s.own->>'dissatisfied')::float8 + 10) / ((s.own->>'followed_up')::float8 + 20)
                 ELSE (s.own->>'dissatisfied')::float8 / (s.own->>'followed_up')::float8 END END
        END AS measured) AS found
 CROSS JOIN LATERAL (SELECT coalesce(found.measured, (s.own->>'k')::float8, 0.5) AS k) AS w"""


def _index(metric: str, measure: str, eligible: str, numerator: str) -> str:
    place = ", ".join(f"a.{name}" for name in ("channel", "touchpoint", "location"))
    return (
        f"SELECT a.local_date, '{metric}', {place}, NULL::text, a.collection_mode, "
        f"(100 * ({numerator}))::double precision, (e.pos + e.neu + e.neg + e.sil)::bigint "
        f"FROM acts AS a CROSS JOIN LATERAL (SELECT {eligible}) AS e {_TERMS} WHERE a.measure = '{measure}'"
    )


def _surveys() -> str:
    """Silent indices by mode; force majeure and reliability across modes and questions."""
    place = ", ".join(f"a.{name}" for name in ("channel", "touchpoint", "location"))
    whole = "a.positive AS pos, a.neutral AS neu, a.negative AS neg, a.silent AS sil"
    shares = values(
        (
            ("fm_level", "100 * (a.fm_positive + a.fm_neutral + a.fm_negative + a.fm_silent)",
             "a.positive + a.neutral + a.negative + a.silent", "true", "NULL::text"),
            ("reliability_positive", "100 * a.ok_positive", "a.checked_positive", "true", "NULL"),
            ("reliability_negative", "100 * a.ok_negative", "a.checked_negative", "true", "NULL"),
            ("negative_per_contact", "100 * a.negative", "a.positive + a.neutral + a.negative + a.silent",
             "a.measure = 'recommend'", "NULL"),
            ("iel_2013", "100 * (a.positive - a.negative)", "a.positive + a.neutral + a.negative",
             "a.measure = 'recommend'", "a.collection_mode"),
        )
    )  # fmt: skip
    kept = f"a.local_date, m.metric, {place}, NULL::text, m.collection_mode"
    beside = (
        f"SELECT {kept}, sum(m.numerator), sum(m.denominator)::bigint FROM acts AS a CROSS JOIN LATERAL "
        f"{shares} AS m(metric, numerator, denominator, applies, collection_mode) WHERE m.applies "
        f"GROUP BY a.local_date, m.metric, {place}, m.collection_mode"
    )
    return "\nUNION ALL ".join(
        (
            _index("ink_personal", "staff", _eligible("a.not_staff"), "e.neg + w.k * e.sil"),
            _index("ink_office", "office", _eligible("a.not_office"), "e.neg + w.k * e.sil"),
            _index("iel", "recommend", whole, "e.pos - e.neg - w.k * e.sil"),
            beside,
        )
    )


def ratios(
    complaints: str, rate: str = "1000 * a.complaints", more: str = "", *, adds_up: bool = False
) -> str:
    """What is asked, complained of and refused, against visitors and sales of the same day and place.

    `complaints` are those of a row of bi.feedback_daily, `rate` the numerator of the complaint rate, `more`
    other rows of the same columns. `adds_up` keeps the places that have only one side of a ratio.
    """
    told = (
        f"SELECT local_date, {OF_PLACE}, items + silent AS acts, {complaints}, NULL::bigint AS negative, "
        "NULL::bigint AS visitors, NULL::bigint AS transactions, NULL::bigint AS interactions "
        f"FROM bi.feedback_daily UNION ALL {more}"
        f"SELECT local_date, {OF_PLACE}, NULL, NULL, negative, NULL, NULL, NULL FROM acts "
        "WHERE measure = 'recommend' UNION ALL "
        f"SELECT local_date, {OF_PLACE}, NULL, NULL, NULL, CASE kind WHEN 'visitors' THEN count END, "
        "CASE kind WHEN 'transactions' THEN count END, CASE kind WHEN 'interactions' THEN count END "
        "FROM bi.volumes"
    )
    sums = ", ".join(
        f"sum({name}) AS {name}"
        for name in ("acts", "complaints", "negative", "visitors", "transactions", "interactions")
    )
    source = f"SELECT local_date, {OF_PLACE}, {sums} FROM ({told}) AS told GROUP BY local_date, {OF_PLACE}"
    exposure = "CASE WHEN a.transactions > 0 THEN a.transactions ELSE a.interactions END"
    metrics = (
        ("coverage", "a.acts", "a.visitors"),
        ("precise_conversion", "a.transactions", "a.acts"),
        ("surveys_per_transaction", "a.acts", "a.transactions"),
        ("raw_conversion", "a.transactions", "a.visitors"),
        ("complaint_rate", rate, exposure),
        ("negative_per_visitor", "100 * a.negative", "a.visitors"),
        ("negative_per_transaction", "100 * a.negative", "a.transactions"),
    )
    if not adds_up:
        return part(source, metrics) + " WHERE m.denominator > 0 AND m.numerator IS NOT NULL"
    metrics = tuple((metric, above, f"coalesce({below}, 0)") for metric, above, below in metrics)
    return part(source, metrics) + " WHERE m.denominator > 0 OR m.numerator IS NOT NULL"


_BESIDE = "\nUNION ALL ".join(
    (
        of_answers((*SCORES, _NPS_1_10), (*COUNTS, *_HAPPINESS)),
        f"SELECT local_date, kind, {OF_PLACE}, NULL::text, NULL::text, sum(count)::double precision, "
        f"NULL::bigint FROM bi.volumes GROUP BY local_date, kind, {OF_PLACE}",
        part(
            counted(
                "opened_date",
                "bi.cases",
                "counts_as_opened",
                opened="true",
                answerable="is_answerable",
                unanswered="is_unanswered",
                proactive="initiative = 'proactive'",
            ),
            (*OPENED, _PROACTIVE),
        ),
        part(
            counted(
                "closed_date",
                "bi.cases",
                "closed_at <= now()",
                closed="true",
                within_4=f"closing_seconds <= {4 * _WEEK}",
                within_8=f"closing_seconds > {4 * _WEEK} AND closing_seconds <= {8 * _WEEK}",
                after_8=f"closing_seconds > {8 * _WEEK}",
            ),
            (*CLOSED, *_AGES),
        ),
        part(
            counted(
                "due_date",
                "bi.sla_timers",
                met="outcome = 'met'",
                late="outcome = 'closed_late'",
                overdue="outcome = 'open_overdue'",
            ),
            DEADLINES,
        ),
        _surveys(),
    )
)


def metrics_daily(of_ratios: str) -> View:
    """The view with these ratios."""
    rows = f"WITH acts AS MATERIALIZED ({_acts()}) {_BESIDE}\nUNION ALL {of_ratios}"
    return View(METRIC_DAILY.name, METRIC_DAILY.comment, METRIC_DAILY.columns, f"FROM ({rows}) AS d")


MORE_METRICS_DAILY = metrics_daily(ratios("complaints"))
MORE_METRIC_IDS = (
    "nps_1_10", "happiness_without_neutral", "happiness_net", "proactive_share", "closed_within_4_weeks",
    "closed_within_8_weeks", "closed_after_8_weeks", "ink_personal", "ink_office", "iel", "fm_level",
    "reliability_positive", "reliability_negative", "negative_per_contact", "iel_2013", "coverage",
    "precise_conversion", "surveys_per_transaction", "raw_conversion", "complaint_rate",
    "negative_per_visitor", "negative_per_transaction",
)  # fmt: skip
MORE_RATIO_IDS = frozenset(MORE_METRIC_IDS) - {metric for metric, *_ in _AGES}
_TERMS_READ = "tenant_id, version, valid_from, document"


def widen_metric_daily(operations: Operations) -> None:
    """More metrics under the same columns; reports may read the terms that k comes from."""
    operations.execute(f"CREATE POLICY reports ON metric_terms FOR SELECT TO {BI} USING ({OWN_TENANT})")
    operations.execute(f"GRANT SELECT ({_TERMS_READ}) ON metric_terms TO {BI}")
    operations.execute(MORE_METRICS_DAILY.replacement)


def narrow_metric_daily(operations: Operations) -> None:
    """The view as it was before."""
    operations.execute(METRIC_DAILY.replacement)
    operations.execute(f"REVOKE SELECT ({_TERMS_READ}) ON metric_terms FROM {BI}")
    operations.execute("DROP POLICY reports ON metric_terms")
