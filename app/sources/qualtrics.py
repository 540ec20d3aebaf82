"""Qualtrics: a thin event that a response is complete (signed `MSG`, or the same fields unwrapped).

It is `survey.answered` without a value; the puller brings the answers. `CompletedDate` names no zone: it is
read in the source's, else in Mountain Time, which Qualtrics writes by its own convention.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.bodies import embedded_json
from app.sources.errors import UnknownEventError
from app.sources.questions import Given, read_answers
from app.sources.reading import Reader
from app.sources.times import iso_time

MOUNTAIN = ZoneInfo("America/Denver")
_SAYS_NOTHING_TOPICS = ("activatesurvey", "deactivatesurvey", "startedrecipientsession", "partialresponse")


class QualtricsAdapter:
    """Adapter of Qualtrics' event subscriptions and of its responses."""

    name = "qualtrics"

    def items(self, payload: object) -> Sequence[Item]:
        """One event is one statement; pulled responses (`responses`) are one each."""
        reader = Reader.of(payload)
        if isinstance(reader.raw("responses"), list):
            return [Item(one.pointer, one.value) for one in reader.objects("responses")]
        return (Item("", payload),)

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """The events of one statement. Raises PayloadError, UnknownEventError."""
        said = Reader.of(item.value, item.pointer)
        if said.raw("values") is not None:
            return [_response(said, context)]
        where = said.at("MSG")
        message = said if said.raw("MSG") is None else Reader.of(embedded_json(said.raw("MSG"), where), where)
        topic = (said.text("Topic") or message.text("Topic") or "").lower()
        status = message.text("Status")
        if any(word in topic for word in _SAYS_NOTHING_TOPICS):
            return []
        if "completedresponse" not in topic and status != "Complete":
            raise UnknownEventError("Qualtrics", topic or None, pointer=said.at("Topic"))
        if status not in ("Complete", "Terminated", None):
            return []
        number = message.required_identifier("ResponseID")
        moment = iso_time(message.raw("CompletedDate"), context.zone or MOUNTAIN, message.at("CompletedDate"))
        survey = message.identifier("SurveyID") or ""
        return [
            context.event(
                EventType.SURVEY_ANSWERED,
                f"response:{number}:completed",
                moment,
                context.subject(SubjectKind.SURVEY, "response", number),
                {"collection_mode": "invited", "attributes": {"survey": survey}},
                object=context.ref("response", number),
                version=Decimal(0),  # any state that is pulled knows more
            )
        ]


def _response(response: Reader, context: SourceContext) -> Event:
    number = response.required_identifier("responseId")
    values = response.object("values")
    key = "recordedDate" if values.raw("recordedDate") else "endDate"
    moment = iso_time(values.raw(key), context.zone or MOUNTAIN, values.at(key))
    given = [
        Given(name, value, values.at(name), "text" if name.endswith("_TEXT") else "attribute")
        for name, value in values.value.items()
        if name.startswith("QID") and "_DO" not in name
    ]
    found = read_answers(given, context.defaults.questions)
    person = values.first("externalDataReference", "recipientEmail")
    data = {
        "kind": "rating" if found.answers else None,
        "channel": context.defaults.channel or "web",
        "customer": {"type": "external_id", "value": person} if person else None,
        "answers": found.answers,
        "text": found.text,
        "collection_mode": "invited",
        "attributes": found.attributes,
    }
    return context.event(
        EventType.FEEDBACK_RECEIVED,
        f"response:{number}@{moment.raw}",
        moment,
        context.subject(SubjectKind.SURVEY, "response", number),
        data,
        object=context.ref("response", number),
        version=moment.version,
    )
