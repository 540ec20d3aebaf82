"""What a metric query and its answer look like on the wire."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StrictBool, StrictInt, StrictStr

from app.domain.measures.definition import Better, Unit
from app.metrics.buckets import Granularity
from app.metrics.period import DEFAULT_PERIOD

Name = Annotated[str, Field(min_length=1, max_length=200)]
FilterInteger = Annotated[StrictInt, Field(ge=-(2**63), lt=2**63)]
FilterValue = StrictBool | FilterInteger | FiniteFloat | Annotated[StrictStr, Field(max_length=500)]

DEFAULT_LIMIT = 1_000
MAX_LIMIT = 20_000


class FilterOp(StrEnum):
    """How a dimension is compared; `ne` and `not_in` keep the rows that have no value.

    `under` is for what has parents (touchpoints, locations, causes ...): the value and all beneath it.
    """

    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    GTE = "gte"
    LTE = "lte"
    IS_NULL = "is_null"
    NOT_NULL = "not_null"
    UNDER = "under"


class Respondents(StrEnum):
    """Which answers of one customer count."""

    ALL = "all"
    LATEST_PER_CUSTOMER = "latest_per_customer"
    FIRST_PER_CASE = "first_per_case"


class ReportType(StrEnum):
    """An audit must show the level of force majeure beside what it excuses; monitoring may leave it out."""

    MONITORING = "monitoring"
    AUDIT = "audit"


class Fill(StrEnum):
    """What stands for buckets in which nothing happened: no row, or a row of nulls."""

    NONE = "none"
    NULL = "null"


class Freshness(StrEnum):
    """How much is told of the sources: when each was heard of, or also what the answer rests on."""

    BRIEF = "brief"
    FULL = "full"


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SpanIn(_Schema):
    """A period by its ends: dates or instants, local to the time zone when they carry none."""

    from_: Name = Field(alias="from", examples=["2026-03-01"])
    to: Name = Field(description="excluded", examples=["2026-04-01"])


class FilterIn(_Schema):
    """One condition; several are joined by AND."""

    dimension: Name = Field(examples=["channel", "attributes.agency"])
    op: FilterOp = FilterOp.EQ
    values: list[FilterValue] = Field(default_factory=list, max_length=100, examples=[["call", "chat"]])


class MetricQueryIn(_Schema):
    """A question about metrics."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "metrics": ["nps", "responses"],
                    "group_by": ["touchpoint"],
                    "granularity": "week",
                    "period": "28d",
                    "time_zone": "Europe/Kyiv",
                    "filters": [{"dimension": "channel", "op": "in", "values": ["call", "chat"]}],
                }
            ]
        },
    )

    metrics: list[Name] = Field(min_length=1, max_length=20, description="ids of GET /v1/metrics")
    group_by: list[Name] = Field(default_factory=list, max_length=5, description="dimensions")
    granularity: Granularity = Granularity.NONE
    period: Name | SpanIn = Field(default=DEFAULT_PERIOD, description='"28d", "this_month", or from and to')
    time_zone: Name | None = Field(default=None, description="IANA zone; default: the tenant's")
    filters: list[FilterIn] = Field(default_factory=list, max_length=20)
    compare: Literal["previous_period", "previous_year"] | SpanIn | None = Field(
        default=None, description="the period before, the same days a year before, or from and to"
    )
    respondents: Respondents = Field(
        default=Respondents.ALL,
        description="whose answers count: of a customer's (or of those about a case) to one question in the "
        "period all, the latest, the first; cases, volumes, orders and reviews are no answers",
    )
    report_type: ReportType = Field(
        default=ReportType.MONITORING,
        description="audit: `fm_level` is answered with every metric of key questions, asked for or not",
    )
    as_of: Name | None = Field(
        default=None, description="the instant at which open cases are looked at; default: now"
    )
    known_at: Annotated[int, Field(ge=0, le=2**42)] | Name | None = Field(
        default=None,
        description="everything as it was known at this data_seq, or at this time (the last commit recorded "
        "by then); cases by replay, which takes longer",
        examples=[1042, "2026-03-31T18:00:00Z"],
    )
    fill: Fill = Fill.NONE
    freshness: Freshness = Field(
        default=Freshness.BRIEF,
        description="`full` tells of each source when its newest row happened and which share of each metric "
        "rests on it; it counts the rows of the period once more",
    )
    order: list[Name] = Field(
        default_factory=list, max_length=5, description="columns, `-` in front: descending; nulls last"
    )
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: Annotated[str, Field(max_length=4000)] | None = None


class MetricOut(BaseModel):
    """A metric as the catalogue describes it."""

    id: str
    version: int
    title: str
    original_term: str | None
    bsc: str | None = Field(description="part of a balanced scorecard: customer, internal_process")
    description: str
    formula: str
    unit: Unit
    better: Better
    populations: list[str]
    measure: str | None
    scales: list[str]
    parts: list[str] = Field(description="published beside the value as `<metric>_<part>`")
    dimensions: list[str]
    kept_apart_by: list[str] = Field(description="dimensions that every answer groups by")
    gates: list[str]
    off_by_default: bool


class CatalogueOut(BaseModel):
    """All metrics, and the dimensions that this tenant added."""

    version: str
    metrics: list[MetricOut]
    attributes: list[str] = Field(description="registered attributes that may be grouped by")
