"""Statements on cuboids, written once for a question of one shape, whoever asks it and of whatever period.

Writing a statement takes longer than running it. So it is written with a tenant and instants that nobody
has; the parameters that came to hold them are then known, and each question puts in its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, bindparam

from app.metrics.buckets import Granularity, Period
from app.metrics.cuboids import Counts, Spans, Tell, cuboid_parts, days_of, spans_of
from app.metrics.dimensions import Condition, DimensionRef
from app.metrics.facts import TenantFacts
from app.metrics.prepared import Prepared, prepare
from app.metrics.query import MetricQuery
from app.metrics.score_text import MOST_ROWS

_MOST_PREPARED: Final = 256
_FOLDED_SEQ: Final = "folded_seq"
_ANY_TENANT: Final = UUID(int=0)
_NEVER: Final = [datetime(1900 + year, 7, 1, microsecond=1, tzinfo=UTC) for year in range(4)]


@dataclass(frozen=True, slots=True)
class _Shape:
    """All that decides the text of a statement; what differs from question to question is a parameter."""

    cuboid: str
    dimensions: tuple[str, ...]
    relational: tuple[str, ...]
    presses: bool
    begins_broken: bool
    ends_broken: bool
    granularity: Granularity
    zone: str
    group_by: tuple[DimensionRef, ...]
    conditions: tuple[Condition, ...]
    metrics: tuple[str, ...]
    tell: Tell


class _Written(NamedTuple):
    """A statement, and for each parameter that each question sets its place in `_own`."""

    prepared: Prepared
    places: dict[str, int]


_written: Final[dict[_Shape, _Written]] = {}


def prepare_cuboid(
    cuboid: Counts, query: MetricQuery, period: Period, facts: TenantFacts, folded_seq: int, tell: Tell
) -> Prepared:
    """What is counted from the cuboid and told so, as the driver takes it."""
    spans = spans_of(cuboid, period, query.zone)
    shape = _Shape(
        cuboid=cuboid.name,
        dimensions=cuboid.dimensions,
        relational=facts.relational,
        presses=facts.presses,
        begins_broken=spans.before is not None,
        ends_broken=spans.after is not None,
        granularity=query.granularity,
        zone=query.zone.key,
        group_by=query.group_by,
        conditions=query.conditions,
        metrics=tuple(metric.id for metric in query.metrics),
        tell=tell,
    )
    written = _written.get(shape)
    if written is None:
        if len(_written) >= _MOST_PREPARED:
            del _written[next(iter(_written))]
        written = _written[shape] = _write(cuboid, query, spans, facts, tell)
    own = _own(spans, query.zone, facts.tenant_id)
    values = {name: own[place] for name, place in written.places.items()}
    return written.prepared.given(**values, **{_FOLDED_SEQ: folded_seq, MOST_ROWS: query.limit + 1})


def _write(cuboid: Counts, query: MetricQuery, spans: Spans, facts: TenantFacts, tell: Tell) -> _Written:
    begins, starts, ends, closes = _NEVER
    never = Spans(
        Period(starts, ends),
        None if spans.before is None else Period(begins, starts),
        None if spans.after is None else Period(ends, closes),
    )
    nobodys = replace(facts, tenant_id=_ANY_TENANT)
    folded = bindparam(_FOLDED_SEQ, 0, type_=BigInteger)
    prepared = prepare(tell(cuboid_parts(cuboid, query, never, nobodys, folded), query))
    marks = _own(never, query.zone, _ANY_TENANT)
    places = {
        name: place
        for name, value in prepared.values.items()
        for place, mark in enumerate(marks)
        if type(value) is type(mark) and value == mark
    }
    return _Written(prepared, places)


def _own(spans: Spans, zone: ZoneInfo, tenant_id: UUID) -> tuple[Any, ...]:
    """What a question brings of its own, in a fixed order."""
    inner, before, after = spans
    return (
        tenant_id,
        inner.start,
        inner.end,
        *days_of(inner, zone),
        None if before is None else before.start,
        None if after is None else after.end,
    )
