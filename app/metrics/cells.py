"""Counters as the SELECTs return them -> one cell for each bucket and group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.db.tables.metrics import HISTOGRAM_COLUMNS
from app.domain.measures.cell import AnswerKey, Cell, OpenedCases, TimerCounts, VolumeCounts
from app.domain.measures.counters import Counters
from app.domain.measures.definition import Population
from app.domain.scales import HISTOGRAM_SLOTS, QuestionMeasure

Key = tuple[datetime | None, *tuple[Any, ...]]
"""The bucket's start, then the value of each dimension."""


def cells_of(populations: Iterable[tuple[Population, Sequence[Row[Any]]]], width: int) -> dict[Key, Cell]:
    """Cells by (bucket, dimensions ...); `width` is the length of that key."""
    answers: dict[Key, dict[AnswerKey, Counters]] = {}
    volumes: dict[Key, dict[str, int]] = {}
    opened: dict[Key, OpenedCases] = {}
    closed: dict[Key, int] = {}
    timers: dict[Key, TimerCounts] = {}
    for population, rows in populations:
        match population:
            case Population.FEEDBACK:
                _add_answers(answers, rows, width)
            case Population.VOLUME:
                for row in rows:
                    volumes.setdefault(tuple(row[:width]), {})[row.volume] = row.total
            case Population.CASES_OPENED:
                opened |= {
                    tuple(row[:width]): OpenedCases(row.opened, row.answerable, row.unanswered)
                    for row in rows
                }
            case Population.CASES_CLOSED:
                closed |= {tuple(row[:width]): row.closed for row in rows}
            case Population.TIMERS:
                timers |= {
                    tuple(row[:width]): TimerCounts(
                        row.met, row.closed_late, row.open_overdue, row.pending, row.cancelled
                    )
                    for row in rows
                }
    keys = dict.fromkeys(key for found in (answers, volumes, opened, closed, timers) for key in found)
    return {
        key: Cell(
            answers=answers.get(key, {}),
            volumes=VolumeCounts(**volumes[key]) if key in volumes else None,
            opened=opened.get(key),
            closed=closed.get(key),
            timers=timers.get(key),
        )
        for key in keys
    }


def _add_answers(answers: dict[Key, dict[AnswerKey, Counters]], rows: Sequence[Row[Any]], width: int) -> None:
    """Counters of each row; a row in which everything was taken back again is nothing."""
    if not rows:
        return
    start = width + 2
    histogram = sum(name in HISTOGRAM_COLUMNS for name in rows[0]._fields[start:])
    padding = (0,) * (HISTOGRAM_SLOTS - histogram)
    keys: dict[tuple[str, str], AnswerKey] = {}
    for row in rows:
        values = tuple(row)
        counts = values[start:]
        if not any(counts):
            continue
        told = values[width:start]
        key = keys.get(told)
        if key is None:
            key = keys[told] = AnswerKey(QuestionMeasure(told[0]), told[1])
        slots, rest = counts[:histogram] + padding, counts[histogram:]
        found = answers.setdefault(values[:width], {})
        found[key] = _counters(key.scale_id, slots, rest)


def _counters(scale_id: str, slots: tuple[int, ...], rest: tuple[int, ...]) -> Counters:
    """`rest` is what follows the histogram in COUNTER_COLUMNS; a query of scores alone reads none of it."""
    if not rest:
        return Counters(scale_id, slots)
    unknown, silent, items, complaints = rest
    return Counters(scale_id, slots, unknown, silent, items=items, complaints=complaints)
