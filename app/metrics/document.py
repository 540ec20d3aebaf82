"""The JSON document of an answer: the query as understood, columns, rows, and where the numbers come from."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from app.kit import json
from app.metrics.answer import Answer
from app.metrics.buckets import Period
from app.metrics.dimensions import Condition
from app.metrics.json_rows import rows_json
from app.metrics.links import drill_links
from app.metrics.query import MetricQuery


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
        "drill": drill_links(query),
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
        "report_type": query.report_type,
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
