"""The JSON document of an answer: the query as understood, columns, rows, and where the numbers come from."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from app.domain.measures.definition import Population
from app.metrics.answer import Answer
from app.metrics.buckets import Period
from app.metrics.dimensions import Condition
from app.metrics.query import MetricQuery
from app.metrics.schemas import FilterOp

_ROWS_BEHIND = {Population.FEEDBACK: "/v1/feedback", Population.CASES_OPENED: "/v1/cases"}


def answer_document(answer: Answer) -> dict[str, Any]:
    """What `AnswerOut` describes, ready for the encoder."""
    query, facts = answer.query, answer.facts
    return {
        "query": _query(query),
        "columns": [
            {"name": c.name, "type": c.type, "unit": c.unit, "metric": c.metric} for c in query.columns
        ],
        "rows": answer.rows,
        "next_cursor": answer.next_cursor,
        "definitions": [{"id": metric.id, "version": metric.version} for metric in query.metrics],
        "data_seq": facts.seq,
        "sources": [{"source": source, "last_event_at": at} for source, at in facts.sources],
        "plan": [
            {"population": read.population, "read": read.source, "folded_seq": read.folded_seq}
            for read in answer.reads
        ],
        "drill": _drill(query),
    }


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
    """Links to the rows behind the numbers, period and filters frozen."""
    parameters = [("from", query.period.start.isoformat()), ("to", query.period.end.isoformat())]
    for condition in query.conditions:
        values = ",".join(map(_written, condition.values))
        if condition.op in (FilterOp.EQ, FilterOp.IN):
            parameters.append((condition.ref.name, values))
        else:
            parameters.append(("filter", f"{condition.ref.name}:{condition.op}:{values}".rstrip(":")))
    encoded = urlencode(parameters)
    return {
        population.value: f"{path}?{encoded}"
        for population, path in _ROWS_BEHIND.items()
        if population in query.populations
    }


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
