"""What an event must be about: a fact of a case that names no case would be kept and never seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.domain.errors import InvalidError
from app.domain.events import Event, EventType, SubjectKind

_FAMILIES: Final[Mapping[str, SubjectKind]] = {
    "case": SubjectKind.CASE,
    "compensation": SubjectKind.CASE,
    "order": SubjectKind.ORDER,
    "corrective_action": SubjectKind.ACTION,
    "debrief": SubjectKind.DEBRIEF,
}
_NAMES_ANOTHER: Final = {
    EventType.CASE_MERGED: ("into", "the case that survives"),
    EventType.CASE_LINKED: ("ref", "the other reference of the case"),
}


def subject_kind_of(event_type: str) -> SubjectKind | None:
    """The kind of subject that facts of this type are always about; None where it may be another."""
    return _FAMILIES.get(event_type.partition(".")[0])


def check_subject(event: Event) -> None:
    """Refuse a fact that nothing could be made of: no subject, one of another kind, no second case.

    Raises InvalidError: `subject_missing`, `subject_kind` or `missing_field`.
    """
    kind = subject_kind_of(event.type.value)
    if kind is None:
        return
    example = f'send `"subject": {{"kind": "{kind.value}", "ref": "<your reference>"}}`'
    if event.subject is None:
        detail = f"`{event.type.value}` does not say which {kind.value} it is about"
        raise InvalidError("subject_missing", detail, pointer="/subject", cure=example)
    if event.subject.kind is not kind:
        detail = f"`{event.type.value}` is about a {kind.value}, not about a {event.subject.kind.value}"
        raise InvalidError("subject_kind", detail, pointer="/subject/kind", cure=example)
    if event.type in _NAMES_ANOTHER:
        name, meaning = _NAMES_ANOTHER[event.type]
        if not event.data.get(name):
            detail = f"`{event.type.value}` does not name {meaning}"
            raise InvalidError("missing_field", detail, pointer=f"/data/{name}", cure=f"send `data.{name}`")
