"""The gates of domain.md 3.4: may an index be used as a KPI, and if not, why."""

from __future__ import annotations

from typing import Final

from app.domain.measures.cell import Cell
from app.domain.measures.surveys import ExpertReview, SurveyCounts
from app.domain.measures.values import LOW_N_BELOW, SUPPRESSED_BELOW, MetricStatus, worst

EXPERT_SAMPLE: Final = 50
RELIABLE_FROM: Final = 0.90

INDEX_GATES: Final = (
    "suppressed_below_5",
    "low_n_below_30",
    "coverage_at_least_threshold",
    "expert_sample_at_least_50",
    "reliability_at_least_90_percent",
    "force_majeure_at_most_maximum",
)

Found = tuple[MetricStatus, str]


def gate(n: int, counts: SurveyCounts, cell: Cell) -> tuple[MetricStatus, tuple[str, ...]]:
    """The worst status that holds, and the reasons of all that do; `n` acts is what the index rests on."""
    if n < SUPPRESSED_BELOW:
        return MetricStatus.SUPPRESSED, ()
    found = [*_of_size(n), *_of_coverage(counts, cell)]
    found += [*_of_review(counts.review), *_of_excuses(counts, cell)]
    status = worst(*(status for status, _ in found), MetricStatus.OK)
    return status, tuple(dict.fromkeys(reason for _, reason in found))


def _of_size(n: int) -> list[Found]:
    return [(MetricStatus.LOW_N, "fewer_than_30")] if n < LOW_N_BELOW else []


def _of_coverage(counts: SurveyCounts, cell: Cell) -> list[Found]:
    threshold = cell.coverage_min
    if threshold is None:
        return [(MetricStatus.UNVERIFIED, "no_coverage_threshold")]
    visitors = None if cell.volumes is None else cell.volumes.visitors
    if not visitors:
        return [(MetricStatus.UNVERIFIED, "no_visitors")]
    if counts.acts.n < threshold * visitors:
        return [(MetricStatus.LOW_COVERAGE, "coverage_below_threshold")]
    return [(MetricStatus.OK, "coverage_above_one")] if counts.acts.n > visitors else []


def _of_review(review: ExpertReview) -> list[Found]:
    """Sample and reliability, separately for the positive and the negative."""
    found: list[Found] = []
    sides = (
        ("positive", review.checked_positive, review.ok_positive),
        ("negative", review.checked_negative, review.ok_negative),
    )
    for side, checked, ok in sides:
        if checked < EXPERT_SAMPLE:
            found.append((MetricStatus.UNVERIFIED, f"expert_sample_{side}_below_50"))
        if checked and ok < RELIABLE_FROM * checked:
            found.append((MetricStatus.UNRELIABLE, f"reliability_{side}_below_90"))
    return found


def _of_excuses(counts: SurveyCounts, cell: Cell) -> list[Found]:
    most = cell.terms.force_majeure_max * counts.acts.n
    too_many = counts.force_majeure.n > most
    return [(MetricStatus.UNRELIABLE, "force_majeure_above_maximum")] if too_many else []
