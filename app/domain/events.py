"""The closed list of event types that may enter the journal, and the value that carries one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum, auto
from typing import Any
from uuid import UUID


class SubjectKind(StrEnum):
    """What an event is about. One subject may be known by many references."""

    CASE = "case"
    INTERACTION = "interaction"
    REVIEW = "review"
    ORDER = "order"
    TRANSACTION = "transaction"
    SURVEY = "survey"
    ACTION = "action"
    DEBRIEF = "debrief"
    FAILURE = "failure"


class Origin(StrEnum):
    """How an event came to be known; only `LIVE` events are announced as they happen."""

    LIVE = "live"
    BACKFILL = "backfill"
    REPROCESS = "reprocess"


class EventType(StrEnum):
    """Every fact the journal knows, named `noun.past_participle`."""

    FEEDBACK_RECEIVED = "feedback.received"
    FEEDBACK_OFFERED = "feedback.offered"
    FEEDBACK_CLASSIFIED = "feedback.classified"
    SURVEY_STARTED = "survey.started"
    SURVEY_ANSWERED = "survey.answered"
    SURVEY_REFUSED = "survey.refused"
    SURVEY_NOT_REACHED = "survey.not_reached"
    SURVEY_TIMED_OUT = "survey.timed_out"
    SURVEY_DUE = "survey.due"
    RESURVEY_DUE = "resurvey.due"
    REMINDER_DUE = "reminder.due"
    RESPONSE_QUALIFIED = "response.qualified"
    FORCE_MAJEURE_CLAIMED = "force_majeure.claimed"
    FORCE_MAJEURE_CONFIRMED = "force_majeure.confirmed"
    INTERACTION_ENDED = "interaction.ended"
    REVIEW_PUBLISHED = "review.published"
    REVIEW_REPLIED = "review.replied"
    REVIEW_EDITED = "review.edited"
    REVIEW_REMOVED = "review.removed"
    RATING_DISPLAYED = "rating.displayed"
    VISITORS_COUNTED = "visitors.counted"
    TRANSACTION_COMPLETED = "transaction.completed"
    TRANSACTIONS_COUNTED = "transactions.counted"
    INTERACTIONS_COUNTED = "interactions.counted"
    CUSTOMER_RETURNED = "customer.returned"
    CUSTOMER_ENROLLED = "customer.enrolled"
    CUSTOMER_NOTIFIED = "customer.notified"
    CUSTOMER_OPTED_OUT = "customer.opted_out"
    CUSTOMER_OPTED_IN = "customer.opted_in"
    REFERRAL_MADE = "referral.made"
    COUPON_ISSUED = "coupon.issued"
    COUPON_ACTIVATED = "coupon.activated"
    TOUCHPOINT_RETAGGED = "touchpoint.retagged"
    ERASURE_REQUESTED = "erasure.requested"
    ERASURE_COMPLETED = "erasure.completed"

    CASE_OPENED = "case.opened"
    CASE_ACKNOWLEDGED = "case.acknowledged"
    CASE_ASSESSED = "case.assessed"
    CASE_ASSIGNED = "case.assigned"
    CASE_REPLIED = "case.replied"
    CASE_APOLOGISED = "case.apologised"
    CASE_PROMISED = "case.promised"
    CASE_DECLINED = "case.declined"
    CASE_REMEDIED = "case.remedied"
    CASE_DECISION_COMMUNICATED = "case.decision_communicated"
    CASE_RESURVEYED = "case.resurveyed"
    CASE_CLOSED = "case.closed"
    CASE_REOPENED = "case.reopened"
    CASE_WAITING_CUSTOMER = "case.waiting_customer"
    CASE_RESUMED = "case.resumed"
    CASE_ESCALATED = "case.escalated"
    CASE_WITHDRAWN = "case.withdrawn"
    CASE_MARKED_DUPLICATE = "case.marked_duplicate"
    CASE_MARKED_INVALID = "case.marked_invalid"
    CASE_LINKED = "case.linked"
    CASE_MERGED = "case.merged"
    CASE_CUSTOMER_CONTACTED = "case.customer_contacted"
    CASE_CHECKLIST_TICKED = "case.checklist_ticked"
    CASE_REPEATED = "case.repeated"
    CASE_VERIFICATION_REQUESTED = "case.verification_requested"
    CASE_VERIFIED = "case.verified"
    CASE_UNVERIFIED = "case.unverified"
    CASE_VERIFICATION_EXPIRED = "case.verification_expired"
    CASE_CLOSING_NOTIFIED = "case.closing_notified"
    CASE_ACTION_LINKED = "case.action_linked"
    CASE_ACTION_NOT_NEEDED = "case.action_not_needed"
    CASE_IMPROVEMENT_DEPLOYED = "case.improvement_deployed"
    CASE_IMPROVEMENT_INFORMED = "case.improvement_informed"
    CASE_DOUBLE_DEVIATION = "case.double_deviation"
    CASE_RECOVERED = "case.recovered"
    CASE_OPENING_RETRACTED = "case.opening_retracted"

    COMPENSATION_OFFERED = "compensation.offered"
    COMPENSATION_APPROVED = "compensation.approved"
    COMPENSATION_REJECTED = "compensation.rejected"
    COMPENSATION_DELIVERED = "compensation.delivered"
    COMPENSATION_RECOVERED = "compensation.recovered"
    COMPENSATION_OVER_LIMIT = "compensation.over_limit"
    CORRECTIVE_ACTION_OPENED = "corrective_action.opened"
    CORRECTIVE_ACTION_DEPLOYED = "corrective_action.deployed"
    CORRECTIVE_ACTION_CANCELLED = "corrective_action.cancelled"
    RECURRING_FAILURE_DETECTED = "recurring_failure.detected"
    RECURRING_FAILURE_TAKEN = "recurring_failure.taken"
    RECURRING_FAILURE_CLOSED = "recurring_failure.closed"
    PROACTIVE_NOTICE_SENT = "proactive_notice.sent"
    PLATFORM_MODERATION_REQUESTED = "platform_moderation.requested"
    ORDER_PROMISED = "order.promised"
    ORDER_DELAY_PREDICTED = "order.delay_predicted"
    ORDER_STATUS_CHANGED = "order.status_changed"
    ORDER_DELIVERED = "order.delivered"
    DEBRIEF_OPENED = "debrief.opened"
    DEBRIEF_STEP_DONE = "debrief.step_done"
    DEBRIEF_HELD = "debrief.held"
    DEBRIEF_COMPLETED = "debrief.completed"

    EVENT_RETRACTED = "event.retracted"

    SLA_WARNING = "sla.warning"
    SLA_BREACHED = "sla.breached"
    SLA_BREACH_CONFIRMED = "sla.breach_confirmed"
    SLA_BREACH_REVOKED = "sla.breach_revoked"
    SLA_ESCALATED = "sla.escalated"
    SLA_MET = "sla.met"
    SLA_MET_LATE = "sla.met_late"
    SLA_CANCELLED = "sla.cancelled"
    FEEDBACK_OFFER_MISSED = "feedback_offer.missed"
    REVIEW_UNANSWERED = "review.unanswered"
    DELAY_NOTICE_DUE = "delay_notice.due"
    DELAY_NOTICE_MISSED = "delay_notice.missed"
    SOURCE_SILENT = "source.silent"

    @property
    def is_derived(self) -> bool:
        """True for what only the service itself may append (callers are refused)."""
        return self in _DERIVED


_DERIVED = frozenset(
    {
        EventType.SLA_WARNING,
        EventType.SLA_BREACHED,
        EventType.SLA_BREACH_CONFIRMED,
        EventType.SLA_BREACH_REVOKED,
        EventType.SLA_ESCALATED,
        EventType.SLA_MET,
        EventType.SLA_MET_LATE,
        EventType.SLA_CANCELLED,
        EventType.FEEDBACK_OFFER_MISSED,
        EventType.REVIEW_UNANSWERED,
        EventType.DELAY_NOTICE_DUE,
        EventType.DELAY_NOTICE_MISSED,
        EventType.SOURCE_SILENT,
        EventType.CASE_DOUBLE_DEVIATION,
        EventType.CASE_RECOVERED,
        EventType.CASE_OPENING_RETRACTED,
        EventType.COMPENSATION_OVER_LIMIT,
        EventType.RECURRING_FAILURE_DETECTED,
        EventType.SURVEY_TIMED_OUT,
        EventType.SURVEY_DUE,
        EventType.RESURVEY_DUE,
        EventType.REMINDER_DUE,
        EventType.ERASURE_COMPLETED,
    }
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about, in the caller's words: a kind and the caller's reference."""

    kind: SubjectKind
    ref: str


