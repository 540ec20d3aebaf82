"""Telegram: messages to a bot, their edits, and presses of its buttons.

A text or a caption of a person is feedback, one object per message, a new version per edit. A command
(`/start`), a sticker and the words of a bot say nothing. A pressed button (`data`, written `question:value`)
is an answer when the configuration names its question; menus of the bot are passed over. A press tells no
time: the arrival stands for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import UnknownEventError, names
from app.sources.questions import Given, read_answers
from app.sources.reading import Reader
from app.sources.times import epoch_seconds

_MESSAGES = ("message", "edited_message", "business_message", "edited_business_message")
_SAYS_NOTHING = names(
    "channel_post edited_channel_post business_connection deleted_business_messages message_reaction "
    "message_reaction_count inline_query chosen_inline_result shipping_query pre_checkout_query "
    "purchased_paid_media poll poll_answer my_chat_member chat_member chat_join_request chat_boost "
    "removed_chat_boost"
)


class TelegramAdapter:
    """Adapter of the updates of a Telegram bot."""

    name = "telegram"

    def items(self, payload: object) -> Sequence[Item]:
        """One update is one statement; a pulled list (`result`) is one each."""
        reader = Reader.of(payload)
        if isinstance(reader.raw("result"), list):
            return [Item(update.pointer, update.value) for update in reader.objects("result")]
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one update. Raises PayloadError, UnknownEventError."""
        update = Reader.of(item.value, item.pointer)
        number = update.required_identifier("update_id")
        for key in _MESSAGES:
            if update.raw(key) is not None:
                return _message(number, update.object(key), context)
        if update.raw("callback_query") is not None:
            return _pressed(number, update.object("callback_query"), context)
        names = [key for key in update.value if key != "update_id"]
        if names and all(name in _SAYS_NOTHING for name in names):
            return []
        raise UnknownEventError("Telegram", names[0] if names else None, pointer=item.pointer)


def _message(update: str, message: Reader, context: SourceContext) -> list[Event]:
    sender = message.object("from")
    text = message.text("text") or message.text("caption")
    if text is None or text.startswith("/") or sender.flag("is_bot"):
        return []
    chat = message.object("chat").required_identifier("id")
    number = f"{chat}:{message.required_identifier('message_id')}"
    key = "edit_date" if message.raw("edit_date") is not None else "date"
    moment = epoch_seconds(message.raw(key), message.at(key))
    data = _who(sender, context) | {"text": text}
    return [
        context.event(
            EventType.FEEDBACK_RECEIVED,
            f"update:{update}",
            moment,
            context.subject(SubjectKind.INTERACTION, "chat", chat),
            data,
            object=context.ref("message", number),
            version=moment.version,
        )
    ]


def _pressed(update: str, query: Reader, context: SourceContext) -> list[Event]:
    written = query.text("data") or ""
    question, separator, value = written.partition(":")
    rules = context.defaults.questions
    if not separator or question not in rules:
        question, value = "callback_query", written
    if question not in rules or not value:
        return []
    found = read_answers([Given(question, value, query.at("data"))], rules)
    if not found:
        return []
    moment = context.arrival()
    # A second press on the same message's buttons is a changed mind.
    asked = query.object("message").identifier("message_id") or query.identifier("inline_message_id")
    person = query.object("from").identifier("id") or "unknown"
    data = _who(query.object("from"), context) | {
        "kind": "rating",
        "answers": found.answers,
        "text": found.text,
        "attributes": found.attributes,
        "collection_mode": "invited",
    }
    return [
        context.event(
            EventType.FEEDBACK_RECEIVED,
            f"update:{update}",
            moment,
            context.subject(SubjectKind.INTERACTION, "chat", person),
            data,
            object=context.ref("press", f"{person}:{asked}:{question}"),
            version=moment.version,
        )
    ]


def _who(sender: Reader, context: SourceContext) -> dict[str, object]:
    person = sender.identifier("id")
    return {
        "channel": context.defaults.channel or "messenger",
        "channel_raw": "telegram",
        "customer": {"type": "telegram_user", "value": person} if person else None,
        "lang": _language(sender.text("language_code")),
    }


def _language(code: str | None) -> str | None:
    return code if code and code.replace("-", "").isalnum() and 2 <= len(code.split("-")[0]) <= 3 else None
