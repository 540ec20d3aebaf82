"""Actions, failures, debriefs, notices and obligations on the wire, and the bodies of their commands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Item = TypeVar("Item")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("this instant lies outside the calendar") from None


Key = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
Ref = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
CaseRefs = Annotated[list[Ref], Field(max_length=500)]


class Body(BaseModel):
    """What a command says; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class ActionIn(Body):
    """A systemic fix for many cases."""

    ref: Ref | None = Field(
        default=None, description="your reference; left out: made up", examples=["FIX-12"]
    )
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        examples=["Second till at lunch"]
    )
    cause: Key | None = Field(default=None, examples=["office_process.queue"])
    severity: Literal["sev1", "sev2", "sev3", "sev4"] | None = Field(
        default=None, description="left out: the gravest of its cases"
    )
    owner: Key | None = Field(default=None, examples=["taras"])
    due_at: Instant | None = None
    cases: CaseRefs = Field(default_factory=list, description="ids or references of cases that call for it")


class LinkIn(Body):
    """More cases of an action."""

    cases: Annotated[CaseRefs, Field(min_length=1)]


class BecauseIn(Body):
    """A step that needs a reason."""

    reason: Reason


class TakeIn(Body):
    """Who answers for a failure, and which action is to end it."""

    owner: Key | None = Field(default=None, examples=["taras"])
    action: Ref | None = Field(default=None, description="reference of a corrective action")


class StepIn(Body):
    """A step of a talk with an employee."""

    step: Key = Field(examples=["ask_why"])
    employee: Key | None = Field(default=None, description="who leads the talk")
    text: Annotated[str, StringConstraints(max_length=30_000)] | None = Field(
        default=None, description="a note; erasable"
    )
    occurred_at: Instant | None = Field(
        default=None, description="when it was done (default: now); not before the debrief was opened"
    )

    def stated(self) -> dict[str, Any]:
        """All that the caller said, as JSON values: the same body gives the same result."""
        # a key that was used before `occurred_at` came must still be known as the same
        body = self.model_dump(mode="json")
        return body if self.occurred_at else {key: body[key] for key in body if key != "occurred_at"}


class ActionOut(BaseModel):
    """A corrective action as it stands."""

    id: str = Field(examples=["action_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    ref: str
    state: str = Field(examples=["open"])
    name: str | None
    cause: str | None
    severity: str | None
    owner: str | None
    opened_at: datetime
    due_at: datetime | None
    deployed_at: datetime | None
    cancelled_at: datetime | None
    cases: int = Field(description="cases that are linked to it")
    owed: int = Field(description="customers who have not been told yet that it is better")


class FailureOut(BaseModel):
    """A recurring failure and how much it weighs now."""

    id: str = Field(examples=["failure_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    cause: str
    state: str
    rank: int | None = Field(description="place by weight among the open ones")
    in_registry: bool = Field(description="one of the twelve that weigh most")
    weight: int = Field(description="cases of the last 28 days times their severity (sev1 = 4 .. sev4 = 1)")
    cases_now: int = Field(description="cases of the last 28 days")
    detected_at: datetime
    rule: str | None = Field(examples=["many_cases"])
    cases: int | None = Field(description="in the 28 days before its detection")
    cases_before: int | None
    owner: str | None
    action: str | None
    closed_at: datetime | None


class DebriefOut(BaseModel):
    """A talk with an employee as it stands."""

    id: str = Field(examples=["debrief_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    state: str
    checklist: str
    employee: str | None
    cause: str | None
    severity: str | None
    location: str | None
    case_id: str | None
    steps: dict[str, datetime]
    opened_at: datetime
    held_at: datetime | None
    completed_at: datetime | None


class NoticeOut(BaseModel):
    """News that we broke before customers had to ask."""

    event_id: str
    occurred_at: datetime
    source: str
    channel: str | None
    location: str | None
    product: str | None
    segment: str | None
    cause: str | None
    affected: int | None
    reached: int | None


class OwedOut(BaseModel):
    """A customer who is to be told: thanks to you it is better."""

    case_id: str
    refs: list[str] = Field(description="references by which the case is known")
    action: str
    action_name: str | None = Field(description="what became better", examples=["Second till at lunch"])
    deployed_at: datetime
    due_at: datetime | None = Field(description="by when to tell; null: no timer of the policy says")
    assignee: str | None
    kind: str
    severity: str
    cause: str | None
    location: str | None
    reply_channel: str | None


class Page(BaseModel, Generic[Item]):
    """A page, newest first."""

    items: list[Item]
    next_cursor: str | None = None


class FailurePage(BaseModel):
    """Failures, the heaviest first."""

    items: list[FailureOut]


def fields_of(model: type[BaseModel], row: Any) -> dict[str, Any]:
    """What a row has of a model's fields."""
    return {name: getattr(row, name) for name in model.model_fields if hasattr(row, name)}
