"""LiveChat: chats that end, ratings, post-chat surveys and agents' messages.

- a deactivated chat: the interaction ended (the payload tells no time: the arrival stands for it);
- the thread property `rating`: feedback good (1) or bad (0), a new version per change;
- a filled post-chat or ticket form: feedback, its fields read by `questions` (by label or field id);
- an agent's message (the author is an e-mail address): a reply, where LiveChat handles cases.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import UnknownEventError, names
from app.sources.questions import Given, one_score, read_answers
from app.sources.reading import Reader
from app.sources.review_states import content_digest
from app.sources.times import Moment, iso_time

_SAYS_NOTHING = names(
    "incoming_chat chat_transferred chat_access_updated chat_properties_updated chat_properties_deleted "
    "thread_properties_deleted event_properties_updated event_properties_deleted event_updated "
    "incoming_rich_message_postback thread_tagged thread_untagged events_marked_as_seen user_added_to_chat "
    "user_removed_from_chat agent_created agent_approved agent_updated agent_deleted agent_suspended "
    "agent_unsuspended agent_status_changed routing_status_set group_created group_updated group_deleted "
    "customer_created incoming_customer auto_access_added auto_access_updated auto_access_deleted "
    "bot_created bot_updated bot_deleted tag_created tag_updated tag_deleted incoming_greeting "
    "greeting_accepted greeting_canceled chat_user_added chat_user_removed incoming_typing_indicator"
)
_SAID_NOTHING = ("file", "rich_message", "system_message", "custom", "form")
_SURVEYS = ("postchat", "ticket", "offline")
_FREE_TEXT = ("textarea", "question")


class LiveChatAdapter:
    """Adapter of LiveChat's webhooks (v3)."""

    name = "livechat"

    def items(self, payload: object) -> Sequence[Item]:
        """One webhook is one statement."""
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one webhook. Raises PayloadError, UnknownEventError."""
        hook = Reader.of(item.value, item.pointer)
        action, payload = hook.text("action"), hook.object("payload")
        match action:
            case "chat_deactivated":
                return [_ended(payload, context)]
            case "thread_properties_updated":
                return _rated(payload, context)
            case "incoming_event":
                return _said(payload, payload.object("event"), context)
            case _ if action in _SAYS_NOTHING:
                return []
            case _:
                raise UnknownEventError("LiveChat", action, pointer=hook.at("action"))


def _ended(payload: Reader, context: SourceContext) -> Event:
    chat, thread = payload.required_identifier("chat_id"), payload.identifier("thread_id")
    user = payload.identifier("user_id")
    agent = user if user and "@" in user else None
    return context.event(
        EventType.INTERACTION_ENDED,
        f"chat:{chat}:{thread}:ended",
        context.arrival(),
        context.subject(SubjectKind.INTERACTION, "chat", thread or chat),
        {"channel": context.defaults.channel or "chat", "employee": context.employee(agent)},
    )


def _rated(payload: Reader, context: SourceContext) -> list[Event]:
    rating = payload.object("properties").object("rating")
    score, comment = _property(rating, "score"), _property(rating, "comment")
    score = score if score not in (None, "") else None
    if score is None and not comment:
        return []
    thread = payload.first("thread_id", "chat_id") or payload.required_identifier("chat_id")
    where = rating.at("score")
    data = {
        "kind": "rating",
        "channel": context.defaults.channel or "chat",
        "interaction": context.ref("chat", thread),
        "answers": one_score("rating", score, "binary", "happiness_only", where),
        "text": comment if isinstance(comment, str) else None,
        "collection_mode": "invited",
    }
    moment = context.arrival()
    return [
        context.event(
            EventType.FEEDBACK_RECEIVED,
            f"rating:{thread}:{content_digest(score, comment)}",
            moment,
            context.subject(SubjectKind.INTERACTION, "chat", thread),
            data,
            object=context.ref("rating", thread),
            version=moment.version,
        )
    ]


def _property(rating: Reader, key: str) -> object:
    """A property as it is, or wrapped as `{"value": ...}` by older releases."""
    value = rating.raw(key)
    return value.get("value") if isinstance(value, dict) else value


def _said(payload: Reader, event: Reader, context: SourceContext) -> list[Event]:
    match event.text("type"):
        case "message":
            return _message(payload, event, context)
        case "filled_form":
            return _form(payload, event, context) if event.text("form_type") in _SURVEYS else []
        case kind if kind in _SAID_NOTHING:
            return []
        case kind:
            raise UnknownEventError("LiveChat", kind, pointer=event.at("type"))


def _message(payload: Reader, event: Reader, context: SourceContext) -> list[Event]:
    author = event.identifier("author_id") or ""
    if not context.defaults.handles_cases or event.text("visibility") == "agents":
        return []
    agent = "@" in author
    act = EventType.CASE_REPLIED if agent else EventType.CASE_CUSTOMER_CONTACTED
    data: dict[str, object] = {"channel": context.defaults.channel or "chat", "text": event.text("text")}
    if agent:
        data |= {"human": True, "employee": context.employee(author)}
    else:
        data["customer"] = {"type": "livechat_customer", "value": author} if author else None
    subject = context.subject(SubjectKind.CASE, "chat", payload.required_identifier("chat_id"))
    name = f"event:{event.required_identifier('id')}"
    return [context.event(act, name, _time(event), subject, data)]


def _form(payload: Reader, event: Reader, context: SourceContext) -> list[Event]:
    number = event.required_identifier("id")
    thread = payload.first("thread_id", "chat_id") or payload.required_identifier("chat_id")
    found = read_answers([_field(field) for field in event.objects("fields")], context.defaults.questions)
    if not found:
        return []
    author = event.identifier("author_id")
    data = {
        "channel": context.defaults.channel or "chat",
        "interaction": context.ref("chat", thread),
        "customer": {"type": "livechat_customer", "value": author} if author else None,
        "answers": found.answers,
        "text": found.text,
        "attributes": found.attributes,
        "collection_mode": "invited",
    }
    moment = _time(event)
    subject = context.subject(SubjectKind.INTERACTION, "chat", thread)
    return [context.event(EventType.FEEDBACK_RECEIVED, f"event:{number}", moment, subject, data)]


def _field(field: Reader) -> Given:
    kind, label = field.text("type") or "", field.text("label") or field.identifier("id") or "field"
    if field.raw("answers") is not None:
        value: object = [answer.raw("label") for answer in field.objects("answers")]
    elif isinstance(field.raw("answer"), dict):
        value = field.object("answer").raw("label")
    else:
        value = field.raw("answer")
    as_ = "text" if kind in _FREE_TEXT else "nothing" if kind in ("name", "email") else "attribute"
    return Given(label, value, field.at("answer"), as_, aliases=(field.identifier("id") or label,))


def _time(event: Reader) -> Moment:
    return iso_time(event.raw("created_at"), pointer=event.at("created_at"))
