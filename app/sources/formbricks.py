"""Formbricks: created, updated and finished are versions of one response.

A payload gives answers by question id and tells no scale: the source's `questions` do. A value with a
space in it, or under a name like a comment, is text; the rest is kept as attributes until it is explained.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import UnknownEventError
from app.sources.questions import Given, read_answers
from app.sources.reading import Reader
from app.sources.times import iso_time

_STATES = ("responseCreated", "responseUpdated", "responseFinished")
_TEXT_NAMES = ("comment", "text", "feedback", "reason", "why", "suggest", "improve", "review", "open")
_KINDS = {"link": "web", "app": "app", "website": "web"}


class FormbricksAdapter:
    """Adapter of Formbricks' response webhooks."""

    name = "formbricks"

    def items(self, payload: object) -> Sequence[Item]:
        """One webhook is one statement."""
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """One state of a response. Raises PayloadError, UnknownEventError."""
        hook = Reader.of(item.value, item.pointer)
        name = hook.text("event")
        if name == "testEndpoint":
            return []
        if name not in _STATES:
            raise UnknownEventError("Formbricks", name, pointer=hook.at("event"))
        return [_state(hook.object("data"), context)]


def _state(response: Reader, context: SourceContext) -> Event:
    number = response.required_identifier("id")
    changed = iso_time(response.raw("updatedAt"), context.zone, response.at("updatedAt"))
    given = response.object("data")
    found = read_answers(
        [_given(key, value, given) for key, value in given.value.items()], context.defaults.questions
    )
    survey, meta = response.object("survey"), response.object("meta")
    finished = response.flag("finished")
    data = {
        "kind": "rating" if found.answers else None,
        "channel": context.defaults.channel or _KINDS.get(survey.text("type") or "", "web"),
        "customer": _customer(response),
        "answers": found.answers,
        "text": found.text,
        "lang": response.text("language"),
        "collection_mode": "invited",
        "attributes": {
            "survey": (survey.text("title") or response.identifier("surveyId") or "")[:200],
            "finished": finished,
            "country": meta.text("country") or "",
            **found.attributes,
        },
    }
    return context.event(
        EventType.FEEDBACK_RECEIVED,
        # Finished and updated may bear one time: they are two states.
        f"response:{number}@{changed.raw}" + (":finished" if finished else ""),
        changed,
        context.subject(SubjectKind.SURVEY, "response", number),
        data,
        object=context.ref("response", number),
        version=changed.version,
    )


def _given(key: str, value: object, place: Reader) -> Given:
    written = isinstance(value, str) and not value.strip().lstrip("-").isdigit()
    text = written and (" " in str(value).strip() or any(name in key.lower() for name in _TEXT_NAMES))
    return Given(key, value, place.at(key), "text" if text else "attribute")


def _customer(response: Reader) -> dict[str, str] | None:
    contact = response.object("contact")
    attributes = response.object("contactAttributes")
    for kind, value in (
        ("email", attributes.identifier("email")),
        ("external_id", attributes.identifier("userId") or contact.identifier("userId")),
        ("formbricks_contact", contact.identifier("id")),
    ):
        if value:
            return {"type": kind, "value": value}
    return None
