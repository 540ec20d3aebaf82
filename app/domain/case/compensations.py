"""What was offered, approved, given and got back in one case, folded from its `compensation.*` events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum, auto
from typing import Any, Final

from app.domain.case.moments import moment_of
from app.domain.events import EventType, StoredEvent

UNNAMED: Final = "1"
"""The key of a compensation that its source gave none: a case usually has one."""


class CompensationState(StrEnum):
    """Where a compensation stands; the last that holds."""

    PENDING_APPROVAL = auto()
    APPROVED = auto()
    REJECTED = auto()
    DELIVERED = auto()


@dataclass(frozen=True, slots=True)
class Compensation:
    """One compensation. `base_*` are in the tenant's currency at the rate of the grant.

    `recovered` is what carrier or insurer paid back. Without an offer only what was told later is known.
    """

    key: str
    kind: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    base_amount: Decimal | None = None
    base_currency: str | None = None
    recovered: Decimal = Decimal(0)
    employee: str | None = None
    approver: str | None = None
    offered_at: datetime | None = None
    over_limit_at: datetime | None = None
    over_limit_reason: str | None = None
    approved_at: datetime | None = None
    rejected_at: datetime | None = None
    delivered_at: datetime | None = None
    due_at: datetime | None = None

    @property
    def state(self) -> CompensationState:
        if self.delivered_at is not None:
            return CompensationState.DELIVERED
        if self.rejected_at is not None and (self.approved_at or self.rejected_at) <= self.rejected_at:
            return CompensationState.REJECTED
        if self.approved_at is not None:
            return CompensationState.APPROVED
        return CompensationState.PENDING_APPROVAL

    @property
    def is_granted(self) -> bool:
        """True when it costs something: approved or given, and not rejected."""
        return self.state in (CompensationState.APPROVED, CompensationState.DELIVERED)

    @property
    def is_late(self) -> bool:
        """True when it was given after the time that was promised for it."""
        return self.delivered_at is not None and self.due_at is not None and self.delivered_at > self.due_at


@dataclass(frozen=True, slots=True)
class Sums:
    """What the compensations of a case come to, in the tenant's currency; None while nothing is granted."""

    currency: str | None = None
    gross: Decimal | None = None
    recovered: Decimal | None = None
    net: Decimal | None = None


def fold_compensations(events: Sequence[StoredEvent]) -> tuple[Compensation, ...]:
    """The compensations that these events (in order of time, those that stand) tell of, by first mention."""
    found: dict[str, Compensation] = {}
    for event in events:
        if event.type in _READ:
            key = str(event.fact.get("compensation") or UNNAMED)
            found[key] = _told(found.get(key) or Compensation(key), event)
    return tuple(found.values())


def sum_compensations(compensations: Iterable[Compensation]) -> Sums:
    """Gross, recovered and net of what was granted at a known rate."""
    granted = [item for item in compensations if item.is_granted and item.base_amount is not None]
    if not granted:
        return Sums()
    gross = sum((item.base_amount or Decimal(0) for item in granted), Decimal(0))
    recovered = sum((item.recovered for item in granted), Decimal(0))
    return Sums(granted[-1].base_currency, gross, recovered, gross - recovered)


def committed(compensations: Iterable[Compensation], *, without: str | None = None) -> Decimal:
    """What a case has been offered so far in base currency and not refused: counts against the limit."""
    return sum(
        (
            item.base_amount or Decimal(0)
            for item in compensations
            if item.key != without and item.state is not CompensationState.REJECTED
        ),
        Decimal(0),
    )


def amount_of(value: object) -> Decimal | None:
    """A sum kept in a fact; None when there is none, or none that can be read."""
    if value is None or isinstance(value, bool):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _told(known: Compensation, event: StoredEvent) -> Compensation:
    said, at = event.fact, event.occurred_at
    base = {"base_amount": amount_of(said.get("base_amount")), "base_currency": said.get("base_currency")}
    changes: dict[str, Any] = {name: value for name, value in base.items() if value is not None}
    match event.type:
        case EventType.COMPENSATION_OFFERED:
            changes |= {"offered_at": known.offered_at or at, "employee": said.get("employee")}
            changes |= _terms(known, event)
        case EventType.COMPENSATION_OVER_LIMIT:
            changes |= {"over_limit_at": known.over_limit_at or at, "approver": said.get("approver")}
            changes["over_limit_reason"] = said.get("reason")
        case EventType.COMPENSATION_APPROVED:
            changes |= {"approved_at": known.approved_at or at, **_terms(known, event)}
        case EventType.COMPENSATION_REJECTED:
            changes["rejected_at"] = known.rejected_at or at
        case EventType.COMPENSATION_DELIVERED:
            changes |= {"delivered_at": known.delivered_at or at, **_terms(known, event)}
        case _:
            back = amount_of(said.get("base_amount")) or amount_of(said.get("amount")) or Decimal(0)
            return replace(known, recovered=known.recovered + back)
    return replace(known, **changes)


def _terms(known: Compensation, event: StoredEvent) -> dict[str, Any]:
    """What is given: the offer says it; an approval or a delivery only where it was not said before."""
    said, first = event.fact, event.type is EventType.COMPENSATION_OFFERED
    stated = {
        "kind": said.get("type"),
        "amount": amount_of(said.get("amount")),
        "currency": said.get("currency"),
        "due_at": moment_of(said.get("due_at")),
    }
    return {
        name: value
        for name, value in stated.items()
        if value is not None and (first or getattr(known, name) is None)
    }


_READ: Final = frozenset(kind for kind in EventType if kind.startswith("compensation."))
