"""The one list of outgoing types: for the subscription filter, the test event and OpenAPI's `webhooks`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from app.domain.errors import InvalidError
from app.domain.events import EventType
from app.webhooks import examples

ANY = "*"
TEST = "endpoint.test"
DISABLED = "endpoint.disabled"
RECOVERED = "endpoint.recovered"
EXHAUSTED = "message.exhausted"
OPERATIONAL = frozenset({DISABLED, RECOVERED, EXHAUSTED})
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
_CASES = tuple(
    OutgoingType(
        event_type,
        f"The case event `{event_type}` was recorded; `case` is the case as it stands after it.",
        examples.CASE,
    )
    for event_type in EventType
    if event_type.startswith("case.")
)
_OWN = (
    OutgoingType(
        DISABLED,
        "An endpoint was disabled: `gone` (it answered 410) or `failing` (five days of only failures).",
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

OUTGOING: Mapping[str, OutgoingType] = {item.type: item for item in (*_SLA, *_CASES, *_OWN)}


def matches(patterns: Iterable[str], event_type: str) -> bool:
    """True when one of an endpoint's patterns (exact, `family.*`, `*`) holds this type."""
    return any(
        pattern in (ANY, event_type) or (pattern.endswith(".*") and event_type.startswith(pattern[:-1]))
        for pattern in patterns
    )


def check_patterns(patterns: Sequence[str]) -> None:
    """Refuse a pattern that no type will ever match. Raises InvalidError naming the nearest type."""
    for number, pattern in enumerate(patterns):
        if not any(matches([pattern], event_type) for event_type in OUTGOING):
            families = {event_type.partition(".")[0] + ".*" for event_type in OUTGOING}
            nearest = get_close_matches(pattern, [*OUTGOING, *families], n=1, cutoff=0.3)
            raise InvalidError(
                "unknown_event_type",
                f"no outgoing event matches {pattern!r}",
                pointer=f"/event_types/{number}",
                cure=f"did you mean {nearest[0]!r}?" if nearest else "use `*` for all events",
            )


def get_type(event_type: str) -> OutgoingType:
    """The entry of a type. Raises InvalidError."""
    check_patterns([event_type])
    if event_type not in OUTGOING:
        raise InvalidError(
            "unknown_event_type",
            f"{event_type!r} is a pattern, not one type",
            pointer="/event_type",
            cure="name one type, such as 'sla.breached'",
        )
    return OUTGOING[event_type]
