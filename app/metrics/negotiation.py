"""Which form of an answer a caller wants: JSON, or CSV by the Accept header."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CSV: Final = "text/csv"
JSON: Final = "application/json"


def prefers_csv(headers: Mapping[str, str]) -> bool:
    """True when the Accept header weighs CSV above JSON; a missing or careless one means JSON."""
    weights: dict[str, float] = {}
    for entry in headers.get("accept", "").split(","):
        media_type, *parameters = (part.strip().lower() for part in entry.split(";"))
        weights[media_type] = max(_weight(parameters), weights.get(media_type, 0.0))
    anything = weights.get("*/*", 0.0)
    wants_json = weights.get(JSON, weights.get("application/*", anything))
    return weights.get(CSV, weights.get("text/*", anything)) > wants_json


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
