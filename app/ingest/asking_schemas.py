"""The inbound contract of asking: amendments, permissions, referrals, coupons, re-tagging, erasure."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field, StringConstraints

from app.domain.events import EventType
from app.ingest.fields import Customer, Data, Key, Language, Ref, Where

Reason = Annotated[str, StringConstraints(max_length=2_000)]


class Amendment(Data):
    """What an expert or a classifier says of an answer: of `event`, or of all answers of the `subject`."""

    event: Ref | None = Field(default=None, description="id of the event that stated the answer")
    source: Ref | None = Field(default=None, description="its source, when it is another one")
    question: Key | None = Field(default=None, description="only the answer to this question")
    qualification: Literal["valid", "invalid", "unsure"] | None = None
    cause: Key | None = None
    label: Literal["positive", "neutral", "negative", "unknown"] | None = Field(
        default=None, description="sentiment of the text; no score is ever changed by it"
    )
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    model: Key | None = Field(default=None, description="who classified, with its version")
    is_complaint: bool | None = None
    lang: Language | None = None
    employee: Key | None = Field(default=None, description="who says so")
    reason: Reason | None = None


class Permission(Data):
    """A customer wants to be asked no more, or again; without a channel it holds for all of them."""

    customer: Customer
    channel: Key | None = None
    reason: Reason | None = None


class Referral(Where):
    """A customer brought somebody, or a coupon was handed out or used."""

    coupon: Key | None = Field(default=None, description="the coupon or its campaign")
    copies: Annotated[int, Field(ge=1, le=1_000)] | None = Field(
        default=None, description="coupon.issued: identical copies, 3 when not stated"
    )
    transaction: Ref | None = None


class Retagging(Data):
    """From now on, and for what is stored, one touchpoint is called another name."""

    raw: Key = Field(description="the touchpoint as it is stored", examples=["web-chat-2"])
    touchpoint: Key = Field(description="the touchpoint of the journey map", examples=["online_chat"])


class ErasureRequest(Data):
    """A person asks to be forgotten."""

    customer: Customer
    reason: Reason | None = None


ASKING_MODELS: Final[dict[EventType, type[BaseModel]]] = {
    EventType.RESPONSE_QUALIFIED: Amendment,
    EventType.FEEDBACK_CLASSIFIED: Amendment,
    EventType.FORCE_MAJEURE_CLAIMED: Amendment,
    EventType.FORCE_MAJEURE_CONFIRMED: Amendment,
    EventType.CUSTOMER_OPTED_OUT: Permission,
    EventType.CUSTOMER_OPTED_IN: Permission,
    EventType.REFERRAL_MADE: Referral,
    EventType.COUPON_ISSUED: Referral,
    EventType.COUPON_ACTIVATED: Referral,
    EventType.TOUCHPOINT_RETAGGED: Retagging,
    EventType.ERASURE_REQUESTED: ErasureRequest,
}
