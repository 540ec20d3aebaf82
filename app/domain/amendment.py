"""What experts, classifiers and the author himself said of an answer afterwards, and what it comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.domain.case.care import VERDICTS
from app.domain.events import EventType

AMENDING: Final = frozenset(
    {
        EventType.RESPONSE_QUALIFIED,
        EventType.FEEDBACK_CLASSIFIED,
        EventType.FORCE_MAJEURE_CLAIMED,
        EventType.FORCE_MAJEURE_CONFIRMED,
        *VERDICTS,
    }
)


@dataclass(frozen=True, slots=True)
class Amendment:
    """One such word: of the answer to `question`, or (None) of every answer that it is about."""

    event_id: UUID
    type: EventType
    occurred_at: datetime
    stated: Mapping[str, Any]
    question: str | None = None


def amended(fact: Mapping[str, Any], amendments: Sequence[Amendment]) -> dict[str, Any]:
    """What the amendments change of an answer's facts, whatever the order in which they came.

    The latest word of each kind counts. A claim of force majeure never takes back a confirmation; a
    classifier names a cause only where nobody else did; how the verification of its author stands is what
    the dialogue on the case came to; no score and no class is ever changed.
    """
    changes: dict[str, Any] = {}
    for item in sorted(amendments, key=lambda item: (item.occurred_at, item.event_id)):
        said = item.stated
        if item.type is EventType.RESPONSE_QUALIFIED:
            changes |= {name: said[name] for name in ("qualification", "cause") if said.get(name)}
        elif item.type is EventType.FORCE_MAJEURE_CONFIRMED:
            changes["force_majeure"] = "confirmed"
        elif item.type is EventType.FORCE_MAJEURE_CLAIMED:
            if "confirmed" not in (changes.get("force_majeure"), fact.get("force_majeure")):
                changes["force_majeure"] = "claimed"
        elif item.type in VERDICTS:
            changes["verification"] = VERDICTS[item.type].value
        elif item.type is EventType.FEEDBACK_CLASSIFIED:
            changes["reading"] = _reading(changes.get("reading") or fact.get("reading") or {}, said)
            if said.get("lang"):
                changes["lang"] = said["lang"]
    classified = (changes.get("reading") or {}).get("cause")
    if classified and not changes.get("cause") and not fact.get("cause"):
        changes["cause"] = classified
    return changes


def _reading(before: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    reading = dict(before)
    method = said.get("model") or "classifier"
    if said.get("label"):
        reading["sentiment"] = {
            "label": said["label"],
            "confidence": said.get("confidence"),
            "method": method,
            "version": None,
        }
    if said.get("cause"):
        reading["cause"] = said["cause"]
    if said.get("is_complaint") is not None:
        hints = {**(reading.get("hints") or {}), "complaint": said["is_complaint"], "method": method}
        reading["hints"] = hints
    return reading
