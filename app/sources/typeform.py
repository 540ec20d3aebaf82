"""Typeform: submitted responses. A field's type says what an answer is; a quiz score (`calculated`) is none.

`nps` is 0-10. How many steps a `rating` or an `opinion_scale` has, the payload tells only where the form's
definition carries its `properties`; else the source's `questions` do (by the field's ref or id). Long and
short texts are text; e-mail and phone fields say who it was; everything else is an attribute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import UnknownEventError
from app.sources.questions import Given, read_answers
from app.sources.reading import Reader
from app.sources.times import iso_time

# (type, steps, starts at one) -> scale and measure, where the shape of the scale is one that we know.
_SCALES: Mapping[tuple[str, int, bool], tuple[str, str]] = {
    ("rating", 5, True): ("stars_1_5", "stars"),
    ("rating", 4, True): ("smiley_4", "csat"),
    ("rating", 7, True): ("csat_1_7", "csat"),
    ("rating", 10, True): ("csat_1_10", "csat"),
    ("opinion_scale", 5, True): ("csat_1_5", "csat"),
    ("opinion_scale", 7, True): ("csat_1_7", "csat"),
    ("opinion_scale", 10, True): ("csat_1_10", "csat"),
    ("opinion_scale", 11, False): ("nps_0_10", "nps"),
}
_TEXTS = ("long_text", "short_text")
_HIDDEN_IDENTITIES = (
    ("email", "email"),
    ("phone", "phone"),
    ("user_id", "external_id"),
    ("id", "external_id"),
)
_IDENTITIES = frozenset(key for key, _ in _HIDDEN_IDENTITIES)


class TypeformAdapter:
    """Adapter of Typeform's webhooks, and of responses pulled from its API."""

    name = "typeform"

    def items(self, payload: object) -> Sequence[Item]:
        """One webhook is one statement; a pulled list (`items`) is one each."""
        reader = Reader.of(payload)
        if isinstance(reader.raw("items"), list) and reader.raw("event_type") is None:
            return [
                Item(one.pointer, {"event_type": "form_response", "form_response": one.value})
                for one in reader.objects("items")
            ]
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The response of one webhook. Raises PayloadError, UnknownEventError."""
        hook = Reader.of(item.value, item.pointer)
        kind = hook.text("event_type")
        if kind == "form_response_partial":
            return []
        if kind != "form_response":
            raise UnknownEventError("Typeform", kind, pointer=hook.at("event_type"))
        return [_response(hook, hook.object("form_response"), context)]


def _response(hook: Reader, response: Reader, context: SourceContext) -> Event:
    token = response.required_identifier("token")
    submitted = iso_time(response.raw("submitted_at"), context.zone, response.at("submitted_at"))
    fields = {field.identifier("id"): field for field in response.object("definition").objects("fields")}
    answers = response.objects("answers")
    given = [_given(answer, fields.get(answer.object("field").identifier("id"))) for answer in answers]
    hidden = response.object("hidden")
    given += [Given(key, hidden.raw(key), hidden.at(key)) for key in hidden.value if key not in _IDENTITIES]
    found = read_answers(given, context.defaults.questions)
    form = response.object("definition").text("title") or response.identifier("form_id") or ""
    data = {
        "kind": "rating" if found.answers else None,
        "channel": context.defaults.channel or "web",
        "customer": _customer(response, answers),
        "answers": found.answers,
        "text": found.text,
        "collection_mode": "invited",
        "attributes": {"form": form[:200], **found.attributes},
    }
    return context.event(
        EventType.FEEDBACK_RECEIVED,
        hook.identifier("event_id") or f"response:{token}",
        submitted,
        context.subject(SubjectKind.SURVEY, "response", token),
        data,
        object=context.ref("response", token),
        version=submitted.version,
    )


def _given(answer: Reader, definition: Reader | None) -> Given:
    field = answer.object("field")
    kind = field.text("type") or ""
    number = field.identifier("id") or "field"
    ref = field.identifier("ref") or (definition.identifier("ref") if definition is not None else None)
    value = _value(answer)
    scale, measure = _scale(kind, definition.object("properties") if definition is not None else Reader())
    if kind in ("email", "phone_number", "file_upload", "payment", "contact_info", "address"):
        as_ = "nothing"
    else:
        as_ = "score" if scale else "text" if kind in _TEXTS else "attribute"
    return Given(ref or number, value, answer.pointer, as_, scale, measure, aliases=(number,))


def _scale(kind: str, properties: Reader) -> tuple[str | None, str | None]:
    if kind == "nps":
        return "nps_0_10", "nps"
    steps = properties.raw("steps")
    if not isinstance(steps, int):
        return None, None
    from_one = kind == "rating" or properties.flag("start_at_one")
    return _SCALES.get((kind, steps, from_one), (None, None))


def _value(answer: Reader) -> object:
    match answer.text("type"):
        case "choice":
            choice = answer.object("choice")
            return choice.raw("label") or choice.raw("other")
        case "choices":
            return answer.object("choices").raw("labels")
        case str(kind):
            return answer.raw(kind)
        case None:
            return None


def _customer(response: Reader, answers: Sequence[Reader]) -> dict[str, str] | None:
    hidden = response.object("hidden")
    for key, kind in _HIDDEN_IDENTITIES:
        if value := hidden.identifier(key):
            return {"type": kind, "value": value}
    for answer in answers:
        for key, kind in (("email", "email"), ("phone_number", "phone")):
            if answer.text("type") == key and (value := answer.identifier(key)):
                return {"type": kind, "value": value}
    return None
