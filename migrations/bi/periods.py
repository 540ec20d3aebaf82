"""`metric_by_period`: the metrics that cannot be added up, made for each day, week and month by grain."""

from __future__ import annotations

from typing import Final

from migrations.bi.customers import COMEBACKS, SIDES
from migrations.bi.parts import Shown, View, row_id
from migrations.bi.snapshots import GRAIN_COLUMNS, GRAINS

_KEYS: Final = "granularity, starts_on, grain, channel, touchpoint, location"
_PERIOD: Final = (
    "(VALUES ('day', {0}), ('week', date_trunc('week', {0}::timestamp)::date), "
    "('month', date_trunc('month', {0}::timestamp)::date)) AS p(granularity, starts_on)"
)
_TOLERANCE: Final = "1e-12"


def _laid_out(source: str, alias: str, day: str) -> str:
    """Each row once for every period and grain that it belongs to."""
    return (
        f"{source} AS {alias} CROSS JOIN LATERAL {_PERIOD.format(f'{alias}.{day}')} "
        f"CROSS JOIN LATERAL {GRAINS.format(alias)}"
    )


def _keys(alias: str) -> str:
    return ", ".join(f"{alias}.{name.strip()}" for name in _KEYS.split(","))


_PG: Final = "p.granularity, p.starts_on, g.grain, g.channel, g.touchpoint, g.location"
_NO_SCALE: Final = "NULL::text AS scale_id, NULL::text AS collection_mode"

# Kaplan-Meier (domain.md 5): at risk is whoever waited at least so long, ended or still waiting; the curve is
# the product of what is left at each ending, made as a sum of logarithms.
_WAITS: Final = f"""
    SELECT {_PG}, w.metric, w.seconds, count(*) AS gone, count(*) FILTER (WHERE w.ended) AS ended
      FROM {_laid_out("bi.case_outcomes", "c", "opened_date")}
     CROSS JOIN LATERAL (VALUES ('first_response', c.response_seconds, c.is_answered),
                                ('resolution', c.resolution_seconds, c.is_resolved))
           AS w(metric, seconds, ended)
     WHERE w.seconds IS NOT NULL GROUP BY {_PG}, w.metric, w.seconds"""
_AT_RISK: Final = f"""
    SELECT w.*, (sum(w.gone) OVER (PARTITION BY {_keys("w")}, w.metric ORDER BY w.seconds DESC))::float8
               AS at_risk
      FROM ({_WAITS}) AS w"""
_LEFT: Final = (
    "CASE WHEN r.ended = 0 THEN 0 WHEN r.ended >= r.at_risk THEN '-Infinity'::float8 "
    "ELSE ln(1 - r.ended / r.at_risk) END"
)
_CURVE: Final = f"""
    SELECT r.*, exp(sum({_LEFT}) OVER (PARTITION BY {_keys("r")}, r.metric ORDER BY r.seconds)) AS survival
      FROM ({_AT_RISK}) AS r"""
_TIMES: Final = f"""
    SELECT {_keys("s")}, q.metric, {_NO_SCALE},
           q.seconds / CASE s.metric WHEN 'resolution' THEN 3600 ELSE 60 END, s.n
      FROM (SELECT {_keys("v")}, v.metric, sum(v.gone)::bigint AS n,
                   min(v.seconds) FILTER (WHERE v.survival <= 0.5 + {_TOLERANCE}) AS half,
                   min(v.seconds) FILTER (WHERE v.survival <= 0.1 + {_TOLERANCE}) AS tenth
              FROM ({_CURVE}) AS v GROUP BY {_keys("v")}, v.metric) AS s
     CROSS JOIN LATERAL (VALUES (s.metric || '_median', s.half), (s.metric || '_p90', s.tenth))
        AS q(metric, seconds)"""
_BY_CHANNEL: Final = """(VALUES ('total', NULL::text, NULL::text), ('touchpoint', a.touchpoint, NULL),
    ('location', NULL, a.location)) AS g(grain, touchpoint, location)"""
