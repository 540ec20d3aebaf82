"""When a cause is a recurring failure, and which of them weigh most (domain.md 6.5, S2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import comb
from typing import Final

from app.domain.complaint import Severity

WINDOW: Final = timedelta(days=28)
REGISTRY_SIZE: Final = 12
ENOUGH_CASES: Final = 5
ALPHA: Final = 0.05
WEIGHTS: Final[Mapping[str, int]] = {
    Severity.SEV1: 4,
    Severity.SEV2: 3,
    Severity.SEV3: 2,
    Severity.SEV4: 1,
}
_LARGEST_EXACT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """Why a cause is a recurring failure: `many_cases` or `rate_rose`, and the counts behind it."""

    rule: str
    cases: int
    cases_before: int
    p: float | None


def find_candidate(
    cases: int, cases_before: int, exposure: float | None = None, exposure_before: float | None = None
) -> Candidate | None:
    """Whether so many cases of one cause in 28 days, after so many in the 28 before, are a recurring failure.

    At least 5, or a rate significantly (one-sided exact test, 5 %) above that of the window before. Exposures
    are transactions; where either is unknown or 0 the windows count as equally busy. One case is no rate.
    """
    if cases >= ENOUGH_CASES:
        return Candidate("many_cases", cases, cases_before, None)
    share = 0.5 if not exposure or not exposure_before else exposure / (exposure + exposure_before)
    p = rise_p(cases, cases_before, share)
    if cases > 1 and p <= ALPHA:
        return Candidate("rate_rose", cases, cases_before, round(p, 6))
    return None


def rise_p(cases: int, cases_before: int, share: float = 0.5) -> float:
    """P(at least so many of all cases fall into the later window), when nothing changed.

    Two Poisson counts given their sum are binomial (Przyborowski and Wilenski 1940); `share` is the later
    window's part of the exposure. Exact; sums past 1000 are scaled down to it, which is conservative.
    """
    total = cases + cases_before
    if total > _LARGEST_EXACT:
        cases, cases_before = cases * _LARGEST_EXACT // total, cases_before * _LARGEST_EXACT // total
        total = cases + cases_before
    return min(
        1.0, sum(comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(cases, total + 1))
    )


def weight(by_severity: Mapping[str, int]) -> int:
    """Cases times severity: what orders the registry. sev1 counts 4, sev4 counts 1."""
    return sum(WEIGHTS.get(severity, 0) * count for severity, count in by_severity.items())
