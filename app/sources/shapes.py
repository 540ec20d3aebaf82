"""The data that each event type carries: which keys, of which kind, with which words.

What the door accepts (`ingest/schemas.py`), in the form that adapters and mappings need: a test keeps
the two equal, so that a mapping document is refused when it is saved and not row by row afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from app.domain.events import EventType
from app.domain.scales import QuestionMeasure


class Kind(Enum):
    """How the value under a key is written."""

    TEXT = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    TIME = auto()
    SCALAR = auto()
    CUSTOMER = auto()
    ANSWERS = auto()
    KEYS = auto()
    ATTRIBUTES = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a shape; `words` closes its vocabulary."""

    kind: Kind
    words: frozenset[str] | None = None


Shape = Mapping[str, Field]

_ATTRIBUTE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")


def _words(text: str) -> Field:
    return Field(Kind.TEXT, frozenset(text.split()))


def _texts(names: str) -> dict[str, Field]:
    return dict.fromkeys(names.split(), _TEXT)


_TEXT, _NUMBER, _BOOLEAN, _TIME = (Field(kind) for kind in (Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN, Kind.TIME))
_SEVERITY = _words("sev1 sev2 sev3 sev4")
_COLLECTION_MODE = _words("passive staff_prompted invited scraped")
_QUALIFICATION = _words("valid invalid unsure")

CUSTOMER: Shape = {"type": _TEXT, "value": _TEXT}

ANSWER: Shape = {
    "question": _TEXT,
    "scale": _TEXT,
    # As it stands: a score may be a word ("good"), and only its scale can read it.
    "value": Field(Kind.SCALAR),
    "measure": Field(Kind.TEXT, frozenset(measure.value for measure in QuestionMeasure)),
    "wording_version": _NUMBER,
}

_WHERE: Shape = {
    **_texts("channel_raw touchpoint location employee segment product"),
    "channel": _words("app call chat email kiosk letter messenger other review sms social store web"),
    "journey_stage": _words("before purchase waiting after"),
    "customer": Field(Kind.CUSTOMER),
    "attributes": Field(Kind.ATTRIBUTES),
}

FEEDBACK: Shape = {
    **_WHERE,
    **ANSWER,
    **_texts("text title author lang cause transaction interaction source_url device"),
    "kind": _words("rating review question complaint praise suggestion"),
    "answers": Field(Kind.ANSWERS),
    "label": _words("positive neutral negative unknown"),
    "collection_mode": _COLLECTION_MODE,
    "incentivised": _BOOLEAN,
    "force_majeure": _words("claimed confirmed"),
    "qualification": _QUALIFICATION,
    "is_complaint": _BOOLEAN,
    "severity": _SEVERITY,
    "due_at": _TIME,
    "verification": _words("presumed_genuine verified unverified expired"),
    "experienced_at": _TIME,
}

CASE: Shape = {
    **_WHERE,
    **_texts("cause assignee reason outcome text ref into of requested_remedy currency"),
    "kind": _words("complaint question praise suggestion"),
    "severity": _SEVERITY,
    "due_at": _TIME,
    "human": _BOOLEAN,
    "initiative": _words("reactive proactive"),
    **_texts("checklist action"),
    "preferred_channel": _WHERE["channel"],
    "ticked": Field(Kind.KEYS),
    "about_handling": _BOOLEAN,
    "same_cause": _BOOLEAN,
    "amount": _NUMBER,
}

SUBJECT: Shape = {
    **_WHERE,
    **_texts("text reason cause question scale currency type step interaction transaction customer_class"),
    **_texts("title lang survey moment compensation case checklist name owner"),
    "severity": _SEVERITY,
    "affected": _NUMBER,
    "reached": _NUMBER,
    "label": _words("positive neutral negative unknown"),
    "incentivised": _BOOLEAN,
    "force_majeure": _words("claimed confirmed"),
    "is_complaint": _BOOLEAN,
    "relational": _BOOLEAN,
    "timeout_seconds": _NUMBER,
    "human": _BOOLEAN,
    "due_at": _TIME,
    "promised_at": _TIME,
    "experienced_at": _TIME,
    "measure": ANSWER["measure"],
    "value": ANSWER["value"],
    "answers": Field(Kind.ANSWERS),
    "collection_mode": _COLLECTION_MODE,
    "qualification": _QUALIFICATION,
    "amount": _NUMBER,
}

COUNT: Shape = {**_WHERE, "count": _NUMBER}
DISPLAYED: Shape = {**_WHERE, **_texts("source_url"), "rating": _NUMBER, "count": _NUMBER}
RETRACTION: Shape = _texts("event source reason")

AMENDMENT: Shape = {
    **_texts("event source question cause model lang employee reason"),
    "qualification": _QUALIFICATION,
    "label": _words("positive neutral negative unknown"),
    "confidence": _NUMBER,
    "is_complaint": _BOOLEAN,
}
PERMISSION: Shape = {"customer": Field(Kind.CUSTOMER), **_texts("channel reason")}
REFERRAL: Shape = {**_WHERE, **_texts("coupon transaction"), "copies": _NUMBER}
RETAGGING: Shape = _texts("raw touchpoint")
ERASURE: Shape = {"customer": Field(Kind.CUSTOMER), **_texts("reason")}

_OTHERS: Mapping[EventType, Shape] = {
    EventType.EVENT_RETRACTED: RETRACTION,
    EventType.RATING_DISPLAYED: DISPLAYED,
    EventType.RESPONSE_QUALIFIED: AMENDMENT,
    EventType.FEEDBACK_CLASSIFIED: AMENDMENT,
    EventType.FORCE_MAJEURE_CLAIMED: AMENDMENT,
    EventType.FORCE_MAJEURE_CONFIRMED: AMENDMENT,
    EventType.CUSTOMER_OPTED_OUT: PERMISSION,
    EventType.CUSTOMER_OPTED_IN: PERMISSION,
    EventType.REFERRAL_MADE: REFERRAL,
    EventType.COUPON_ISSUED: REFERRAL,
    EventType.COUPON_ACTIVATED: REFERRAL,
    EventType.TOUCHPOINT_RETAGGED: RETAGGING,
    EventType.ERASURE_REQUESTED: ERASURE,
}

_OPINIONS = (EventType.FEEDBACK_RECEIVED, EventType.REVIEW_PUBLISHED, EventType.REVIEW_EDITED)
_COUNTS = (EventType.VISITORS_COUNTED, EventType.TRANSACTIONS_COUNTED, EventType.INTERACTIONS_COUNTED)


def shape_of(event_type: EventType) -> Shape:
    """The keys that the `data` of the type may carry."""
    if event_type in _OPINIONS:
        return FEEDBACK
    if event_type in _COUNTS:
        return COUNT
    if event_type in _OTHERS:
        return _OTHERS[event_type]
    return CASE if event_type.startswith("case.") else SUBJECT


def is_attribute_name(name: str) -> bool:
    """Letters, digits and underscores, a letter first, 63 at most."""
    return _ATTRIBUTE_NAME.fullmatch(name) is not None
