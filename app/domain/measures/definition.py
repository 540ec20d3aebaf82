"""What a metric is: its identity, formula, population and dimensions. One definition serves every reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import Compare
from app.domain.measures.scores import Score
from app.domain.measures.values import MetricValue
from app.domain.scales import QuestionMeasure


class Population(StrEnum):
    """The rows a metric counts, and by which of their times it counts them.

    feedback by when it was experienced or given, volumes by when they were counted, cases_opened by
    opening (cohort), cases_closed by closing and cases_resolved by the final resolution (throughput),
    timers by their due time (cohort), backlog not at all: cases open at as_of (a snapshot), orders by
    the time that was promised. surveys are feedback counted by outcome, force majeure and cause,
    channels feedback by channel, unsolicited what customers said unasked, customers answers of those
    with and without a complaint before, comebacks whether they came again, reviews feedback that was
    published, by its time, displayed what review sites show of us. overdue_cases and overdue_reviews are
    the opened cases and the reviews again, by whether a deadline passed before anybody replied.
    """

    FEEDBACK = "feedback"
    VOLUME = "volume"
    CASES_OPENED = "cases_opened"
    CASES_CLOSED = "cases_closed"
    TIMERS = "timers"
    SURVEYS = "surveys"
    CHANNELS = "channels"
    UNSOLICITED = "unsolicited"
    RESPONSES = "responses"
    RESOLUTIONS = "resolutions"
    CASES_RESOLVED = "cases_resolved"
    BACKLOG = "backlog"
    TIMED_CASES = "timed_cases"
    RETURNING = "returning"
    CUSTOMERS = "customers"
    ORDERS = "orders"
    REVIEWS = "reviews"
    DISPLAYED = "displayed"
    COMEBACKS = "comebacks"
    OVERDUE_CASES = "overdue_cases"
    OVERDUE_REVIEWS = "overdue_reviews"


class Dimension(StrEnum):
    """What an answer may be grouped and filtered by (`attributes.<key>` comes on top of these)."""

    CHANNEL = "channel"
    TOUCHPOINT = "touchpoint"
    LOCATION = "location"
    EMPLOYEE = "employee"
    QUESTION = "question"
    MEASURE = "measure"
    SEGMENT = "segment"
    PRODUCT = "product"
    SOURCE = "source"
    KIND = "kind"
    CAUSE = "cause"
    STAGE = "stage"
    COLLECTION_MODE = "collection_mode"
    SCALE_ID = "scale_id"
    LANG = "lang"
    VERIFICATION = "verification"
    SEVERITY = "severity"
    STATE = "state"
    TIMER = "timer"
    POLICY = "policy"


_PLACE: Final = frozenset({Dimension.CHANNEL, Dimension.TOUCHPOINT, Dimension.LOCATION, Dimension.EMPLOYEE})
_WHAT: Final = frozenset({Dimension.SEGMENT, Dimension.PRODUCT, Dimension.SOURCE})
_ITEM: Final = frozenset(
    {
        Dimension.KIND,
        Dimension.CAUSE,
        Dimension.STAGE,
        Dimension.COLLECTION_MODE,
        Dimension.LANG,
        Dimension.VERIFICATION,
    }
)
_ANSWER: Final = frozenset({Dimension.QUESTION, Dimension.MEASURE, Dimension.SCALE_ID})
_CASE: Final = frozenset(
    {Dimension.KIND, Dimension.CAUSE, Dimension.STAGE, Dimension.SEVERITY, Dimension.STATE}
)
_TIMER: Final = frozenset({Dimension.KIND, Dimension.SEVERITY, Dimension.TIMER, Dimension.POLICY})

DIMENSIONS_OF: Final = {
    Population.FEEDBACK: _PLACE | _WHAT | _ITEM | _ANSWER,
    Population.SURVEYS: _PLACE | _WHAT | _ITEM | _ANSWER,
    Population.CHANNELS: (_PLACE | _WHAT | _ITEM) - {Dimension.CHANNEL},
    Population.UNSOLICITED: _PLACE | _WHAT | _ITEM,
    Population.CUSTOMERS: _PLACE | _WHAT | _ITEM | _ANSWER,
    Population.VOLUME: _PLACE | _WHAT,
    Population.CASES_OPENED: _PLACE | _WHAT | _CASE,
    Population.CASES_CLOSED: _PLACE | _WHAT | _CASE,
    Population.CASES_RESOLVED: _PLACE | _WHAT | _CASE,
    Population.RESPONSES: _PLACE | _WHAT | _CASE,
    Population.RESOLUTIONS: _PLACE | _WHAT | _CASE,
    Population.BACKLOG: _PLACE | _WHAT | _CASE,
    Population.RETURNING: _PLACE | _WHAT | _CASE,
    Population.TIMERS: _PLACE | _WHAT | _TIMER,
    Population.TIMED_CASES: _PLACE | _WHAT | _TIMER,
    Population.ORDERS: _PLACE | _WHAT,
    Population.REVIEWS: _PLACE | _WHAT | _ITEM,
    Population.DISPLAYED: _PLACE | _WHAT,
    Population.COMEBACKS: _PLACE | _WHAT | _ITEM,
    Population.OVERDUE_CASES: _PLACE | _WHAT | _CASE,
    Population.OVERDUE_REVIEWS: _PLACE | _WHAT | _ITEM,
}
"""The dimensions that every row of a population has a place for."""


class Unit(StrEnum):
    """What the number counts in; it decides how many decimals are shown."""

    COUNT = "count"
    POINTS = "points"
    PERCENT = "percent"
    SCORE = "score"
    RATIO = "ratio"
    PER_THOUSAND = "per_thousand"
    MINUTES = "minutes"
    HOURS = "hours"
    MONEY = "money"

    @property
    def decimals(self) -> int:
        return _DECIMALS.get(self, 2)


_DECIMALS: Final = {Unit.COUNT: 0, Unit.SCORE: 3, Unit.RATIO: 4}

PART_UNITS: Final = {
    "sum": Unit.SCORE,
    "k": Unit.RATIO,
    "at_k0": Unit.PERCENT,
    "at_k1": Unit.PERCENT,
    "bound_low": Unit.PERCENT,
    "bound_high": Unit.PERCENT,
    "naive": None,
    "spent": Unit.MONEY,
    "low_rate": Unit.RATIO,
    "high_rate": Unit.RATIO,
    "other_share": Unit.PERCENT,
    "other_nps": None,
    "stratified": None,
    "stratified_low": None,
    "stratified_high": None,
    "p_value": Unit.RATIO,
    "max_age": Unit.HOURS,
}
"""Units of the parts that are no counts; None: the unit of their metric."""


class Better(StrEnum):
    """The direction in which a change is good news."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """One metric. `parts` name the components published beside the value, in column order.

    `measure` and `scale_ids` say which answers it reads (None and empty: all). A score (`is_score`) is
    never averaged across scales or collection modes, an index that `keeps_modes_apart` across modes.
    `item_level` metrics count feedback items, which have no question or scale of their own.
    `bsc` is the part of a balanced scorecard whose KPI it is.
    `score` computes it from one histogram, as `compute` does with its cell's. `reads_clock` metrics change
    with as_of alone. `context` are populations that its gates look at: read where they can be split in the
    same way, at the coarser groups where they know fewer dimensions.
    """

    id: str
    title: str
    description: str
    formula: str
    unit: Unit
    better: Better
    populations: tuple[Population, ...]
    compute: Callable[[Cell], MetricValue]
    compare: Compare
    parts: tuple[str, ...] = ()
    original_term: str | None = None
    bsc: str | None = None
    measure: QuestionMeasure | None = None
    scale_ids: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    context: tuple[Population, ...] = ()
    is_score: bool = False
    score: Score | None = None
    keeps_modes_apart: bool = False
    item_level: bool = False
    reads_clock: bool = False
    off_by_default: bool = False
    version: int = 1

    @property
    def dimensions(self) -> frozenset[Dimension]:
        """What it may be grouped by: what all its populations share.

        A ratio of two populations is not split by source: who counts the visitors is seldom who asks them.
        """
        shared = frozenset[Dimension].intersection(*(DIMENSIONS_OF[p] for p in self.populations))
        if len(self.populations) > 1:
            shared -= {Dimension.SOURCE}
        return shared - _ANSWER if self.item_level else shared


PUBLICATION_GATES: Final = ("suppressed_below_5", "low_n_below_30")
"""The gates of every rate and score (domain.md 4.6)."""
