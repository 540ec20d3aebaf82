"""What callers send: the body of each command on a case, and of a case opened by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from app.domain.channel import Channel
from app.domain.complaint import CaseKind, Severity


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("this instant lies outside the calendar") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
Ref = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Text = Annotated[str, StringConstraints(max_length=30_000)]
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
_Scalar = (
    Annotated[str, StringConstraints(max_length=2_000)]
    | bool
    | Annotated[int, Field(ge=-(2**63), lt=2**63)]
    | Annotated[float, Field(allow_inf_nan=False)]
)
Attributes = Annotated[dict[_Name, _Scalar], Field(max_length=60)]


class Command(BaseModel):
    """What every command may say: when it was done, by whom, where, and in which words."""

    model_config = ConfigDict(extra="forbid")

    occurred_at: Instant | None = Field(
        default=None, description="when it was done (default: now); not before the case began"
    )
    employee: Key | None = Field(default=None, examples=["olena"])
    channel: Channel | None = Field(default=None, description="where it was done", examples=["call"])
    text: Text | None = Field(default=None, description="the words, or a note; erasable")
    ticked: Annotated[list[Key], Field(max_length=50)] | None = Field(
        default=None, description="steps of the reply's checklist that this takes", examples=[["thank"]]
    )

    def stated(self) -> dict[str, Any]:
        """All that the caller said, as JSON values: the same body gives the same result."""
        return self.model_dump(mode="json", exclude_none=True)

    def data(self) -> dict[str, Any]:
        """The data of the event."""
        return self.model_dump(mode="json", exclude_none=True, exclude={"occurred_at"})


class Assess(Command):
    """At least one of severity, kind and cause."""

    severity: Severity | None = Field(default=None, examples=["sev2"])
    kind: CaseKind | None = None
    cause: Key | None = Field(default=None, examples=["office_process.billing_error"])


class Assign(Command):
    """Who is to handle the case."""

    assignee: Key = Field(examples=["olena"])


class Reply(Command):
    """An answer to the customer."""

    human: bool = Field(default=True, description="false: an automatic reply, which answers nobody")


class Promise(Command):
    """What will be done, and by when."""

    due_at: Instant | None = Field(
        default=None,
        description="left out only where the remedy is there already: promised and done at once",
        examples=["2026-11-25T16:00:00+02:00"],
    )


class Because(Command):
    """A step that needs a reason."""

    reason: Reason = Field(examples=["the warranty ended in 2024"])


class MayBecause(Command):
    """A step that may give a reason."""

    reason: Reason | None = None


class Settle(Command):
    """A step that may say how the case came out."""

    outcome: Key | None = Field(default=None, examples=["refunded"])


class Escalate(MayBecause):
    """To whom the case goes up."""

    assignee: Key | None = Field(default=None, examples=["head_of_service"])


class MarkDuplicate(Command):
    """The case that this one repeats."""

    of: Ref = Field(description="id or reference of the first case", examples=["T-4711"])


class Link(Command):
    """One more reference by which the case is known."""

    ref: Ref = Field(examples=["zendesk-99120"])


class Merge(Command):
    """The case that survives; references and later events of this one go to it."""

    into: Ref = Field(description="id or reference of the surviving case", examples=["T-4711"])


class CustomerIn(BaseModel):
    """How the customer is known; only a keyed hash of it is kept."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")] = Field(examples=["email"])
    value: Ref = Field(examples=["olena@example.com"])


class CaseIn(Command):
    """A case opened by hand."""

    ref: Ref | None = Field(default=None, description="your reference; left out: one is made up")
    kind: CaseKind = CaseKind.COMPLAINT
    severity: Severity | None = Field(default=None, description="left out: found by rule until assessed")
    touchpoint: Key | None = None
    location: Key | None = Field(default=None, examples=["kyiv-1"])
    product: Key | None = None
    segment: Key | None = None
    cause: Key | None = None
    customer: CustomerIn | None = None
    assignee: Key | None = None
    due_at: Instant | None = Field(default=None, description="a deadline that was promised already")
    preferred_channel: Channel | None = Field(default=None, description="where the customer wants his answer")
    initiative: Literal["reactive", "proactive"] = "reactive"
    customer_facing: bool = Field(default=True, description="false: nobody waits for an answer")
    repeat_of: Ref | None = Field(default=None, description="id or reference of an earlier case")
    attributes: Attributes | None = None
