"""What answers, their changes and events look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class SubjectOut(BaseModel):
    """What the answer or event is about."""

    kind: str = Field(examples=["case"])
    id: str | None = Field(examples=["case_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    ref: str | None = Field(default=None, description="the caller's reference", examples=["T-4711"])


class FeedbackOut(BaseModel):
    """One answer, in one version."""

    id: str = Field(examples=["fb_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    event_id: str = Field(description="the event that states this version")
    occurred_at: datetime
    source: str = Field(examples=["call-centre"])
    kind: str = Field(examples=["rating"])
    channel: str = Field(examples=["call"])
    touchpoint: str | None
    stage: str | None
    location: str | None
    employee: str | None
    segment: str | None
    product: str | None
    customer_ref: str | None = Field(description="keyed hash of the customer's identifier")
    subject: SubjectOut | None
    question: str = Field(description="`none`: a text without a score", examples=["nps_after_call"])
    measure: str = Field(examples=["nps"])
    scale_id: str = Field(examples=["nps_0_10"])
    scale_version: int
    raw_value: str | None = Field(description="the score as it was sent", examples=["9"])
    value: float | None = Field(examples=[9])
    norm01: float | None = Field(description="from the bad end (0) to the good end (1)", examples=[0.9])
    answer_class: str = Field(serialization_alias="class", examples=["positive"])
    collection_mode: str = Field(examples=["passive"])
    device: str | None = Field(description="the terminal that was pressed")
    incentivised: bool
    force_majeure: str | None
    qualification: str | None
    cause: str | None
    lang: str | None
    source_url: str | None
    verification: str | None
    attributes: dict[str, Any] = Field(description="custom attributes, the personal ones too")
    text_disagrees: bool = Field(
        description="the words say the opposite of the score, which counts all the same"
    )
    reading: dict[str, Any] | None = Field(
        default=None,
        description="what was read off the text: sentiment with method, version and confidence, hints; "
        "never a score",
        examples=[
            {
                "sentiment": {
                    "label": "positive",
                    "score": 0.85,
                    "confidence": 0.85,
                    "method": "lexicon_uk",
                    "version": "1",
                },
                "lang": "detected",
            }
        ],
    )
    title: str | None
    text: str | None = Field(examples=["the operator called back within an hour"])
    author: str | None
    transaction: str | None = Field(description="the caller's reference")
    interaction: str | None = Field(description="the caller's reference")


class FeedbackPage(BaseModel):
    """Current answers, newest first."""

    items: list[FeedbackOut]
    next_cursor: str | None = None


class FeedbackVersion(FeedbackOut):
    """One version of an answer and the commits at which it counts."""

    seq_from: int = Field(description="commit from which this version counts")
    seq_to: int | None = Field(description="commit from which it counts no more; null: it is current")


class FeedbackDetail(FeedbackOut):
    """An answer as it stands (or last stood), and how it came to be so."""

    state: Literal["current", "withdrawn"] = Field(description="withdrawn: it counts no more")
    versions: list[FeedbackVersion] = Field(description="oldest first")


class ChangeOut(BaseModel):
    """One change of the feedback store: a new version of an answer, or its withdrawal."""

    sequence: int = Field(description="grows without end; the cursor of this feed", examples=[4718592])
    change: Literal["stored", "withdrawn"] = Field(description="withdrawn: delete your copy")
    id: str = Field(examples=["fb_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    feedback: FeedbackOut | None = Field(description="the answer as of this change; null when withdrawn")


class ChangePage(BaseModel):
    """Changes in the order in which they were committed."""

    items: list[ChangeOut]
    next_after: int = Field(description="`after` of the next request; stays when nothing is new")
    has_more: bool = Field(description="true: more is there now; false: come again later")


class StoredEventOut(BaseModel):
    """One event as the journal keeps it."""

    event_id: str = Field(examples=["evt_01kb3v6n8qe5vr2a4d1f7m9xyz"])
    sequence: int = Field(description="its place in the tenant's journal")
    type: str = Field(examples=["feedback.received"])
    source: str
    id: str = Field(description="the caller's id", examples=["call-4711-nps"])
    occurred_at: datetime
    precision: Literal["day"] | None
    recorded_at: datetime
    received_at: datetime
    origin: str = Field(examples=["live"])
    backdated: bool
    caused_by: str | None = Field(description="the event from which this one was derived")
    subject: SubjectOut | None
    object: str | None
    version: str | None
    data: dict[str, Any] = Field(description="what is kept for ever")
    personal: dict[str, Any] | None = Field(
        description="what erasure may take; null without the scope `feedback:read`"
    )
