"""Binotel: completed calls. Forms with PHP keys on the wire, signed by nothing but the sender's address.

A call that was answered: the interaction ended, with the agent's line. A missed one did not take place.
Binotel repeats a delivery until it reads `{"status": "success"}`, which is how the inlet answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.domain.events import Event
from app.sources.base import Item, SourceContext
from app.sources.calls import ended
from app.sources.errors import UnknownEventError, names
from app.sources.reading import Reader
from app.sources.times import Moment, epoch_seconds

_INBOUND = {"0": True, "1": False}
_SAYS_NOTHING = names(
    "receivedTheCall answeredTheCall hangupTheCall transferredTheCall apiCallSettings gettingCallSettings "
    "getCallSettings newRecord"
)


class BinotelAdapter:
    """Adapter of Binotel's call webhooks."""

    name = "binotel"

    def items(self, payload: object) -> Sequence[Item]:
        """One webhook is one statement."""
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The end of a call. Raises PayloadError, UnknownEventError."""
        hook = Reader.of(item.value, item.pointer)
        kind = hook.text("requestType")
        if kind in _SAYS_NOTHING:
            return []
        if kind not in ("apiCallCompleted", "callCompleted"):
            raise UnknownEventError("Binotel", kind, pointer=hook.at("requestType"))
        call = hook.object("callDetails")
        talked = call.number("billsec") or 0
        if call.text("disposition") not in ("ANSWER", "TRANSFER", "VM-SUCCESS", "ONLINE", None) or not talked:
            return []
        started = epoch_seconds(call.raw("startTime"), call.at("startTime"))
        lasted = min((call.number("waitsec") or 0) + talked, 86_400)
        agent = call.object("employeeData").identifier("email") or call.identifier("internalNumber")
        return [
            ended(
                call.first("generalCallID", "callID") or call.required_identifier("generalCallID"),
                Moment(started.at + timedelta(seconds=lasted), started.raw),
                context,
                customer=call.identifier("externalNumber"),
                employee=agent,
                inbound=_INBOUND.get(call.identifier("callType") or ""),
                attributes={"call_seconds": talked},
            )
        ]
