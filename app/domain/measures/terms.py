"""What the numbers of a tenant depend on besides its data: k of the silent, thresholds, rates; versioned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from app.domain.measures.surveys import Outcomes

CALIBRATION_NEEDS: Final = 50
"""Silents that must have been followed up before a calibrated k counts (the vendor's expert minimum)."""
_PRIOR_WEIGHT: Final = 20
_PRIOR_K: Final = 0.5


class SilentMode(StrEnum):
    """How k = P(dissatisfied | silent) is known: assumed, measured on a subsample, or as answerers are."""

    FIXED = "fixed"
    CALIBRATED = "calibrated"
    MAR = "mar"


@dataclass(frozen=True, slots=True)
class Coefficient:
    """The k of one value: `sample` is what a measured k rests on (its error enters the interval)."""

    k: float
    mode: SilentMode
    sample: int | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SilentTerms:
    """How a tenant weighs its silent customers (domain.md 3.3).

    `fixed_k` in 0..1; `followed_up` silents were asked again and `dissatisfied` of them were not content;
    `smoothed` draws a calibrated k towards 0.5 by the weight of 20 answers. A k is calibrated for one type of
    location and says nothing of others: `location_types` have terms of their own.
    """

    mode: SilentMode = SilentMode.FIXED
    fixed_k: float = 0.5
    followed_up: int = 0
    dissatisfied: int = 0
    smoothed: bool = False
    location_types: Mapping[str, LocationType] = field(default_factory=dict)

    def of_type(self, name: str) -> SilentTerms:
        """The terms of a type of location; where it has none of its own, these."""
        own = self.location_types.get(name)
        return self if own is None else own.silent

    def coefficient(self, acts: Outcomes) -> Coefficient:
        """The k for these acts; where the mode cannot be followed, the fixed one with the reason."""
        match self.mode:
            case SilentMode.FIXED:
                return Coefficient(self.fixed_k, SilentMode.FIXED)
            case SilentMode.CALIBRATED:
                return self._calibrated()
            case SilentMode.MAR:
                if acts.answered == 0:
                    return Coefficient(self.fixed_k, SilentMode.FIXED, reasons=("nobody_answered",))
                return Coefficient(acts.negative / acts.answered, SilentMode.MAR, acts.answered)

    def _calibrated(self) -> Coefficient:
        if self.followed_up < CALIBRATION_NEEDS:
            return Coefficient(self.fixed_k, SilentMode.FIXED, reasons=("calibration_below_50",))
        k = self.dissatisfied / self.followed_up
        if self.smoothed:
            k = (self.dissatisfied + _PRIOR_WEIGHT * _PRIOR_K) / (self.followed_up + _PRIOR_WEIGHT)
        return Coefficient(k, SilentMode.CALIBRATED, self.followed_up)


@dataclass(frozen=True, slots=True)
class LocationType:
    """Locations whose silent customers are alike (a staffed desk, a walk-in hall), and their own terms."""

    locations: tuple[str, ...]
    silent: SilentTerms


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of a tenant's terms. Thresholds of coverage are shares; unset means: nobody decided yet.

    `force_majeure_max` is the confirmed level above which an index is no KPI; `voice_rates` are the shares
    of the dissatisfied who speak up (low, high), by which latent dissatisfaction is estimated.
    """

    version: int = 0
    silent: SilentTerms = SilentTerms()
    coverage_min: float | None = None
    coverage_min_by_location: Mapping[str, float] = field(default_factory=dict)
    force_majeure_max: float = 0.10
    voice_rates: tuple[float, float] = (0.05, 0.5)
    headline_metric: str = "csat_t2b"

    def coverage_threshold(self, location: str | None) -> float | None:
        """The coverage below which the numbers of a location speak for too few."""
        return self.coverage_min_by_location.get(location or "", self.coverage_min)


DEFAULT_TERMS: Final = Terms()
