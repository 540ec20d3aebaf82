"""What a rule finds now: for each group yes, no, or nothing that could be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

from app.db.engine import Database
from app.domain.measures.alerts import (
    AlertKind,
    ThresholdRule,
    breaches,
    changed,
    is_unreliable,
    is_unrepresentative,
)
from app.domain.measures.cell import Cell
from app.domain.measures.comparison import Comparison
from app.domain.measures.definition import Unit
from app.domain.measures.registry import get_metric
from app.domain.measures.statistics import round_half_away
from app.domain.measures.values import MetricValue, count_value
from app.kit import json
from app.metrics.alerts.repository import list_heard, list_touchpoints
from app.metrics.alerts.schemas import AlertIn
from app.metrics.answer import count_cells
from app.metrics.cells import Key
from app.metrics.query import MetricQuery, resolve
from app.metrics.repository import snapshot

_P_VALUE_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one group; `holds` is None where the data do not let anybody say."""

    holds: bool | None
    told: dict[str, Any]


async def evaluate(database: Database, tenant_id: UUID, rule: AlertIn, now: datetime) -> dict[str, Finding]:
    """Findings by unit (its group as JSON). Raises InvalidError when the query has become impossible."""
    if rule.kind is AlertKind.NO_DATA or rule.query is None:
        return await _silence(database, tenant_id, rule, now)
    async with snapshot(database, tenant_id) as view:
        facts = await view.get_facts()
        query = resolve(rule.query, facts, now)
        cells = await count_cells(view, query, query.period, facts)
        before: Mapping[Key, Cell] = {}
        if query.compare is not None:
            before = await count_cells(view, query, query.compare, facts)
    return _findings(rule, query, cells, before)


def vanished(
    rule: AlertIn, raised: Mapping[str, dict[str, Any]], found: Mapping[str, Finding]
) -> dict[str, Finding]:
    """Raised units of a count that nothing is counted of any more: what was above three is nought now.

    Of other metrics the same means that nobody can tell, and they stay as they were told.
    """
    if rule.kind is not AlertKind.THRESHOLD or rule.query is None:
        return {}
    if get_metric(rule.query.metrics[0]).unit is not Unit.COUNT:
        return {}
    threshold = ThresholdRule(rule.below, rule.above, rule.by_point)
    nought = Finding(breaches(count_value(0), threshold, Unit.COUNT), {"value": 0, "n": 0})
    return {
        unit: Finding(nought.holds, {**told, **nought.told})
        for unit, told in raised.items()
        if unit not in found
    }


def _findings(
    rule: AlertIn, query: MetricQuery, cells: Mapping[Key, Cell], before: Mapping[Key, Cell]
) -> dict[str, Finding]:
    metric, keys = query.metrics[0], list(cells)
    values = [metric.compute(cells[key]) for key in keys]
    compared: list[tuple[Comparison, int, int]] = []
    if query.compare is not None:
        earlier = [before.get(key, Cell()) for key in keys]
        compared = [
            (metric.compare(cells[key], old), value.n, metric.compute(old).n)
            for key, old, value in zip(keys, earlier, values, strict=True)
        ]
    verdicts = _verdicts(rule, query, values, compared)
    found = {}
    for number, key in enumerate(keys):
        unit = {ref.name: part for ref, part in zip(query.group_by, key[1:], strict=True)}
        told = _told(rule, query, unit, values[number], compared[number] if compared else None)
        found[json.canonical(unit).decode()] = Finding(verdicts[number], told)
    return found


def _verdicts(
    rule: AlertIn,
    query: MetricQuery,
    values: list[MetricValue],
    compared: list[tuple[Comparison, int, int]],
) -> list[bool | None]:
    match rule.kind:
        case AlertKind.THRESHOLD:
            threshold = ThresholdRule(rule.below, rule.above, rule.by_point)
            return [breaches(value, threshold, query.metrics[0].unit) for value in values]
        case AlertKind.CHANGE:
            if query.series_broken:
                return [None] * len(values)
            return changed(compared, query.metrics[0].unit)
        case AlertKind.REPRESENTATIVENESS:
            return [is_unrepresentative(value) for value in values]
        case AlertKind.RELIABILITY:
            return [is_unreliable(value) for value in values]
        case AlertKind.NO_DATA:
            return [None] * len(values)
        case _:
            assert_never(rule.kind)


def _told(
    rule: AlertIn,
    query: MetricQuery,
    unit: dict[str, Any],
    value: MetricValue,
    compared: tuple[Comparison, int, int] | None,
) -> dict[str, Any]:
    """What subscribers read: the number with all that qualifies it."""
    metric = query.metrics[0]
    decimals = metric.unit.decimals

    def shown(number: float | None, digits: int = decimals) -> float | None:
        return None if number is None else round_half_away(number, digits)

    told: dict[str, Any] = {
        "metric": metric.id,
        "title": metric.title,
        "unit": unit,
        "value": shown(value.value),
        "n": value.n,
        "ci_low": shown(value.ci_low),
        "ci_high": shown(value.ci_high),
        "status": value.status.value,
        "reasons": list(value.reasons),
        "period": {"from": query.period.start, "to": query.period.end},
        "terms_version": query.terms.version,
        "definition_version": metric.version,
    }
    if rule.kind is AlertKind.THRESHOLD:
        told |= {
            "below": rule.below,
            "above": rule.above,
            "judged_by": "point" if rule.by_point else "interval",
        }
    if compared is not None and query.compare is not None:
        found, _, n_before = compared
        told |= {
            "difference": shown(found.difference),
            "p_value": shown(found.p_value, _P_VALUE_DECIMALS),
            "previous_n": n_before,
            "compare_period": {"from": query.compare.start, "to": query.compare.end},
        }
    return told


async def _silence(database: Database, tenant_id: UUID, rule: AlertIn, now: datetime) -> dict[str, Finding]:
    since = now - timedelta(hours=rule.quiet_hours)
    async with database.write(tenant_id) as tx:
        wanted = await list_touchpoints(tx, tenant_id, rule.touchpoints)
        heard = await list_heard(tx, tenant_id, wanted, since)
    return {
        json.canonical({"touchpoint": key}).decode(): Finding(
            key not in heard, {"unit": {"touchpoint": key}, "since": since, "quiet_hours": rule.quiet_hours}
        )
        for key in wanted
    }
