"""Recomputations on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.sla.comparison_schemas import ComparisonOut
from app.sla.simulations.schemas import MOST_SUBJECTS, PolicyRef


class RecomputationIn(BaseModel):
    """Which period counts by other versions from now on, and why."""

    model_config = ConfigDict(extra="forbid")

    opened_from: AwareDatetime = Field(
        description="closed periods are frozen: what opened before this instant keeps its verdicts"
    )
    opened_before: AwareDatetime | None = Field(default=None, description="default: now")
    policy: PolicyRef | None = Field(
        default=None,
        description="binds instead of the version of that key; default: the versions that bound each subject",
    )
    reason: Annotated[str, StringConstraints(min_length=3, max_length=500)] = Field(
        examples=["2026-03-09 was a day off and missing in the calendar"]
    )
    dry_run: bool = Field(default=True, description="true: only the difference; false: apply it")
    limit: int = Field(default=1_000, ge=1, le=MOST_SUBJECTS, description="subjects that a dry run reads")
    shown: int = Field(default=50, ge=0, le=500)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opened_before is not None and self.opened_from >= self.opened_before:
            raise ValueError("opened_from must lie before opened_before")
        return self


class RecomputationOut(BaseModel):
    """A recomputation that was applied, or is being applied."""

    id: str = Field(examples=["rec_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    state: str = Field(examples=["applying", "done"])
    reason: str
    actor: str
    opened_from: datetime
    opened_before: datetime
    policy: PolicyRef | None
    calendars_at: datetime = Field(description="calendars count as they stood then")
    counts: dict[str, int]
    created_at: datetime
    finished_at: datetime | None


class RecomputationPage(BaseModel):
    """The latest recomputations, the newest first."""

    items: list[RecomputationOut]


class RecomputationAnswer(BaseModel):
    """The difference of a dry run, or the recomputation that was begun."""

    comparison: ComparisonOut | None = None
    recomputation: RecomputationOut | None = None