_CHANNELS: Final = f"""
    SELECT s.granularity, s.starts_on, s.grain, NULL::text, s.touchpoint, s.location,
           'happiness_equal_channels', {_NO_SCALE},
           avg(100 * s.positive / s.classed) FILTER (WHERE s.classed >= 5),
           sum(s.classed)::bigint
      FROM (SELECT p.granularity, p.starts_on, g.grain, g.touchpoint, g.location, a.channel,
                   sum(a.positive)::float8 AS positive, sum(a.classed)::float8 AS classed
              FROM bi.feedback_daily AS a CROSS JOIN LATERAL {_PERIOD.format("a.local_date")}
             CROSS JOIN LATERAL {_BY_CHANNEL}
             GROUP BY p.granularity, p.starts_on, g.grain, g.touchpoint, g.location, a.channel) AS s
     GROUP BY s.granularity, s.starts_on, s.grain, s.touchpoint, s.location"""
_BREACHED: Final = "s.outcome IN ('closed_late', 'open_overdue')"
_TIMED_CASES: Final = f"""
    SELECT {_keys("w")}, 'sla_attainment_cases', {_NO_SCALE},
           100.0::float8 * count(*) FILTER (WHERE w.met AND NOT w.breached)
               / nullif(count(*) FILTER (WHERE w.met OR w.breached), 0),
           count(*) FILTER (WHERE w.met OR w.breached)
      FROM (SELECT {_PG}, bool_or({_BREACHED}) AS breached, bool_or(s.outcome = 'met') AS met
              FROM {_laid_out("bi.sla_timers", "s", "due_date")}
             WHERE s.subject_kind = 'case' GROUP BY {_PG}, s.case_id) AS w
     GROUP BY {_keys("w")}"""


def _differences(metric: str, scores: str) -> str:
    """The two differences of rows with the base `*_n` and the score `*_s` of each side."""
    return f"""
    SELECT {_keys("s")}, m.metric, s.scale_id, s.collection_mode,
           100 * (s.resolved_s / nullif(s.resolved_n, 0) - m.score / nullif(m.n, 0)), s.resolved_n::bigint
      FROM ({scores}) AS s
     CROSS JOIN LATERAL (VALUES ('paradox_delta{metric}', s.untroubled_s, s.untroubled_n),
                                ('resolved_delta{metric}', s.unresolved_s, s.unresolved_n))
           AS m(metric, score, n)"""


def _of_measure(measure: str, score: str) -> str:
    sums = ", ".join(
        f"sum(a.{side}_n)::float8 AS {side}_n, sum({score.format(f'a.{side}')})::float8 AS {side}_s"
        for side in SIDES
    )
    return (
        f"SELECT {_PG}, a.scale_id, a.collection_mode, {sums} "
        f"FROM {_laid_out('bi.customers_daily', 'a', 'local_date')} WHERE a.measure = '{measure}' "
        f"GROUP BY {_PG}, a.scale_id, a.collection_mode"
    )


_CAME: Final = ", ".join(
    f"(count(*) FILTER (WHERE a.side = '{side}'))::float8 AS {side}_n, "
    f"(count(*) FILTER (WHERE a.side = '{side}' AND a.came_back))::float8 AS {side}_s"
    for side in SIDES
)
_COMPARED: Final = "\nUNION ALL ".join(
    (
        _differences("", _of_measure("csat", "{0}_top")),
        _differences("_nps", _of_measure("nps", "{0}_positive - {0}_negative")),
        _differences(
            "_return",
            f"SELECT {_PG}, {_NO_SCALE}, {_CAME} "
            f"FROM {_laid_out(f'({COMEBACKS})', 'a', 'local_date')} GROUP BY {_PG}",
        ),
    )
)
_RETURNING: Final = f"""
    SELECT {_keys("s")}, 'repeat_feedback_ratio', {_NO_SCALE},
           (s.answered_again / nullif(s.answered, 0))
               / nullif(s.unanswered_again / nullif(s.unanswered, 0), 0), (s.answered + s.unanswered)::bigint
      FROM (SELECT {_PG}, count(*) FILTER (WHERE c.answered_in_180_days)::float8 AS answered,
                   count(*) FILTER (WHERE c.answered_in_180_days AND c.spoke_again)::float8 AS answered_again,
                   count(*) FILTER (WHERE NOT c.answered_in_180_days)::float8 AS unanswered,
                   count(*) FILTER (WHERE NOT c.answered_in_180_days AND c.spoke_again)::float8
                       AS unanswered_again
              FROM {_laid_out("bi.case_outcomes", "c", "opened_date")}
             WHERE c.answered_in_180_days IS NOT NULL GROUP BY {_PG}) AS s"""
