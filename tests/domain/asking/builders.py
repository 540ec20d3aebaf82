"""Histories of a survey act in a few words: `act_of("started 0, answered 2")`, hours after T0."""

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from app.domain.events import EventType, Origin, StoredEvent, SubjectKind

T0 = datetime(2026, 11, 2, 9, tzinfo=UTC)


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def fact(name: str, hours: float, question: str = "staff", **said: object) -> StoredEvent:
    """`survey.<name>`, or an event of another family when the name has a dot."""
    kind = EventType(name if "." in name else f"survey.{name}")
    asked = [{"question": question, "measure": "staff", "scale": "button_3"}]
    of_type = {"asked": asked} if kind is EventType.SURVEY_STARTED else {"answers": asked}
    if kind in (EventType.SURVEY_NOT_REACHED, EventType.EVENT_RETRACTED):
        of_type = {}
    external_id = f"{name}@{hours:g}/{question}"
    return StoredEvent(
        tenant_id=UUID(int=1),
        position=1,
        event_id=uuid5(NAMESPACE_URL, external_id),
        type=kind,
        source="crm",
        external_id=external_id,
        occurred_at=at(hours),
        recorded_at=at(hours),
        origin=Origin.LIVE,
        fact={**of_type, **said},
        personal={},
        subject_kind=SubjectKind.SURVEY,
        subject_id=UUID(int=2),
    )


def act_of(told: str) -> list[StoredEvent]:
    """`"started 0, refused 1 none"`: name, hours, and the question when it is not `staff`."""
    return [
        fact(name, float(hours), *rest) for name, hours, *rest in (part.split() for part in told.split(", "))
    ]
