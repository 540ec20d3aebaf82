"""Plain counts: how much feedback, how many complaints, visitors, sales and contacts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import Comparison, compare_counts
from app.domain.measures.counters import ClassCounts
from app.domain.measures.definition import Better, MetricDefinition, Population, Unit
from app.domain.measures.values import MetricValue, count_value

Count = Callable[[Cell], int | None]


def count_metric(
    metric_id: str,
    title: str,
    description: str,
    formula: str,
    population: Population,
    count: Count,
    *,
    better: Better = Better.NEITHER,
    item_level: bool = False,
    reads_clock: bool = False,
    original_term: str | None = None,
) -> MetricDefinition:
    """The definition of a plain count: null where its population is empty, never suppressed."""

    def compute(cell: Cell) -> MetricValue:
        return count_value(count(cell))

    def compare(now: Cell, before: Cell) -> Comparison:
        return compare_counts(count(now), count(before))

    return MetricDefinition(
        id=metric_id,
        title=title,
        description=description,
        formula=formula,
        unit=Unit.COUNT,
        better=better,
        populations=(population,),
        compute=compute,
        compare=compare,
        item_level=item_level,
        reads_clock=reads_clock,
        original_term=original_term,
    )


def _of_classes(count: Callable[[ClassCounts], int]) -> Count:
    def read(cell: Cell) -> int | None:
        counts = cell.classes()
        return None if counts is None else count(counts)

    return read


FEEDBACK_COUNTS: Final = (
    count_metric(
        "responses",
        "Answers",
        "Answers to questions, however many one feedback item holds; silence is not an answer.",
        "count of answers with a value, a label or a text",
        Population.FEEDBACK,
        _of_classes(lambda counts: counts.n + counts.unknown),
    ),
    count_metric(
        "feedback_count",
        "Feedback items",
        "Feedback items of every kind and channel.",
        "count of feedback items, each once",
        Population.FEEDBACK,
        _of_classes(lambda counts: counts.items),
        item_level=True,
    ),
    count_metric(
        "survey_acts",
        "Survey acts",
        "Contacts in which somebody was reached and asked, the silent among them; by question, measure or "
        "scale: those in which that was asked.",
        "feedback items + silent; the not reached are not in it",
        Population.FEEDBACK,
        _of_classes(lambda counts: counts.survey_acts),
        original_term="опрос",
    ),
    count_metric(
        "silent",
        "Silent customers",
        "Asked and reached, but no answer before the time ran out, or a refusal.",
        "count of silent survey acts",
        Population.FEEDBACK,
        _of_classes(lambda counts: counts.silent),
        better=Better.LOWER,
        original_term="Молчуны",
    ),
    count_metric(
        "complaints",
        "Complaints",
        "Feedback items that their sender calls complaints, with a case or without; what a rule or a model "
        "found is a case: see complaint_rate, and cases_opened by kind.",
        "count of feedback items of kind complaint",
        Population.FEEDBACK,
        _of_classes(lambda counts: counts.complaints),
        better=Better.LOWER,
        item_level=True,
    ),
)

VOLUME_COUNTS: Final = (
    count_metric(
        "visitors",
        "Visitors",
        "People who came, as the counters told us.",
        "sum of visitors.counted",
        Population.VOLUME,
        lambda cell: None if cell.volumes is None else cell.volumes.visitors,
    ),
    count_metric(
        "transactions",
        "Transactions",
        "Completed sales.",
        "count of transaction.completed + sum of transactions.counted",
        Population.VOLUME,
        lambda cell: None if cell.volumes is None else cell.volumes.transactions,
        better=Better.HIGHER,
    ),
    count_metric(
        "interactions",
        "Interactions",
        "Contacts that ended: calls, chats, visits.",
        "count of interaction.ended + sum of interactions.counted",
        Population.VOLUME,
        lambda cell: None if cell.volumes is None else cell.volumes.interactions,
    ),
)
