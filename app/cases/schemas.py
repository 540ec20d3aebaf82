"""What cases, their history and the answers to commands look like on the wire."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.cases.care_schemas import CareOut

_CASE_ID = "case_01kb3v6n8qe5vr2a4d1f7m9xyz"


class CaseOut(BaseModel):
    """A complaint or question as it stands."""

    id: str = Field(examples=[_CASE_ID])
    version: int = Field(description="the number in its ETag; moves with every fact", examples=[4711])
    state: str = Field(examples=["open"])
    kind: str = Field(examples=["complaint"])
    severity: str = Field(examples=["sev3"])
    opened_at: datetime
    source: str = Field(examples=["call-centre"])
    channel: str | None
    touchpoint: str | None
    location: str | None
    employee: str | None
    product: str | None
    segment: str | None
    cause: str | None
    assignee: str | None
    customer_facing: bool = Field(description="false: nobody can be answered")
    initiative: str = Field(examples=["reactive"])
    due_given_at: datetime | None = Field(description="a deadline that the source had set")
    promised_due_at: datetime | None
    acknowledged_at: datetime | None
    first_response_at: datetime | None = Field(description="the first human reply")
    remedied_at: datetime | None
    closed_at: datetime | None
    ended_at: datetime | None = Field(description="withdrawn, duplicate, invalid or merged")
    reopened_count: int
    repeat_of: str | None = Field(description="an earlier case of the same customer")
    merged_into: str | None = Field(description="the case that goes on in its place")
    attributes: dict[str, Any]
    preferred_channel: str | None
    verification: str | None = Field(description="requested, verified, unverified or expired")
    reply_completeness: float | None = Field(description="share of the reply's checklist; null: not ticked")
    compensation_net: Decimal | None = Field(description="what was granted less what was recovered")
    compensation_currency: str | None
    is_double_deviation: bool = Field(description="the handling failed the customer a second time")
    promise_missed: bool
    recovered_at: datetime | None = Field(description="the customer was content after the settlement")
    is_ambassador: bool = Field(description="recovered, and would recommend with 9 or 10")


class DeadlineOut(BaseModel):
    """The open deadline of a case that is nearest, or was missed the longest ago."""

    timer: str = Field(examples=["first_response"])
    due_at: datetime
    is_overdue: bool


class CaseItem(CaseOut):
    """A case in a list."""

    refs: list[str] = Field(description="what sources and CRMs call it", examples=[["crm:4711"]])
    next_due: DeadlineOut | None = Field(description="null: no deadline is running")


class CasePage(BaseModel):
    """Cases in the order that was asked for."""

    items: list[CaseItem]
    next_cursor: str | None = None


class CycleOut(BaseModel):
    """One run of handling: from the opening, or from a reopening, on."""

    number: int
    started_at: datetime
    started_by: str = Field(description="the event that opened or reopened it")
    steps: dict[str, datetime] = Field(
        description="each step with the first time of it",
        examples=[{"received": "2026-11-22T08:15:00Z", "thanked": "2026-11-22T08:20:00Z"}],
    )
    promised_due_at: datetime | None
    waiting_since: datetime | None
    escalated_at: datetime | None


class AnomalyOut(BaseModel):
    """A fact that does not fit the others: kept, and applied as far as it can be."""

    reason: str = Field(examples=["after_closing"])
    event_id: str
    occurred_at: datetime
    field: str | None = None


class CaseDetail(CaseOut, CareOut):
    """A case with all that is needed to go on with it."""

    refs: list[str] = Field(description="references by which sources know it", examples=[["T-4711"]])
    outcome: str | None
    contacts: int = Field(description="how often the customer had to come to us")
    detection: dict[str, Any] = Field(description="who decided that this is a case, and by which rule")
    cycles: list[CycleOut]
    anomalies: list[AnomalyOut]
    required_steps: list[str] = Field(description="what the playbook calls for")
    missing_to_close: list[str] = Field(
        description="what must be done before it may close",
        examples=[["apologised", "promised and remedied, or declined"]],
    )
    allowed_commands: list[str] = Field(examples=[["acknowledge", "reply"]])
    timers: list[dict[str, Any]] = Field(description="each cycle of each timer as the clock reads it now")


class CaseEventOut(BaseModel):
    """One event of a case."""

    event_id: str = Field(examples=["evt_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    sequence: int = Field(description="its place in the tenant's journal")
    type: str = Field(examples=["case.acknowledged"])
    source: str = Field(description="`vidhuk`: stated by this service, or by a command")
    id: str = Field(description="the sender's id")
    occurred_at: datetime
    precision: Literal["day"] | None
    recorded_at: datetime
    origin: str = Field(examples=["live"])
    caused_by: str | None
    data: dict[str, Any]
    personal: dict[str, Any] | None = Field(
        default=None, description="text and the like; only for keys with `feedback:read`"
    )


class CaseEventPage(BaseModel):
    """The history of a case, in the order in which it became known."""

    items: list[CaseEventOut]
    next_cursor: str | None = None


class CommandOut(BaseModel):
    """What a command did: its event, and the case right after it. A repeat gets the same answer."""

    event_id: str = Field(examples=["evt_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    type: str = Field(examples=["case.acknowledged"])
    occurred_at: datetime
    recorded_at: datetime
    sequence: int
    case: CaseDetail
