"""Which form of an answer a caller wants, by the Accept header."""

from __future__ import annotations

from collections.abc import Mapping

from app.metrics.formats import MEDIA_TYPES, Form

_ALIASES = {"application/ndjson": MEDIA_TYPES[Form.NDJSON], "application/jsonl": MEDIA_TYPES[Form.NDJSON]}


def preferred_form(headers: Mapping[str, str]) -> Form:
    """The form that the Accept header weighs highest; JSON for a missing, careless or undecided one."""
    weights: dict[str, float] = {}
    for entry in headers.get("accept", "").split(","):
        media_type, *parameters = (part.strip().lower() for part in entry.split(";"))
        media_type = _ALIASES.get(media_type, media_type)
        weights[media_type] = max(_weight(parameters), weights.get(media_type, 0.0))
    return max(Form, key=lambda form: (_weight_of(form, weights), form is Form.JSON))


def _weight_of(form: Form, weights: Mapping[str, float]) -> float:
    """The weight of the most exact range that holds the form."""
    media_type = MEDIA_TYPES[form]
    family = media_type.partition("/")[0] + "/*"
    return weights.get(media_type, weights.get(family, weights.get("*/*", 0.0)))


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
