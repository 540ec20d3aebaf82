"""Chatwoot as the place where cases are handled: what happened to the case `conversation:<id>`.

New releases say in `changed_attributes` what a conversation was before; without it nothing is guessed: an
open conversation may be new, handed over by a bot, or taken up again.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import SourceContext
from app.sources.chatwoot_fields import (
    assignee_of,
    channel_of,
    customer_of,
    is_agent,
    is_automatic,
    moved_at,
    sent_at,
)
from app.sources.reading import Reader
from app.sources.times import Moment

# Strings in webhooks, the numbers of the same enum in embedded messages and older releases.
INCOMING = ("incoming", 0)
OUTGOING = ("outgoing", 1)


def opened(conversation: Reader, context: SourceContext) -> list[Event]:
    """A new conversation: its case is open, with the customer's first words."""
    first = [one for one in conversation.objects("messages") if one.raw("message_type") in INCOMING]
    stated = {"kind": "question", "text": first[0].text("content") if first else None}
    return _fact(conversation, EventType.CASE_OPENED, stated, "opened", context, once=True)


def closed(conversation: Reader, context: SourceContext) -> list[Event]:
    """A resolved conversation: its case is closed."""
    return _fact(conversation, EventType.CASE_CLOSED, {}, "closed", context)


def moved(conversation: Reader, context: SourceContext) -> list[Event]:
    """What a change says of the case: taken up again, or given to an agent."""
    changed = _changed(conversation)
    status = changed.get("status", Reader())
    before, now = status.text("previous_value"), status.text("current_value")
    if now == "open" and before == "resolved":
        return _fact(conversation, EventType.CASE_REOPENED, {}, "reopened", context)
    if "assignee_id" in changed and (agent := assignee_of(conversation, context)) is not None:
        return _fact(conversation, EventType.CASE_ASSIGNED, {"assignee": agent}, "assigned", context)
    return []


def said(message: Reader, context: SourceContext) -> list[Event]:
    """A message of the customer contacts the case; one of an agent or an automation replies to it."""
    kind = message.raw("message_type")
    sender = message.object("sender")
    if kind in INCOMING:
        person = customer_of(sender) if sender else None
        data: dict[str, object] = {"customer": person or _customer(message.object("conversation"))}
        return [_message(message, EventType.CASE_CUSTOMER_CONTACTED, data, context)]
    if kind not in OUTGOING:
        return []
    human = is_agent(sender) and not is_automatic(message)
    data = {"human": human, "employee": context.employee(sender.identifier("id")) if human else None}
    return [_message(message, EventType.CASE_REPLIED, data, context)]


def _message(message: Reader, act: EventType, data: dict[str, object], context: SourceContext) -> Event:
    conversation = message.object("conversation")
    stated = {"channel": channel_of(conversation, context), "text": message.text("content"), **data}
    number = conversation.required_identifier("id")
    subject = context.subject(SubjectKind.CASE, "conversation", number)
    name = f"message:{message.required_identifier('id')}"
    return context.event(act, name, sent_at(message), subject, stated)


def _fact(
    conversation: Reader,
    act: EventType,
    stated: Mapping[str, object],
    what: str,
    context: SourceContext,
    *,
    once: bool = False,
) -> list[Event]:
    """A fact of the case; one that can happen only `once` is named without its time."""
    if not context.defaults.handles_cases:
        return []
    number = conversation.required_identifier("id")
    moment: Moment = moved_at(conversation, first=once)
    data = {
        "channel": channel_of(conversation, context),
        "channel_raw": conversation.text("channel"),
        "employee": assignee_of(conversation, context),
        "customer": _customer(conversation),
        **stated,
    }
    name = f"conversation:{number}:{what}" if once else f"conversation:{number}:{what}@{moment.raw}"
    subject = context.subject(SubjectKind.CASE, "conversation", number)
    return [context.event(act, name, moment, subject, data)]


def _customer(conversation: Reader) -> dict[str, str] | None:
    return customer_of(conversation.object("meta").object("sender"))


def _changed(conversation: Reader) -> dict[str, Reader]:
    """`changed_attributes`, a list of one-key objects, by its keys."""
    return {key: one.object(key) for one in conversation.objects("changed_attributes") for key in one.value}
