"""The document of a tenant's terms -> `Terms`; what it leaves out keeps its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.domain.measures.terms import DEFAULT_TERMS, LocationType, SilentMode, SilentTerms, Terms


def terms_of(document: Mapping[str, Any], version: int) -> Terms:
    """The terms that a stored document states.

    Shape: `{silent: {mode, k, followed_up, dissatisfied, smoothed, location_types: {name: {locations, mode,
    k, ...}}}, coverage: {minimum, locations},
    force_majeure_max, voice_rates: {low, high}, headline_metric}`; validated when it was written.
    """
    silent: Mapping[str, Any] = document.get("silent") or {}
    coverage: Mapping[str, Any] = document.get("coverage") or {}
    rates: Mapping[str, Any] = document.get("voice_rates") or {}
    low, high = DEFAULT_TERMS.voice_rates
    return Terms(
        version=version,
        silent=replace(
            _silent(silent),
            location_types={
                name: LocationType(tuple(told["locations"]), _silent(told))
                for name, told in sorted((silent.get("location_types") or {}).items())
            },
        ),
        coverage_min=coverage.get("minimum"),
        coverage_min_by_location=dict(coverage.get("locations") or {}),
        force_majeure_max=document.get("force_majeure_max", DEFAULT_TERMS.force_majeure_max),
        voice_rates=(rates.get("low", low), rates.get("high", high)),
        headline_metric=document.get("headline_metric", DEFAULT_TERMS.headline_metric),
    )


def _silent(told: Mapping[str, Any]) -> SilentTerms:
    return SilentTerms(
        mode=SilentMode(told.get("mode", SilentMode.FIXED)),
        fixed_k=told.get("k", 0.5),
        followed_up=told.get("followed_up", 0),
        dissatisfied=told.get("dissatisfied", 0),
        smoothed=told.get("smoothed", False),
    )
