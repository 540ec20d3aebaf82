"""The body of a message: full or thin, as Standard Webhooks or as a structured CloudEvent."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID


class Payload(StrEnum):
    """How much is posted."""

    FULL = "full"
    THIN = "thin"


class Format(StrEnum):
    """In which envelope it is posted."""

    STANDARD = "standard"
    CLOUDEVENTS = "cloudevents"

    @property
    def content_type(self) -> str:
        """The media type of a body in this format."""
        return "application/json" if self is Format.STANDARD else "application/cloudevents+json"


_IDS = ("event_id", "endpoint_id", "message_id", "sequence")


def render(
    body: Mapping[str, Any], payload: Payload, form: Format, *, tenant_id: UUID, event_id: str
) -> dict[str, Any]:
    """What is posted, from the stored body (`type`, `timestamp`, `data`).

    A thin one holds only what it takes to fetch the rest with a key of one's own: ids and the place
    in the tenant's order, nothing that erasure would have to chase at the receiver's.
    """
    data = dict(body["data"])
    sent = thin(data, event_id) if payload is Payload.THIN else data
    if form is Format.STANDARD:
        return {"type": body["type"], "timestamp": body["timestamp"], "data": sent}
    envelope = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"urn:uuid:{tenant_id}",
        "type": body["type"],
        "subject": subject_of(data) or data.get("endpoint_id"),
        "time": body["timestamp"],
        "sequence": None if data.get("sequence") is None else str(data["sequence"]),
        "datacontenttype": "application/json",
        "data": sent,
    }
    return {name: value for name, value in envelope.items() if value is not None}


def thin(data: Mapping[str, Any], event_id: str) -> dict[str, Any]:
    """The ids of what an event is about."""
    found: dict[str, Any] = {"event_id": event_id}
    found |= {name: data[name] for name in _IDS if name in data}
    if isinstance(subject := data.get("subject"), Mapping):
        found["subject"] = {name: subject[name] for name in ("kind", "id") if name in subject}
    if isinstance(case := data.get("case"), Mapping):
        found["subject"] = {"kind": "case", "id": case.get("id")}
    return found


def subject_of(data: Mapping[str, Any]) -> str | None:
    """The public id of the case or subject that an event is about."""
    subject = data.get("subject") or data.get("case") or {}
    found = subject.get("id") if isinstance(subject, Mapping) else None
    return found if isinstance(found, str) else None
