"""An event becomes a draft: time rules, answers read on their scales, person apart from fact, fingerprint."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.domain.errors import InvalidError
from app.domain.events import Event, EventType, Origin, Subject, SubjectKind
from app.domain.feedback import answers_of, silent_answer
from app.domain.privacy import names_somebody
from app.journal.config import SourceConfig, TenantConfig
from app.journal.ports import Draft

AHEAD_SECONDS = 300
"""A source's clock may run ahead by this much (design.md, section 3)."""

_PERSONAL_KEYS = frozenset({
    "text", "title", "author", "transaction", "interaction",
    "reason", "requested_remedy", "ref", "into", "of",
})  # fmt: skip
"""Words of people, and references of callers: what erasure may take."""
_SCORE_KEYS = frozenset({"answers", "question", "scale", "value", "measure", "label", "wording_version"})
_NO_KEYS: frozenset[str] = frozenset()
_ANSWERED = (
    EventType.FEEDBACK_RECEIVED,
    EventType.SURVEY_ANSWERED,
    EventType.REVIEW_PUBLISHED,
    EventType.REVIEW_EDITED,
)
_SILENT = (EventType.SURVEY_REFUSED, EventType.SURVEY_TIMED_OUT)
_AMENDING = (
    EventType.RESPONSE_QUALIFIED,
    EventType.FEEDBACK_CLASSIFIED,
    EventType.FORCE_MAJEURE_CLAIMED,
    EventType.FORCE_MAJEURE_CONFIRMED,
)
_OLDEST = 1900


def draft(
    event: Event,
    config: TenantConfig,
    *,
    received_at: datetime,
    origin: Origin = Origin.LIVE,
    open_cases: bool = True,
    caused_by: UUID | None = None,
) -> Draft:
    """The draft of an event. Raises InvalidError: what is wrong with it, with a pointer into the event."""
    source = config.source(event.source)
    occurred_at = _in_utc(event, source)
    _check_time(occurred_at, received_at)
    fact, personal = _split(event, config)
    if event.type in _ANSWERED:
        fact["answers"] = [answer.as_fact() for answer in answers_of(event.data, config.questions)]
    elif event.type in _SILENT:
        fact["answers"] = [silent_answer(event.data, config.questions).as_fact()]
    elif event.type is EventType.SURVEY_STARTED:
        # what a silence would be counted as is settled when the question is asked
        fact["asked"] = [silent_answer(event.data, config.questions).as_fact()]
    subject = _subject_of(event)
    _check_target(event, subject)
    if subject is not None:
        personal["subject_ref"] = subject.ref
    customer = event.data.get("customer")
    bound = timedelta(seconds=source.backdate_bound_seconds)
    return Draft(
        event=_settled(event, occurred_at, subject),
        fact=fact,
        personal=personal,
        fingerprint=config.fingerprint(_content(event, occurred_at)),
        received_at=received_at,
        origin=origin,
        customer_ref=config.customer_ref(customer["type"], customer["value"]) if customer else None,
        caused_by=caused_by,
        backdated=received_at - occurred_at > bound,
        open_cases=open_cases,
    )


def _settled(event: Event, occurred_at: datetime, subject: Subject | None) -> Event:
    """The event with its time in UTC, its subject and its version as they count."""
    version = _version_of(event, occurred_at)
    as_stated = event.occurred_at.tzinfo is UTC and subject is event.subject and version is event.version
    return event if as_stated else replace(event, occurred_at=occurred_at, subject=subject, version=version)


def _check_target(event: Event, subject: Subject | None) -> None:
    if event.type in _AMENDING and subject is None and not event.data.get("event"):
        raise InvalidError(
            "target_missing",
            "this event says something of an answer, but not of which",
            pointer="/data/event",
            cure="send the id of the event that stated the answer, or the `subject` it belongs to",
        )


def _in_utc(event: Event, source: SourceConfig) -> datetime:
    if event.occurred_at.tzinfo is not None:
        return _utc(event.occurred_at)
    if source.time_zone is None:
        raise InvalidError(
            "missing_zone",
            f"occurred_at {event.time_raw!r} has no offset, and the source {event.source!r} has no zone",
            pointer="/occurred_at",
            cure="send an offset (`...Z` or `...+02:00`), or give the source a time zone",
        )
    return _utc(event.occurred_at.replace(tzinfo=source.time_zone))


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # within a day of year 1 or 9999: refused as ancient or future, whatever its offset
        return moment.replace(tzinfo=UTC)


def _check_time(occurred_at: datetime, received_at: datetime) -> None:
    if occurred_at > received_at + timedelta(seconds=AHEAD_SECONDS):
        raise InvalidError(
            "future_time",
            f"occurred_at lies {_ahead(occurred_at - received_at)} in the future",
            pointer="/occurred_at",
            cure="send when it happened; up to 5 minutes ahead is taken as a fast clock",
        )
    if occurred_at.year < _OLDEST:
        raise InvalidError(
            "ancient_time",
            f"occurred_at lies before {_OLDEST}",
            pointer="/occurred_at",
            cure="send when it happened; a placeholder date is not a time",
        )


def _ahead(distance: timedelta) -> str:
    seconds = int(distance.total_seconds())
    return f"{seconds} s" if seconds < 7200 else f"{seconds // 3600} h"


def _split(event: Event, config: TenantConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    fact: dict[str, Any] = {}
    personal: dict[str, Any] = {}
    own = event.type.is_derived
    # what is said of an answer is no answer: its words are facts as they stand
    scores = _NO_KEYS if event.type in _AMENDING else _SCORE_KEYS
    for key, value in event.data.items():
        if value is None or key == "customer" or key in scores:
            continue
        if key in _PERSONAL_KEYS and not (own and key == "reason"):  # the reason of a decider is a slug
            personal[key] = value
        elif key == "attributes":
            private = {
                name: item
                for name, item in value.items()
                if config.attributes.get(name, names_somebody(name, item))
            }
            fact[key] = {name: item for name, item in value.items() if name not in private}
            if private:
                personal[key] = private
        else:
            fact[key] = value
    return fact, personal


def _subject_of(event: Event) -> Subject | None:
    """The stated subject; else the interaction or the transaction that the event says it belongs to.

    A retraction has none of its own: it belongs to the subject of what it takes back.
    """
    if event.type is EventType.EVENT_RETRACTED:
        return None
    if event.subject is not None:
        return event.subject
    for key, kind in (("interaction", SubjectKind.INTERACTION), ("transaction", SubjectKind.TRANSACTION)):
        ref = event.data.get(key)
        if ref:
            return Subject(kind, ref)
    if event.type is EventType.SURVEY_STARTED:
        # nobody can answer it by name, but it can still run out of time
        return Subject(SubjectKind.SURVEY, f"{event.source}:{event.id}")
    return None


def _version_of(event: Event, occurred_at: datetime) -> Decimal | None:
    """The stated version; a state of an object without one is as new as its time says."""
    if event.object is None or event.version is not None:
        return event.version
    return Decimal(int(occurred_at.timestamp() * 1_000_000))


def _content(event: Event, occurred_at: datetime) -> dict[str, Any]:
    return {
        "type": event.type.value,
        "occurred_at": occurred_at,
        "subject": None if event.subject is None else [event.subject.kind.value, event.subject.ref],
        "object": event.object,
        "version": None if event.version is None else _plain(event.version),
        "data": event.data,
    }


def _plain(number: Decimal) -> str:
    """The same number gives the same text: 3, 3.0 and 3e0."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
