"""Zendesk: ticket events, messaging events, and satisfaction ratings (pulled, or posted by a trigger).

- a ticket event is a fact of the case `ticket:<id>`, where Zendesk is the place that handles cases;
- a solved or closed ticket: the interaction ended, and the case is closed where cases are handled there;
- a satisfaction rating: feedback good or bad, a new version per change; `offered`: feedback was offered.
A message of a bot or of the system is an automatic reply; a requester's own comment contacts the case.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import PayloadError, UnknownEventError, names
from app.sources.html import text_of_html
from app.sources.questions import one_score
from app.sources.reading import Reader
from app.sources.times import Moment, iso_time

_CHANNELS = {"email": "email", "web": "web", "web_service": "web", "chat": "chat", "native_messaging": "chat"}
_CHANNELS |= {"messaging": "chat", "voice": "call", "phone": "call", "sms": "sms", "mobile_sdk": "app"}
_CHANNELS |= {"whatsapp": "messenger", "telegram": "messenger", "facebook": "social", "twitter": "social"}
_PRIORITIES = {"URGENT": "sev2", "HIGH": "sev2", "NORMAL": "sev3", "LOW": "sev4"}
_KINDS = {"QUESTION": "question", "INCIDENT": "complaint", "PROBLEM": "complaint"}
_ENDED = ("SOLVED", "CLOSED")
_PREFIX = "zen:event-type:"

# What an agent does to a ticket, or other objects of the account: nothing that the journal keeps.
_SAYS_NOTHING_KINDS = names("user organization article agent_availability community_post")
_SAYS_NOTHING = names(
    "attachment_linked_to_comment attachment_redacted_from_comment brand_changed cc_changed ccs_changed "
    "comment_made_private custom_field_changed custom_status_changed description_changed email_ccs_changed "
    "external_id_changed followers_changed form_changed group_assignment_changed "
    "ola_policy organization_changed permanently_deleted problem_link_changed requester_changed "
    "schedule_changed sla_policy_changed "
    "soft_deleted subject_changed submitter_changed tags_changed ticket_type_changed type_changed undeleted "
    "task_due_at_changed ticket_form_changed marked_as_spam merged next_sla_breach_changed "
    "ticket_closed_notification"
)


class ZendeskAdapter:
    """Adapter of Zendesk's event webhooks and of its satisfaction ratings."""

    name = "zendesk"

    def items(self, payload: object) -> Sequence[Item]:
        """One webhook is one statement; a list of ratings is one each."""
        reader = Reader.of(payload)
        for key in ("satisfaction_ratings", "satisfaction_rating"):
            if reader.raw(key) is not None:
                found = reader.objects(key) if key.endswith("s") else [reader.object(key)]
                return [Item(rating.pointer, rating.value) for rating in found]
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one webhook or rating. Raises PayloadError, UnknownEventError."""
        payload = Reader.of(item.value, item.pointer)
        if payload.raw("score") is not None and payload.raw("ticket_id") is not None:
            return _rated(payload, context)
        name = (payload.text("type") or "").removeprefix(_PREFIX)
        noun, _, act = name.partition(".")
        if noun == "messaging_ticket" and act == "message_added":
            return _message(payload, context)
        if noun == "ticket":
            return _ticket(payload, act, context)
        if noun in _SAYS_NOTHING_KINDS:
            return []
        raise UnknownEventError("Zendesk", payload.raw("type"), pointer=payload.at("type"))


def _ticket(payload: Reader, act: str, context: SourceContext) -> list[Event]:
    detail, change = payload.object("detail"), payload.object("event")
    cases = context.defaults.handles_cases
    match act:
        case "created":
            return [_fact(payload, EventType.CASE_OPENED, context, _opening(detail))] if cases else []
        case "status_changed":
            return _status(payload, change, context)
        case "comment_added":
            return _comment(payload, change.object("comment"), context) if cases else []
        case "agent_assignment_changed":
            agent = context.employee(change.identifier("current"))
            if not cases or agent is None:
                return []
            return [_fact(payload, EventType.CASE_ASSIGNED, context, {"assignee": agent})]
        case "priority_changed":
            severity = _PRIORITIES.get((change.text("current") or "").upper())
            if not cases or severity is None:
                return []
            return [_fact(payload, EventType.CASE_ASSESSED, context, {"severity": severity})]
        case _ if act in _SAYS_NOTHING:
            return []
        case _:
            raise UnknownEventError("Zendesk", payload.raw("type"), pointer=payload.at("type"))


def _opening(detail: Reader) -> dict[str, object]:
    return {
        "kind": _KINDS.get((detail.text("type") or "").upper()),
        "severity": _PRIORITIES.get((detail.text("priority") or "").upper()),
        "text": "\n".join(filter(None, (detail.text("subject"), text_of_html(detail.text("description"))))),
        "attributes": {"zendesk_group": detail.identifier("group_id") or ""},
    }


def _status(payload: Reader, change: Reader, context: SourceContext) -> list[Event]:
    now, before = ((change.text(key) or "").upper() for key in ("current", "previous"))
    cases = context.defaults.handles_cases
    if now in _ENDED and before not in _ENDED:
        ended = _fact(payload, EventType.INTERACTION_ENDED, context, {}, "ended")
        return [ended, _fact(payload, EventType.CASE_CLOSED, context, {})] if cases else [ended]
    if not cases:
        return []
    if before in _ENDED and now not in _ENDED:
        return [_fact(payload, EventType.CASE_REOPENED, context, {})]
    if now == "PENDING":
        return [_fact(payload, EventType.CASE_WAITING_CUSTOMER, context, {})]
    return [_fact(payload, EventType.CASE_RESUMED, context, {})] if before == "PENDING" else []


def _comment(payload: Reader, comment: Reader, context: SourceContext) -> list[Event]:
    if comment.raw("is_public") is False:
        return []
    author = comment.object("author")
    text = text_of_html(comment.text("body"))
    if author.flag("is_staff"):
        data: dict[str, object] = {"human": True, "text": text}
        data["employee"] = context.employee(author.identifier("id"))
        return [_fact(payload, EventType.CASE_REPLIED, context, data)]
    return [_fact(payload, EventType.CASE_CUSTOMER_CONTACTED, context, {"text": text})]


def _message(payload: Reader, context: SourceContext) -> list[Event]:
    if not context.defaults.handles_cases:
        return []
    event = payload.object("event")
    actor, text = event.object("actor"), event.object("message").text("body")
    match actor.text("type"):
        case "end_user":
            return [_fact(payload, EventType.CASE_CUSTOMER_CONTACTED, context, {"text": text})]
        case "agent":
            data: dict[str, object] = {"human": True, "text": text}
            data["employee"] = context.employee(actor.identifier("id"))
            return [_fact(payload, EventType.CASE_REPLIED, context, data)]
        case "system" | "bot" | None:
            return [_fact(payload, EventType.CASE_REPLIED, context, {"human": False, "text": text})]
        case other:
            raise UnknownEventError("Zendesk", f"a message of {other}", pointer=actor.at("type"))


def _fact(
    payload: Reader, act: EventType, context: SourceContext, data: dict[str, object], part: str = ""
) -> Event:
    """A fact of the ticket; the event's own id names it."""
    detail = payload.object("detail")
    number = detail.required_identifier("id")
    kind = SubjectKind.INTERACTION if act is EventType.INTERACTION_ENDED else SubjectKind.CASE
    channel = _CHANNELS.get(detail.object("via").text("channel") or "", context.defaults.channel)
    requester = detail.identifier("requester_id")
    stated = {
        "channel": channel,
        "employee": context.employee(detail.identifier("assignee_id")),
        "customer": {"type": "zendesk_user", "value": requester} if requester else None,
        **data,
    }
    event_id = payload.required_identifier("id")
    moment = iso_time(payload.raw("time"), pointer=payload.at("time"))
    subject = context.subject(kind, "ticket", number)
    return context.event(act, f"{event_id}:{part}" if part else event_id, moment, subject, stated)


