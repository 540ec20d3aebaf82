"""What the map, its coverage and new names look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]


class TouchpointOut(BaseModel):
    """A touchpoint of the map with what was heard there."""

    key: str = Field(examples=["online_chat"])
    title: str | None
    parent: str | None
    stage: str | None = Field(description="null: met in events, not placed yet")
    is_key: bool
    owner: str | None
    channels: list[str]
    questions: list[str]
    answers: int = Field(description="asked or answered here in the period")
    answers_below: int = Field(description="at the touchpoints below it")
    last_at: datetime | None
    findings: list[str] = Field(description="uncategorised, no_survey, survey_silent, no_owner")


class CoverageOut(BaseModel):
    """The whole map, stage by stage, and what it leaves out."""

    from_at: datetime
    to_at: datetime
    touchpoints: list[TouchpointOut]
    key_touchpoints: int
    key_covered: int
    without_touchpoint: int = Field(description="answers of the period that name no touchpoint at all")
    whole_journey_asked: bool = Field(description="some question of the measure journey_overall is answered")
    findings: list[str] = Field(description="of the map as a whole: whole_journey_not_asked, no_map")


class RetagIn(BaseModel):
    """From now on, and for what is stored, `raw` is called `touchpoint`."""

    model_config = ConfigDict(extra="forbid")

    raw: Name = Field(examples=["web-chat-2"])
    touchpoint: Name = Field(examples=["online_chat"])


class RetagOut(BaseModel):
    """How much got the new name."""

    event_id: str
    answers: int
