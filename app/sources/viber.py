"""Viber: messages to a bot. A customer's text is feedback; a button that states `question:value` an answer.

Ids are longer than 2^53 and user ids hold `+`, `/` and `=`: both stay text.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import UnknownEventError, names
from app.sources.questions import Given, read_answers
from app.sources.reading import Reader
from app.sources.times import epoch_milliseconds

_SAYS_NOTHING = names(
    "webhook subscribed unsubscribed conversation_started delivered seen failed client_status action"
)


class ViberAdapter:
    """Adapter of the callbacks of a Viber bot."""

    name = "viber"

    def items(self, payload: object) -> Sequence[Item]:
        """One callback is one statement."""
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one callback. Raises PayloadError, UnknownEventError."""
        callback = Reader.of(item.value, item.pointer)
        name = callback.text("event")
        if name in _SAYS_NOTHING:
            return []
        if name != "message":
            raise UnknownEventError("Viber", name, pointer=callback.at("event"))
        stated = _stated(callback.object("message"), context)
        if not stated:
            return []
        sender = callback.object("sender")
        person = sender.identifier("id")
        data = {
            "channel": context.defaults.channel or "messenger",
            "channel_raw": "viber",
            "customer": {"type": "viber_user", "value": person} if person else None,
            **stated,
        }
        moment = epoch_milliseconds(callback.raw("timestamp"), callback.at("timestamp"))
        subject = context.subject(SubjectKind.INTERACTION, "chat", person) if person else None
        number = callback.required_identifier("message_token")
        return [context.event(EventType.FEEDBACK_RECEIVED, f"message:{number}", moment, subject, data)]


def _stated(message: Reader, context: SourceContext) -> dict[str, object]:
    text = message.text("text")
    question, separator, value = (text or "").partition(":")
    if separator and question in context.defaults.questions:
        found = read_answers([Given(question, value, message.at("text"))], context.defaults.questions)
        stated: dict[str, object] = {"kind": "rating", "collection_mode": "invited"}
        stated |= {"answers": found.answers, "text": found.text, "attributes": found.attributes}
        return stated
    return {"text": text} if text else {}
