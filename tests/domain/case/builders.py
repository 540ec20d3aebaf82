"""Histories of a case in a few words: `case_of("opened 0, replied 2")`."""

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from app.domain.case import Case, fold
from app.domain.events import EventType, Origin, StoredEvent

T0 = datetime(2026, 11, 2, 9, tzinfo=UTC)
TENANT, SUBJECT = UUID(int=1), UUID(int=2)


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def fact(name: str, hours: float, said=None, *, id=None, source="crm", **envelope) -> StoredEvent:
    """An event `hours` after T0; `name` without a dot is a case event."""
    kind = EventType(name if "." in name else f"case.{name}")
    external_id = id or f"{name}@{hours:g}"
    return StoredEvent(
        tenant_id=TENANT,
        position=1,
        event_id=uuid5(NAMESPACE_URL, f"{source} {external_id}"),
        type=kind,
        source=source,
        external_id=external_id,
        occurred_at=at(hours),
        recorded_at=at(hours),
        origin=Origin.LIVE,
        fact=said or {},
        personal={},
        subject_id=SUBJECT,
        **envelope,
    )


def case_of(told: str) -> Case:
    """`"opened 0, replied 2"` as a folded case."""
    return fold([fact(name, float(hours)) for name, hours in (item.split() for item in told.split(", "))])


def reasons(case: Case) -> list[str]:
    return [anomaly.reason for anomaly in case.anomalies]


FULL = (
    "opened 0, acknowledged 1, assessed 2, replied 3, apologised 4, promised 5, remedied 6, "
    "decision_communicated 7, resurveyed 30, closed 31"
)
CASE_EVENTS = [kind for kind in EventType if kind.startswith("case.")]
