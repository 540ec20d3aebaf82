"""What the commands on compensation refuse: an offer that is none, an approval that nobody waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.domain.case.compensations import Compensation, CompensationState, amount_of
from app.domain.case.state import Case
from app.domain.errors import ConflictError, InvalidError
from app.domain.events import EventType

GIFTS: Final = {
    "offer-compensation": EventType.COMPENSATION_OFFERED,
    "approve-compensation": EventType.COMPENSATION_APPROVED,
    "reject-compensation": EventType.COMPENSATION_REJECTED,
    "deliver-compensation": EventType.COMPENSATION_DELIVERED,
    "recover-compensation": EventType.COMPENSATION_RECOVERED,
}
_TAKES: Final = {
    EventType.COMPENSATION_APPROVED: {CompensationState.PENDING_APPROVAL},
    EventType.COMPENSATION_REJECTED: {CompensationState.PENDING_APPROVAL, CompensationState.APPROVED},
    EventType.COMPENSATION_DELIVERED: {CompensationState.APPROVED},
    EventType.COMPENSATION_RECOVERED: {CompensationState.APPROVED, CompensationState.DELIVERED},
}
_CURES: Final = {
    CompensationState.PENDING_APPROVAL: "Have it approved first.",
    CompensationState.APPROVED: "Deliver it, or reject it.",
    CompensationState.REJECTED: "Offer another one.",
    CompensationState.DELIVERED: "Offer another one, or state what came back of it.",
}


def check_gift(case: Case, event: EventType, data: Mapping[str, Any]) -> None:
    """Refuse a command on compensation that the case does not allow now.

    Raises `ConflictError`: `no_compensation`, `which_compensation`, `compensation_<state>`,
    `no_customer`, `compensation_exists`; `InvalidError`: `missing_currency`, `recovered_too_much`.
    """
    if event is EventType.COMPENSATION_OFFERED:
        _check_offer(case, data)
        return
    item = named_gift(case, event, data)
    if item.state not in _TAKES[event]:
        detail = f"The compensation {item.key!r} is {item.state.value.replace('_', ' ')}."
        raise ConflictError(
            f"compensation_{item.state}", detail, pointer="/compensation", cure=_CURES[item.state]
        )
    back = amount_of(data.get("base_amount"))
    if event is EventType.COMPENSATION_RECOVERED and back is not None and item.base_amount is not None:
        left = item.base_amount - item.recovered
        if back > left:
            detail = f"More than was given would have come back: {left} {item.base_currency} is left."
            raise InvalidError("recovered_too_much", detail, pointer="/amount")


def _check_offer(case: Case, data: Mapping[str, Any]) -> None:
    if not case.customer_facing:
        raise ConflictError("no_customer", "Nobody can be compensated: the author is not known.")
    if any(item.key == data.get("compensation") for item in case.compensations):
        detail = f"The case has a compensation {data['compensation']!r} already."
        raise ConflictError("compensation_exists", detail, pointer="/compensation", cure="Use another key.")
    if data.get("amount") is not None and not data.get("currency"):
        raise InvalidError("missing_currency", "An amount needs its currency.", pointer="/currency")


def named_gift(case: Case, event: EventType, data: Mapping[str, Any]) -> Compensation:
    """The compensation that a command is about: the named one, else the only one that it can mean.

    Raises ConflictError `no_compensation` or `which_compensation`.
    """
    key = data.get("compensation")
    found = [item for item in case.compensations if key in (None, item.key)]
    if key is None and len(found) > 1:
        found = [item for item in found if item.state in _TAKES[event]] or found
    if not found:
        what = "no compensation" if key is None else f"no compensation {key!r}"
        raise ConflictError("no_compensation", f"The case has {what}.", cure="Offer one first.")
    if len(found) > 1:
        keys = ", ".join(item.key for item in found)
        raise ConflictError(
            "which_compensation",
            "Several could be meant.",
            pointer="/compensation",
            cure=f"Name one: {keys}.",
        )
    return found[0]


def next_key(case: Case) -> str:
    """The key of the next compensation of a case whose caller names none."""
    taken = {item.key for item in case.compensations}
    return next(str(number) for number in range(1, len(taken) + 2) if str(number) not in taken)
