"""Views that count by day: additive components of the answers, and the metrics themselves."""

from __future__ import annotations

from migrations.bi.parts import Shown, View, dimensions, row_id

CSAT = "'csat_1_5','csat_1_7','csat_1_10','smiley_4','stars_1_5','stars_half','button_3','binary'"
_CES = "'ces2_1_7','ces_ease_1_5','ces1_effort_1_5'"
_PLACE = ("channel", "touchpoint", "location")
_GROUPED = (
    "local_date", "source", "channel", "touchpoint", "location", "employee", "segment", "product", "question",
    "measure", "scale_id", "collection_mode",
)  # fmt: skip


# Whether an answer counts is a look at other rows: asked once for each, behind a fence that lets filters by.
_ANSWERS = (
    "bi.feedback f CROSS JOIN LATERAL (SELECT f.counts AS stands OFFSET 0) AS k "
    "WHERE f.qualification IS DISTINCT FROM 'invalid'"
)


def _sum(condition: str) -> str:
    return f"count(*) FILTER (WHERE k.stands AND {condition})"


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
            "coalesce(sum(f.score) FILTER (WHERE k.stands), 0)",
            "sum of the scores; mean = score_sum / classed",
        ),
        Shown("items", "count(*) FILTER (WHERE f.is_item)", "feedback items"),
        Shown("complaints", "count(*) FILTER (WHERE f.is_item AND f.is_complaint)", "items: complaints"),
    ),
    f"FROM {_ANSWERS} GROUP BY " + ", ".join(f"f.{name}" for name in _GROUPED),
)

# (metric, numerator, denominator, rows of feedback_daily that enter)
SCORES = (
    ("nps", "100 * (a.positive - a.negative)", "a.classed", "a.measure = 'nps' AND a.scale_id = 'nps_0_10'"),
    ("csat_t2b", "100 * a.top", "a.classed", f"a.measure = 'csat' AND a.scale_id IN ({CSAT})"),
    ("csat_mean", "a.score_sum", "a.classed", f"a.measure = 'csat' AND a.scale_id IN ({CSAT})"),
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
COUNTS = (
    ("happiness", "100 * a.positive", "a.classed"),
    ("responses", "a.answers", "NULL"),
    ("feedback_count", "a.items", "NULL"),
    ("survey_acts", "a.items + a.silent", "NULL"),
    ("silent", "a.silent", "NULL"),
    ("complaints", "a.complaints", "NULL"),
)
OPENED = (("cases_opened", "a.opened", "NULL"), ("unanswered_share", "100 * a.unanswered", "a.answerable"))
CLOSED = (("cases_closed", "a.closed", "NULL"),)
DEADLINES = (
    ("sla_attainment", "100 * a.met", "a.met + a.late + a.overdue"),
    ("sla_met", "a.met", "NULL"),
    ("sla_breached", "a.late + a.overdue", "NULL"),
    ("closed_late", "a.late", "NULL"),
    ("open_overdue", "a.overdue", "NULL"),
)
_ADDED = ("answers", "classed", "positive", "negative", "silent", "top", "items", "complaints", "score_sum")
_SUMS = ", ".join(
    f"{shown.expression} AS {shown.name}" for shown in FEEDBACK_DAILY.columns if shown.name in _ADDED
)
OF_PLACE = ", ".join(_PLACE)
_APART = ("scale_id", "collection_mode")


Metrics = tuple[tuple[str, ...], ...]
"""Metric, numerator, denominator, and where needed which rows enter."""


def values(rows: Metrics) -> str:
    """A VALUES list whose numbers are of one type in every row."""
    written = []
    for metric, numerator, denominator, *applies in rows:
        cells = [f"'{metric}'", f"({numerator})::double precision", f"({denominator})::bigint", *applies]
        written.append(f"({', '.join(cells)})")
    return "(VALUES " + ", ".join(written) + ")"


def part(source: str, metrics: Metrics) -> str:
    """Metrics of rows that are added up already: a VALUES list for each fact would cost much more."""
    place = ", ".join(f"a.{name}" for name in _PLACE)
    return (
        f"SELECT a.local_date, m.metric, {place}, NULL::text AS scale_id, NULL::text AS collection_mode, "
        f"m.numerator, m.denominator FROM ({source}) AS a "
        f"CROSS JOIN LATERAL {values(metrics)} AS m(metric, numerator, denominator)"
    )


def of_answers(of_scores: Metrics = SCORES, of_counts: Metrics = COUNTS) -> str:
    """Scores by scale and mode, counts across them, in one pass over the answers."""
    keys = ", ".join(f"f.{name}" for name in ("local_date", *_PLACE, "measure", *_APART))
    scores = tuple(
        (*score[:3], f"a.classed > 0 AND {score[3]}", "a.scale_id", "a.collection_mode")
        for score in of_scores
    )
    counts = tuple((*count, "true", "NULL", "NULL") for count in of_counts)
    place = ", ".join(f"a.{name}" for name in _PLACE)
    kept = f"a.local_date, m.metric, {place}, m.scale_id, m.collection_mode"
    return (
        f"SELECT {kept}, sum(m.numerator) AS numerator, sum(m.denominator)::bigint AS denominator "
        f"FROM (SELECT {keys}, {_SUMS} FROM {_ANSWERS} GROUP BY {keys}) AS a "
        f"CROSS JOIN LATERAL {values((*scores, *counts))} "
        "AS m(metric, numerator, denominator, applies, scale_id, collection_mode) "
        f"WHERE m.applies GROUP BY {kept}"
    )


def counted(day: str, source: str, where: str = "true", **counts: str) -> str:
    """Rows of a view counted by day and place under conditions."""
    columns = ", ".join(f"count(*) FILTER (WHERE {test}) AS {name}" for name, test in counts.items())
    return (
        f"SELECT {day} AS local_date, {OF_PLACE}, {columns} FROM {source} WHERE {where} "
        f"GROUP BY {day}, {OF_PLACE}"
    )


_ALL = "\nUNION ALL ".join(
    (
        of_answers(),
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
            ),
            OPENED,
        ),
        part(counted("closed_date", "bi.cases", "closed_at <= now()", closed="true"), CLOSED),
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

_EVERY = (*SCORES, *COUNTS, *OPENED, *CLOSED, *DEADLINES)
METRIC_IDS = ("visitors", "transactions", "interactions", *(metric for metric, *_ in _EVERY))
RATIO_IDS = frozenset(metric for metric, _, denominator, *_ in _EVERY if denominator != "NULL")
"""The metrics of metric_daily, and those of them that are divided."""
