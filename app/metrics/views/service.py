"""Makes the further answers: what to ask the database, and what to say of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.engine import Database
from app.domain.errors import InvalidError
from app.domain.measures.before_after import paired_delta, recurrence
from app.domain.measures.definition import Unit
from app.domain.measures.pareto import pareto, sample
from app.domain.measures.registry import get_metric
from app.domain.measures.statistics import round_half_away
from app.domain.measures.values import MetricStatus, status_of
from app.kit.ids import public_id
from app.metrics.answer import Answer, Reader, answer_query
from app.metrics.period import get_zone, resolve_period
from app.metrics.repository import snapshot
from app.metrics.schemas import MAX_LIMIT, MetricQueryIn
from app.metrics.views import repository
from app.metrics.views.schemas import (
    BeforeAfterIn,
    BeforeAfterOut,
    CountedSideOut,
    CoveredTouchpointOut,
    JourneyCoverageOut,
    PairedOut,
    ParetoIn,
    ParetoOut,
    ParetoRowOut,
    RecurrenceOut,
    WorkItemOut,
    WorklistOut,
)


async def make_pareto(database: Database, reader: Reader, asked: ParetoIn, now: datetime) -> ParetoOut:
    """Counts by the dimension, largest first. Raises InvalidError `not_a_count`."""
    metric = get_metric(asked.metric)
    if metric.unit is not Unit.COUNT:
        raise InvalidError(
            "not_a_count", f"{metric.id} does not add up", pointer="/metric", cure="take a count: complaints"
        )
    wanted = MetricQueryIn(
        metrics=[metric.id],
        group_by=[asked.dimension],
        period=asked.period,
        time_zone=asked.time_zone,
        filters=asked.filters,
        limit=MAX_LIMIT,
    )
    answer = await answer_query(database, reader, wanted, now)
    assert isinstance(answer, Answer)
    groups = pareto({row[asked.dimension]: row[metric.id] or 0 for row in answer.rows})
    return ParetoOut(
        metric=metric.id,
        dimension=asked.dimension,
        total=sum(row.total for row in groups),
        rows=[
            ParetoRowOut(
                group=row.group,
                count=row.total,
                share=round_half_away(100 * row.share, 2),
                cumulative_share=round_half_away(100 * row.cumulative_share, 2),
                is_vital=row.is_vital,
            )
            for row in groups
        ],
    )


async def make_headline(database: Database, reader: Reader, period: str, now: datetime) -> tuple[str, Answer]:
    """The tenant's headline metric against the period before."""
    async with snapshot(database, reader.tenant_id) as view:
        metric = (await view.get_facts()).terms_at(now).headline_metric
    given = MetricQueryIn(metrics=[metric], period=period, compare="previous_period")
    answer = await answer_query(database, reader, given, now)
    assert isinstance(answer, Answer)
    return metric, answer


async def make_journey_coverage(
    database: Database, tenant_id: UUID, period: str, now: datetime
) -> JourneyCoverageOut:
    """Touchpoints of the map and what was heard of them."""
    start, end = await _period(database, tenant_id, period, now)
    async with database.write(tenant_id) as tx:
        rows = await repository.list_touchpoints(tx, tenant_id, start, end)
    items = [
        CoveredTouchpointOut(
            touchpoint=row["key"],
            title=row["title"],
            is_key=row["is_key"],
            answers=row["answers"],
            last_answer_at=row["last_answer_at"],
            status=status_of(row["answers"]).value,
        )
        for row in rows
    ]
    silent = [item for item in items if item.answers == 0]
    return JourneyCoverageOut(
        touchpoints=len(items),
        with_data=len(items) - len(silent),
        key_without_data=sum(item.is_key for item in silent),
        items=items,
    )


async def make_before_after(
    database: Database, tenant_id: UUID, asked: BeforeAfterIn, now: datetime
) -> BeforeAfterOut:
    """Recurrence of a cause and paired satisfaction around a fix."""
    window = timedelta(days=asked.window_days)
    starts = asked.deployed_at + timedelta(days=asked.settle_days)
    before, after = (asked.deployed_at - window, asked.deployed_at), (starts, starts + window)
    async with database.write(tenant_id) as tx:
        x0, e0 = await repository.count_side(tx, tenant_id, *before, asked.cause, asked.location)
        x1, e1 = await repository.count_side(tx, tenant_id, *after, asked.cause, asked.location)
        pairs = await repository.list_pairs(tx, tenant_id, before, after, asked.location)
    found, status = recurrence(x0, e0, x1, e1), status_of(len(pairs))
    paired = None if status is MetricStatus.SUPPRESSED else paired_delta(pairs)
    bounds = (None, None) if paired is None or paired.interval is None else paired.interval

    def shown(value: float | None) -> float | None:
        return None if value is None else round_half_away(value, 3)

    return BeforeAfterOut(
        before=CountedSideOut(**{"from": before[0]}, to=before[1], cases=x0, transactions=e0),
        after=CountedSideOut(**{"from": after[0]}, to=after[1], cases=x1, transactions=e1),
        recurrence=RecurrenceOut(
            ratio=shown(found and found.ratio),
            ci_low=shown(found and found.interval.low),
            ci_high=shown(found and found.interval.high),
            avoided_contacts=shown(found and found.avoided),
            saving=shown(found and found.avoided * asked.cost_per_contact),
            succeeded=found and found.succeeded,
            provisional=after[1] > now,
        ),
        csat=PairedOut(
            pairs=len(pairs),
            status=status,
            before=shown(paired and paired.before),
            after=shown(paired and paired.after),
            delta=shown(paired and paired.delta),
            ci_low=shown(bounds[0]),
            ci_high=shown(bounds[1]),
        ),
    )


async def make_worklist(
    database: Database,
    tenant_id: UUID,
    *,
    reviewer: str,
    period: str,
    location: str | None,
    size: int,
    seed: str,
    now: datetime,
) -> WorklistOut:
    """A random sample of unchecked answers, `size` of each side, none about the reviewer or his people."""
    start, end = await _period(database, tenant_id, period, now)
    async with database.write(tenant_id) as tx:
        rows = await repository.list_candidates(tx, tenant_id, start, end, reviewer, location)
    fair = {
        str(row["feedback_id"]): row for row in rows if not row["is_own"] and row["qualification"] is None
    }
    items = []
    for side in ("positive", "negative"):
        ids = [key for key, row in fair.items() if row["class"] == side]
        items += [_work_item(fair[key]) for key in sample(ids, size, seed)]
    checked = [row["class"] for row in rows if row["qualification"] in ("valid", "invalid")]
    return WorklistOut(
        seed=seed,
        checked_positive=checked.count("positive"),
        checked_negative=checked.count("negative"),
        left_out=sum(row["is_own"] for row in rows),
        items=items,
    )


def _work_item(told: Any) -> WorkItemOut:
    return WorkItemOut(
        feedback_id=public_id("fb", told["feedback_id"]),
        side=told["class"],
        question=told["question"],
        occurred_at=told["occurred_at"],
        location=told["location"],
        employee=told["employee"],
    )


async def _period(
    database: Database, tenant_id: UUID, period: str, now: datetime
) -> tuple[datetime, datetime]:
    async with snapshot(database, tenant_id) as view:
        zone = get_zone((await view.get_facts()).time_zone)
    found = resolve_period(period, zone, now)
    return found.start, found.end