@dataclass(frozen=True, slots=True)
class Event:
    """A fact as a caller or an adapter states it, before the journal gives it a place.

    `id` names the event within its `source` for ever. `object` and `version` say of which
    thing it is a state (an edited review): the greatest `(version, occurred_at, id)` is current.
    `data` holds the facts of the type (see `ingest/schemas.py`); `time_raw` is the time as it
    was written, `day_precision` says that only its local date is meant.
    """

    type: EventType
    id: str
    source: str
    occurred_at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    subject: Subject | None = None
    object: str | None = None
    version: Decimal | None = None
    time_raw: str | None = None
    day_precision: bool = False


class Bearing(StrEnum):
    """What merges make of an event in the history of a case, where it does not simply count."""

    INHERITED = auto()
    """told of a case that this one absorbed"""
    REPEATED = auto()
    """a merge of a case that had been merged before"""
    CIRCULAR = auto()
    """a merge by which a case would go on as itself"""
    CONTINUED = auto()
    """a reopening that came too late for this case, and that another one took up"""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A fact with its place in the journal: what every fold and projection reads.

    `position = seq * 2**20 + n` orders the tenant's journal; `fact` is what is kept for ever,
    `personal` what erasure may take (`{}` when there is nothing personal, or it was erased).
    """

    tenant_id: UUID
    position: int
    event_id: UUID
    type: EventType
    source: str
    external_id: str
    occurred_at: datetime
    recorded_at: datetime
    origin: Origin
    fact: Mapping[str, Any]
    personal: Mapping[str, Any]
    caused_by: UUID | None = None
    subject_kind: SubjectKind | None = None
    subject_id: UUID | None = None
    object: str | None = None
    version: Decimal | None = None
    day_precision: bool = False
    customer_ref: bytes | None = None
    bearing: Bearing | None = None
    """given when a history is read (domain/case/merging.py), never stored"""

    @property
    def seq(self) -> int:
        """Number of the tenant's commit that appended this event."""
        return self.position >> 20
