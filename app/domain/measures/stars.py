"""Stars: the mean of a review site or shop, and the share of bad ones (domain.md 4.5)."""

from __future__ import annotations

from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.comparison import (
    NOT_COMPARABLE,
    Comparison,
    compare_counts,
    compare_means,
    compare_shares,
)
from app.domain.measures.counters import Counters
from app.domain.measures.csat import mean_of
from app.domain.measures.definition import (
    PUBLICATION_GATES,
    Better,
    MetricDefinition,
    Population,
    Unit,
)
from app.domain.measures.recovered import PublishedReviews
from app.domain.measures.scores import MEAN_SCORE, NEGATIVE_SCORE
from app.domain.measures.shares import Share, share_metric
from app.domain.measures.values import MetricValue, no_value, scored_value
from app.domain.scales import QuestionMeasure

STARS_SCALES: Final = ("stars_1_5", "stars_half")


def _counters(cell: Cell) -> Counters | None:
    return cell.counters(QuestionMeasure.STARS, STARS_SCALES)


def negative_share(counters: Counters | None) -> MetricValue:
    """Percent of answers in the negative class."""
    return scored_value(NEGATIVE_SCORE, counters, ("negative",))


def compare_negative(now: Counters | None, before: Counters | None) -> Comparison:
    """Change of the negative share in percentage points."""
    if now is None or before is None:
        return NOT_COMPARABLE
    return compare_shares(now.negative, now.n, before.negative, before.n)


def displayed_rating(cell: Cell) -> MetricValue:
    """The figure that one site displays of one place; several of them have no mean."""
    found = cell.displayed
    if found is None:
        return no_value({"sites": None})
    parts = {"sites": found.sites}
    if found.sites != 1:
        return no_value(parts, "several_sites", n=found.reviews)
    return MetricValue(found.rating, found.reviews, parts=parts)


def _answered(cell: Cell) -> Share | None:
    return None if cell.reviews is None else (cell.reviews.answered, cell.reviews.published)


STARS: Final = (
    MetricDefinition(
        id="stars_mean",
        title="Stars, mean",
        description="Mean of our own copies of the ratings; a site's displayed rating may weigh them.",
        formula="sum / n; normal interval with the sample standard deviation",
        unit=Unit.SCORE,
        better=Better.HIGHER,
        populations=(Population.FEEDBACK,),
        compute=lambda cell: mean_of(_counters(cell)),
        compare=lambda now, before: compare_means(_counters(now), _counters(before)),
        parts=("sum",),
        score=MEAN_SCORE,
        measure=QuestionMeasure.STARS,
        scale_ids=STARS_SCALES,
        gates=PUBLICATION_GATES,
        is_score=True,
    ),
    MetricDefinition(
        id="stars_negative",
        title="Stars, share negative",
        description="Share of ratings in the negative class (1-2 of 5).",
        formula="100 * negative / n; Wilson interval",
        unit=Unit.PERCENT,
        better=Better.LOWER,
        populations=(Population.FEEDBACK,),
        compute=lambda cell: negative_share(_counters(cell)),
        compare=lambda now, before: compare_negative(_counters(now), _counters(before)),
        parts=("negative",),
        score=NEGATIVE_SCORE,
        measure=QuestionMeasure.STARS,
        scale_ids=STARS_SCALES,
        gates=PUBLICATION_GATES,
        is_score=True,
    ),
    MetricDefinition(
        id="displayed_rating",
        title="Rating as the site displays it",
        description="The last figure that a review site showed of a place; its own weighting is unknown, so "
        "several sites or places are never averaged: group by source and location.",
        formula="as stated by rating.displayed; n: the reviews that the site says it rests on",
        unit=Unit.SCORE,
        better=Better.HIGHER,
        populations=(Population.DISPLAYED,),
        compute=displayed_rating,
        compare=lambda now, before: compare_counts(
            displayed_rating(now).value, displayed_rating(before).value
        ),
        parts=("sites",),
        reads_clock=True,
    ),
    share_metric(
        "reviews_answered_share",
        "Reviews answered",
        "Share of the reviews that still stand to which a human replied in public by as_of.",
        "100 * replied / published; Wilson interval",
        Population.REVIEWS,
        _answered,
        lambda cell: (cell.reviews or PublishedReviews())._asdict(),
        ("published", "answered"),
    ),
    share_metric(
        "reviews_unanswered_share",
        "Reviews unanswered",
        "Share of the reviews that still stand to which no human replied in public. The target is 0.",
        "100 * without a reply / published; Wilson interval",
        Population.REVIEWS,
        lambda cell: None if cell.reviews is None else cell.reviews.unanswered_share,
        lambda cell: (cell.reviews or PublishedReviews())._asdict(),
        ("published", "answered"),
        better=Better.LOWER,
    ),
    share_metric(
        "reviews_overdue_share",
        "Reviews unanswered past a deadline",
        "Share of the reviews that still stand to which nobody replied although a deadline has passed.",
        "100 * without a reply and with an open timer past due / published; Wilson interval",
        Population.OVERDUE_REVIEWS,
        lambda cell: None if cell.overdue_reviews is None else cell.overdue_reviews.overdue_share,
        lambda cell: {} if cell.overdue_reviews is None else cell.overdue_reviews.parts,
        ("unanswered", "overdue"),
        better=Better.LOWER,
        reads_clock=True,
    ),
)
