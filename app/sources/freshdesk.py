"""Freshdesk: what an automation rule posts (`freshdesk_webhook`), and tickets as the API shows them.

The template carries no time and no id of the event: the time is the arrival, and the event is named by the
ticket, what happened and the content within ten minutes. Two equal notes within them are one: a guess.
- ticket created, noted, moved: facts of the case `ticket:<id>`, where Freshdesk handles cases;
- resolved or closed: the interaction ended; a satisfaction rating that the template carries: feedback.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import PayloadError, UnknownEventError, names
from app.sources.freshdesk_tickets import KINDS, pulled
from app.sources.html import text_of_html
from app.sources.questions import one_score
from app.sources.reading import Reader
from app.sources.review_states import content_digest
from app.sources.times import iso_time

SAME_SECONDS = 600
"""Equal content within this long is one delivery sent again."""

_LONGEST_TRIGGER = 2_000
_TRIGGER = re.compile(r"\{\s*([a-z_]+)\s*:\s*(.*?)\s*\}", re.DOTALL)
_CHANGE = re.compile(r"\{\s*from\s*:\s*(.*?)\s*,\s*to\s*:\s*(.*?)\s*\}?", re.DOTALL)
_STATUSES = {"2": "open", "3": "pending", "4": "resolved", "5": "closed"}
_ENDED = ("resolved", "closed")
_SEVERITIES = {"urgent": "sev2", "high": "sev2", "medium": "sev3", "low": "sev4"}
_KNOWN_TRIGGERS = names(
    "ticket_action note_type reply_sent status priority ticket_type group_id group responder_id agent "
    "time_sheet_action source requester_id due_by tag customer_feedback survey"
)
# Freshdesk's seven smileys of a survey rating, -103 .. 103, as it documents them.
_RATINGS = {103: 7, 102: 6, 101: 5, 100: 4, -101: 3, -102: 2, -103: 1}


class FreshdeskAdapter:
    """Adapter of Freshdesk's automation webhooks, of tickets and of survey ratings pulled from its API."""

    name = "freshdesk"

    def items(self, payload: object) -> Sequence[Item]:
        """One webhook is one statement; a list of ratings is one each."""
        if isinstance(payload, list):
            return [Item(f"/{index}", one) for index, one in enumerate(payload)]
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one webhook. Raises PayloadError, UnknownEventError."""
        payload = Reader.of(item.value, item.pointer)
        if payload.raw("ratings") is not None and payload.raw("ticket_id") is not None:
            return _survey(payload, context)
        if payload.raw("ticket") is not None and payload.raw("freshdesk_webhook") is None:
            return pulled(payload, context)
        hook = payload.object("freshdesk_webhook")
        if not hook:
            raise UnknownEventError("Freshdesk", None, pointer=payload.at("freshdesk_webhook"))
        events = []
        for trigger, value in _triggers(hook):
            events += _happened(hook, trigger, value, context)
        return events


def _triggers(hook: Reader) -> list[tuple[str, str]]:
    written = (hook.text("triggered_event") or "")[:_LONGEST_TRIGGER]
    found = _TRIGGER.findall(written)
    unknown = [name for name, _ in found if name not in _KNOWN_TRIGGERS]
    if not found or unknown:
        raise UnknownEventError("Freshdesk", written or None, pointer=hook.at("triggered_event"))
    return [(name, value) for name, value in found]


def _happened(hook: Reader, trigger: str, value: str, context: SourceContext) -> list[Event]:
    cases = context.defaults.handles_cases
    match trigger, value:
        case "ticket_action", "created":
            return [_fact(hook, EventType.CASE_OPENED, "created", context)] if cases else []
        case "note_type", "public":
            return [_fact(hook, EventType.CASE_REPLIED, "note", context)] if cases else []
        case "reply_sent", _:
            return [_fact(hook, EventType.CASE_REPLIED, "reply", context)] if cases else []
        case "status", change:
            return _status(hook, change, context)
        case "priority", _:
            return [_fact(hook, EventType.CASE_ASSESSED, "priority", context)] if cases else []
        case _:
            return []


def _status(hook: Reader, change: str, context: SourceContext) -> list[Event]:
    match = _CHANGE.fullmatch(change)
    before = _STATUSES.get(match[1], match[1].lower()) if match else ""
    now = _STATUSES.get(match[2], match[2].lower()) if match else (hook.text("ticket_status") or "").lower()
    cases = context.defaults.handles_cases
    if now in _ENDED and before not in _ENDED:
        ended = _fact(hook, EventType.INTERACTION_ENDED, "ended", context)
        return [ended, _fact(hook, EventType.CASE_CLOSED, "closed", context)] if cases else [ended]
    if not cases:
        return []
    if before in _ENDED:
        return [_fact(hook, EventType.CASE_REOPENED, "reopened", context)]
    if now == "pending":
        return [_fact(hook, EventType.CASE_WAITING_CUSTOMER, "pending", context)]
    return [_fact(hook, EventType.CASE_RESUMED, "resumed", context)] if before == "pending" else []


def _fact(hook: Reader, act: EventType, what: str, context: SourceContext) -> Event:
    number = hook.required_identifier("ticket_id")
    kind = SubjectKind.INTERACTION if act is EventType.INTERACTION_ENDED else SubjectKind.CASE
    opening = act is EventType.CASE_OPENED
    email = hook.identifier("requester_email")
    text = text_of_html(hook.text("ticket_description")) if opening else None
    comment = text_of_html(hook.text("ticket_latest_public_comment") or hook.text("public_comment"))
    data: dict[str, object] = {
        "channel": context.defaults.channel or "email",
        "customer": {"type": "email", "value": email} if email else None,
        "employee": context.employee(hook.first("ticket_agent_email", "ticket_agent_name")),
        "text": "\n".join(filter(None, (hook.text("ticket_subject"), text))) if opening else comment,
    }
    if opening:
        data["kind"] = KINDS.get((hook.text("ticket_type") or "").lower())
    if act in (EventType.CASE_OPENED, EventType.CASE_ASSESSED):
        data["severity"] = _SEVERITIES.get((hook.text("ticket_priority") or "").lower())
    if act is EventType.CASE_REPLIED:
        data["human"] = True
    return context.event(
        act,
        _name(hook, number, what, context),
        context.arrival(),
        context.subject(kind, "ticket", number),
        data,
    )


def _name(hook: Reader, number: str, what: str, context: SourceContext) -> str:
    if what == "created":
        return f"ticket:{number}:created"  # a ticket is created once
    content = content_digest(sorted((key, str(value)) for key, value in hook.value.items()))
    span = int(context.received_at.timestamp()) // SAME_SECONDS
    return f"ticket:{number}:{what}:{content}@{span}"


def _survey(rating: Reader, context: SourceContext) -> list[Event]:
    """A rating of the survey API: `ratings.default_question` is one of seven smileys."""
    number, ticket = rating.required_identifier("id"), rating.required_identifier("ticket_id")
    raw = rating.object("ratings").number("default_question")
    if raw is not None and int(raw) not in _RATINGS:
        raise PayloadError(
            "score_invalid",
            f"{raw} is none of Freshdesk's ratings",
            pointer=rating.object("ratings").at("default_question"),
            cure="Send one of -103 .. -101 and 100 .. 103.",
        )
    moment = iso_time(
        rating.raw("updated_at") or rating.raw("created_at"), context.zone, rating.at("updated_at")
    )
    requester = rating.identifier("user_id")
    score = None if raw is None else _RATINGS[int(raw)]
    data = {
        "kind": "rating",
        "channel": context.defaults.channel or "email",
        "interaction": context.ref("ticket", ticket),
        "employee": context.employee(rating.identifier("agent_id")),
        "customer": {"type": "freshdesk_contact", "value": requester} if requester else None,
        "answers": one_score("satisfaction", score, "csat_1_7", "csat"),
        "text": text_of_html(rating.text("feedback")),
        "collection_mode": "invited",
    }
    return [
        context.event(
            EventType.FEEDBACK_RECEIVED,
            f"rating:{number}@{moment.raw}",
            moment,
            context.subject(SubjectKind.INTERACTION, "ticket", ticket),
            data,
            object=context.ref("rating", number),
            version=moment.version,
        )
    ]
