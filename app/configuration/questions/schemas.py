"""What questions and scales look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.configuration.fields import Key, Strict
from app.domain.scales import QuestionMeasure

Wording = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class QuestionIn(Strict):
    """The definition of a question; it replaces the one before.

    Answers keep the measure and the scale on which they were read. So once a question has answers, its
    measure, its scale and its stated wording change only together with a greater `wording_version`.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "measure": "nps",
                    "scale_id": "nps_0_10",
                    "wording": "How likely are you to recommend us?",
                    "wording_version": 1,
                }
            ]
        },
    )

    measure: QuestionMeasure = Field(description="a metric reads the answers whose question has its measure")
    scale_id: str = Field(max_length=100, description="one of GET /v1/scales", examples=["nps_0_10"])
    wording: Wording | None = Field(default=None, examples=["How likely are you to recommend us?"])
    wording_version: int | None = Field(
        default=None, ge=1, le=10_000, description="default: the one it has, 1 for a new question"
    )
    relational: bool | None = Field(
        default=None,
        description="one answer per customer and 90 days counts; default: true for the measure nps",
    )


class KeyedQuestionIn(QuestionIn):
    """One question of a bulk definition."""

    key: Key = Field(examples=["nps_after_call"])


class QuestionsIn(Strict):
    """Questions to be defined; those that are not listed stay as they are."""

    items: list[KeyedQuestionIn] = Field(min_length=1, max_length=500)


class QuestionOut(BaseModel):
    """A question: created when an event first asked it, or when it was defined."""

    key: str = Field(examples=["nps_after_call"])
    measure: str = Field(examples=["nps"])
    scale_id: str = Field(examples=["nps_0_10"])
    wording: str | None
    wording_version: int
    relational: bool
    uncategorised: bool = Field(description="met in an event, not yet defined")
    first_seen_at: datetime


class QuestionPage(BaseModel):
    """Questions, by key."""

    items: list[QuestionOut]
    next_cursor: str | None = None


class RangeOut(BaseModel):
    """Raw values from `low` to `high`, both included."""

    low: float
    high: float


class ScaleOut(BaseModel):
    """A scale: its values, and where its classes and boxes lie."""

    id: str = Field(examples=["nps_0_10"])
    version: int
    measure: str = Field(description="of a question first met on this scale", examples=["nps"])
    minimum: float
    maximum: float
    step: float
    negative: RangeOut
    neutral: RangeOut | None
    positive: RangeOut
    top_box: RangeOut
    bottom_box: RangeOut
    reversed: bool = Field(description="true: the low number is the good end")
    labelled: bool = Field(description="true: takes the name of a class in place of a number")
    off_by_default: bool


class ScalePage(BaseModel):
    """Every scale that answers may be given on."""

    items: list[ScaleOut]
