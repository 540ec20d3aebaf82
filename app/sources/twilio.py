"""Twilio: call status callbacks, keyed answers, incoming messages, TaskRouter events, call quality.

Callbacks are forms with CamelCase names; pulled resources are JSON with snake_case names: both are read.
- a completed call or task: the interaction ended; a call that nobody took did not take place;
- `Digits` of a menu: an answer, when the configuration names the question `digits`; else quarantine;
- an incoming SMS: feedback, or an answer when the question `sms` is configured and the text is its value;
- call quality feedback: feedback 1-5.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.calls import ended, phone
from app.sources.errors import PayloadError, UnknownEventError, names
from app.sources.questions import Given, one_score, read_answers
from app.sources.reading import Reader
from app.sources.times import Moment, epoch_milliseconds, iso_time, patterned_time

RFC_2822 = "%a, %d %b %Y %H:%M:%S %z"

_RUNNING = names("queued initiated ringing in-progress answered")
_NOT_HELD = names("busy failed no-answer canceled")
_SECONDS = ("CallDuration", "Duration", "duration")
_TASK_ENDED = ("task.completed", "task.wrapup")
_TASKROUTER: tuple[str, ...] = (
    "activity.",
    "reservation.",
    "task-queue.",
    "task.",
    "worker.",
    "workflow.",
    "workspace.",
)
_TASKROUTER += ("task-channel.", "worker-channel.")


class TwilioAdapter:
    """Adapter of Twilio's callbacks and of the resources that its API shows."""

    name = "twilio"

    def items(self, payload: object) -> Sequence[Item]:
        """One callback is one statement."""
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one callback. Raises PayloadError, UnknownEventError."""
        said = Reader.of(item.value, item.pointer)
        if said.first("EventType", "event_type"):
            return _task(said, context)
        if said.raw("quality_score") is not None:
            return [_quality(said, context)]
        if said.first("MessageSid", "SmsSid", "SmsMessageSid"):
            return _message(said, context)
        if said.text("Digits") is not None:
            return [_keyed(said, context)]
        if said.first("CallSid") or (said.identifier("sid") or "").startswith("CA"):
            return _call(said, context)
        raise UnknownEventError("Twilio", next(iter(said.value), None), pointer=item.pointer)


def _call(said: Reader, context: SourceContext) -> list[Event]:
    status = said.first("CallStatus", "DialCallStatus", "status")
    if status in _RUNNING or status in _NOT_HELD:
        return []
    if status != "completed":
        raise UnknownEventError("Twilio", f"call status {status}", pointer=said.at("CallStatus"))
    number = said.first("CallSid", "sid") or said.required_identifier("CallSid")
    inbound = (said.first("Direction", "direction") or "inbound") == "inbound"
    customer = said.first("From", "from") if inbound else said.first("To", "to")
    seconds = next((said.number(key) for key in _SECONDS if said.raw(key) not in (None, "")), None)
    # A machine may have answered a call of ours: it was held, and whoever counts talks can tell it apart.
    attributes: dict[str, object] = {
        "call_seconds": seconds,
        "answered_by": said.first("AnsweredBy", "answered_by"),
    }
    moment = _moment(said, context, "Timestamp", "end_time", "date_updated")
    return [ended(number, moment, context, customer=customer, inbound=inbound, attributes=attributes)]


def _task(said: Reader, context: SourceContext) -> list[Event]:
    kind = said.first("EventType", "event_type") or ""
    if kind not in _TASK_ENDED:
        if kind.startswith(_TASKROUTER):
            return []
        raise UnknownEventError("Twilio", kind, pointer=said.at("EventType"))
    details = said.object("event_data")
    number = said.first("TaskSid") or details.required_identifier("task_sid")
    worker = said.first("WorkerName", "WorkerSid") or details.first("worker_name", "worker_sid")
    moment = _moment(said, context, "TimestampMs", "event_date_ms", "event_date")
    return [ended(number, moment, context, employee=worker)]


def _keyed(said: Reader, context: SourceContext) -> Event:
    rules = context.defaults.questions
    if "digits" not in rules:
        raise PayloadError(
            "question_unknown",
            "keys were pressed, and the source does not say what they answer",
            pointer=said.at("Digits"),
            cure="Name the question `digits` in the source's `defaults.questions`, then replay.",
        )
    number, digits = said.required_identifier("CallSid"), said.required_identifier("Digits")
    found = read_answers([Given("digits", digits, said.at("Digits"))], rules)
    moment = _moment(said, context, "Timestamp")
    data = {
        "kind": "rating",
        "channel": context.defaults.channel or "call",
        "interaction": context.ref("call", number),
        "customer": phone(said.first("Caller", "From")),
        "answers": found.answers,
        "text": found.text,
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


def _message(said: Reader, context: SourceContext) -> list[Event]:
    number = said.first("MessageSid", "SmsSid", "SmsMessageSid") or ""
    text = said.text("Body")
    status = said.first("SmsStatus", "MessageStatus")
    if text is None or status not in (None, "received"):
        return []  # what became of a message of our own
    rules = context.defaults.questions
    answers, words = [], text
    if "sms" in rules and len(text.strip()) <= 3:
        found = read_answers([Given("sms", text, said.at("Body"))], rules)
        answers, words = found.answers, found.text or ""
    data = {
        "kind": "rating" if answers else None,
        "channel": context.defaults.channel or "sms",
        "customer": phone((said.text("From") or "").removeprefix("whatsapp:")),
        "answers": answers,
        "text": words,
    }
    moment = _moment(said, context, "Timestamp")
    return [context.event(EventType.FEEDBACK_RECEIVED, f"message:{number}", moment, None, data)]


def _quality(said: Reader, context: SourceContext) -> Event:
    number = said.first("sid", "CallSid") or said.required_identifier("sid")
    moment = _moment(said, context, "date_updated", "date_created")
    issues = [str(issue) for issue in _list(said.raw("issues"))]
    data = {
        "kind": "rating",
        "channel": context.defaults.channel or "call",
        "interaction": context.ref("call", number),
        "answers": one_score("call_quality", said.score("quality_score", 1, 5), "csat_1_5", "csat"),
        "attributes": {"call_issues": ", ".join(issues)} if issues else {},
        "collection_mode": "invited",
    }
    return context.event(
        EventType.FEEDBACK_RECEIVED,
        f"quality:{number}@{moment.raw}",
        moment,
        context.subject(SubjectKind.INTERACTION, "call", number),
        data,
        object=context.ref("quality", number),
        version=moment.version,
    )


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _moment(said: Reader, context: SourceContext, *keys: str) -> Moment:
    for key in keys:
        value = said.raw(key)
        if value in (None, ""):
            continue
        if key.lower().endswith("ms"):
            return epoch_milliseconds(value, said.at(key))
        if isinstance(value, str) and "," in value:
            return patterned_time(value, RFC_2822, pointer=said.at(key))
        return iso_time(value, context.zone, said.at(key))
    return context.arrival()
