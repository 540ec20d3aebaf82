"""What a question to the metrics is answered with, as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.domain.measures.definition import Unit
from app.metrics.buckets import Granularity
from app.metrics.schemas import Fill, FilterIn, ReportType, Respondents


class PeriodOut(BaseModel):
    """A half-open period, written in the time zone of the answer."""

    model_config = ConfigDict(populate_by_name=True)

    from_: datetime = Field(alias="from")
    to: datetime


class QueryOut(BaseModel):
    """The query as it was understood: absolute times, all defaults filled in."""

    metrics: list[str]
    group_by: list[str] = Field(description="with the dimensions by which scores are always kept apart")
    granularity: Granularity
    period: PeriodOut
    compare_period: PeriodOut | None = None
    time_zone: str
    filters: list[FilterIn]
    respondents: Respondents
    report_type: ReportType
    as_of: datetime | None = None
    known_at: int | None = Field(default=None, description="data_seq, where a time was asked for too")
    fill: Fill
    order: list[str]
    limit: int


class ColumnOut(BaseModel):
    """One column of the rows."""

    name: str
    type: Literal["text", "number", "integer", "boolean", "datetime", "list"]
    unit: Unit | None = None
    metric: str | None = None


class DefinitionOut(BaseModel):
    """The definition that made a number."""

    id: str
    version: int


class PeriodAnnotationOut(BaseModel):
    """What explains a jump; nothing is claimed across the ends of one that breaks the series."""

    key: str
    title: str
    starts_at: datetime
    ends_at: datetime | None
    breaks_series: bool


class SourceShareOut(BaseModel):
    """How much of what a metric rests on is of one source."""

    metric: str
    population: str = Field(description="a ratio of two populations has a line for each")
    n: int = Field(description="what the metric rests on; of a ratio of two: rows of the population")
    share: float | None = Field(description="0..1 of n over all sources")


class FreshnessOut(BaseModel):
    """How fresh a source is, and with `freshness=full` what it gave to this answer."""

    source: str | None = Field(description="null: rows that name no source")
    last_event_at: datetime | None = Field(
        description="when it was last heard of (recorded), to within seconds"
    )
    expected_every_seconds: int | None = Field(description="how often it should be heard of, where told")
    is_silent: bool | None = Field(description="true: longer ago than that; null: nobody said how often")
    last_occurred_at: datetime | None = Field(
        default=None, description="when the newest of its rows in this answer happened; with `freshness=full`"
    )
    coverage: list[SourceShareOut] | None = Field(
        default=None, description="its share of each metric; with `freshness=full`"
    )


class ReadingPlanOut(BaseModel):
    """Where the numbers of a population came from."""

    population: str
    read: str = Field(description="`rows`, or the cuboid", examples=["cuboid_day_location"])
    folded_seq: int | None = Field(
        default=None, description="the cuboid holds commits up to here, the tail the rest"
    )


class StatementOut(BaseModel):
    """One SELECT as the database got it."""

    population: str
    sql: str
    parameters: list[Any] = Field(description="$1, $2, ...")


class AnswerOut(BaseModel):
    """Rows, and all that is needed to trust them."""

    query: QueryOut
    columns: list[ColumnOut]
    rows: list[dict[str, Any]] = Field(
        examples=[
            [
                {
                    "bucket": "2026-03-02T00:00:00+02:00",
                    "touchpoint": "checkout",
                    "collection_mode": "invited",
                    "scale_id": "nps_0_10",
                    "nps": 55.0,
                    "nps_n": 100,
                    "nps_ci_low": 37.81,
                    "nps_ci_high": 68.99,
                    "nps_status": "ok",
                    "nps_reasons": [],
                    "nps_promoters": 75,
                    "nps_passives": 5,
                    "nps_detractors": 20,
                }
            ]
        ]
    )
    next_cursor: str | None = None
    definitions: list[DefinitionOut]
    terms_version: int = Field(description="version of the tenant's terms (k, thresholds); 0: the defaults")
    annotations: list[PeriodAnnotationOut] = Field(description="what happened to the tenant in these periods")
    data_seq: int = Field(description="number of the last commit that these rows have seen")
    sources: list[FreshnessOut]
    plan: list[ReadingPlanOut]
    drill: dict[str, str] = Field(description="links to the rows behind the numbers, with the same filter")
    statements: list[StatementOut] | None = Field(default=None, description="only with `explain=true`")
