"""Freshdesk's tickets as its API shows them, with their conversations: facts of the case `ticket:<id>`.

What a ticket's `status` was when cannot be seen in it: only `stats` tells when it was resolved or closed.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.events import Event, EventType, Subject, SubjectKind
from app.sources.base import SourceContext
from app.sources.reading import Reader
from app.sources.times import iso_time

KINDS: Mapping[str, str] = {
    "question": "question",
    "incident": "complaint",
    "problem": "complaint",
    "complaint": "complaint",
    "feature request": "suggestion",
}
# Freshdesk's numbers of where a ticket or an answer came from.
_CHANNELS = {"1": "email", "2": "web", "3": "call", "5": "social", "6": "social", "7": "chat", "9": "web"}
_CHANNELS |= {"10": "email", "12": "chat", "13": "messenger", "15": "chat", "20": "chat"}
_PRIORITIES = {"1": "sev4", "2": "sev3", "3": "sev2", "4": "sev2"}


def pulled(payload: Reader, context: SourceContext) -> list[Event]:
    """A ticket with its conversations: who said what; a note that is private says nothing."""
    ticket = payload.object("ticket")
    if not context.defaults.handles_cases:
        return []
    where = _where(ticket, context)
    events = [_opened(ticket, where, context)]
    events += [
        _said(said, ticket, where, context)
        for said in payload.objects("conversations")
        if not said.flag("private")
    ]
    stats = ticket.object("stats")
    for key in ("closed_at", "resolved_at"):
        if stats.raw(key) not in (None, "") and ticket.identifier("status") in ("4", "5"):
            moment = iso_time(stats.raw(key), context.zone, stats.at(key))
            name = f"ticket:{ticket.identifier('id')}:closed@{moment.raw}"
            events.append(context.event(EventType.CASE_CLOSED, name, moment, _case(ticket, context), where))
            break
    return events


def _opened(ticket: Reader, where: Mapping[str, object], context: SourceContext) -> Event:
    opened = iso_time(ticket.raw("created_at"), context.zone, ticket.at("created_at"))
    lines = filter(None, (ticket.text("subject"), ticket.text("description_text")))
    opening = {
        **where,
        "employee": context.employee(ticket.identifier("responder_id")),
        "kind": KINDS.get((ticket.text("type") or "").lower()),
        "severity": _PRIORITIES.get(ticket.identifier("priority") or ""),
        "due_at": _due(ticket, context),
        "text": "\n".join(lines),
    }
    name = f"ticket:{ticket.required_identifier('id')}:created"
    return context.event(EventType.CASE_OPENED, name, opened, _case(ticket, context), opening)


def _said(said: Reader, ticket: Reader, where: Mapping[str, object], context: SourceContext) -> Event:
    # Without an author it is a bot's greeting or an automation.
    author = said.identifier("user_id")
    moment = iso_time(said.raw("created_at"), context.zone, said.at("created_at"))
    name = f"conversation:{said.required_identifier('id')}"
    data = {**where, "text": said.text("body_text")}
    if said.flag("incoming"):
        return context.event(EventType.CASE_CUSTOMER_CONTACTED, name, moment, _case(ticket, context), data)
    data |= {"human": author is not None, "employee": context.employee(author)}
    return context.event(EventType.CASE_REPLIED, name, moment, _case(ticket, context), data)


def _where(ticket: Reader, context: SourceContext) -> dict[str, object]:
    person = ticket.object("requester")
    email, number = person.identifier("email"), ticket.identifier("requester_id")
    customer = {"type": "email", "value": email} if email else None
    if customer is None and number:
        customer = {"type": "freshdesk_contact", "value": number}
    channel = _CHANNELS.get(ticket.identifier("source") or "")
    return {"channel": context.defaults.channel or channel or "other", "customer": customer}


def _case(ticket: Reader, context: SourceContext) -> Subject:
    return context.subject(SubjectKind.CASE, "ticket", ticket.required_identifier("id"))


def _due(ticket: Reader, context: SourceContext) -> str | None:
    """The time by which the ticket is promised to be resolved, as Freshdesk's own policy set it."""
    if ticket.raw("due_by") in (None, ""):
        return None
    return iso_time(ticket.raw("due_by"), context.zone, ticket.at("due_by")).at.isoformat()
