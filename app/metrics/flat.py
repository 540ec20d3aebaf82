"""The same question as flat query parameters, for links, spreadsheets and BI tools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Final

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.domain.errors import InvalidError
from app.domain.measures.definition import Dimension
from app.metrics.dimensions import ATTRIBUTE_PREFIX
from app.metrics.formats import Form
from app.metrics.period import DEFAULT_PERIOD
from app.metrics.schemas import DEFAULT_LIMIT, MAX_LIMIT, MetricQueryIn

Texts = Annotated[list[str], Field(default_factory=list)]


class FlatQueryIn(BaseModel):
    """Lists are comma-separated or repeated. A dimension as a parameter keeps the rows with that value; given
    several times, with any of the values.
    """

    model_config = ConfigDict(extra="allow")

    metrics: Annotated[list[str], Field(min_length=1, examples=["nps,responses"])]
    group_by: Texts
    granularity: str = Field(default="none", description="none, hour, day, week, month, quarter or year")
    period: str | None = Field(default=None, description=f'"28d", "this_month"; default {DEFAULT_PERIOD}')
    from_: str | None = Field(default=None, alias="from", description="instead of period, together with to")
    to: str | None = Field(default=None, description="excluded")
    time_zone: str | None = None
    filter: Texts = Field(description="dimension:op:value,value (for example `location:not_in:kyiv,lviv`)")
    compare: str | None = Field(default=None, description="previous_period or previous_year")
    compare_from: str | None = Field(default=None, description="instead of compare, together with compare_to")
    compare_to: str | None = Field(default=None, description="excluded")
    respondents: str = "all"
    report_type: str = Field(default="monitoring", description="audit: with the level of force majeure")
    as_of: str | None = None
    known_at: str | None = Field(default=None, description="data_seq of an earlier answer, or a time")
    fill: str = "none"
    freshness: str = Field(default="brief", description="full: what the answer rests on, by source")
    order: Texts
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: str | None = None
    format: Form | None = Field(default=None, description="instead of the Accept header")
    explain: bool = Field(default=False, description="tell the SQL too (needs `feedback:read`)")


DIMENSION_PARAMETERS: Final[list[dict[str, Any]]] = [
    {
        "name": dimension.value,
        "in": "query",
        "required": False,
        "description": "may be given several times: any of the values",
        "schema": {"type": "array", "items": {"type": "string"}},
    }
    for dimension in Dimension
]
"""Documentation of the parameters that `FlatQueryIn` takes as extras."""


def unfold(flat: FlatQueryIn) -> MetricQueryIn:
    """The query that flat parameters mean. Raises InvalidError or RequestValidationError."""
    document: dict[str, Any] = {
        "metrics": _split(flat.metrics),
        "group_by": _split(flat.group_by),
        "granularity": flat.granularity,
        "period": _period(flat),
        "filters": [*_dimension_filters(flat), *map(_filter, flat.filter)],
        "order": _split(flat.order),
        "compare": _compare(flat),
        **flat.model_dump(
            include={
                "time_zone",
                "respondents",
                "report_type",
                "as_of",
                "known_at",
                "fill",
                "freshness",
                "limit",
                "cursor",
            }
        ),
    }
    try:
        return MetricQueryIn.model_validate(document)
    except ValidationError as error:
        places = [{**item, "loc": ("query", *item["loc"])} for item in error.errors(include_url=False)]
        raise RequestValidationError(places) from None


def _split(texts: Iterable[str]) -> list[str]:
    return [part for text in texts for part in text.split(",") if part]


def _period(flat: FlatQueryIn) -> str | dict[str, str]:
    ends = (flat.from_, flat.to)
    if ends == (None, None):
        return flat.period or DEFAULT_PERIOD
    if flat.period is not None or flat.from_ is None or flat.to is None:
        raise InvalidError(
            "invalid_period",
            "a period is either a shortcut, or both its ends",
            pointer="query:period",
            cure="send period alone, or from and to",
        )
    return {"from": flat.from_, "to": flat.to}


def _compare(flat: FlatQueryIn) -> str | dict[str, str | None] | None:
    if flat.compare_from is None and flat.compare_to is None:
        return flat.compare
    if flat.compare is not None or flat.compare_from is None or flat.compare_to is None:
        raise InvalidError(
            "invalid_period",
            "what to compare with is either a word, or both ends of a period",
            pointer="query:compare",
            cure="send compare alone, or compare_from and compare_to",
        )
    return {"from": flat.compare_from, "to": flat.compare_to}


def _dimension_filters(flat: FlatQueryIn) -> list[dict[str, Any]]:
    filters = []
    for name, given in (flat.model_extra or {}).items():
        if name not in set(Dimension) and not name.startswith(ATTRIBUTE_PREFIX):
            raise _unknown(name)
        values: Sequence[str] = given if isinstance(given, list) else [str(given)]
        filters.append({"dimension": name, "op": "in", "values": values})
    return filters


def _unknown(name: str) -> InvalidError:
    known = [field.alias or key for key, field in FlatQueryIn.model_fields.items()] + list(Dimension)
    near = get_close_matches(name[:64], known, n=1, cutoff=0.0)
    return InvalidError(
        "unknown_parameter",
        f"there is no query parameter {name[:64]!r} here",
        pointer=f"query:{name[:64]}",
        cure=f"the nearest is {near[0]!r}; attributes are written {ATTRIBUTE_PREFIX}<key>",
    )


def _filter(text: str) -> dict[str, Any]:
    dimension, _, rest = text.partition(":")
    op, _, values = rest.partition(":")
    return {"dimension": dimension, "op": op or "eq", "values": _split([values])}


_PARAMETER_OF: Final = {"filters": "filter", "period": "period"}


def place_of(pointer: str) -> str:
    """The query parameter that a pointer into the query document speaks of."""
    parts = pointer.strip("/").split("/")
    if not pointer.startswith("/"):
        return pointer
    if parts[0] == "period" and len(parts) > 1:
        return f"query:{parts[1]}"
    return f"query:{_PARAMETER_OF.get(parts[0], parts[0])}"
