"""Counters as the SELECTs return them -> one cell for each bucket and group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row

from app.domain.measures.cell import AnswerKey, Cell, OpenedCases, TimerCounts, VolumeCounts
from app.domain.measures.counters import ClassCounts, Counters
from app.domain.measures.definition import Population
from app.domain.measures.recovered import (
    ClosedCases,
    ComparedCustomers,
    DisplayedRatings,
    Durations,
    Group,
    OpenCases,
    PromisedOrders,
    PublishedReviews,
    Replies,
    ResolvedCases,
    ReturningCustomers,
    TimedCases,
)
from app.domain.measures.surveys import CAUSE_ROOTS, ExpertReview, Outcomes, SurveyCounts
from app.domain.measures.terms import DEFAULT_TERMS, Terms
from app.domain.scales import HISTOGRAM_SLOTS, QuestionMeasure

Key = tuple[datetime | None, *tuple[Any, ...]]
"""The bucket's start, then the value of each dimension."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The rows of one population; `places` say which parts of the key they know (None: all of them)."""

    population: Population
    rows: Sequence[Row[Any]]
    places: tuple[int, ...] | None = None


def cells_of(
    populations: Iterable[Counted],
    width: int,
    terms: Terms = DEFAULT_TERMS,
    location: int | str | None = None,
) -> dict[Key, Cell]:
    """Cells by (bucket, dimensions ...); `width` is the length of that key.

    `location` is the place of the location in the key, or the one location that is asked for.
    """
    parts: dict[str, dict[Key, Any]] = {}
    context: list[tuple[str, tuple[int, ...], dict[Key, Any]]] = []
    for counted in populations:
        name, read = _PARTS[counted.population]
        if counted.places is None:
            parts[name] = read(counted.rows, width)
        else:
            context.append((name, counted.places, read(counted.rows, len(counted.places))))
    keys = dict.fromkeys(key for found in parts.values() for key in found)
    cells = {}
    for key in keys:
        told = {name: found[key] for name, found in parts.items() if key in found}
        for name, places, found in context:
            coarse = tuple(key[place] for place in places)
            if name not in told and coarse in found:
                told[name] = found[coarse]
        at: Any = key[location] if isinstance(location, int) else location
        cells[key] = Cell(**told, terms=terms, coverage_min=terms.coverage_threshold(at))
    return cells


def _answers(rows: Sequence[Row[Any]], width: int) -> dict[Key, dict[AnswerKey, Counters]]:
    """Counters of each row; a row in which everything was taken back again is nothing."""
    answers: dict[Key, dict[AnswerKey, Counters]] = {}
    for key, answer_key, counters in _counters_of(rows, width):
        answers.setdefault(key, {})[answer_key] = counters
    return answers


def _counters_of(rows: Sequence[Row[Any]], width: int) -> Iterable[tuple[Key, AnswerKey, Counters]]:
    if not rows:
        return
    start = width + 2
    histogram = min(len(rows[0]) - start, HISTOGRAM_SLOTS)
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
        yield values[:width], key, _counters(key.scale_id, slots, rest)


def _counters(scale_id: str, slots: tuple[int, ...], rest: tuple[int, ...]) -> Counters:
    """`rest` is what follows the histogram in COUNTER_COLUMNS; a query of scores alone reads none of it."""
    if not rest:
        return Counters(scale_id, slots)
    unknown, silent, items, complaints = rest
    return Counters(scale_id, slots, unknown, silent, items=items, complaints=complaints)


def _channels(rows: Sequence[Row[Any]], width: int) -> dict[Key, dict[str, ClassCounts]]:
    """Classes by channel, which stands behind the key."""
    channels: dict[Key, dict[str, ClassCounts]] = {}
    for key, _, counters in _counters_of(rows, width + 1):
        coarse: Key = (key[0], *key[1:width])
        found = channels.setdefault(coarse, {})
        channel = str(key[width])
        found[channel] = found.get(channel, ClassCounts()).plus(counters.classes())
    return channels


def _volumes(rows: Sequence[Row[Any]], width: int) -> dict[Key, VolumeCounts]:
    volumes: dict[Key, VolumeCounts] = {}
    for row in rows:
        known = volumes.get(tuple(row[:width]), VolumeCounts())
        volumes[tuple(row[:width])] = replace(known, **{row.volume: row.total})
    return volumes


