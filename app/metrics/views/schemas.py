"""What the further answers about metrics look like on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from app.domain.measures.values import MetricStatus
from app.metrics.answer_schemas import AnswerOut
from app.metrics.period import DEFAULT_PERIOD
from app.metrics.schemas import FilterIn, Name, SpanIn

Word = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
_FIRST, _LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _in_living_memory(moment: datetime) -> datetime:
    if not _FIRST <= moment <= _LAST:
        raise ValueError("the time lies outside 1990 .. 2200")
    return moment


class ParetoIn(BaseModel):
    """Which count, split by what."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"metric": "cases_opened", "dimension": "cause", "period": "28d"}]},
    )

    metric: Name = Field(default="complaints", description="a count")
    dimension: Name = Field(default="cause", examples=["cause", "stage", "touchpoint"])
    period: Name | SpanIn = DEFAULT_PERIOD
    time_zone: Name | None = None
    filters: list[FilterIn] = Field(default_factory=list, max_length=20)


class ParetoRowOut(BaseModel):
    """One group; shares in percent."""

    group: str | None
    count: int
    share: float
    cumulative_share: float
    is_vital: bool = Field(description="one of the few groups that make 80 %")


class ParetoOut(BaseModel):
    """Groups of a count, largest first."""

    metric: str
    dimension: str
    total: int
    rows: list[ParetoRowOut]


class CoveredTouchpointOut(BaseModel):
    """A touchpoint and what was heard of it."""

    touchpoint: str
    title: str | None
    is_key: bool
    answers: int
    last_answer_at: datetime | None
    status: Annotated[str, Field(examples=["ok", "low_n", "no_data"])]


class JourneyCoverageOut(BaseModel):
    """Which touchpoints of the map are heard; those without data first."""

    touchpoints: int
    with_data: int
    key_without_data: int
    items: list[CoveredTouchpointOut]


class BeforeAfterIn(BaseModel):
    """A fix, and the cause that it was to end."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"cause": "office_process.queue", "deployed_at": "2026-02-01T00:00:00+02:00"}]
        },
    )

    deployed_at: Annotated[AwareDatetime, AfterValidator(_in_living_memory)]
    cause: Word | None = Field(default=None, description="a cause and its branch; default: all cases")
    location: Word | None = None
    window_days: int = Field(default=28, ge=1, le=366)
    settle_days: int = Field(default=3, ge=0, le=60, description="days after it that count for neither side")
    cost_per_contact: float = Field(default=0.0, ge=0, le=10**6)


class CountedSideOut(BaseModel):
    """One side of the comparison."""

    from_: datetime = Field(alias="from")
    to: datetime
    cases: int
    transactions: int


class RecurrenceOut(BaseModel):
    """(x1/e1) / (x0/e0) with its interval; null where nothing was sold on a side."""

    ratio: float | None
    ci_low: float | None
    ci_high: float | None
    avoided_contacts: float | None
    saving: float | None
    succeeded: bool | None = Field(description="the upper bound is below 1")
    provisional: bool = Field(description="the window after is not over yet")


class PairedOut(BaseModel):
    """Mean CSAT after minus before, over the customers who answered on both sides; null below 5 of them."""

    pairs: int
    status: MetricStatus
    before: float | None
    after: float | None
    delta: float | None
    ci_low: float | None
    ci_high: float | None


class BeforeAfterOut(BaseModel):
    """What a fix changed."""

    before: CountedSideOut
    after: CountedSideOut
    recurrence: RecurrenceOut
    csat: PairedOut


class AnswerSide(StrEnum):
    """The class of answers to be checked; the expert needs 50 of each."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


class WorkItemOut(BaseModel):
    """An answer that the expert is to check."""

    feedback_id: str
    side: AnswerSide
    question: str
    occurred_at: datetime
    location: str | None
    employee: str | None


class WorklistOut(BaseModel):
    """A random sample for an independent expert; answer each by `response.qualified`."""

    seed: str
    checked_positive: int
    checked_negative: int
    left_out: int = Field(description="answers about the reviewer, or about people the reviewer manages")
    items: list[WorkItemOut]


class HeadlineOut(AnswerOut):
    """The tenant's one general criterion, compared with the period before."""

    headline_metric: str
