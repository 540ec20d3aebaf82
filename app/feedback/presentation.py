"""Rows of the feedback store and of the journal become what callers see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.feedback.schemas import (
    ChangeOut,
    FeedbackDetail,
    FeedbackOut,
    FeedbackVersion,
    StoredEventOut,
    SubjectOut,
)
from app.kit.ids import public_id

_SAME_NAME = (
    "occurred_at", "source", "kind", "channel", "touchpoint", "stage", "location", "employee",
    "segment", "product", "question", "measure", "scale_id", "scale_version", "raw_value", "norm01",
    "collection_mode", "device", "incentivised", "force_majeure", "qualification", "cause", "lang",
    "source_url", "verification",
)  # fmt: skip
_PERSONAL = ("title", "text", "author", "transaction", "interaction")


def feedback_out(row: Any) -> FeedbackOut:
    """One version of an answer."""
    return FeedbackOut(**_fields(row))


def feedback_detail(rows: Sequence[Any]) -> FeedbackDetail:
    """An answer from all its versions, oldest first."""
    last = rows[-1]
    versions = [FeedbackVersion(**_fields(row), seq_from=row.seq_from, seq_to=row.seq_to) for row in rows]
    return FeedbackDetail(
        **_fields(last), state="current" if last.seq_to is None else "withdrawn", versions=versions
    )


def change_out(row: Any) -> ChangeOut:
    """One entry of the changes feed."""
    return ChangeOut(
        sequence=row.sequence,
        change=row.change,
        id=public_id("fb", row.feedback_id),
        feedback=feedback_out(row) if row.change == "stored" else None,
    )


def event_out(row: Any, *, with_personal: bool) -> StoredEventOut:
    """One event of the journal."""
    personal: dict[str, Any] = dict(row.personal or {})
    ref = personal.pop("subject_ref", None) if with_personal else None
    return StoredEventOut(
        event_id=public_id("evt", row.event_id),
        sequence=row.position,
        type=row.type,
        source=row.source,
        id=row.external_id,
        occurred_at=row.occurred_at,
        precision="day" if row.day_precision else None,
        recorded_at=row.recorded_at,
        received_at=row.received_at,
        origin=row.origin,
        backdated=row.backdated,
        caused_by=None if row.caused_by is None else public_id("evt", row.caused_by),
        subject=_subject(row, ref),
        object=row.object,
        version=None if row.version is None else format(row.version, "f"),
        data=row.fact,
        personal=personal if with_personal else None,
    )


def _fields(row: Any) -> dict[str, Any]:
    values = row._mapping
    personal = values["personal"] or {}
    return {
        **{name: values[name] for name in _SAME_NAME},
        **{name: personal.get(name) for name in _PERSONAL},
        "id": public_id("fb", row.feedback_id),
        "event_id": public_id("evt", row.event_id),
        "customer_ref": None if row.customer_ref is None else row.customer_ref.hex(),
        "subject": _subject(row, personal.get("subject_ref")),
        "reading": row.reading,
        "text_disagrees": text_disagrees(values["class"], row.slot, row.reading),
        "value": None if row.value is None else float(row.value),
        "answer_class": values["class"],
        "attributes": {**row.attributes, **personal.get("attributes", {})},
    }


def text_disagrees(answer_class: str, slot: int | None, reading: Mapping[str, Any] | None) -> bool:
    """True where a score and what was read off its text are opposites (domain.md 4.5: the score wins)."""
    label = ((reading or {}).get("sentiment") or {}).get("label")
    return slot is not None and {answer_class, label} == {"positive", "negative"}


def _subject(row: Any, ref: str | None) -> SubjectOut | None:
    if row.subject_kind is None:
        return None
    subject_id = None if row.subject_id is None else public_id(row.subject_kind, row.subject_id)
    return SubjectOut(kind=row.subject_kind, id=subject_id, ref=ref)
