"""A metric query, understood: names looked up, times absolute, every combination checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from app.domain.errors import InvalidError
from app.domain.measures.definition import Dimension, MetricDefinition, Population
from app.domain.measures.registry import METRICS, get_metric
from app.domain.measures.terms import DEFAULT_TERMS, Terms
from app.metrics.buckets import Granularity, Period, most_buckets
from app.metrics.columns import Column, answer_columns
from app.metrics.dimensions import Condition, DimensionRef, get_condition, get_dimension
from app.metrics.facts import Annotation, TenantFacts
from app.metrics.period import get_zone, parse_instant, previous, resolve_period, span, year_before
from app.metrics.schemas import Fill, MetricQueryIn, ReportType, Respondents, SpanIn

MOST_BUCKETS: Final = 10_000
FM_LEVEL: Final = "fm_level"
MOST_CELLS: Final = 100_000
"""What one SELECT may return; it asks for one more, to tell that there are more."""

KEPT_APART: Final = (Dimension.COLLECTION_MODE, Dimension.SCALE_ID)
"""Dimensions across which no score is ever averaged."""


def kept_apart(metric: MetricDefinition) -> tuple[Dimension, ...]:
    """Dimensions by which every answer of this metric is grouped."""
    if metric.is_score:
        return KEPT_APART
    return (Dimension.COLLECTION_MODE,) if metric.keeps_modes_apart else ()


@dataclass(frozen=True, slots=True)
class OrderBy:
    """One sort key of the answer."""

    column: str
    descending: bool


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """What is asked, with nothing left to look up. `asked_by` is how many dimensions the caller named."""

    metrics: tuple[MetricDefinition, ...]
    group_by: tuple[DimensionRef, ...]
    granularity: Granularity
    period: Period
    compare: Period | None
    zone: ZoneInfo
    conditions: tuple[Condition, ...]
    respondents: Respondents
    report_type: ReportType
    as_of: datetime
    known_at: int | None
    fill: Fill
    columns: tuple[Column, ...]
    order: tuple[OrderBy, ...]
    limit: int
    cursor: str | None
    asked_by: int
    as_of_given: bool
    terms: Terms = DEFAULT_TERMS
    annotations: tuple[Annotation, ...] = ()
    series_broken: bool = False

    @property
    def populations(self) -> tuple[Population, ...]:
        """The populations that its metrics count, each once."""
        return tuple(dict.fromkeys(p for metric in self.metrics for p in metric.populations))

    @property
    def context(self) -> tuple[Population, ...]:
        """Populations that only gates look at."""
        wanted = dict.fromkeys(p for metric in self.metrics for p in metric.context)
        return tuple(population for population in wanted if population not in self.populations)

    @property
    def location(self) -> int | str | None:
        """Where the key holds the location, or the one location that the filters leave."""
        for number, ref in enumerate(self.group_by):
            if ref.dimension is Dimension.LOCATION:
                return number + 1
        only = [c.values for c in self.conditions if c.ref.dimension is Dimension.LOCATION]
        return str(only[0][0]) if len(only) == 1 and len(only[0]) == 1 else None

    @property
    def reads_clock(self) -> bool:
        """True when the answer changes with time alone."""
        return not self.as_of_given and any(metric.reads_clock for metric in self.metrics)


def resolve(given: MetricQueryIn, facts: TenantFacts, now: datetime) -> MetricQuery:
    """The query that these words mean now. Raises InvalidError with a pointer into the query."""
    zone = get_zone(given.time_zone or facts.time_zone)
    metrics = _metrics(_reported(given))
    asked = [get_dimension(name, facts.attributes, f"/group_by/{n}") for n, name in enumerate(given.group_by)]
    group_by = _with_kept_apart(asked, metrics)
    conditions = tuple(
        get_condition(item, facts.attributes, f"/filters/{n}", facts.tenant_id)
        for n, item in enumerate(given.filters)
    )
    _check_dimensions(metrics, asked, group_by, conditions)
    period = _period(given, zone, now)
    known_at = _known_at(given.known_at, facts)
    as_of = _as_of(given.as_of, zone, now)
    columns = answer_columns(metrics, group_by, given.granularity, compared=given.compare is not None)
    compare = _compare(given, period, zone)
    return MetricQuery(
        metrics=metrics,
        group_by=group_by,
        granularity=given.granularity,
        period=period,
        compare=compare,
        zone=zone,
        conditions=conditions,
        respondents=given.respondents,
        report_type=given.report_type,
        as_of=as_of,
        known_at=known_at,
        fill=given.fill,
        columns=columns,
        order=_order(given.order, columns),
        limit=given.limit,
        cursor=given.cursor,
        asked_by=len(asked),
        as_of_given=given.as_of is not None,
        terms=facts.terms_at(as_of),
        annotations=_annotations(facts, period, compare),
        series_broken=_is_broken(facts, period, compare),
    )


def _reported(given: MetricQueryIn) -> list[str]:
    """The metrics that were asked for, in an audit with the level of force majeure where acts are excused."""
    excused = any(
        name in METRICS and Population.SURVEYS in METRICS[name].populations for name in given.metrics
    )
    return [*given.metrics, FM_LEVEL] if given.report_type is ReportType.AUDIT and excused else given.metrics


def _metrics(names: Sequence[str]) -> tuple[MetricDefinition, ...]:
    metrics = []
    for number, name in enumerate(dict.fromkeys(names)):
        try:
            metrics.append(get_metric(name))
        except InvalidError as error:
            raise InvalidError(
                error.reason, error.detail, pointer=f"/metrics/{number}", cure=error.cure
            ) from None
    return tuple(metrics)


def _with_kept_apart(
    asked: Sequence[DimensionRef], metrics: Sequence[MetricDefinition]
) -> tuple[DimensionRef, ...]:
    refs = {ref.name: ref for ref in asked}
    for dimension in dict.fromkeys(d for metric in metrics for d in kept_apart(metric)):
        refs.setdefault(dimension.value, DimensionRef(dimension.value, dimension=dimension))
    return tuple(refs.values())


def _check_dimensions(
    metrics: Sequence[MetricDefinition],
    asked: Sequence[DimensionRef],
    group_by: Sequence[DimensionRef],
    conditions: Sequence[Condition],
) -> None:
    places = [(ref, f"/group_by/{n}") for n, ref in enumerate(asked)]
    places += [(condition.ref, f"/filters/{n}/dimension") for n, condition in enumerate(conditions)]
    for ref, pointer in places:
        for metric in metrics:
            if not ref.serves(metric):
                raise InvalidError(
                    "dimension_not_valid",
                    f"{metric.id} has no {ref.name}",
                    pointer=pointer,
                    cure=f"its dimensions are {', '.join(sorted(metric.dimensions))} and attributes",
                )
    for ref in group_by:
        for number, metric in enumerate(metrics):
            if not ref.serves(metric):
                raise InvalidError(
                    "metrics_not_together",
                    f"{metric.id} has no {ref.name}, by which the scores beside it are kept apart",
                    pointer=f"/metrics/{number}",
                    cure=f"ask for {metric.id} in a query of its own",
                )


def _period(given: MetricQueryIn, zone: ZoneInfo, now: datetime) -> Period:
    if isinstance(given.period, SpanIn):
        period = span(given.period.from_, given.period.to, zone)
    else:
        period = resolve_period(given.period, zone, now)
    if most_buckets(period, given.granularity) > MOST_BUCKETS:
        raise InvalidError(
            "too_many_buckets",
            f"the period has more than {MOST_BUCKETS} buckets of one {given.granularity}",
            pointer="/granularity",
            cure="take a coarser granularity or a shorter period",
        )
    return period


def _compare(given: MetricQueryIn, period: Period, zone: ZoneInfo) -> Period | None:
    """The period to compare with: before, a year before, or the given one, which may not overlap."""
    match given.compare:
        case None:
            return None
        case "previous_period":
            return previous(period, zone)
        case "previous_year":
            earlier = year_before(period, zone)
        case SpanIn() as chosen:
            earlier = span(chosen.from_, chosen.to, zone, "/compare")
        case _:
            assert_never(given.compare)
    if earlier.start < period.end and period.start < earlier.end:
        raise InvalidError(
            "periods_overlap",
            "the two periods share days: their difference would compare them with themselves",
            pointer="/compare",
            cure="take periods that do not overlap",
        )
    return earlier


def _annotations(facts: TenantFacts, period: Period, compare: Period | None) -> tuple[Annotation, ...]:
    periods = [period] if compare is None else [compare, period]
    return tuple(told for told in facts.annotations if any(told.touches(p.start, p.end) for p in periods))


def _is_broken(facts: TenantFacts, period: Period, compare: Period | None) -> bool:
    """True when what lies between the first and the last day of the two periods is not one series."""
    if compare is None:
        return False
    start, end = min(period.start, compare.start), max(period.end, compare.end)
    return any(told.breaks(start, end) for told in facts.annotations)


def _as_of(text: str | None, zone: ZoneInfo, now: datetime) -> datetime:
    if text is None:
        return now
    as_of = parse_instant(text, zone, "/as_of")
    if as_of > now:
        raise InvalidError(
            "as_of_in_the_future",
            "nobody knows yet how cases stand then",
            pointer="/as_of",
            cure="leave it out",
        )
    return as_of


def _known_at(known_at: int | str | None, facts: TenantFacts) -> int | None:
    """A commit that was made; `known_by_seq` has put it in the place of a time."""
    if isinstance(known_at, str):
        raise TypeError("known_at is still a time")
    if known_at is not None and known_at > facts.seq:
        raise InvalidError(
            "known_at_in_the_future",
            f"the last commit is {facts.seq}",
            pointer="/known_at",
            cure="send the data_seq of an earlier answer, or a time that has passed",
        )
    return known_at


def _order(texts: Sequence[str], columns: Sequence[Column]) -> tuple[OrderBy, ...]:
    known = [column.name for column in columns]
    keys = []
    for number, text in enumerate(texts):
        name = text.removeprefix("-")
        if name not in known:
            near = get_close_matches(name[:64], known, n=1, cutoff=0.0)
            raise InvalidError(
                "unknown_column",
                f"the answer has no column {name[:64]!r}",
                pointer=f"/order/{number}",
                cure=f"the nearest is {near[0]!r}",
            )
        keys.append(OrderBy(name, text.startswith("-")))
    return tuple(keys)
