"""One entry of `events`: when a row states an event of a type, and how that event is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never

from app.domain.events import Event, EventType, Subject, SubjectKind
from app.sources.base import SourceContext
from app.sources.errors import MappingError, PayloadError
from app.sources.mapping.data import Part, compile_data, read_data
from app.sources.mapping.expression import Expression, compile_expression
from app.sources.mapping.form_fields import FormRule, compile_form
from app.sources.mapping.forms import Form
from app.sources.mapping.moments import TimeValue, compile_time
from app.sources.mapping.section import Section, unknown_word
from app.sources.mapping.values import Column, Origin, Row, Value, compile_value

_KEYS = ("name", "when", "type", "id", "occurred_at", "subject", "object", "version", "data", "form")
_STATABLE = frozenset(kind.value for kind in EventType if not kind.is_derived)


@dataclass(frozen=True, slots=True)
class SubjectRule:
    """Kind and reference of the subject; without a reference it is the row itself."""

    kind: SubjectKind
    ref: Value | None


@dataclass(frozen=True, slots=True)
class EventRule:
    """A compiled entry of `events`."""

    name: str
    type: EventType
    when: Expression | Column | None
    id: Value | None
    occurred_at: TimeValue
    subject: SubjectRule | None
    versioned: Value | None
    version: Value | TimeValue | None
    data: tuple[Part, ...]
    form: FormRule | None = None

    def applies(self, row: Row) -> bool:
        """Whether the row states this event at all."""
        match self.when:
            case None:
                return True
            case Column():
                return row.find(self.when) is not None
            case Expression():
                return self.when.holds(row.document, row.pointer, row.envelope)
            case _:
                assert_never(self.when)

    def event(self, row: Row, context: SourceContext) -> Event:
        """The event that the row states. Raises PayloadError."""
        moment = self.occurred_at.read(row)
        if moment is None:
            raise PayloadError(
                "time_missing",
                f"the row says no time for {self.name!r}",
                pointer=row.pointer,
                cure="Guard the event with `when`, or mend the row.",
            )
        stated_object = None if self.versioned is None else self.versioned.read(row)
        version = _version(self.version, row)
        return Event(
            type=self.type,
            id=self._id(row, stated_object, version),
            source=context.source,
            occurred_at=moment.at,
            time_raw=moment.raw,
            day_precision=self.occurred_at.day,
            subject=self._subject(row, context),
            object=None if stated_object is None else str(stated_object),
            version=version,
            data=context.data(self.type, self._data(row, context)),
        )

    def _data(self, row: Row, context: SourceContext) -> dict[str, object]:
        stated = read_data(self.data, row)
        return stated if self.form is None else self.form.added(stated, row, context)

    def origins(self) -> Iterator[Origin]:
        """Every place of the row that the rule reads."""
        if self.when is not None:
            yield self.when
        for value in (self.id, self.occurred_at, self.versioned, self.version, self._subject_ref):
            if value is not None and value.origin is not None:
                yield value.origin
        for part in self.data:
            yield from part.origins
        if self.form is not None:
            yield self.form.each

    @property
    def _subject_ref(self) -> Value | None:
        return None if self.subject is None else self.subject.ref

    def _id(self, row: Row, stated_object: object, version: Decimal | None) -> str:
        if self.id is not None:
            return str(_required(self.id.read(row), "id", row))
        if row.identity is not None:
            return f"{row.identity}:{self.name}"
        if stated_object is not None and version is not None:
            return f"{stated_object}@{version}:{self.name}"
        raise PayloadError(
            "id_missing",
            "nothing names this event",
            pointer=row.pointer,
            cure="Give the mapping a row_id, an id, or an object with a version.",
        )

    def _subject(self, row: Row, context: SourceContext) -> Subject | None:
        if self.subject is None:
            return None
        stated = row.identity if self.subject.ref is None else self.subject.ref.read(row)
        return Subject(
            self.subject.kind, context.defaults.ref_prefix + str(_required(stated, "subject", row))
        )


def compile_rule(document: object, pointer: str, *, live: bool) -> EventRule:
    """One entry of `events`. Raises MappingError."""
    section = Section.of(document, pointer)
    section.only(_KEYS)
    event_type = EventType(section.word("type", _STATABLE))
    return EventRule(
        name=section.text("name") or event_type.value,
        type=event_type,
        when=_condition(section),
        id=_value(section, "id", Form.IDENTIFIER),
        occurred_at=compile_time(
            section.required("occurred_at"), section.at("occurred_at"), live=live, days=True
        ),
        subject=_subject_rule(section),
        versioned=_value(section, "object", Form.IDENTIFIER),
        version=_version_rule(section),
        data=compile_data(section.value.get("data", {}), section.at("data"), event_type),
        form=compile_form(section, event_type) if "form" in section else None,
    )


def _condition(section: Section) -> Expression | Column | None:
    """JMESPath that must hold, or a column that must say something."""
    if not isinstance(section.value.get("when"), dict):
        when = section.text("when")
        return None if when is None else compile_expression(when, section.at("when"))
    condition = section.section("when")
    condition.only(("column",))
    return Column(condition.required_text("column"))


def _value(section: Section, key: str, form: Form) -> Value | None:
    return compile_value(section.value[key], section.at(key), form) if key in section else None


def _subject_rule(section: Section) -> SubjectRule | None:
    if "subject" not in section:
        return None
    subject = section.section("subject")
    subject.only(("kind", "ref"))
    kind = subject.required("kind")
    kinds = [known.value for known in SubjectKind]
    if kind not in kinds:
        raise unknown_word("unknown_word", str(kind), kinds, subject.at("kind"))
    return SubjectRule(SubjectKind(str(kind)), _value(subject, "ref", Form.IDENTIFIER))


def _version_rule(section: Section) -> Value | TimeValue | None:
    if "version" not in section:
        return None
    if "object" not in section:
        raise MappingError(
            "missing_key",
            "a version without the object it is a version of",
            pointer=section.pointer,
            cure="Add 'object'.",
        )
    document, pointer = section.value["version"], section.at("version")
    if isinstance(document, dict) and "format" in document:
        return compile_time(document, pointer, live=False, days=False)
    return compile_value(document, pointer, Form.NUMBER)


def _version(rule: Value | TimeValue | None, row: Row) -> Decimal | None:
    if rule is None:
        return None
    if isinstance(rule, TimeValue):
        moment = rule.read(row)
        return None if moment is None else moment.version
    stated = rule.read(row)
    return None if stated is None else Decimal(str(stated))


def _required(stated: object, what: str, row: Row) -> object:
    if stated in (None, ""):
        raise PayloadError(
            f"{what}_missing",
            f"the row says no {what}",
            pointer=row.pointer,
            cure=f"Mend the row, or the mapping's {what}.",
        )
    return stated
