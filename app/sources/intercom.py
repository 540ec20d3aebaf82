"""Intercom: conversation notifications and conversation ratings.

- a closed conversation: the interaction ended;
- a rating or its remark: feedback 1-5, one object per conversation, a new version per change;
- messages, assignment, closing and reopening: facts of the case `conversation:<id>`, where Intercom is the
  place that handles cases; bots (`bot`, `operator`) are no people; a private note says nothing.
A redaction is a request for erasure and goes to quarantine: a person must see to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import PayloadError, UnknownEventError
from app.sources.html import text_of_html
from app.sources.questions import one_score
from app.sources.reading import Reader
from app.sources.times import Moment, epoch_seconds

_SAYS_NOTHING_PREFIXES: tuple[str, ...] = (
    "contact.",
    "user.",
    "visitor.",
    "company.",
    "event.",
    "content_stat.",
    "article.",
)
_SAYS_NOTHING_PREFIXES += ("ticket.attribute", "admin.", "call.", "conversation_part.tag", "data_connector.")
_SAYS_NOTHING = frozenset(
    {
        "ping",
        "conversation.admin.noted",
        "conversation.admin.snoozed",
        "conversation.admin.unsnoozed",
        "conversation.contact.attached",
        "conversation.contact.detached",
        "conversation.deleted",
        "conversation.operator.replied",
        "conversation.priority.updated",
        "conversation.read",
        "conversation.state.updated",
    }
)
_CASE_ACTS = {
    "conversation.user.created": EventType.CASE_OPENED,
    "conversation.user.replied": EventType.CASE_CUSTOMER_CONTACTED,
    "conversation.admin.replied": EventType.CASE_REPLIED,
    "conversation.admin.single.created": EventType.CASE_REPLIED,
    "conversation.admin.assigned": EventType.CASE_ASSIGNED,
    "conversation.admin.opened": EventType.CASE_REOPENED,
}
_REDACTED = ("conversation.redacted", "conversation_part.redacted", "contact.deleted")


class IntercomAdapter:
    """Adapter of Intercom's notifications; a bare conversation with a rating (pulled) is read too."""

    name = "intercom"

    def items(self, payload: object) -> Sequence[Item]:
        """One notification is one statement; a pulled list is one per conversation."""
        reader = Reader.of(payload)
        if reader.text("type") == "conversation.list":
            return [Item(one.pointer, one.value) for one in reader.objects("conversations")]
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one notification. Raises PayloadError, UnknownEventError."""
        payload = Reader.of(item.value, item.pointer)
        if payload.text("type") == "conversation":
            return _rated(payload, context)
        topic = payload.text("topic") or ""
        conversation = payload.object("data").object("item")
        if topic in _REDACTED:
            raise PayloadError(
                "erasure_requested",
                f"{topic!r} asks that a person's words be forgotten",
                pointer=payload.at("topic"),
                cure="Erase this customer, then resolve this entry.",
            )
        if topic in _SAYS_NOTHING or topic.startswith(_SAYS_NOTHING_PREFIXES):
            return []
        if topic.startswith("conversation.rating."):
            return _rated(conversation, context)
        if topic == "conversation.admin.closed":
            return _closed(payload, conversation, context)
        act = _CASE_ACTS.get(topic)
        if act is None:
            raise UnknownEventError("Intercom", payload.raw("topic"), pointer=payload.at("topic"))
        return [_case_fact(payload, conversation, act, context)] if context.defaults.handles_cases else []


def _closed(payload: Reader, conversation: Reader, context: SourceContext) -> list[Event]:
    number = conversation.required_identifier("id")
    moment = _changed(payload, conversation)
    data = _where(conversation, context)
    ended = context.event(
        EventType.INTERACTION_ENDED,
        f"conversation:{number}:ended@{moment.raw}",
        moment,
        context.subject(SubjectKind.INTERACTION, "conversation", number),
        data,
    )
    if not context.defaults.handles_cases:
        return [ended]
    return [ended, _case_fact(payload, conversation, EventType.CASE_CLOSED, context)]


def _case_fact(payload: Reader, conversation: Reader, act: EventType, context: SourceContext) -> Event:
    number = conversation.required_identifier("id")
    parts = conversation.object("conversation_parts").objects("conversation_parts")
    part = parts[-1] if parts else Reader()
    author = part.object("author")
    data = _where(conversation, context)
    body = part.text("body")
    if act is EventType.CASE_OPENED:
        opening = conversation.object("source") or conversation.object("conversation_message")
        body = opening.text("body")
        data["kind"] = "question"
    if act is EventType.CASE_REPLIED:
        data["human"] = author.text("type") in ("admin", "teammate", None)
        data["employee"] = context.employee(author.identifier("id")) if data["human"] else None
    if act is EventType.CASE_ASSIGNED:
        data["assignee"] = data["employee"]
    data["text"] = text_of_html(body)
    moment = _time(part, "created_at") or _changed(payload, conversation)
    name = f"part:{part.identifier('id')}" if part.identifier("id") else f"conversation:{number}"
    subject = context.subject(SubjectKind.CASE, "conversation", number)
    return context.event(act, f"{name}:{act.value}@{moment.raw}", moment, subject, data)


def _rated(conversation: Reader, context: SourceContext) -> list[Event]:
    rating = conversation.object("conversation_rating")
    score, remark = rating.score("rating", 1, 5), rating.text("remark")
    if score is None and remark is None:
        return []
    number = conversation.required_identifier("id")
    # `created_at` of a rating is when it was asked for; a change of it moves only `updated_at`.
    answered = _time(rating, "updated_at") or _time(rating, "created_at") or _changed(Reader(), conversation)
    agent = rating.object("teammate").identifier("id")
    data = _where(conversation, context) | {
        "kind": "rating",
        "interaction": context.ref("conversation", number),
        "answers": one_score("conversation_rating", score, "csat_1_5", "csat"),
        "text": remark,
        "collection_mode": "invited",
    }
    data["employee"] = context.employee(agent) or data["employee"]
    contact = rating.object("contact")
    data["customer"] = _identity(contact) or data["customer"]
    return [
        context.event(
            EventType.FEEDBACK_RECEIVED,
            f"rating:{number}@{answered.raw}:{score}:{len(remark or '')}",
            answered,
            context.subject(SubjectKind.INTERACTION, "conversation", number),
            data,
            object=context.ref("rating", number),
            version=answered.version,
        )
    ]


def _where(conversation: Reader, context: SourceContext) -> dict[str, object]:
    assignee = conversation.object("assignee")
    # 0 and `nobody_admin` are Intercom's ways to say that nobody has it.
    agent = assignee.identifier("id") or conversation.identifier("admin_assignee_id")
    nobody = agent == "0" or assignee.text("type") == "nobody_admin"
    contacts = conversation.object("contacts").objects("contacts")
    person = conversation.object("user") or (contacts[0] if contacts else Reader())
    return {
        "channel": context.defaults.channel or "chat",
        "employee": None if nobody else context.employee(agent),
        "customer": _identity(person),
    }


def _identity(person: Reader) -> dict[str, str] | None:
    for kind, key in (("email", "email"), ("external_id", "user_id"), ("external_id", "external_id")):
        if value := person.identifier(key):
            return {"type": kind, "value": value}
    value = person.identifier("id")
    return {"type": "intercom_contact", "value": value} if value else None


def _changed(payload: Reader, conversation: Reader) -> Moment:
    for reader, key in ((conversation, "updated_at"), (payload, "created_at"), (conversation, "created_at")):
        if (moment := _time(reader, key)) is not None:
            return moment
    raise PayloadError(
        "time_missing",
        "the conversation says no time",
        pointer=conversation.at("updated_at"),
        cure="Send updated_at.",
    )


def _time(reader: Reader, key: str) -> Moment | None:
    value = reader.raw(key)
    return None if value in (None, "", 0) else epoch_seconds(value, reader.at(key))
