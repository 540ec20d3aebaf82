"""Amazon Connect: contact events and cases (EventBridge, with its envelope or without), and Contact Lens.

- DISCONNECTED or COMPLETED: the interaction ended, once per contact; other contact events say nothing;
- a case created, or with another status: facts of the case `case:<id>`, where cases are handled there;
- a Contact Lens analysis: feedback classified by the customer's side of the talk, never a score.
The documentation writes `AgentInfo` and `agentInfo`: keys are found whatever their case.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.calls import ended
from app.sources.errors import PayloadError, UnknownEventError, names
from app.sources.reading import Reader
from app.sources.times import Moment, iso_time

_INBOUND = {"INBOUND": True, "QUEUE_TRANSFER": True, "TRANSFER": True, "MESSAGING": True, "CALLBACK": False}
_INBOUND |= {"OUTBOUND": False, "EXTERNAL_OUTBOUND": False}
_CHANNELS = {"VOICE": "call", "CHAT": "chat", "SMS": "sms", "EMAIL": "email"}
_SAYS_NOTHING = names(
    "INITIATED QUEUED CONNECTED_TO_SYSTEM CONNECTED_TO_AGENT CONTACT_DATA_UPDATED AMD_DISABLED PAUSED "
    "RESUMED WEBRTC_API CONTACT_EVALUATION"
)
_CASE_CLOSED = ("closed", "resolved", "solved")


class AmazonConnectAdapter:
    """Adapter of Amazon Connect's events."""

    name = "amazon_connect"

    def items(self, payload: object) -> Sequence[Item]:
        """One event is one statement; a list (a Kinesis or SQS batch) is one each."""
        if isinstance(payload, list):
            return [Item(f"/{index}", one) for index, one in enumerate(payload)]
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one statement. Raises PayloadError, UnknownEventError."""
        envelope = _folded(Reader.of(item.value, item.pointer))
        detail = _folded(envelope.object("detail")) if envelope.raw("detail") is not None else envelope
        if detail.raw("conversationcharacteristics") is not None:
            return _classified(detail, context)
        kind = detail.text("eventtype") or ""
        if kind.startswith("CASE."):
            return _case(kind, envelope, detail, context)
        match kind:
            case "DISCONNECTED" | "COMPLETED":
                return [_ended(envelope, detail, context)]
            case _ if kind in _SAYS_NOTHING:
                return []
            case _:
                raise UnknownEventError("Amazon Connect", kind or None, pointer=detail.at("eventType"))


def _ended(envelope: Reader, detail: Reader, context: SourceContext) -> Event:
    agent = _folded(detail.object("agentinfo"))
    arn = agent.text("agentarn")
    channel = _CHANNELS.get((detail.text("channel") or "").upper())
    queue = _folded(detail.object("queueinfo")).text("queuearn")
    moment = _moment(envelope, detail, "disconnecttimestamp")
    return ended(
        detail.required_identifier("contactid"),
        moment,
        context,
        employee=None if arn is None else arn.rpartition("/")[2],
        channel=channel,
        inbound=_INBOUND.get((detail.text("initiationmethod") or "").upper()),
        attributes={"queue": None if queue is None else queue.rpartition("/")[2]},
    )


def _case(kind: str, envelope: Reader, detail: Reader, context: SourceContext) -> list[Event]:
    if kind not in ("CASE.CREATED", "CASE.UPDATED", "CASE.DELETED"):
        raise UnknownEventError("Amazon Connect", kind, pointer=detail.at("eventType"))
    if not context.defaults.handles_cases or kind == "CASE.DELETED":
        return []
    case = detail.object("case")
    number, fields = case.required_identifier("caseId"), case.object("fields")
    status = (_field(fields, "status") or "").lower()
    changed = detail.raw("changedfieldids")
    if kind == "CASE.CREATED":
        act = EventType.CASE_OPENED
    elif isinstance(changed, list) and "status" in changed and status:
        act = EventType.CASE_CLOSED if status in _CASE_CLOSED else EventType.CASE_REOPENED
    else:
        return []
    if act is EventType.CASE_REOPENED and status != "open":
        return []
    opened = act is EventType.CASE_OPENED
    text = "\n".join(filter(None, (_field(fields, "title"), _field(fields, "summary")))) if opened else None
    data = {"text": text, "reason": _field(fields, "case_reason"), "kind": "complaint" if opened else None}
    name = envelope.identifier("id") or f"case:{number}"
    moment = _moment(envelope, detail, "approximatechangetime")
    subject = context.subject(SubjectKind.CASE, "case", number)
    return [context.event(act, f"{name}:{kind}@{moment.raw}", moment, subject, data)]


def _field(fields: Reader, name: str) -> str | None:
    return fields.object(name).object("value").text("stringValue")


def _classified(detail: Reader, context: SourceContext) -> list[Event]:
    """The customer's overall sentiment (-5 .. 5) as a label that the source states."""
    overall = detail.object("conversationcharacteristics").object("Sentiment").object("OverallSentiment")
    score = (overall.object("DetailsByParticipantRole") or overall).number("CUSTOMER")
    if score is None:
        return []
    said = detail.objects("transcript")
    # A chat's analysis may name no contact: the id of its first line does.
    contact = detail.object("customermetadata").identifier("ContactId") or (
        said[0] if said else Reader({}, detail.at("Transcript/0"))
    ).required_identifier("Id")
    times = [iso_time(one.raw("AbsoluteTime"), pointer=one.at("AbsoluteTime")) for one in said[-1:]]
    data = {
        "channel": context.defaults.channel or _CHANNELS.get((detail.text("channel") or "").upper(), "call"),
        "label": "positive" if score >= 1 else "negative" if score <= -1 else "neutral",
        "lang": detail.text("languagecode"),
        "attributes": {"source_sentiment": score},
    }
    subject = context.subject(SubjectKind.INTERACTION, "call", contact)
    moment = times[0] if times else context.arrival()
    return [context.event(EventType.FEEDBACK_RECEIVED, f"lens:{contact}", moment, subject, data)]


def _moment(envelope: Reader, detail: Reader, key: str) -> Moment:
    for reader, name in ((detail, key), (envelope, "time")):
        if reader.raw(name) not in (None, ""):
            return iso_time(reader.raw(name), pointer=reader.at(name))
    raise PayloadError(
        "time_missing", "the event says no time", pointer=envelope.at("time"), cure="Send time."
    )


def _folded(reader: Reader) -> Reader:
    """The same object with keys in lower case; the first of two that fall together stands."""
    folded: dict[str, object] = {}
    for key, value in reader.value.items():
        folded.setdefault(key.lower(), value)
    return Reader(folded, reader.pointer)
