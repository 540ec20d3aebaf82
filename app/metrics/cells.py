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
    names = rows[0]._fields[width + 2 :]
    histogram = sum(name in HISTOGRAM_COLUMNS for name in names)
    rest = names[histogram:]
    padding = (0,) * (HISTOGRAM_SLOTS - histogram)
    start, end = width + 2, width + 2 + histogram
    for row in rows:
        if not any(row[start:]):
            continue
        key = AnswerKey(QuestionMeasure(row[width]), row[width + 1])
        counters = Counters(
            row[width + 1], tuple(row[start:end]) + padding, **dict(zip(rest, row[end:], strict=True))
        )
        answers.setdefault(tuple(row[:width]), {})[key] = counters
