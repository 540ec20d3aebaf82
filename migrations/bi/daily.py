"""Views that count by day: additive components of the answers, and the metrics themselves."""

from __future__ import annotations

from migrations.bi.parts import Shown, View, dimensions, row_id

_CSAT = "'csat_1_5','csat_1_7','csat_1_10','smiley_4','stars_1_5','stars_half','button_3','binary'"
_CES = "'ces2_1_7','ces_ease_1_5','ces1_effort_1_5'"
_PLACE = ("channel", "touchpoint", "location")
_GROUPED = (
    "local_date", "source", "channel", "touchpoint", "location", "employee", "segment", "product", "question",
    "measure", "scale_id", "collection_mode",
)  # fmt: skip


def _sum(condition: str) -> str:
    return f"count(*) FILTER (WHERE f.counts AND {condition})"


FEEDBACK_DAILY = View(
    "feedback_daily",
    "Answers counted by local day and dimension. Every number may be added up: divide after adding.",
    (
        Shown("row_id", row_id(*(f"f.{name}" for name in _GROUPED)), "names the row"),
        Shown("local_date", "f.local_date", "day of the tenant's zone"),
        *dimensions("f"),
        Shown("question", "f.question", "key of the question"),
        Shown("measure", "f.measure", "what the question measures"),
        Shown("scale_id", "f.scale_id", "scale; add scores within one scale only"),
        Shown("collection_mode", "f.collection_mode", "passive, staff_prompted, invited, scraped"),
        Shown("answers", _sum("f.answer_class <> 'silent'"), "answers, the unclassed ones too"),
        Shown(
            "classed",
            _sum("f.answer_class IN ('positive', 'neutral', 'negative')"),
            "answers with a class: the n of every score",
        ),
        Shown("positive", _sum("f.answer_class = 'positive'"), "positive answers; on NPS: promoters"),
        Shown("neutral", _sum("f.answer_class = 'neutral'"), "neutral answers; on NPS: passives"),
        Shown("negative", _sum("f.answer_class = 'negative'"), "negative answers; on NPS: detractors"),
        Shown("unknown", _sum("f.answer_class = 'unknown'"), "answers without a class"),
        Shown("silent", _sum("f.answer_class = 'silent'"), "asked and reached, but no answer"),
        Shown("top", _sum("f.is_top"), "answers in the top box"),
        Shown("bottom", _sum("f.is_bottom"), "answers in the bottom box"),
        Shown(
            "score_sum",
            "coalesce(sum(f.score) FILTER (WHERE f.counts), 0)",
            "sum of the scores; mean = score_sum / classed",
        ),
        Shown("items", "count(*) FILTER (WHERE f.is_item)", "feedback items"),
        Shown("complaints", "count(*) FILTER (WHERE f.is_item AND f.is_complaint)", "items: complaints"),
    ),
    "FROM bi.feedback f WHERE f.qualification IS DISTINCT FROM 'invalid' GROUP BY "
    + ", ".join(f"f.{name}" for name in _GROUPED),
)

# (metric, numerator, denominator, rows of feedback_daily that enter)
_SCORES = (
    ("nps", "100 * (a.positive - a.negative)", "a.classed", "a.measure = 'nps' AND a.scale_id = 'nps_0_10'"),
    ("csat_t2b", "100 * a.top", "a.classed", f"a.measure = 'csat' AND a.scale_id IN ({_CSAT})"),
    ("csat_mean", "a.score_sum", "a.classed", f"a.measure = 'csat' AND a.scale_id IN ({_CSAT})"),
    ("ces_mean", "a.score_sum", "a.classed", f"a.measure = 'ces' AND a.scale_id IN ({_CES})"),
    ("ces_easy", "100 * a.positive", "a.classed", f"a.measure = 'ces' AND a.scale_id IN ({_CES})"),
    (
        "stars_mean",
        "a.score_sum",
        "a.classed",
        "a.measure = 'stars' AND a.scale_id IN ('stars_1_5', 'stars_half')",
    ),
    (
        "stars_negative",
        "100 * a.negative",
        "a.classed",
        "a.measure = 'stars' AND a.scale_id IN ('stars_1_5', 'stars_half')",
    ),
)
_COUNTS = (
    ("happiness", "100 * a.positive", "a.classed"),
    ("responses", "a.answers", "NULL"),
    ("feedback_count", "a.items", "NULL"),
    ("survey_acts", "a.items + a.silent", "NULL"),
    ("silent", "a.silent", "NULL"),
    ("complaints", "a.complaints", "NULL"),
)
_BREACHED = "s.is_breached::integer"
_MET = "(s.outcome = 'met')::integer"
_DECIDED = f"{_MET} + {_BREACHED}"


