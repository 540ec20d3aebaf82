"""The inbound contract: the envelope and the data of each event type, as published in OpenAPI."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.domain.events import EventType, SubjectKind
from app.domain.scales import QuestionMeasure
from app.ingest.asking_schemas import ASKING_MODELS
from app.ingest.fields import Amount, AnswerIn, Data, Key, Language, Ref, Severity, Text, Where
from app.ingest.fields import Channel as Channel  # part of the contract, as is the next
from app.ingest.fields import Customer as Customer


class FeedbackReceived(Where):
    """A rating, review, question, complaint, praise or suggestion; with several answers, one, or none."""

    kind: Literal["rating", "review", "question", "complaint", "praise", "suggestion"] | None = None
    answers: list[AnswerIn] | None = Field(default=None, min_length=1, max_length=50)
    question: Key | None = None
    scale: Key | None = None
    value: Decimal | str | None = None
    measure: QuestionMeasure | None = None
    wording_version: int | None = Field(default=None, ge=1, le=10_000)
    label: Literal["positive", "neutral", "negative", "unknown"] | None = Field(
        default=None, description="class of a text without a score, as the source states it"
    )
    text: Text | None = None
    title: Annotated[str, StringConstraints(max_length=1_000)] | None = None
    author: Ref | None = None
    lang: Language | None = None
    collection_mode: Literal["passive", "staff_prompted", "invited", "scraped"] | None = None
    device: Key | None = Field(
        default=None,
        description="the terminal that was pressed: of passive presses less than 15 s apart the first counts",
    )
    incentivised: bool | None = None
    force_majeure: Literal["claimed", "confirmed"] | None = None
    qualification: Literal["valid", "invalid", "unsure"] | None = None
    cause: Key | None = None
    is_complaint: bool | None = Field(
        default=None, description="the source's own judgement; it wins over rules"
    )
    severity: Severity | None = None
    due_at: datetime | None = Field(default=None, description="a deadline that the source has set")
    transaction: Ref | None = None
    interaction: Ref | None = None
    source_url: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    verification: Literal["presumed_genuine", "verified", "unverified", "expired"] | None = None
    experienced_at: datetime | None = Field(
        default=None,
        description="when what it is about happened (the call, the first publication): it counts there",
    )


class CaseFact(Where):
    """Something that happened to a complaint or a question."""

    kind: Literal["complaint", "question", "praise", "suggestion"] | None = None
    severity: Severity | None = None
    cause: Key | None = None
    assignee: Key | None = None
    due_at: datetime | None = Field(
        default=None, description="a deadline that the source has set, or a promise"
    )
    human: bool | None = Field(default=None, description="false: an automatic reply, which answers nobody")
    reason: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    outcome: Key | None = None
    text: Text | None = None
    ref: Ref | None = Field(default=None, description="case.linked: another reference of the same case")
    into: Ref | None = Field(default=None, description="case.merged: reference of the case that survives")
    of: Ref | None = Field(default=None, description="case.marked_duplicate: reference of the first one")
    initiative: Literal["reactive", "proactive"] | None = None
    requested_remedy: Text | None = None
    preferred_channel: Channel | None = Field(default=None, description="where the customer wants his answer")
    checklist: Key | None = Field(
        default=None, description="of which `ticked` are steps; left out: the reply's"
    )
    ticked: list[Key] | None = Field(default=None, max_length=50, description="steps of a checklist now done")
    action: Ref | None = Field(default=None, description="reference of a corrective action")
    about_handling: bool | None = Field(
        default=None, description="case.repeated: the customer complains of how he was handled"
    )
    same_cause: bool | None = Field(default=None, description="case.repeated: of the same thing again")
    amount: Amount | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None


class SubjectFact(Where):
    """Something that happened to an interaction, an order, a review, a survey or an action."""

    text: Text | None = None
    human: bool | None = None
    due_at: datetime | None = Field(
        default=None, description="of a delayed order: when it is expected now; else a deadline"
    )
    promised_at: datetime | None = Field(
        default=None, description="the time that was promised; of a delay: the promise that will not be kept"
    )
    experienced_at: datetime | None = Field(
        default=None,
        description="when what it is about happened (the call, the first publication): it counts there",
    )
    reason: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    cause: Key | None = None
    question: Key | None = None
    scale: Key | None = None
    measure: QuestionMeasure | None = None
    value: Decimal | str | None = None
    answers: list[AnswerIn] | None = Field(default=None, min_length=1, max_length=50)
    collection_mode: Literal["passive", "staff_prompted", "invited", "scraped"] | None = None
    amount: Amount | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    type: Key | None = None
    step: Key | None = None
    compensation: Ref | None = Field(
        default=None, description="which one of the case; left out where a case has only one"
    )
    case: Ref | None = Field(default=None, description="reference of a case that it is about")
    checklist: Key | None = None
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    owner: Key | None = None
    severity: Severity | None = None
    affected: int | None = Field(default=None, ge=0, le=10**9, description="customers whom it concerns")
    reached: int | None = Field(default=None, ge=0, le=10**9, description="customers who were told")
    qualification: Literal["valid", "invalid", "unsure"] | None = None
    interaction: Ref | None = None
    transaction: Ref | None = None
    customer_class: Key | None = None
    title: Annotated[str, StringConstraints(max_length=1_000)] | None = None
    label: Literal["positive", "neutral", "negative", "unknown"] | None = None
    lang: Language | None = None
    incentivised: bool | None = None
    force_majeure: Literal["claimed", "confirmed"] | None = None
    is_complaint: bool | None = None
    survey: Key | None = Field(default=None, description="survey.started: which questionnaire")
    moment: Key | None = Field(default=None, description="survey.started: the moment that made it due")
    relational: bool | None = Field(
        default=None, description="survey.started: about the whole relationship; default: true for nps"
    )
    timeout_seconds: int | None = Field(
        default=None, ge=1, le=30 * 86_400, description="survey.started: silent after this long"
    )


class VolumeCounted(Where):
    """A count of visitors, transactions or interactions over a moment or a day."""

    count: int = Field(ge=0, le=100_000_000)


class RatingDisplayed(Where):
    """What a review site shows of a place: its own mean, weighed in ways that we do not know."""

    rating: Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)] = Field(examples=["4.6"])
    count: int = Field(ge=0, le=10**9, description="how many reviews the site says it rests on")
    source_url: Annotated[str, StringConstraints(max_length=2_000)] | None = None


class Retracted(Data):
    """Takes back an event that was never true."""

    event: Ref = Field(description="id of the event to take back")
    source: Ref | None = Field(default=None, description="its source, when it is another one")
    reason: Annotated[str, StringConstraints(max_length=2_000)] | None = None


class SubjectIn(Data):
    """What the event is about: a kind, and the caller's reference."""

    kind: SubjectKind
    ref: Ref


