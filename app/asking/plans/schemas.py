"""What plans, sampled lines and referrals look like on the wire."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class PlanOut(BaseModel):
    """A survey moment to come."""

    id: str = Field(examples=["plan_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    moment: str = Field(examples=["followup"])
    trigger: str = Field(description="the event after which the customer is asked")
    customer_ref: str | None
    not_before: datetime
    not_after: datetime
    ask_at: datetime


class PlanPage(BaseModel):
    """Plans, the next one first."""

    items: list[PlanOut]


class LinesOut(BaseModel):
    """The two lines of business that are asked."""

    dimension: str | None = Field(description="product or segment; null: nothing is sampled")
    profitable: str | None = Field(description="greatest margin (attribute `margin`), else greatest revenue")
    second: str | None
    second_by: str | None = Field(description="capricious or newest")


class ReferralsOut(BaseModel):
    """Counts of recommendations and coupons."""

    referrals: int
    copies_issued: int
    activated: int
    activation: float | None = Field(description="activated / copies issued")