def _place(alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in _PLACE)


def _values(*rows: tuple[str, ...]) -> str:
    """A VALUES list whose numbers are of one type in every row."""
    written = []
    for metric, numerator, denominator, *applies in rows:
        cells = [f"'{metric}'", f"({numerator})::double precision", f"({denominator})::bigint", *applies]
        written.append(f"({', '.join(cells)})")
    return "(VALUES " + ", ".join(written) + ")"


def _part(day: str, source: str, alias: str, values: str, where: str = "true") -> str:
    """Rows of one source: scale and mode are not kept apart there."""
    return (
        f"SELECT {day} AS local_date, m.metric, {_place(alias)}, NULL::text AS scale_id, "
        f"NULL::text AS collection_mode, sum(m.numerator) AS numerator, "
        f"sum(m.denominator)::bigint AS denominator FROM {source} {alias} "
        f"CROSS JOIN LATERAL {values} AS m(metric, numerator, denominator) WHERE {where} "
        f"GROUP BY {day}, m.metric, {_place(alias)}"
    )


_ALL = "\nUNION ALL ".join(
    (
        f"SELECT a.local_date, m.metric, {_place('a')}, a.scale_id, a.collection_mode, "
        "sum(m.numerator) AS numerator, sum(m.denominator)::bigint AS denominator "
        f"FROM bi.feedback_daily a CROSS JOIN LATERAL {_values(*_SCORES)} "
        "AS m(metric, numerator, denominator, applies) WHERE m.applies AND a.classed > 0 "
        f"GROUP BY a.local_date, m.metric, {_place('a')}, a.scale_id, a.collection_mode",
        _part("a.local_date", "bi.feedback_daily", "a", _values(*_COUNTS)),
        _part(
            "v.local_date", "bi.volumes", "v", "(VALUES (v.kind, v.count::double precision, NULL::bigint))"
        ),
        _part(
            "c.opened_date",
            "bi.cases",
            "c",
            _values(
                ("cases_opened", "1", "NULL"),
                ("unanswered_share", "100 * c.is_unanswered::integer", "c.is_answerable::integer"),
            ),
            "c.counts_as_opened",
        ),
        _part(
            "c.closed_date", "bi.cases", "c", _values(("cases_closed", "1", "NULL")), "c.closed_at <= now()"
        ),
        _part(
            "s.due_date",
            "bi.sla_timers",
            "s",
            _values(
                ("sla_attainment", f"100 * {_MET}", _DECIDED),
                ("sla_met", _MET, "NULL"),
                ("sla_breached", _BREACHED, "NULL"),
                ("closed_late", "(s.outcome = 'closed_late')::integer", "NULL"),
                ("open_overdue", "(s.outcome = 'open_overdue')::integer", "NULL"),
            ),
        ),
    )
)

METRIC_DAILY = View(
    "metric_daily",
    "Metrics by local day and place. Over several rows: sum(numerator) / sum(denominator); where the "
    "denominator is null: sum(numerator). Never average the values.",
    (
        Shown(
            "row_id",
            row_id(*(f"d.{n}" for n in ("local_date", "metric", *_PLACE, "scale_id", "collection_mode"))),
            "names the row",
        ),
        Shown("local_date", "d.local_date", "day of the tenant's zone"),
        Shown("metric", "d.metric", "id of the metric; GET /v1/metrics describes each"),
        *dimensions("d", *_PLACE),
        Shown("scale_id", "d.scale_id", "scale of a score; null for counts and shares over all scales"),
        Shown("collection_mode", "d.collection_mode", "how a score was collected; null where it is not kept"),
        Shown(
            "value",
            "CASE WHEN d.denominator IS NULL THEN d.numerator "
            "ELSE d.numerator / nullif(d.denominator, 0) END",
            "the metric of this row, not rounded; null: no data",
        ),
        Shown("n", "coalesce(d.denominator, d.numerator::bigint)", "base size of the value"),
        Shown("numerator", "d.numerator", "may be added up"),
        Shown("denominator", "d.denominator", "may be added up; null for plain counts"),
    ),
    f"FROM ({_ALL}) AS d",
)

DAILY = (FEEDBACK_DAILY, METRIC_DAILY)
