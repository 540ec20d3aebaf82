"""The JSON document of an answer: the query as understood, columns, rows, and where the numbers come from."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from app.domain.measures.definition import Population
from app.kit import json
from app.metrics.answer import Answer
from app.metrics.buckets import Period
from app.metrics.dimensions import Condition
from app.metrics.json_rows import rows_json
from app.metrics.query import MetricQuery
from app.metrics.schemas import FilterOp


def answer_document(answer: Answer) -> dict[str, Any]:
    """What `AnswerOut` describes, ready for the encoder."""
    query, facts = answer.query, answer.facts
    sql = {} if answer.statements is None else {"statements": answer.statements}
    return {
        "query": _query(query),
        "columns": [
            {"name": c.name, "type": c.type, "unit": c.unit, "metric": c.metric} for c in query.columns
        ],
        "rows": json.written(answer.written or rows_json(query.columns, answer.page)),
        "next_cursor": answer.next_cursor,
        "definitions": [{"id": metric.id, "version": metric.version} for metric in query.metrics],
        "terms_version": query.terms.version,
        "annotations": [
            {
                "key": told.key,
                "title": told.title,
                "starts_at": told.starts_at,
                "ends_at": told.ends_at,
                "breaks_series": told.breaks_series,
            }
            for told in query.annotations
        ],
        "data_seq": facts.seq,
        "sources": [{"source": source, "last_event_at": at} for source, at in facts.sources],
        "plan": [
            {"population": read.population, "read": read.source, "folded_seq": read.folded_seq}
            for read in answer.reads
        ],
        "drill": _drill(query),
        **sql,
    }


def about_lines(answer: Answer) -> list[tuple[str, str]]:
    """What a workbook says of its rows: the query as understood, and each definition in words."""
    told = _query(answer.query)
    lines = [(name, _line(value)) for name, value in told.items() if value not in (None, [], "")]
    lines.append(("data_seq", str(answer.facts.seq)))
    lines += [
        (f"source {source}", "never" if at is None else at.isoformat()) for source, at in answer.facts.sources
    ]
    lines += [(f"{m.id} (version {m.version})", f"{m.title}: {m.formula}") for m in answer.query.metrics]
    return lines


def _line(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value).decode().strip('"')


def _query(query: MetricQuery) -> dict[str, Any]:
    return {
        "metrics": [metric.id for metric in query.metrics],
        "group_by": [ref.name for ref in query.group_by],
        "granularity": query.granularity,
        "period": _period(query.period, query.zone),
        "compare_period": None if query.compare is None else _period(query.compare, query.zone),
        "time_zone": query.zone.key,
        "filters": [_filter(condition) for condition in query.conditions],
        "respondents": query.respondents,
        "as_of": query.as_of.astimezone(query.zone),
        "known_at": query.known_at,
        "fill": query.fill,
        "order": [("-" if order.descending else "") + order.column for order in query.order],
        "limit": query.limit,
    }


def _period(period: Period, zone: ZoneInfo) -> dict[str, Any]:
    return {"from": period.start.astimezone(zone), "to": period.end.astimezone(zone)}


def _filter(condition: Condition) -> dict[str, Any]:
    return {"dimension": condition.ref.name, "op": condition.op, "values": list(condition.values)}


def _drill(query: MetricQuery) -> dict[str, str]:
    """Links to the lists of the rows behind the numbers, period and filters frozen.

    The lists know "any of these values" only; where the query says more, there is no link rather than a
    wrong one.
    """
    if any(condition.op not in (FilterOp.EQ, FilterOp.IN) for condition in query.conditions):
        return {}
    same = [(c.ref.name, _written(value)) for c in query.conditions for value in c.values]
    start, end = query.period.start.isoformat(), query.period.end.isoformat()
    links = {}
    if Population.FEEDBACK in query.populations:
        links["feedback"] = _link("/v1/feedback", [("from", start), ("to", end), *_measures(query), *same])
    if Population.CASES_OPENED in query.populations:
        links["cases_opened"] = _link("/v1/cases", [("opened_from", start), ("opened_to", end), *same])
    return links


def _link(path: str, parameters: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(parameters)}"


def _measures(query: MetricQuery) -> list[tuple[str, str]]:
    """The measures whose answers were read, unless all were."""
    metrics = [metric for metric in query.metrics if Population.FEEDBACK in metric.populations]
    measures = dict.fromkeys(metric.measure for metric in metrics)
    return [] if None in measures else [("measure", str(measure)) for measure in measures]


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