_GAPS: Final = f"""
    SELECT {_PG}, 'expectation_gap_median', {_NO_SCALE},
           percentile_cont(0.5) WITHIN GROUP (ORDER BY o.gap_hours), count(*)
      FROM {_laid_out("bi.orders", "o", "promised_date")} WHERE o.gap_hours IS NOT NULL GROUP BY {_PG}"""
_DISPLAYED: Final = f"""
    SELECT s.granularity, s.starts_on, g.grain, g.channel, g.touchpoint, g.location, 'displayed_rating',
           {_NO_SCALE}, CASE WHEN count(*) = 1 THEN max(s.rating) END, sum(s.reviews)::bigint
      FROM (SELECT p.granularity, p.starts_on, x.channel, x.touchpoint, x.location, x.rating, x.reviews,
                   row_number() OVER (PARTITION BY p.granularity, p.starts_on, x.source,
                       coalesce(x.location, ''), coalesce(x.product, '') ORDER BY x.local_date DESC) AS age
              FROM bi.displayed_ratings AS x CROSS JOIN LATERAL {_PERIOD.format("x.local_date")}
             WHERE x.is_last_of_day) AS s
     CROSS JOIN LATERAL {GRAINS.format("s")} WHERE s.age = 1
     GROUP BY s.granularity, s.starts_on, g.grain, g.channel, g.touchpoint, g.location"""

PERIOD_METRIC_IDS: Final = (
    "first_response_median", "first_response_p90", "resolution_median", "resolution_p90",
    "happiness_equal_channels", "sla_attainment_cases", "paradox_delta", "resolved_delta",
    "paradox_delta_nps", "resolved_delta_nps", "paradox_delta_return", "resolved_delta_return",
    "repeat_feedback_ratio", "expectation_gap_median", "displayed_rating",
)  # fmt: skip
_ALL: Final = "\nUNION ALL ".join((_TIMES, _CHANNELS, _TIMED_CASES, _COMPARED, _RETURNING, _GAPS, _DISPLAYED))
_COLUMNS: Final = f"{_KEYS}, metric, scale_id, collection_mode, value, n"
_NAMED: Final = ("granularity", "starts_on", "grain", "channel", "touchpoint", "location", "metric",
                 "scale_id", "collection_mode")  # fmt: skip

METRIC_BY_PERIOD: Final = View(
    "metric_by_period",
    "Metrics that cannot be added up (medians, differences, the worst of a case), made for each day, week "
    "and month and by grain. Filter by one granularity and one grain; never add up or average the values.",
    (
        Shown("row_id", row_id(*(f"d.{name}" for name in _NAMED)), "names the row"),
        Shown("granularity", "d.granularity", "day, week or month: filter by one"),
        Shown("starts_on", "d.starts_on", "first day of the period in the tenant's zone"),
        *(Shown(name, f"d.{name}", comment) for name, comment in GRAIN_COLUMNS),
        Shown("metric", "d.metric", "id of the metric; GET /v1/metrics describes each"),
        Shown("scale_id", "d.scale_id", "scale of a score; null where it has none"),
        Shown("collection_mode", "d.collection_mode", "how a score was collected; null where it is not kept"),
        Shown(
            "value",
            "d.value",
            "the metric of this row, not rounded; null: not reached, nobody to compare, or several sites",
        ),
        Shown("n", "d.n", "base size of the value"),
    ),
    f"FROM ({_ALL}) AS d({_COLUMNS}) WHERE d.n > 0",
)