class EventIn(BaseModel):
    """The envelope of one event."""

    model_config = ConfigDict(extra="forbid")

    type: EventType
    id: Ref = Field(description="names the event within its source for ever", examples=["call-4711-nps"])
    source: Ref = Field(description="who sends", examples=["call-centre"])
    occurred_at: Annotated[str, StringConstraints(max_length=40)] = Field(
        description="when it happened: RFC 3339 with an offset (none only where the source has a zone)",
        examples=["2026-11-22T10:15:00+02:00"],
    )
    subject: SubjectIn | None = None
    object: Ref | None = Field(
        default=None, description="of which thing this is a state (a review that may be edited)"
    )
    version: Decimal | str | None = Field(
        default=None, description="number or time; the greatest one is current"
    )
    precision: Literal["day"] | None = Field(default=None, description="only the local date is meant")
    data: dict[str, Any] = Field(default_factory=dict)


_VOLUMES = (EventType.VISITORS_COUNTED, EventType.TRANSACTIONS_COUNTED, EventType.INTERACTIONS_COUNTED)
_REVIEWS = (EventType.REVIEW_PUBLISHED, EventType.REVIEW_EDITED)


def data_model(event_type: EventType) -> type[BaseModel]:
    """The model of an event type's `data`."""
    if event_type in ASKING_MODELS:
        return ASKING_MODELS[event_type]
    if event_type is EventType.FEEDBACK_RECEIVED or event_type in _REVIEWS:
        return FeedbackReceived
    if event_type is EventType.EVENT_RETRACTED:
        return Retracted
    if event_type is EventType.RATING_DISPLAYED:
        return RatingDisplayed
    if event_type in _VOLUMES:
        return VolumeCounted
    return CaseFact if event_type.value.startswith("case.") else SubjectFact


DATA_MODELS: dict[EventType, type[BaseModel]] = {
    event_type: data_model(event_type) for event_type in EventType
}