def _rated(rating: Reader, context: SourceContext) -> list[Event]:
    score = rating.text("score") or ""
    ticket = rating.required_identifier("ticket_id")
    number = rating.identifier("id") or f"ticket-{ticket}"
    subject = context.subject(SubjectKind.INTERACTION, "ticket", ticket)
    requester = rating.identifier("requester_id")
    data: dict[str, object] = {
        "channel": context.defaults.channel or "chat",
        "employee": context.employee(rating.identifier("assignee_id")),
        "customer": {"type": "zendesk_user", "value": requester} if requester else None,
    }
    if score == "unoffered":
        return []
    if score == "offered":
        moment = _rating_time(rating, "created_at", context)
        return [context.event(EventType.FEEDBACK_OFFERED, f"rating:{number}:offered", moment, subject, data)]
    word = score.removesuffix("_with_comment")
    if word not in ("good", "bad"):
        raise PayloadError(
            "score_invalid",
            f"{score[:60]!r} is none of good, bad, offered and unoffered",
            pointer=rating.at("score"),
            cure="Send Zendesk's own word for the score.",
        )
    moment = _rating_time(rating, "updated_at", context)
    data |= {
        "kind": "rating",
        "interaction": context.ref("ticket", ticket),
        "answers": one_score("satisfaction", 1 if word == "good" else 0, "binary", "happiness_only"),
        "text": rating.text("comment"),
        "collection_mode": "invited",
        "attributes": {"reason": rating.text("reason") or ""},
    }
    return [
        context.event(
            EventType.FEEDBACK_RECEIVED,
            f"rating:{number}@{moment.raw}",
            moment,
            subject,
            data,
            object=context.ref("rating", number),
            version=moment.version,
        )
    ]


def _rating_time(rating: Reader, key: str, context: SourceContext) -> Moment:
    for name in (key, "created_at"):
        if rating.raw(name) not in (None, ""):
            return iso_time(rating.raw(name), context.zone, rating.at(name))
    return context.arrival()
