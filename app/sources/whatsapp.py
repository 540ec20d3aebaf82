"""WhatsApp Business: customers' messages, and the answers of flows (surveys inside the chat).

A customer's text or caption is feedback. A completed flow is feedback whose answers stand as JSON inside
JSON; the source's `questions` say what its fields ask, and a field named like a comment is text. Delivery
statuses, reactions, orders and pictures without a word say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.bodies import embedded_json
from app.sources.errors import UnknownEventError, names
from app.sources.questions import Given, read_answers
from app.sources.reading import Reader
from app.sources.times import epoch_seconds

_SAYS_NOTHING_FIELDS = names(
    "account_alerts account_review_update account_update account_settings_update business_capability_update "
    "calls flows history message_echoes message_template_components_update message_template_quality_update "
    "message_template_status_update messaging_handovers partner_solutions payment_configuration_update "
    "phone_number_name_update phone_number_quality_update security smb_app_state_sync smb_message_echoes "
    "template_category_update template_correct_category_detection tracking_events user_id_update "
    "user_preferences business_status_update automatic_events standby"
)
_MEDIA = ("image", "video", "audio", "document", "sticker", "voice")
_SAYS_NOTHING_TYPES = (
    "reaction",
    "order",
    "location",
    "contacts",
    "system",
    "unsupported",
    "unknown",
    "ephemeral",
)
_TEXT_KEY = re.compile(r"comment|text|feedback|message|reason|remark|suggest|review|opinion", re.IGNORECASE)
_NUMBER = "written_to"
"""Key under which an item carries the number of ours that its message was written to."""
_NOT_ANSWERS = ("flow_token", "flow_id", "screen")


class WhatsAppAdapter:
    """Adapter of the WhatsApp Cloud API's webhooks."""

    name = "whatsapp"

    def items(self, payload: object) -> Sequence[Item]:
        """One item per message, of every change of every entry; statuses say nothing."""
        items: list[Item] = []
        for entry in Reader.of(payload).objects("entry"):
            for change in entry.objects("changes"):
                field = change.text("field")
                if field in _SAYS_NOTHING_FIELDS:
                    continue
                if field != "messages":
                    items.append(Item(change.pointer, change.value))
                    continue
                value = change.object("value")
                number = value.object("metadata").identifier("display_phone_number")
                items += [
                    Item(one.pointer, {_NUMBER: number, **one.value}) for one in value.objects("messages")
                ]
        return items

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one message. Raises PayloadError, UnknownEventError."""
        message = Reader.of(item.value, item.pointer)
        if message.raw("field") is not None or message.raw("type") is None:
            raise UnknownEventError("WhatsApp", message.raw("field"), pointer=message.at("field"))
        kind = message.text("type") or ""
        match kind:
            case "text":
                return _feedback(message, context, {"text": message.object("text").text("body")})
            case "button":
                pressed = message.object("button")
                return _answered(message, context, pressed.text("payload"), pressed.text("text"))
            case "interactive":
                return _interactive(message, context)
            case _ if kind in _MEDIA:
                return _feedback(message, context, {"text": message.object(kind).text("caption")})
            case _ if kind in _SAYS_NOTHING_TYPES:
                return []
            case _:
                raise UnknownEventError("WhatsApp", kind, pointer=message.at("type"))


def _interactive(message: Reader, context: SourceContext) -> list[Event]:
    interactive = message.object("interactive")
    kind = interactive.text("type")
    match kind:
        case "nfm_reply":
            return _flow(message, interactive.object("nfm_reply"), context)
        case "button_reply" | "list_reply":
            pressed = interactive.object(kind)
            return _answered(message, context, pressed.identifier("id"), pressed.text("title"))
        case "call_permission_reply":
            return []
        case _:
            raise UnknownEventError("WhatsApp", kind, pointer=interactive.at("type"))


def _flow(message: Reader, reply: Reader, context: SourceContext) -> list[Event]:
    where = reply.at("response_json")
    document = Reader.of(embedded_json(reply.raw("response_json"), where), where)
    given = [
        Given(key, value, where, "text" if _TEXT_KEY.search(key) else "attribute")
        for key, value in document.value.items()
        if key not in _NOT_ANSWERS
    ]
    found = read_answers(given, context.defaults.questions)
    data: dict[str, object] = {
        "kind": "rating" if found.answers else None,
        "answers": found.answers,
        "text": found.text,
        "attributes": found.attributes,
        "collection_mode": "invited",
    }
    return _feedback(message, context, data) if found else []


def _answered(message: Reader, context: SourceContext, key: str | None, title: str | None) -> list[Event]:
    """A pressed button, its id written `question:value`; of an unknown question it is its words."""
    question, separator, value = (key or "").partition(":")
    if separator and value and question in context.defaults.questions:
        found = read_answers([Given(question, value, message.at("interactive"))], context.defaults.questions)
        data: dict[str, object] = {"kind": "rating", "collection_mode": "invited"}
        data |= {"answers": found.answers, "text": found.text, "attributes": found.attributes}
        return _feedback(message, context, data)
    return _feedback(message, context, {"text": title})


def _feedback(message: Reader, context: SourceContext, stated: dict[str, object]) -> list[Event]:
    if not any(stated.get(key) for key in ("text", "answers", "attributes")):
        return []
    number = message.required_identifier("id")
    sender = message.first("from", "user_id")
    data = {
        "channel": context.defaults.channel or "messenger",
        "channel_raw": "whatsapp",
        "customer": {"type": "phone", "value": f"+{sender.lstrip('+')}"} if sender else None,
        **stated,
    }
    told = stated.get("attributes")
    written_to = {"business_number": message.identifier(_NUMBER) or ""}
    data["attributes"] = written_to | (told if isinstance(told, dict) else {})
    moment = epoch_seconds(message.raw("timestamp"), message.at("timestamp"))
    subject = context.subject(SubjectKind.INTERACTION, "chat", sender) if sender else None
    return [context.event(EventType.FEEDBACK_RECEIVED, f"message:{number}", moment, subject, data)]
