"""Feedback counted from a cuboid: which one covers a query, and the tail of what was committed since.

A query is one SELECT = cuboid + tail above `folded_seq`, so every committed event is seen at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from functools import reduce
from operator import add
from typing import Any, Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    and_,
    func,
    literal,
    select,
    union_all,
)

from app.db.tables.feedback import feedback
from app.db.tables.metrics import ANSWER_KEY, CUBOIDS, HISTOGRAM_COLUMNS, Grain
from app.metrics.buckets import Granularity, Period, has_whole_hour_offsets, midnight, truncate
from app.metrics.changes import Commits, changes
from app.metrics.conditions import conditions_on
from app.metrics.declared.source import declared_cuboid
from app.metrics.facts import FoldState, TenantFacts
from app.metrics.feedback_counts import (
    count_rows,
    feedback_keys,
    is_by_question,
    summed,
    wanted_answers,
    wanted_counters,
)
from app.metrics.query import MOST_CELLS, MetricQuery
from app.metrics.schemas import Respondents
from app.metrics.shape import (
    Seq,
    group_columns,
    group_names,
    rows_of,
    stored_bucket_of,
    stored_bucket_of_day,
    told_columns,
)

LONGEST_TAIL: Final = 2_000
"""Commits above the cuboid beyond which reading the rows is cheaper than adding the tail."""

Tell = Callable[[Sequence[Select[Any]], MetricQuery], Select[Any]]
"""What is made of the parts that add up to the counters: the counters, or what scores are made of."""


class Counts(Protocol):
    """Answers counted ahead, by day or by hour: our own cuboids, and those that a tenant declared."""

    @property
    def name(self) -> str: ...

    @property
    def grain(self) -> Grain: ...

    @property
    def dimensions(self) -> tuple[str, ...]: ...

    @property
    def rows(self) -> FromClause: ...


class Folded(NamedTuple):
    """Answers counted ahead, and how far."""

    counts: Counts
    fold: FoldState


def find_cuboid(query: MetricQuery, period: Period, facts: TenantFacts) -> Folded | None:
    """The smallest cuboid that answers the query exactly; None: read the rows."""
    if query.known_at is not None or query.respondents is not Respondents.ALL:
        return None
    refs = [*query.group_by, *(condition.ref for condition in query.conditions)]
    names = {ref.name for ref in refs}
    for counts, fold in _folded_ahead(facts):
        covered = names <= {*counts.dimensions, *ANSWER_KEY}
        if covered and _is_usable(fold, facts) and _holds_buckets(counts, query, period, fold):
            return Folded(counts, fold)
    return None


def _folded_ahead(facts: TenantFacts) -> Iterator[Folded]:
    """Our own cuboids, smallest first, then the declared ones."""
    if facts.fold is not None:
        for cuboid in CUBOIDS:
            yield Folded(cuboid, facts.fold)
    for declared in facts.declared:
        yield Folded(declared_cuboid(declared.key, declared.dimensions), declared.fold)


def _is_usable(fold: FoldState, facts: TenantFacts) -> bool:
    """False for counts of nothing yet, of another configuration, or so far behind that rows are cheaper."""
    return (
        fold.folded_seq > 0
        and fold.relational == facts.relational
        and facts.seq - fold.folded_seq <= LONGEST_TAIL
    )


def _holds_buckets(cuboid: Counts, query: MetricQuery, period: Period, fold: FoldState) -> bool:
    """True when the period and the buckets of the query are made of whole buckets of the cuboid."""
    if cuboid.grain is Grain.DAY:
        return (
            fold.time_zone == query.zone.key
            and query.granularity is not Granularity.HOUR
            and whole_days(period, query.zone) is not None
        )
    return (
        period.start >= fold.hours_from
        and all(t == t.replace(minute=0, second=0, microsecond=0) for t in (period.start, period.end))
        and has_whole_hour_offsets(period, query.zone)
    )


def whole_days(period: Period, zone: ZoneInfo) -> Period | None:
    """The whole local days of a period; None when there are none. What is left over is less than two days."""
    start, end = (truncate(instant, Granularity.DAY, zone) for instant in (period.start, period.end))
    if start < period.start:
        start = midnight(start.astimezone(zone).date() + timedelta(days=1), zone)
    return Period(start, end, period.unit) if start < end else None


class Spans(NamedTuple):
    """A period as a cuboid has it: whole days (or hours), and broken days at its ends, which rows answer."""

    inner: Period
    before: Period | None = None
    after: Period | None = None


def spans_of(cuboid: Counts, period: Period, zone: ZoneInfo) -> Spans:
    """The period taken apart for this cuboid."""
    inner = whole_days(period, zone) if cuboid.grain is Grain.DAY else None
    if inner is None:
        return Spans(period)
    before = Period(period.start, inner.start) if period.start < inner.start else None
    return Spans(inner, before, Period(inner.end, period.end) if inner.end < period.end else None)


def days_of(period: Period, zone: ZoneInfo) -> tuple[date, date]:
    """The first local day, and the one after the last."""
    return period.start.astimezone(zone).date(), period.end.astimezone(zone).date()


def cuboid_parts(
    cuboid: Counts, query: MetricQuery, spans: Spans, facts: TenantFacts, folded_seq: Seq
) -> list[Select[Any]]:
    """A cuboid's rows, its tail, the broken days at the ends from the rows: what adds up to the counters.

    Their keys are written as the cuboids of days write them.
    """
    tail = summed(_tail(query, spans.inner, facts, folded_seq), query)
    edges = [edge for edge in (spans.before, spans.after) if edge is not None]
    beside = [count_rows(query, edge, facts, stored=True) for edge in edges]
    return [_folded(cuboid, query, spans.inner, facts), tail, *beside]


def counters(parts: Sequence[Select[Any]], query: MetricQuery) -> Select[Any]:
    """The counters by group, measure and scale that the parts add up to."""
    rows = union_all(*parts).subquery("parts")
    keys = [rows.c[name] for name in (*group_names(query), "measure", "scale_id")]
    names = wanted_counters(query)
    added = select(*keys, *(func.sum(rows.c[name]).label(name) for name in names)).group_by(*keys)
    groups = added.subquery("groups")
    rest = [groups.c[name] for name in ("measure", "scale_id", *names)]
    return select(*told_columns(groups, query), *rest).limit(MOST_CELLS + 1)


def _folded(cuboid: Counts, query: MetricQuery, period: Period, facts: TenantFacts) -> Select[Any]:
    table = cuboid.rows
    start: Any = period.start
    end: Any = period.end
    if cuboid.grain is Grain.DAY:
        start, end = days_of(period, query.zone)
        bucket = stored_bucket_of_day(table.c.bucket, query)
    else:
        bucket = stored_bucket_of(table.c.bucket, query)
    return select(
        *group_columns(table, bucket, query),
        table.c.measure,
        table.c.scale_id,
        *_counters(cuboid, query),
    ).where(
        table.c.tenant_id == literal(facts.tenant_id),
        table.c.bucket >= literal(start),
        table.c.bucket < literal(end),
        *conditions_on(table, query.conditions, empty_is_null=True),
        wanted_answers(table, query),
    )


def _counters(cuboid: Counts, query: MetricQuery) -> list[ColumnElement[int]]:
    """The counters of a cuboid's row. It holds each item at its first question only; see `is_by_question`."""
    columns: dict[str, ColumnElement[int]] = {n: cuboid.rows.c[n] for n in wanted_counters(query)}
    if "items" in columns and is_by_question(query):
        answers = reduce(add, (columns[name] for name in (*HISTOGRAM_COLUMNS, "unknown")))
        columns["items"] = answers.label("items")
    return list(columns.values())


def _tail(query: MetricQuery, period: Period, facts: TenantFacts, folded_seq: Seq) -> Subquery:
    only = and_(
        rows_of(feedback, feedback.c.occurred_at, query, period, facts), wanted_answers(feedback, query)
    )
    commits = Commits(facts.tenant_id, folded_seq, None, facts.relational, facts.presses)
    return changes(feedback_keys(query, stored=True), only, commits).subquery("tail")
