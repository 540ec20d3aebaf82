"""Chatwoot: conversations, agents' replies and CSAT answers, from the webhooks of an account or an API inbox.

What its events truly say:
- a resolved conversation: the interaction ended;
- where Chatwoot is the place that handles cases (`handles_cases`): a conversation is the case
  `conversation:<id>`; created, assigned, resolved, taken up again, written in by the customer or answered
  (`human` tells an agent from a bot, a rule or a campaign) are facts of it; never feedback;
- a CSAT survey posted into the conversation: feedback was offered;
- a CSAT answer, given or changed: feedback, one object per survey message, a new version per change.
Private notes, typing and contacts say nothing that the journal keeps, and elsewhere messages do not either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources import chatwoot_cases as cases
from app.sources.base import Item, SourceContext
from app.sources.chatwoot_fields import (
    assignee_of,
    channel_of,
    customer_of,
    inbox_of,
    moved_at,
    sent_at,
    updated_at,
)
from app.sources.errors import UnknownEventError
from app.sources.reading import Reader

_SAYS_NOTHING = frozenset(
    {
        "contact_created",
        "contact_updated",
        "conversation_typing_off",
        "conversation_typing_on",
        "inbox_created",
        "inbox_updated",
        "webwidget_triggered",
    }
)


class ChatwootAdapter:
    """Adapter of Chatwoot's webhook payloads, old releases (2021) and new."""

    name = "chatwoot"

    def items(self, payload: object) -> Sequence[Item]:
        """One payload is one statement."""
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one webhook. Raises PayloadError, UnknownEventError."""
        payload = Reader.of(item.value, item.pointer)
        name = payload.text("event")
        if name in _SAYS_NOTHING:
            return []
        handler = _HANDLERS.get(name or "")
        if handler is None:
            raise UnknownEventError("Chatwoot", name, pointer=payload.at("event"))
        return handler(payload, context)


def _conversation_resolved(conversation: Reader, context: SourceContext) -> list[Event]:
    # The documented sample of this event still carries the status "open": the name is the fact.
    number = conversation.required_identifier("id")
    ended = moved_at(conversation)
    data = {
        "channel": channel_of(conversation, context),
        "employee": assignee_of(conversation, context),
        "customer": customer_of(conversation.object("meta").object("sender")),
    }
    return [
        Event(
            type=EventType.INTERACTION_ENDED,
            id=f"conversation:{number}:ended@{ended.raw}",
            source=context.source,
            occurred_at=ended.at,
            time_raw=ended.raw,
            subject=context.subject(SubjectKind.INTERACTION, "conversation", number),
            data=context.data(EventType.INTERACTION_ENDED, data),
        ),
        *cases.closed(conversation, context),
    ]


def _status_changed(conversation: Reader, context: SourceContext) -> list[Event]:
    if conversation.text("status") == "resolved":
        return _conversation_resolved(conversation, context)
    return cases.moved(conversation, context)


def _message_created(message: Reader, context: SourceContext) -> list[Event]:
    if message.flag("private"):
        return []
    if message.text("content_type") == "input_csat":
        return [_survey_offered(message, context), *_survey_answered(message, context)]
    return cases.said(message, context) if context.defaults.handles_cases else []


def _message_updated(message: Reader, context: SourceContext) -> list[Event]:
    return _survey_answered(message, context) if message.text("content_type") == "input_csat" else []


def _survey_offered(message: Reader, context: SourceContext) -> Event:
    conversation = message.object("conversation")
    sent = sent_at(message)
    data = {
        "channel": channel_of(conversation, context),
        "employee": assignee_of(conversation, context),
        "customer": customer_of(conversation.object("meta").object("sender")),
    }
    return Event(
        type=EventType.FEEDBACK_OFFERED,
        id=f"csat:{message.required_identifier('id')}:offered",
        source=context.source,
        occurred_at=sent.at,
        time_raw=sent.raw,
        subject=context.subject(
            SubjectKind.INTERACTION, "conversation", conversation.required_identifier("id")
        ),
        data=context.data(EventType.FEEDBACK_OFFERED, data),
    )


def _survey_answered(message: Reader, context: SourceContext) -> list[Event]:
    answer = message.object("content_attributes").object("submitted_values").object("csat_survey_response")
    rating, comment = answer.score("rating", 1, 5), answer.text("feedback_message")
    if rating is None and comment is None:
        return []
    number = message.required_identifier("id")
    conversation = message.object("conversation")
    interaction = conversation.required_identifier("id")
    answered = updated_at(message)
    data = {
        "kind": "rating",
        "channel": channel_of(conversation, context),
        "channel_raw": conversation.text("channel"),
        "employee": assignee_of(conversation, context),
        "interaction": context.ref("conversation", interaction),
        "customer": customer_of(conversation.object("meta").object("sender")),
        "answers": []
        if rating is None
        else [{"question": "csat", "measure": "csat", "scale": "csat_1_5", "value": rating}],
        "text": comment,
        "collection_mode": "invited",
        "attributes": inbox_of(message),
    }
    # Chatwoot gives an answer no id and may give two of them one coarse time: the digest parts them.
    digest = hashlib.sha256(f"{rating}\n{comment}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return [
        Event(
            type=EventType.FEEDBACK_RECEIVED,
            id=f"csat:{number}@{answered.raw}:{digest}",
            source=context.source,
            occurred_at=answered.at,
            time_raw=answered.raw,
            subject=context.subject(SubjectKind.INTERACTION, "conversation", interaction),
            object=context.ref("csat", number),
            version=answered.version,
            data=context.data(EventType.FEEDBACK_RECEIVED, data),
        )
    ]


_HANDLERS: Mapping[str, Callable[[Reader, SourceContext], list[Event]]] = {
    "conversation_created": cases.opened,
    "conversation_opened": cases.moved,
    "conversation_resolved": _conversation_resolved,
    "conversation_status_changed": _status_changed,
    "conversation_updated": cases.moved,
    "message_created": _message_created,
    "message_updated": _message_updated,
}
