"""A telephone call that ended, said once for all telephone systems."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import SourceContext
from app.sources.times import Moment

_NATIONAL_UA = re.compile(r"0[0-9]{9}")
_DIRECTIONS: Mapping[bool | None, str] = {True: "inbound", False: "outbound"}
_PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{3,30}")


def ended(
    number: str,
    moment: Moment,
    context: SourceContext,
    *,
    customer: str | None = None,
    employee: str | None = None,
    channel: str | None = None,
    inbound: bool | None = None,
    attributes: dict[str, object] | None = None,
) -> Event:
    """`interaction.ended` of one call. `employee` is the partner's own id of the agent.

    `inbound`: who called whom, where the partner tells it (the attribute `direction`).
    """
    stated = {"direction": _DIRECTIONS.get(inbound), **(attributes or {})}
    data = {
        "channel": channel or context.defaults.channel or "call",
        "employee": context.employee(employee),
        "customer": phone(customer),
        "attributes": {key: value for key, value in stated.items() if value not in (None, "")},
    }
    return context.event(
        EventType.INTERACTION_ENDED,
        f"call:{number}:ended",
        moment,
        context.subject(SubjectKind.INTERACTION, "call", number),
        data,
    )


def phone(written: str | None) -> dict[str, str] | None:
    """The customer behind a number; a Ukrainian national number is completed, so that one person is one."""
    if written is None or _PHONE.fullmatch(written.strip()) is None:
        return None
    digits = re.sub(r"[^0-9+]", "", written)
    return {"type": "phone", "value": f"+38{digits}" if _NATIONAL_UA.fullmatch(digits) else digits}
