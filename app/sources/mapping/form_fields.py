"""The answers of a form in a mapping: each field read by what the source's `questions` say of its key.

    "form": {"each": "data.fields", "key": "label", "value": "value",
             "as": {"path": "type", "map": {"TEXTAREA": "text"}, "default": "attribute"},
             "scale": {"path": "type", "map": {"RATING": "stars_1_5"}, "default": null}, "measure": VALUE}

One mapping serves every form of a tool: a field that `questions` name is an answer on their scale, or text;
else it is what `as` says, an attribute by default, so that `reprocess` scores it once it is explained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.domain.events import EventType
from app.domain.scales import SCALES
from app.sources.base import SourceContext
from app.sources.errors import MappingError
from app.sources.mapping.expression import Expression, compile_expression
from app.sources.mapping.forms import Form
from app.sources.mapping.section import Section
from app.sources.mapping.values import Row, Value, compile_value
from app.sources.questions import Given, read_answers
from app.sources.shapes import ANSWER, shape_of

_KINDS = frozenset({"score", "text", "attribute", "nothing"})
MAX_FIELDS = 300


@dataclass(frozen=True, slots=True)
class FormRule:
    """A compiled `form`. `value` may find a list: a question with several choices."""

    each: Expression
    key: Value
    value: Expression
    as_: Value | None
    scale: Value | None
    measure: Value | None

    def added(self, stated: dict[str, object], row: Row, context: SourceContext) -> dict[str, object]:
        """`stated` with what the fields of the form say. Raises PayloadError."""
        found = self.each.search(row.document, row.pointer, row.envelope)
        elements = found if isinstance(found, list) else [found]
        fields = [replace(row, document=one) for one in elements[:MAX_FIELDS] if isinstance(one, Mapping)]
        read = read_answers((self._given(one) for one in fields), context.defaults.questions)
        answers, attributes, text = stated.get("answers"), stated.get("attributes"), stated.get("text")
        texts = filter(None, (text if isinstance(text, str) else None, read.text))
        return stated | {
            "answers": [*(answers if isinstance(answers, list) else []), *read.answers],
            "attributes": {**read.attributes, **(attributes if isinstance(attributes, dict) else {})},
            "text": "\n".join(texts),
        }

    def _given(self, field: Row) -> Given:
        return Given(
            key=_text(self.key, field) or "field",
            value=self.value.search(field.document, field.pointer, field.envelope),
            pointer=field.pointer,
            as_=_text(self.as_, field) or "attribute",
            scale=_text(self.scale, field),
            measure=_text(self.measure, field),
        )


def compile_form(section: Section, event_type: EventType) -> FormRule:
    """The `form` of an event's rule. Raises MappingError, also where the event carries no answers."""
    form = section.section("form")
    if "answers" not in shape_of(event_type):
        raise MappingError(
            "unknown_key",
            f"{event_type.value} carries no answers",
            pointer=section.at("form"),
            cure="Use it with feedback.received.",
        )
    form.only(("each", "key", "value", "as", "scale", "measure"))
    form.required("key")
    return FormRule(
        each=compile_expression(form.required_text("each"), form.at("each")),
        key=compile_value(form.value["key"], form.at("key"), Form.TEXT),
        value=compile_expression(form.required_text("value"), form.at("value")),
        as_=_optional(form, "as", _KINDS),
        scale=_optional(form, "scale", frozenset(SCALES)),
        measure=_optional(form, "measure", ANSWER["measure"].words),
    )


def _optional(form: Section, key: str, words: frozenset[str] | None) -> Value | None:
    if key not in form:
        return None
    return compile_value(form.value[key], form.at(key), Form.TEXT, words)


def _text(value: Value | None, row: Row) -> str | None:
    found = None if value is None else value.read(row)
    return None if found is None else str(found)
