"""Jotform: submissions, from its multipart webhook (`rawRequest`: JSON in a field) or from its API.

The webhook tells no type and no scale of a question, and no time but a trace of the browser's clock, whose
last entry is read. The API tells types, and a time without a zone: the source's, else US Eastern. Ratings
and scales take their meaning from `questions` (by field name, `q12_rate` or `rate`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.bodies import embedded_json
from app.sources.errors import UnknownEventError
from app.sources.questions import Given, read_answers
from app.sources.reading import Reader
from app.sources.times import Moment, epoch_milliseconds, iso_time

EASTERN = ZoneInfo("America/New_York")
_FIELD = re.compile(r"q([0-9]+)_(\w+)")
_CLOCK = re.compile(r":([0-9]{13})(?=\D|$)")
_TEXT = re.compile(r"comment|text|feedback|message|description|reason|suggest|review|why", re.IGNORECASE)
_PERSON = re.compile(r"name|e?mail|phone|address|date|appointment|signature", re.IGNORECASE)
_SHOWN_ONLY = ("control_head", "control_subhead", "control_button", "control_text", "control_image")
_ABOUT_PERSONS = (
    "control_fullname",
    "control_name",
    "control_address",
    "control_datetime",
    "control_signature",
)


class JotformAdapter:
    """Adapter of Jotform's webhook and of its API's submissions."""

    name = "jotform"

    def items(self, payload: object) -> Sequence[Item]:
        """One webhook is one statement; a pulled list (`content`) is one each."""
        reader = Reader.of(payload)
        if isinstance(reader.raw("content"), list):
            return [Item(one.pointer, one.value) for one in reader.objects("content")]
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The submission of one statement. Raises PayloadError, UnknownEventError."""
        said = Reader.of(item.value, item.pointer)
        if said.raw("rawRequest") is not None:
            return [_webhook(said, context)]
        if said.raw("answers") is not None:
            return [_submission(said, context)]
        raise UnknownEventError("Jotform", next(iter(said.value), None), pointer=item.pointer)


def _webhook(hook: Reader, context: SourceContext) -> Event:
    where = hook.at("rawRequest")
    request = Reader.of(embedded_json(hook.raw("rawRequest"), where), where)
    given, email = [], None
    for key, value in request.value.items():
        match = _FIELD.fullmatch(key)
        if match is None or isinstance(value, dict):
            continue
        if "mail" in key.lower() and isinstance(value, str) and "@" in value:
            email = value
        as_ = "text" if _TEXT.search(match[2]) else "nothing" if _PERSON.search(match[2]) else "attribute"
        given.append(Given(match[2], value, request.at(key), as_, aliases=(key, match[1])))
    form = hook.text("formTitle") or hook.identifier("formID") or ""
    moment = _browser_time(request.text("jsExecutionTracker"), context)
    return _feedback(hook.required_identifier("submissionID"), moment, given, email, form, context)


def _browser_time(trace: str | None, context: SourceContext) -> Moment:
    """The visitor's clock when the form was sent; one that is a day off is not believed."""
    stamps = _CLOCK.findall((trace or "")[:20_000])
    if stamps:
        moment = epoch_milliseconds(stamps[-1])
        if _near(moment.at, context.received_at):
            return moment
    return context.arrival()


def _near(one: datetime, other: datetime) -> bool:
    return timedelta(days=-3_650) < one - other < timedelta(minutes=4)


def _submission(said: Reader, context: SourceContext) -> Event:
    key = "updated_at" if said.raw("updated_at") else "created_at"
    moment = iso_time(said.raw(key), context.zone or EASTERN, said.at(key))
    given, email = [], None
    answers = said.object("answers")
    for number in answers.value:
        answer = answers.object(number)
        kind = answer.text("type") or ""
        value = answer.raw("answer")
        if kind in ("control_email", "control_mail") and isinstance(value, str) and value:
            email = value
            continue
        if kind in _SHOWN_ONLY or isinstance(value, dict) or value is None:
            continue
        as_ = "text" if kind == "control_textarea" else "nothing" if kind in _ABOUT_PERSONS else "attribute"
        name = answer.text("name") or number
        given.append(Given(name, value, answer.at("answer"), as_, aliases=(number, f"q{number}_{name}")))
    form = said.identifier("form_id") or ""
    return _feedback(said.required_identifier("id"), moment, given, email, form, context)


def _feedback(
    number: str, moment: Moment, given: list[Given], email: str | None, form: str, context: SourceContext
) -> Event:
    found = read_answers(given, context.defaults.questions)
    data = {
        "kind": "rating" if found.answers else None,
        "channel": context.defaults.channel or "web",
        "customer": {"type": "email", "value": email} if email else None,
        "answers": found.answers,
        "text": found.text,
        "collection_mode": "invited",
        "attributes": {"form": form[:200], **found.attributes},
    }
    return context.event(
        EventType.FEEDBACK_RECEIVED,
        f"submission:{number}@{moment.raw}" if moment.at != context.received_at else f"submission:{number}",
        moment,
        context.subject(SubjectKind.SURVEY, "submission", number),
        data,
        object=context.ref("submission", number),
        version=moment.version,
    )
