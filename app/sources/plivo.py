"""Plivo: hangup callbacks. A completed call: the interaction ended; keyed digits are an answer by `digits`.

One body tells two clocks and labels neither: `EndTime` in the account's zone, `SessionStart` in UTC. With a
zone configured the end is read; without one it is the start of the session plus the duration.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.calls import ended, phone
from app.sources.errors import PayloadError, UnknownEventError, names
from app.sources.questions import Given, read_answers
from app.sources.reading import Reader
from app.sources.times import Moment, iso_time

_RUNNING = names("StartApp Ring Answer Redirect StartStream StopStream")
_NOT_HELD = names("busy failed timeout no-answer cancel machine")
_UTC = ZoneInfo("UTC")


class PlivoAdapter:
    """Adapter of Plivo's voice callbacks."""

    name = "plivo"

    def items(self, payload: object) -> Sequence[Item]:
        """One callback is one statement."""
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one callback. Raises PayloadError, UnknownEventError."""
        call = Reader.of(item.value, item.pointer)
        if call.text("Digits") is not None and "digits" in context.defaults.questions:
            return [_keyed(call, context)]
        kind = call.text("Event")
        if kind in _RUNNING:
            return []
        if kind != "Hangup":
            raise UnknownEventError("Plivo", kind, pointer=call.at("Event"))
        if call.text("CallStatus") in _NOT_HELD:
            return []
        outbound = call.text("Direction") == "outbound"
        return [
            ended(
                call.required_identifier("CallUUID"),
                _end(call, context),
                context,
                customer=call.identifier("To" if outbound else "From"),
                inbound=not outbound,
                attributes={"call_seconds": call.number("Duration")},
            )
        ]


def _end(call: Reader, context: SourceContext) -> Moment:
    if context.zone is not None and call.text("EndTime"):
        return iso_time(call.raw("EndTime"), context.zone, call.at("EndTime"))
    if call.text("SessionStart"):
        started = iso_time(call.raw("SessionStart"), _UTC, call.at("SessionStart"))
        seconds = min(call.number("Duration") or 0, 86_400)
        return Moment((started.at + timedelta(seconds=seconds)).astimezone(UTC), started.raw)
    raise PayloadError(
        "zone_missing",
        "the callback names no zone and the source has none",
        pointer=call.at("EndTime"),
        cure="Give the source the zone of the Plivo account.",
    )


def _keyed(call: Reader, context: SourceContext) -> Event:
    number, digits = call.required_identifier("CallUUID"), call.required_identifier("Digits")
    found = read_answers([Given("digits", digits, call.at("Digits"))], context.defaults.questions)
    moment = context.arrival()
    data = {
        "kind": "rating",
        "channel": context.defaults.channel or "call",
        "interaction": context.ref("call", number),
        "customer": phone(call.identifier("From")),
        "answers": found.answers,
        "attributes": found.attributes,
        "collection_mode": "invited",
    }
    subject = context.subject(SubjectKind.INTERACTION, "call", number)
    return context.event(
        EventType.FEEDBACK_RECEIVED,
        f"call:{number}:digits:{digits}",
        moment,
        subject,
        data,
        object=context.ref("keyed", number),
        version=moment.version,
    )
