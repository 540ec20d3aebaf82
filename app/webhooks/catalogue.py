"""The one list of outgoing types: for the subscription filter, the test event and OpenAPI's `webhooks`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.events import EventType
from app.webhooks import examples

TEST = "endpoint.test"
FAILING = "endpoint.failing"
DISABLED = "endpoint.disabled"
RECOVERED = "endpoint.recovered"
EXHAUSTED = "message.exhausted"
OPERATIONAL = frozenset({FAILING, DISABLED, RECOVERED, EXHAUSTED})
"""About deliveries themselves: never sent to the endpoint they are about, never exhausted loudly."""


@dataclass(frozen=True, slots=True)
class OutgoingType:
    """One type that endpoints may subscribe to, with what its `data` looks like."""

    type: str
    description: str
    example: Mapping[str, Any]


_SLA = (
    OutgoingType(
        EventType.SLA_WARNING,
        "A timer has used up a share of its time (`percent`) and is still running.",
        examples.sla("warning", state="running", level=75, percent=75),
    ),
    OutgoingType(
        EventType.SLA_BREACHED,
        "A deadline was missed: `reading.breached_at` is the due time, `detected_at` when we knew. "
        "`confidence: provisional` is followed by exactly one of sla.breach_confirmed, sla.breach_revoked.",
        examples.sla("breached", state="breached"),
    ),
    OutgoingType(
        EventType.SLA_BREACH_CONFIRMED,
        "A provisional breach stands.",
        examples.sla("breach_confirmed", state="breached"),
    ),
    OutgoingType(
        EventType.SLA_BREACH_REVOKED,
        "A breach that was announced was none: a fact from before the due time came to be known late.",
        examples.sla("breach_revoked", state="met"),
    ),
    OutgoingType(
        EventType.SLA_ESCALATED,
        "A rung of the escalation ladder was reached; `to` says who is to act.",
        examples.sla("escalated", state="breached", level=2, percent=150, to="manager"),
    ),
    OutgoingType(EventType.SLA_MET, "A timer was stopped in time.", examples.sla("met", state="met")),
    OutgoingType(
        EventType.SLA_MET_LATE,
        "A breached timer was stopped after all.",
        examples.sla("met_late", state="met_late"),
    ),
    OutgoingType(
        EventType.SLA_CANCELLED,
        "A timer ended without a verdict: withdrawn, duplicate, invalid or merged.",
        examples.sla("cancelled", state="cancelled"),
    ),
    OutgoingType(
        EventType.FEEDBACK_OFFER_MISSED,
        "An interaction ended and nobody offered the customer a way to give feedback in time.",
        examples.FEEDBACK_OFFER,
    ),
    OutgoingType(
        EventType.REVIEW_UNANSWERED,
        "A published review had no public reply in time.",
        examples.REVIEW_UNANSWERED,
    ),
    OutgoingType(
        EventType.DELAY_NOTICE_DUE,
        "An order will be late: tell the customer first, by `reading.due_at`.",
        examples.DELAY_NOTICE_DUE,
    ),
    OutgoingType(
        EventType.DELAY_NOTICE_MISSED,
        "A delay was known and nobody told the customer in time.",
        examples.DELAY_NOTICE_MISSED,
    ),
    OutgoingType(
        EventType.SOURCE_SILENT,
        "A source has not been heard as often as it should; once for each outage. While a source that "
        "handles cases is silent, breaches of cases are provisional (`confidence_reason: source_silent`).",
        examples.SOURCE_SILENT,
    ),
)
_ASKING = (
    OutgoingType(
        EventType.SURVEY_DUE,
        "It is time to ask a customer: a moment of the asking policy, and nothing stands against it. "
        "Ask until `not_after`, and post `survey.started` when you did.",
        examples.asking("followup"),
    ),
    OutgoingType(
        EventType.RESURVEY_DUE,
        "A complaint was resolved: it is time to ask whether the customer is content now.",
        examples.asking("post_resolution"),
    ),
    OutgoingType(
        EventType.REMINDER_DUE,
        "By the life cycle of the product the customer will need it again soon.",
        examples.asking("reorder_coffee"),
    ),
    OutgoingType(
        EventType.SURVEY_TIMED_OUT,
        "A customer was asked and did not answer in time, or refused; a late answer takes it back.",
        examples.SILENCE,
    ),
)
_PRIVACY = (
    OutgoingType(
        EventType.ERASURE_COMPLETED,
        "A person was forgotten here; `counts` says what was reached. Copies elsewhere are yours to erase.",
        examples.ERASURE,
    ),
)
_OF_CASES: Mapping[str, str] = {
    EventType.CASE_OPENING_RETRACTED: "A source took back what had opened the case; nothing else opens it. "
    "`case.state` is `invalid`, or `awaiting_opening` where more was told of it. Told breaches are revoked.",
}
_CASES = tuple(
    OutgoingType(
        event_type,
        _OF_CASES.get(
            event_type,
            f"The case event `{event_type}` was recorded; `case` is the case as it stands after it.",
        ),
        examples.CASE,
    )
    for event_type in EventType
    if event_type.startswith("case.")
)
_CARE = (
    *(
        OutgoingType(
            event_type,
            f"`{event_type}` was recorded on a case; `details` say what, `case` is the case after it.",
            examples.COMPENSATION,
        )
        for event_type in EventType
        if event_type.startswith("compensation.") and not event_type.is_derived
    ),
    OutgoingType(
        EventType.COMPENSATION_OVER_LIMIT,
        "An offer is over the limit of whoever made it, or the policy does not allow it: `details.approver` "
        "is to approve or to reject it.",
        examples.COMPENSATION,
    ),
    OutgoingType(
        EventType.PLATFORM_MODERATION_REQUESTED,
        "An anonymous author did not show that he is a customer: the platform may be asked to check the "
        "review by its own rules. Nothing is hidden from our own scores.",
        examples.MODERATION,
    ),
    *(
        OutgoingType(event_type, description, examples.IMPROVEMENT)
        for event_type, description in (
            (EventType.CORRECTIVE_ACTION_OPENED, "A systemic fix was begun, for the cases linked to it."),
            (EventType.CORRECTIVE_ACTION_DEPLOYED, "It is in force; `owed` customers are to be told."),
            (EventType.CORRECTIVE_ACTION_CANCELLED, "It will not be done."),
        )
    ),
    *(
        OutgoingType(event_type, description, examples.FAILURE)
        for event_type, description in (
            (
                EventType.RECURRING_FAILURE_DETECTED,
                "A cause came back too often: 5 cases in 28 days, or significantly more than before.",
            ),
            (EventType.RECURRING_FAILURE_TAKEN, "It got an owner or a corrective action."),
            (EventType.RECURRING_FAILURE_CLOSED, "It is over."),
        )
    ),
    *(
        OutgoingType(event_type, description, examples.DEBRIEF)
        for event_type, description in (
            (EventType.DEBRIEF_OPENED, "An employee is to be talked with about what a customer said."),
            (EventType.DEBRIEF_STEP_DONE, "A step of the talk was taken."),
            (EventType.DEBRIEF_HELD, "All but the later check is done."),
            (EventType.DEBRIEF_COMPLETED, "All of it is done."),
        )
    ),
)
_METRICS = (
    OutgoingType(
        "metric.threshold_breached",
        "An alert rule: the metric of a group is on the wrong side of its threshold, or no longer (`state`). "
        "Told once when raised and once when cleared.",
        examples.metric("ink_personal", below=None, above=25.0, judged_by="interval"),
    ),
    OutgoingType(
        "metric.significant_change",
        "An alert rule: the metric of a group changed by more than chance and the minimum effect.",
        examples.metric("nps", difference=-12.4, p_value=0.0009, previous_n=412),
    ),
    OutgoingType(
        "representativeness.failed",
        "An alert rule: too few of a place's visitors were asked for its index to speak for them.",
        examples.metric("iel", status="low_coverage", reasons=["coverage_below_threshold"]),
    ),
    OutgoingType(
        "reliability.failed",
        "An alert rule: the expert found too many of the answers behind an index not credible.",
        examples.metric("iel", status="unreliable", reasons=["reliability_negative_below_90"]),
    ),
    OutgoingType(
        "touchpoint.no_data",
        "An alert rule: a touchpoint of which feedback is expected is silent.",
        examples.NO_DATA,
    ),
)
_OWN = (
    OutgoingType(
        FAILING,
        "An endpoint has answered nothing but failures: told after five minutes (`percent` 0) and again at "
        "50, 70 and 90 percent of the five days after which it is disabled (`disables_at`).",
        examples.ENDPOINT_FAILING,
    ),
    OutgoingType(
        DISABLED,
        "An endpoint was disabled: `gone` (it answered 410), `asked` (it answered `webhook-delivery: "
        "disable`) or `failing` (five days of only failures).",
        examples.ENDPOINT_DISABLED,
    ),
    OutgoingType(
        RECOVERED, "An endpoint that had been failing took a message again.", examples.ENDPOINT_RECOVERED
    ),
    OutgoingType(
        EXHAUSTED, "The last try of a message failed; resend it by hand.", examples.MESSAGE_EXHAUSTED
    ),
    OutgoingType(TEST, "A test that somebody asked for.", examples.ENDPOINT_TEST),
)

OUTGOING: Mapping[str, OutgoingType] = {
    item.type: item for item in (*_SLA, *_ASKING, *_PRIVACY, *_CASES, *_CARE, *_METRICS, *_OWN)
}
