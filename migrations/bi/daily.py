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
_OPENED = (("cases_opened", "a.opened", "NULL"), ("unanswered_share", "100 * a.unanswered", "a.answerable"))
_CLOSED = (("cases_closed", "a.closed", "NULL"),)
_DEADLINES = (
    ("sla_attainment", "100 * a.met", "a.met + a.late + a.overdue"),
    ("sla_met", "a.met", "NULL"),
    ("sla_breached", "a.late + a.overdue", "NULL"),
    ("closed_late", "a.late", "NULL"),
    ("open_overdue", "a.overdue", "NULL"),
)
_ADDED = ("answers", "classed", "positive", "negative", "silent", "top", "items", "complaints", "score_sum")
_SUMS = ", ".join(f"sum(f.{name}) AS {name}" for name in _ADDED)
_OF_PLACE = ", ".join(_PLACE)
_APART = ("scale_id", "collection_mode")


def _values(rows: tuple[tuple[str, ...], ...]) -> str:
    """A VALUES list whose numbers are of one type in every row."""
    written = []
    for metric, numerator, denominator, *applies in rows:
        cells = [f"'{metric}'", f"({numerator})::double precision", f"({denominator})::bigint", *applies]
        written.append(f"({', '.join(cells)})")
    return "(VALUES " + ", ".join(written) + ")"


def _part(source: str, metrics: tuple[tuple[str, ...], ...], *, apart: bool = False) -> str:
    """Metrics of rows that are added up already: a VALUES list for each fact would cost much more."""
    kept = ", ".join(f"a.{name}" if apart else f"NULL::text AS {name}" for name in _APART)
    place = ", ".join(f"a.{name}" for name in _PLACE)
    applies, only = (", applies", " WHERE m.applies AND a.classed > 0") if apart else ("", "")
    return (
        f"SELECT a.local_date, m.metric, {place}, {kept}, m.numerator, m.denominator FROM ({source}) AS a "
        f"CROSS JOIN LATERAL {_values(metrics)} AS m(metric, numerator, denominator{applies}){only}"
    )


def _counted(day: str, source: str, where: str = "true", **counts: str) -> str:
    """Rows of a view counted by day and place under conditions."""
    columns = ", ".join(f"count(*) FILTER (WHERE {test}) AS {name}" for name, test in counts.items())
    return (
        f"SELECT {day} AS local_date, {_OF_PLACE}, {columns} FROM {source} WHERE {where} "
        f"GROUP BY {day}, {_OF_PLACE}"
    )


_ALL = "\nUNION ALL ".join(
    (
        _part(
            f"SELECT local_date, {_OF_PLACE}, measure, scale_id, collection_mode, {_SUMS} "
            f"FROM bi.feedback_daily f GROUP BY local_date, {_OF_PLACE}, measure, scale_id, collection_mode",
            _SCORES,
            apart=True,
        ),
        _part(
            f"SELECT local_date, {_OF_PLACE}, {_SUMS} FROM bi.feedback_daily f "
            f"GROUP BY local_date, {_OF_PLACE}",
            _COUNTS,
        ),
        f"SELECT local_date, kind, {_OF_PLACE}, NULL::text, NULL::text, sum(count)::double precision, "
        f"NULL::bigint FROM bi.volumes GROUP BY local_date, kind, {_OF_PLACE}",
        _part(
            _counted(
                "opened_date",
                "bi.cases",
                "counts_as_opened",
                opened="true",
                answerable="is_answerable",
                unanswered="is_unanswered",
            ),
            _OPENED,
        ),
        _part(_counted("closed_date", "bi.cases", "closed_at <= now()", closed="true"), _CLOSED),
        _part(
            _counted(
                "due_date",
                "bi.sla_timers",
                met="outcome = 'met'",
                late="outcome = 'closed_late'",
                overdue="outcome = 'open_overdue'",
            ),
            _DEADLINES,
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
