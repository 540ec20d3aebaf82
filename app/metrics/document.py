"""The JSON document of an answer: the query as understood, columns, rows, and where the numbers come from."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from app.kit import json
from app.metrics.answer import Answer
from app.metrics.buckets import Period
from app.metrics.dimensions import Condition
from app.metrics.facts import SourceState
from app.metrics.freshness import SourceCoverage
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
        "sources": _sources(answer),
        "plan": [
            {"population": read.population, "read": read.source, "folded_seq": read.folded_seq}
            for read in answer.reads
        ],
        "drill": drill_links(query),
        **sql,
    }


def _sources(answer: Answer) -> list[dict[str, Any]]:
    """Every source of the tenant; with `freshness=full` what each gave, and whoever else gave anything."""
    known = {source.key: source for source in answer.facts.sources}
    given = {told.source: told for told in answer.coverage or ()}
    return [
        _source(name, known.get(name or ""), given.get(name), answer)
        for name in (*known, *(name for name in given if name not in known))
    ]


def _source(
    name: str | None, state: SourceState | None, gave: SourceCoverage | None, answer: Answer
) -> dict[str, Any]:
    shares = () if gave is None else gave.shares
    told = {
        "source": name,
        "last_event_at": None if state is None else state.last_event_at,
        "expected_every_seconds": None if state is None else state.expected_every_seconds,
        "is_silent": None if state is None else state.is_silent(answer.now),
    }
    if answer.coverage is None:
        return told
    coverage = [
        {**told_share._asdict(), "share": None if told_share.share is None else round(told_share.share, 4)}
        for told_share in shares
    ]
    return {**told, "last_occurred_at": None if gave is None else gave.last_occurred_at, "coverage": coverage}


def _source_line(told: dict[str, Any]) -> str:
    heard = "never heard of" if told["last_event_at"] is None else told["last_event_at"].isoformat()
    parts = [heard, *(["silent"] if told["is_silent"] else [])]
    parts += [f"{part['metric']} {part['n']}" for part in told.get("coverage", ()) if part["n"]]
    return ", ".join(parts)


def about_lines(answer: Answer) -> list[tuple[str, str]]:
    """What a workbook says of its rows: the query as understood, and each definition in words."""
    told = _query(answer.query)
    lines = [(name, _line(value)) for name, value in told.items() if value not in (None, [], "")]
    lines.append(("data_seq", str(answer.facts.seq)))
    lines += [(f"source {told['source']}", _source_line(told)) for told in _sources(answer)]
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
