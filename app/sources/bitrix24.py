"""Bitrix24: calls, open-line sessions and messages. Forms with PHP keys on the wire, JSON in its documents.

- a call that was held: the interaction ended; a missed or cancelled one did not take place;
- a finished open-line session: the interaction ended, with the vote when Bitrix24 tells it;
- a message of the customer: contacts the case `session chat`, where Bitrix24 handles cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.calls import ended
from app.sources.errors import UnknownEventError, names
from app.sources.questions import one_score
from app.sources.reading import Reader
from app.sources.times import Moment, epoch_seconds, iso_time

# Outgoing, incoming, incoming and redirected, a call back to who had asked for one.
_INBOUND = {"1": False, "2": True, "3": True, "4": False}
_HELD = ("200", None)
# Bitrix24's own votes of a session: 1 dislike, 5 like.
_VOTES = {"1": 0, "5": 1}
_SAYS_NOTHING = names(
    "ONVOXIMPLANTCALLINIT ONVOXIMPLANTCALLSTART ONEXTERNALCALLSTART ONEXTERNALCALLBACKSTART ONSESSIONSTART "
    "ONOPENLINEMESSAGEDELETE ONOPENLINEMESSAGEUPDATE ONAPPINSTALL ONAPPUPDATE ONAPPUNINSTALL ONAPPPAYMENT "
    "ONAPPTEST ONCRMACTIVITYADD ONCRMACTIVITYUPDATE ONCRMACTIVITYDELETE ONCRMLEADADD ONCRMLEADUPDATE "
    "ONCRMDEALADD ONCRMDEALUPDATE ONCRMCONTACTADD ONCRMCONTACTUPDATE ONCRMCOMPANYADD ONCRMCOMPANYUPDATE "
    "ONIMCONNECTORMESSAGEADD ONIMCONNECTORMESSAGEUPDATE ONIMCONNECTORMESSAGEDELETE ONIMCONNECTORLINEDELETE "
    "ONIMCONNECTORSTATUSDELETE ONIMBOTMESSAGEADD ONIMBOTJOINCHAT ONIMBOTDELETE ONUSERADD"
)


class Bitrix24Adapter:
    """Adapter of Bitrix24's outgoing events."""

    name = "bitrix24"

    def items(self, payload: object) -> Sequence[Item]:
        """One item per element of `data.DATA`; a call is one statement."""
        event = Reader.of(payload)
        name, data = event.text("event"), event.object("data")
        if isinstance(data.raw("DATA"), list):
            rows = data.objects("DATA")
        else:
            rows = [data.object("DATA") if data.raw("DATA") is not None else data]
        envelope = {"event": name, "ts": event.raw("ts")}
        return [Item(row.pointer, {**envelope, "row": row.value}) for row in rows]

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one statement. Raises PayloadError, UnknownEventError."""
        event = Reader.of(item.value)
        row = Reader.of(event.raw("row") or {}, item.pointer)
        name = (event.text("event") or "").upper()
        match name:
            case "ONVOXIMPLANTCALLEND":
                return _call(row, context)
            case "ONSESSIONFINISH":
                return _session(row, _sent(event, context), context)
            case "ONOPENLINEMESSAGEADD":
                return _message(row, _sent(event, context), context)
            case _ if name in _SAYS_NOTHING:
                return []
            case _:
                raise UnknownEventError("Bitrix24", name or None, pointer="/event")


def _call(call: Reader, context: SourceContext) -> list[Event]:
    if call.identifier("CALL_FAILED_CODE") not in _HELD:
        return []
    started = iso_time(call.raw("CALL_START_DATE"), context.zone, call.at("CALL_START_DATE"))
    seconds = call.number("CALL_DURATION") or 0
    moment = Moment(started.at + timedelta(seconds=min(seconds, 86_400)), started.raw)
    return [
        ended(
            call.required_identifier("CALL_ID"),
            moment,
            context,
            customer=call.identifier("PHONE_NUMBER"),
            employee=call.identifier("PORTAL_USER_ID"),
            inbound=_INBOUND.get(call.identifier("CALL_TYPE") or ""),
            attributes={"call_seconds": seconds},
        )
    ]


def _session(row: Reader, moment: Moment, context: SourceContext) -> list[Event]:
    session = row.object("session")
    number = session.required_identifier("id")
    subject = context.subject(SubjectKind.INTERACTION, "session", number)
    where = _where(row, context)
    events = [context.event(EventType.INTERACTION_ENDED, f"session:{number}:ended", moment, subject, where)]
    vote = _VOTES.get(session.first("vote", "VOTE") or "")
    if vote is not None:
        data = where | {
            "kind": "rating",
            "interaction": context.ref("session", number),
            "answers": one_score("session_vote", vote, "binary", "happiness_only"),
            "collection_mode": "invited",
        }
        events.append(
            context.event(EventType.FEEDBACK_RECEIVED, f"session:{number}:vote:{vote}", moment, subject, data)
        )
    return events


def _message(row: Reader, sent: Moment, context: SourceContext) -> list[Event]:
    message = row.object("message")
    if not context.defaults.handles_cases or message.text("system") == "Y":
        return []
    date = message.raw("date")
    moment = sent if date in (None, "") else iso_time(date, context.zone, message.at("date"))
    chat = row.object("chat").required_identifier("id")
    customer = row.object("connector").identifier("user_id") == message.identifier("user_id")
    data = _where(row, context) | {"text": message.text("text")}
    act = EventType.CASE_CUSTOMER_CONTACTED if customer else EventType.CASE_REPLIED
    if not customer:
        data |= {"human": True, "employee": context.employee(message.identifier("user_id"))}
    subject = context.subject(SubjectKind.CASE, "chat", chat)
    return [context.event(act, f"message:{message.required_identifier('id')}", moment, subject, data)]


def _where(row: Reader, context: SourceContext) -> dict[str, object]:
    connector = row.object("connector")
    person = connector.identifier("user_id")
    return {
        "channel": context.defaults.channel or "chat",
        "channel_raw": connector.text("connector_id"),
        "customer": {"type": "bitrix24_user", "value": person} if person else None,
    }


def _sent(event: Reader, context: SourceContext) -> Moment:
    """`ts` is when Bitrix24 sent the event; its rows often leave their own time empty."""
    return context.arrival() if event.raw("ts") in (None, "") else epoch_seconds(event.raw("ts"), "/ts")
