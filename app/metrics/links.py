"""Links from an answer to the rows behind its numbers, with its period, filters and moment frozen."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from app.domain.measures.definition import Dimension, Population
from app.metrics.dimensions import Condition
from app.metrics.query import MetricQuery
from app.metrics.schemas import FilterOp, Respondents

ROWS: Final = "/v1/metrics/rows"
_ANY_OF: Final = (FilterOp.EQ, FilterOp.IN)
Parameters = list[tuple[str, str]]


def drill_links(query: MetricQuery) -> dict[str, str]:
    """Under each metric the rows that it counted; under `feedback` and `cases` the whole lists.

    The lists know "any of these values" only, the rows know every filter, but no value with a comma beside
    another operator: where the query says more than an address can, there is no link rather than a wrong one.
    """
    start, end = query.period.start.isoformat(), query.period.end.isoformat()
    links = {}
    if all(condition.op in _ANY_OF for condition in query.conditions):
        same = [pair for condition in query.conditions for pair in _written(condition)]
        if Population.FEEDBACK in query.populations:
            told = [("from", start), ("to", end), *_measures(query), *same]
            links["feedback"] = _link("/v1/feedback", told)
        if Population.CASES_OPENED in query.populations and not _asks_for_stage(query):
            links["cases"] = _link("/v1/cases", [("opened_from", start), ("opened_to", end), *same])
    if all(map(_is_flat, query.conditions)):
        told = [("from", start), ("to", end), *_moment(query)]
        told += [pair for condition in query.conditions for pair in _written(condition)]
        links |= {metric.id: _link(ROWS, [("metrics", metric.id), *told]) for metric in query.metrics}
    return links


def _link(path: str, parameters: Parameters) -> str:
    return f"{path}?{urlencode(parameters)}"


def _moment(query: MetricQuery) -> Parameters:
    """What the numbers depend on besides the period: without it the rows would be those of another moment."""
    told = [("time_zone", query.zone.key), ("as_of", query.as_of.isoformat())]
    if query.known_at is not None:
        told.append(("known_at", str(query.known_at)))
    if query.respondents is not Respondents.ALL:
        told.append(("respondents", query.respondents.value))
    return told


def _asks_for_stage(query: MetricQuery) -> bool:
    """The list of cases has no such filter."""
    return any(condition.ref.dimension is Dimension.STAGE for condition in query.conditions)


def _is_flat(condition: Condition) -> bool:
    return condition.op in _ANY_OF or not any("," in str(value) for value in condition.values)


def _written(condition: Condition) -> Parameters:
    """A filter as parameters: the dimension for any of its values, else `filter`."""
    values = [str(value).lower() if isinstance(value, bool) else str(value) for value in condition.values]
    if condition.op in _ANY_OF:
        return [(condition.ref.name, value) for value in values]
    return [("filter", f"{condition.ref.name}:{condition.op}:{','.join(values)}")]


def _measures(query: MetricQuery) -> Parameters:
    """The measures whose answers were read, unless all were."""
    metrics = [metric for metric in query.metrics if Population.FEEDBACK in metric.populations]
    measures = dict.fromkeys(metric.measure for metric in metrics)
    return [] if None in measures else [("measure", str(measure)) for measure in measures]