def _surveys(rows: Sequence[Row[Any]], width: int) -> dict[Key, dict[QuestionMeasure, SurveyCounts]]:
    surveys: dict[Key, dict[QuestionMeasure, SurveyCounts]] = {}
    for row in rows:
        told = row._asdict()
        counts = SurveyCounts(
            acts=Outcomes(*(told[name] for name in Outcomes._fields)),
            force_majeure=Outcomes(*(told[f"fm_{name}"] for name in Outcomes._fields)),
            claimed=row.claimed,
            invalid=row.invalid,
            causes={root: told[f"cause_{root}"] for root in CAUSE_ROOTS},
            review=ExpertReview(*(told[name] for name in ExpertReview._fields)),
        )
        if "location_type" in told:
            counts = counts.of_type(row.location_type)
        measures = surveys.setdefault(tuple(row[:width]), {})
        known = measures.get(QuestionMeasure(row.measure))
        measures[QuestionMeasure(row.measure)] = counts if known is None else known.plus(counts)
    return surveys


def _compared(rows: Sequence[Row[Any]], width: int) -> dict[Key, dict[QuestionMeasure, dict[str, Any]]]:
    """Compared customers by measure and segment, which stand behind the key."""
    compared: dict[Key, dict[QuestionMeasure, dict[str, Any]]] = {}
    for row in rows:
        measures = compared.setdefault(tuple(row[:width]), {})
        measures.setdefault(QuestionMeasure(row.measure), {})[row.stratum] = _customers(row)
    return compared


def _strata(rows: Sequence[Row[Any]], width: int) -> dict[Key, dict[str, ComparedCustomers]]:
    strata: dict[Key, dict[str, ComparedCustomers]] = {}
    for row in rows:
        strata.setdefault(tuple(row[:width]), {})[row.stratum] = _customers(row)
    return strata


def _customers(row: Row[Any]) -> ComparedCustomers:
    told = row._asdict()
    return ComparedCustomers(
        *(Group(*(told[f"{side}_{name}"] for name in Group._fields)) for side in ComparedCustomers._fields)
    )


Read = Callable[[Sequence[Row[Any]], int], dict[Key, Any]]


def _each(part: Callable[[Mapping[str, Any]], Any]) -> Read:
    """A part made of the named columns of its only row."""
    return lambda rows, width: {tuple(row[:width]): part(row._asdict()) for row in rows}


def _named(kind: Callable[..., Any], *names: str) -> Read:
    return _each(lambda told: kind(**{name: told[name] for name in names}))


_TIMERS: Final = ("met", "closed_late", "open_overdue", "pending", "cancelled")
_DURATIONS: Final = _each(lambda told: Durations(tuple(told["ended"] or ()), tuple(told["censored"] or ())))
_PARTS: Final[Mapping[Population, tuple[str, Read]]] = {
    Population.FEEDBACK: ("answers", _answers),
    Population.CHANNELS: ("channels", _channels),
    Population.VOLUME: ("volumes", _volumes),
    Population.SURVEYS: ("surveys", _surveys),
    Population.UNSOLICITED: ("unsolicited", _each(lambda told: told["unsolicited"])),
    Population.CASES_OPENED: (
        "opened",
        _named(OpenedCases, "opened", "answerable", "unanswered", "proactive", "complaints"),
    ),
    Population.CASES_CLOSED: ("closed", _each(lambda told: _with_money(ClosedCases, told, "redress"))),
    Population.CASES_RESOLVED: ("resolved", _each(lambda told: _with_money(ResolvedCases, told, "spent"))),
    Population.RESPONSES: ("responses", _DURATIONS),
    Population.RESOLUTIONS: ("resolutions", _DURATIONS),
    Population.BACKLOG: (
        "open_cases",
        _each(lambda told: OpenCases(tuple(told["ages"] or ()), told["overdue"])),
    ),
    Population.TIMERS: ("timers", _named(TimerCounts, *_TIMERS)),
    Population.TIMED_CASES: ("timed_cases", _named(TimedCases, *TimedCases._fields)),
    Population.RETURNING: ("returning", _named(ReturningCustomers, *ReturningCustomers._fields)),
    Population.CUSTOMERS: ("compared_customers", _compared),
    Population.COMEBACKS: ("comebacks", _strata),
    Population.OVERDUE_CASES: ("overdue_cases", _named(Replies, *Replies._fields)),
    Population.OVERDUE_REVIEWS: ("overdue_reviews", _named(Replies, *Replies._fields)),
    Population.REVIEWS: ("reviews", _named(PublishedReviews, *PublishedReviews._fields)),
    Population.DISPLAYED: ("displayed", _named(DisplayedRatings, *DisplayedRatings._fields)),
    Population.ORDERS: (
        "orders",
        _each(
            lambda told: PromisedOrders(
                **{name: told[name] for name in PromisedOrders._fields if name != "gaps"},
                gaps=tuple(told["gaps"] or ()),
            )
        ),
    ),
}
"""For each population: the field of the cell that it fills, and how its rows are read."""


def _with_money(kind: Any, told: Mapping[str, Any], money: str) -> Any:
    return kind(**{name: told[name] for name in kind._fields if name != money}, **{money: float(told[money])})
