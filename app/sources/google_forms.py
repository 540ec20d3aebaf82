"""Google Forms: responses as its API lists them; every answer is text, scales too.

`questions` say by question id what they ask. An answer with a space in it is text, the rest are attributes.
A Pub/Sub notice of a watch names the form and nothing else: it says nothing, the puller brings the response.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.events import Event, EventType, SubjectKind
from app.sources.base import Item, SourceContext
from app.sources.questions import Given, read_answers
from app.sources.reading import Reader
from app.sources.times import iso_time


class GoogleFormsAdapter:
    """Adapter of the responses of Google Forms."""

    name = "google_forms"

    def items(self, payload: object) -> Sequence[Item]:
        """One item per response."""
        reader = Reader.of(payload)
        if reader.raw("responseId") is not None:
            return (Item("", payload),)
        return [Item(one.pointer, one.value) for one in reader.objects("responses")]

    def events(self, item: Item, context: SourceContext) -> list[Event]:
        """A response. Raises PayloadError."""
        response = Reader.of(item.value, item.pointer)
        number = response.required_identifier("responseId")
        key = "lastSubmittedTime" if response.raw("lastSubmittedTime") else "createTime"
        moment = iso_time(response.raw(key), pointer=response.at(key))
        answers = response.object("answers")
        given = [_given(key, answers.object(key)) for key in answers.value]
        found = read_answers(given, context.defaults.questions)
        email = response.identifier("respondentEmail")
        data = {
            "kind": "rating" if found.answers else None,
            "channel": context.defaults.channel or "web",
            "customer": {"type": "email", "value": email} if email else None,
            "answers": found.answers,
            "text": found.text,
            "collection_mode": "invited",
            "attributes": found.attributes,
        }
        return [
            context.event(
                EventType.FEEDBACK_RECEIVED,
                f"response:{number}@{moment.raw}",
                moment,
                context.subject(SubjectKind.SURVEY, "response", number),
                data,
                object=context.ref("response", number),
                version=moment.version,
            )
        ]


def _given(key: str, answer: Reader) -> Given:
    values = [one.raw("value") for one in answer.object("textAnswers").objects("answers")]
    written = len(values) == 1 and isinstance(values[0], str) and " " in values[0].strip()
    return Given(
        key, values[0] if len(values) == 1 else values, answer.pointer, "text" if written else "attribute"
    )
