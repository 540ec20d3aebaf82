"""The parts that Chatwoot's payloads share: who, through which channel, and when."""

from __future__ import annotations

from collections.abc import Mapping

from app.sources.base import SourceContext
from app.sources.errors import PayloadError
from app.sources.reading import Reader
from app.sources.times import Moment, epoch_seconds, iso_time

_CHANNELS: Mapping[str, str] = {
    "Channel::WebWidget": "chat",
    "Channel::Api": "chat",
    "Channel::Email": "email",
    "Channel::Sms": "sms",
    "Channel::TwilioSms": "sms",
    "Channel::Whatsapp": "messenger",
    "Channel::Telegram": "messenger",
    "Channel::Line": "messenger",
    "Channel::FacebookPage": "messenger",
    "Channel::Instagram": "messenger",
    "Channel::TwitterProfile": "social",
    "Channel::Voice": "call",
}


def channel_of(conversation: Reader, context: SourceContext) -> str:
    """The canonical channel of the inbox; one we do not know is the source's default, or chat."""
    written = conversation.text("channel")
    return _CHANNELS.get(written or "", context.defaults.channel or "chat")


def assignee_of(conversation: Reader, context: SourceContext) -> str | None:
    """Directory key of the agent the conversation is assigned to; None for nobody and for a bot."""
    assignee = conversation.object("meta").object("assignee")
    return context.employee(assignee.identifier("id")) if is_agent(assignee) else None


def is_agent(person: Reader) -> bool:
    """Whether this is a person of the staff. Old releases leave the type out."""
    return bool(person) and person.text("type") in ("user", None)


def is_automatic(message: Reader) -> bool:
    """Whether an automation rule or a campaign wrote it in an agent's name."""
    return (
        message.object("content_attributes").raw("automation_rule_id") is not None
        or message.object("additional_attributes").raw("campaign_id") is not None
    )


def customer_of(contact: Reader) -> dict[str, str] | None:
    """The identity that most other systems share, so that one person is one person across sources."""
    if contact.text("type") not in ("contact", None):
        return None
    for kind, key in (("email", "email"), ("phone", "phone_number"), ("external_id", "identifier")):
        value = contact.identifier(key)
        if value:
            return {"type": kind, "value": value}
    value = contact.identifier("id")
    return {"type": "chatwoot_contact", "value": value} if value else None


def inbox_of(message: Reader) -> dict[str, str]:
    """The inbox as attributes."""
    inbox = message.object("inbox")
    stated = {"inbox_id": inbox.identifier("id"), "inbox": inbox.text("name")}
    return {key: value for key, value in stated.items() if value}


def sent_at(message: Reader) -> Moment:
    """When the message was sent."""
    return required_time(_time(message, "created_at"), message.at("created_at"))


def updated_at(message: Reader) -> Moment:
    """When the message last changed. Its webhook does not say: the copy inside the conversation does."""
    conversation = message.object("conversation")
    number = message.identifier("id")
    copies = [copy for copy in conversation.objects("messages") if copy.identifier("id") == number]
    stated = [_time(place, "updated_at") for place in (*copies, message)]
    times = [*stated, changed_at(conversation), _time(message, "created_at")]
    return required_time(next((time for time in times if time is not None), None), message.at("created_at"))


def moved_at(conversation: Reader, *, first: bool = False) -> Moment:
    """When the conversation last changed, or (`first`) began. Raises PayloadError when it does not say."""
    began = _time(conversation, "created_at") if first else None
    return required_time(began or changed_at(conversation), conversation.at("timestamp"))


def changed_at(conversation: Reader) -> Moment | None:
    """When the conversation last changed: to the microsecond in new releases, to the second in old ones."""
    times = (_time(conversation, key) for key in ("updated_at", "last_activity_at", "timestamp"))
    return next((time for time in times if time is not None), None)


def _time(reader: Reader, key: str) -> Moment | None:
    """A time of Chatwoot: ISO text, epoch seconds, or 0 for "never"."""
    value = reader.raw(key)
    if value in (None, "", 0):
        return None
    if isinstance(value, str) and ":" in value:
        return iso_time(value, pointer=reader.at(key))
    return epoch_seconds(value, reader.at(key))


def required_time(time: Moment | None, pointer: str) -> Moment:
    """Raises PayloadError when nothing in the payload tells the time."""
    if time is None:
        raise PayloadError("time_missing", "the payload says no time", pointer=pointer, cure="Send a time.")
    return time
