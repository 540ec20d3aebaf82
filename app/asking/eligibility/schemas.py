"""What a question about asking, its answer and the log look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from app.domain.channel import Channel
from app.kit.zones import zone_names

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]


def _known_zone(name: str) -> str:
    if name not in zone_names():
        raise ValueError(f"there is no IANA time zone {name[:60]!r}")
    return name


TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]


class AskedCustomerIn(BaseModel):
    """How the customer is known; only a keyed hash of it is kept."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")] = Field(examples=["email"])
    value: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] = Field(
        examples=["olena@example.com"]
    )


class EligibilityIn(BaseModel):
    """May this customer be asked, on this channel, now (or at `at`)."""

    model_config = ConfigDict(extra="forbid")

    customer: AskedCustomerIn
    channel: Channel = Field(examples=["email"])
    survey: Name | None = Field(default=None, description="which questionnaire; the same is not sent twice")
    question: Name | None = Field(default=None, examples=["nps"])
    moment: Name | None = Field(default=None, description="a moment of the asking policy")
    relational: bool | None = Field(
        default=None,
        description="about the whole relationship; default: as the moment says, else whether the question is "
        "an nps. With none of the three no cap of either kind may stand against it",
    )
    time_zone: TimeZone | None = Field(
        default=None, description="where the customer lives; default: of the location, else of the tenant"
    )
    location: Name | None = None
    at: AwareDatetime | None = Field(default=None, description="default: now")


class EligibilityBatchIn(BaseModel):
    """Many customers at once."""

    model_config = ConfigDict(extra="forbid")

    asks: list[EligibilityIn] = Field(min_length=1, max_length=1_000)


class FindingOut(BaseModel):
    """One rule that stands against it."""

    rule: str = Field(examples=["transactional_cap"])
    until: datetime | None = Field(description="null: no time will lift it by itself")


class EligibilityOut(BaseModel):
    """The answer, as it was logged."""

    decision_id: str = Field(examples=["ask_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    allowed: bool
    rule: str | None = Field(description="the strongest rule against it", examples=["quiet_hours"])
    until: datetime | None = Field(description="the first instant at which nothing stands against it")
    findings: list[FindingOut]
    asked_for: datetime
    time_zone: str | None = None
    policy_version: int


class EligibilityBatchOut(BaseModel):
    """The answers, in the order of the asks."""

    items: list[EligibilityOut]


class DecisionOut(EligibilityOut):
    """One line of the decision log."""

    at: datetime
    customer_ref: str | None
    channel: str | None
    survey: str | None
    question: str | None
    moment: str | None
    actor: str


class DecisionPage(BaseModel):
    """Decisions, the newest first."""

    items: list[DecisionOut]
    next_cursor: str | None = None
