"""The event that states a silence: derived from an invitation, the same wherever it is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

from app.domain.asking.act import Silence
from app.domain.events import Event, EventType, StoredEvent, Subject
from app.domain.feedback import NO_QUESTION
from app.journal.drafts import draft
from app.journal.ports import OWN_SOURCE, Commit, Draft
from app.kit.ids import public_id

_COPIED = (
    "channel", "channel_raw", "touchpoint", "journey_stage", "location", "employee", "segment", "product",
    "attributes", "collection_mode", "incentivised", "survey", "moment",
)  # fmt: skip


def silence_id(tenant_id: UUID, subject_id: UUID, question: str) -> UUID:
    """The one name of "this question of this act was left without an answer"."""
    return uuid5(tenant_id, f"silence:{subject_id}:{question}")


def silence_draft(commit: Commit, subject_id: UUID, silence: Silence) -> Draft:
    """The draft of `survey.timed_out`: where and of whom the invitation was, when the time was over."""
    started = silence.started
    identity = silence_id(commit.tenant_id, subject_id, silence.question)
    asked = started.fact["asked"][0]
    data = {name: started.fact[name] for name in _COPIED if started.fact.get(name) is not None}
    if silence.question != NO_QUESTION:
        data["question"] = silence.question
    data |= {"scale": asked["scale"], "measure": asked["measure"], "reason": silence.reason}
    data["asked_by"] = started.source
    event = Event(
        type=EventType.SURVEY_TIMED_OUT,
        id=str(identity),
        source=OWN_SOURCE,
        occurred_at=silence.at,
        data=data,
        subject=None if started.subject_kind is None else Subject(started.subject_kind, str(subject_id)),
    )
    made = draft(
        event,
        commit.config,
        received_at=max(commit.recorded_at, silence.at),
        origin=started.origin,
        caused_by=started.event_id,
    )
    return replace(
        made,
        personal={},
        customer_ref=started.customer_ref,
        received_at=commit.recorded_at,
        subject_id=subject_id,
        event_id=identity,
    )


def silence_data(event: StoredEvent, history: Sequence[StoredEvent]) -> dict[str, Any]:
    """What subscribers get, say to follow up a sample of the silent: no word of the customer's."""
    refs = (known.personal.get("subject_ref") for known in history)
    answer = event.fact["answers"][0]
    return {
        **{name: event.fact[name] for name in _COPIED if event.fact.get(name) is not None},
        "question": answer["question"],
        "measure": answer["measure"],
        "reason": event.fact["reason"],
        "silent_at": event.occurred_at,
        "event_id": public_id("evt", event.event_id),
        "subject": {
            "kind": None if event.subject_kind is None else event.subject_kind.value,
            "ref": next((ref for ref in refs if ref), None),
        },
        "customer_ref": None if event.customer_ref is None else event.customer_ref.hex(),
        "sequence": event.position,
    }
