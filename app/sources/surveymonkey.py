"""SurveyMonkey: a thin event that a response is there, and the response itself when it has been pulled.

The thin event is `survey.answered` without a value: it counts the answer, and the puller brings the rest as
a newer version of the same response. In a response the choices are ids: `questions` say by question id (or
`question:row`) what they mean, with `words` from choice id to value; free texts are text.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.errors import UnknownEventError, names
from app.sources.questions import Given, read_answers
from app.sources.reading import Reader
from app.sources.times import iso_time

_SAYS_NOTHING = names(
    "response_created response_updated response_deleted response_disqualified response_overquota "
    "survey_created survey_updated survey_deleted collector_created collector_updated collector_deleted "
    "app_installed app_uninstalled"
)


class SurveyMonkeyAdapter:
    """Adapter of SurveyMonkey's webhooks and of its responses."""

    name = "surveymonkey"

    def items(self, payload: object) -> Sequence[Item]:
        """One webhook or response is one statement; a pulled list (`data`) is one each."""
        reader = Reader.of(payload)
        if isinstance(reader.raw("data"), list):
            return [Item(one.pointer, one.value) for one in reader.objects("data")]
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one statement. Raises PayloadError, UnknownEventError."""
        said = Reader.of(item.value, item.pointer)
        if said.raw("pages") is not None or said.raw("response_status") is not None:
            return _response(said, context)
        kind = said.text("event_type")
        if kind in _SAYS_NOTHING:
            return []
        if kind != "response_completed":
            raise UnknownEventError("SurveyMonkey", kind, pointer=said.at("event_type"))
        moment = iso_time(said.raw("event_datetime"), pointer=said.at("event_datetime"))
        number = said.required_identifier("object_id")
        survey = said.object("resources").identifier("survey_id") or ""
        return [
            context.event(
                EventType.SURVEY_ANSWERED,
                said.required_identifier("event_id"),
                moment,
                context.subject(SubjectKind.SURVEY, "response", number),
                {"collection_mode": "invited", "attributes": {"survey": survey}},
                object=context.ref("response", number),
                version=Decimal(0),  # any state that is pulled knows more
            )
        ]


def _response(response: Reader, context: SourceContext) -> list[Event]:
    if response.text("response_status") not in ("completed", None):
        return []
    number = response.required_identifier("id")
    key = "date_modified" if response.raw("date_modified") else "date_created"
    changed = iso_time(response.raw(key), context.zone, response.at(key))
    given = [
        one
        for page in response.objects("pages")
        for question in page.objects("questions")
        for one in _given(question)
    ]
    # What the sender of the invitation wrote into its link: an order, an agent, a branch.
    told = response.object("custom_variables")
    given += [Given(key, value, told.at(key)) for key, value in told.value.items()]
    found = read_answers(given, context.defaults.questions)
    person = response.first("custom_value", "recipient_id")
    data = {
        "kind": "rating" if found.answers else None,
        "channel": context.defaults.channel or "web",
        "customer": {"type": "external_id", "value": person} if person else None,
        "answers": found.answers,
        "text": found.text,
        "collection_mode": "invited",
        "attributes": {"survey": response.identifier("survey_id") or "", **found.attributes},
    }
    return [
        context.event(
            EventType.FEEDBACK_RECEIVED,
            f"response:{number}@{changed.raw}",
            changed,
            context.subject(SubjectKind.SURVEY, "response", number),
            data,
            object=context.ref("response", number),
            version=changed.version,
        )
    ]


def _given(question: Reader) -> list[Given]:
    number = question.required_identifier("id")
    given = []
    for answer in question.objects("answers"):
        row = answer.identifier("row_id")
        key = f"{number}:{row}" if row else number
        if answer.raw("text") is not None:
            given.append(Given(key, answer.raw("text"), answer.at("text"), "text", aliases=(number,)))
        elif answer.raw("choice_id") is not None:
            value = answer.identifier("choice_id")
            given.append(Given(key, value, answer.at("choice_id"), aliases=(number,)))
    return given
