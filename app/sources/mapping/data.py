"""The `data` of a rule: a template that follows the shape of its event type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from app.domain.events import EventType
from app.domain.scales import SCALES
from app.sources.errors import MappingError, PayloadError
from app.sources.mapping.expression import Expression, compile_expression
from app.sources.mapping.forms import Form
from app.sources.mapping.moments import TimeValue, compile_time
from app.sources.mapping.section import Section, unknown_word, wrong_type
from app.sources.mapping.values import (
    Column,
    Origin,
    Row,
    Value,
    compile_value,
    constant_as_path,
)
from app.sources.questions import MAX_ANSWERS
from app.sources.shapes import ANSWER, CUSTOMER, Field, Kind, Shape, is_attribute_name, shape_of

# Words that a mapping means as they stand, and that could be read as a path.
_CUSTOMER_TYPES = ("email", "phone", "external_id", "customer_id")


@dataclass(frozen=True, slots=True)
class Part:
    """One key of the data: how it is read, and the places of the row it reads."""

    key: str
    read: Callable[[Row], object]
    origins: tuple[Origin, ...]


def compile_data(document: object, pointer: str, event_type: EventType) -> tuple[Part, ...]:
    """The template, key by key. Raises MappingError for a key that the event type does not carry."""
    section = Section.of(document, pointer)
    shape = shape_of(event_type)
    return tuple(
        _part(key, value, section.at(key), _field(shape, key, section.at(key)))
        for key, value in section.value.items()
    )


def read_data(parts: tuple[Part, ...], row: Row) -> dict[str, object]:
    """The data that the row states; what it does not say is left out. Raises PayloadError."""
    read = ((part.key, part.read(row)) for part in parts)
    return {key: value for key, value in read if value not in (None, "", {}, [])}


def _field(shape: Shape, key: str, pointer: str) -> Field:
    if key not in shape:
        raise unknown_word("unknown_key", key, shape.keys(), pointer)
    return shape[key]


def _part(key: str, document: object, pointer: str, field: Field) -> Part:
    match field.kind:
        case Kind.TIME:
            time = compile_time(document, pointer, live=False, days=False)
            return Part(key, _instant_reader(time), () if time.origin is None else (time.origin,))
        case Kind.CUSTOMER:
            return _object_part(key, document, pointer, CUSTOMER, needs="value")
        case Kind.ANSWERS:
            return _answers_part(key, document, pointer)
        case Kind.KEYS:
            return _keys_part(key, document, pointer)
        case Kind.ATTRIBUTES:
            return _attributes_part(key, document, pointer)
        case Kind.TEXT | Kind.NUMBER | Kind.BOOLEAN | Kind.SCALAR:
            value = compile_value(document, pointer, _form(field.kind), _words(key, field))
            return Part(key, value.read, (value.origin,))
        case _:
            assert_never(field.kind)


def _words(key: str, field: Field) -> frozenset[str] | None:
    """The closed vocabulary of a key; a scale is one that we know, whatever else is open."""
    return frozenset(SCALES) if key == "scale" else field.words


def _form(kind: Kind) -> Form:
    forms = {Kind.TEXT: Form.TEXT, Kind.NUMBER: Form.NUMBER, Kind.BOOLEAN: Form.BOOLEAN}
    return forms.get(kind, Form.AS_IS)


def _object_part(key: str, document: object, pointer: str, shape: Shape, needs: str) -> Part:
    """An object that is left out whole where the row does not say what it `needs`."""
    section = Section.of(document, pointer)
    section.only(shape.keys())
    section.required(needs)
    values = {
        name: compile_value(value, section.at(name), _form(shape[name].kind), _words(name, shape[name]))
        for name, value in section.value.items()
    }
    if section.value.get("type") in _CUSTOMER_TYPES:
        raise constant_as_path(str(section.value["type"]), section.at("type"))
    named = values.get("question")

    def read(row: Row) -> object:
        stated = _stated(values, row)
        if needs not in stated:
            return None
        if named is not None and "question" not in stated:
            raise PayloadError(
                "question_missing",
                "the answer names no question",
                pointer=row.pointer_to(named.origin),
                cure=f'Write {{"value": "csat"}} at {named.place} if its name is always the same.',
            )
        return stated

    return Part(key, read, tuple(value.origin for value in values.values()))


def _answers_part(key: str, document: object, pointer: str) -> Part:
    """Several answers; one that was skipped (no value) is not an answer and is left out."""
    if isinstance(document, Mapping):
        return _each_part(key, document, pointer)
    if not isinstance(document, list | tuple):
        raise wrong_type(document, "a list of answers", pointer)
    parts = [
        _object_part(str(index), answer, f"{pointer}/{index}", ANSWER, needs="value")
        for index, answer in enumerate(document)
    ]

    def read(row: Row) -> object:
        return [answer for part in parts if (answer := part.read(row)) is not None]

    return Part(key, read, tuple(origin for part in parts for origin in part.origins))


def _keys_part(key: str, document: object, pointer: str) -> Part:
    """A list of names; what the row does not say is left out of it."""
    if not isinstance(document, list | tuple):
        raise wrong_type(document, "a list of values", pointer)
    values = [compile_value(one, f"{pointer}/{index}", Form.TEXT) for index, one in enumerate(document)]

    def read(row: Row) -> object:
        return [said for value in values if (said := value.read(row)) is not None]

    return Part(key, read, tuple(value.origin for value in values))


def _each_part(key: str, document: Mapping[str, object], pointer: str) -> Part:
    """One answer per element of a list in the row, however many there are; the first 50 count."""
    section = Section.of(document, pointer)
    section.only((*ANSWER, "each"))
    each = compile_expression(section.required_text("each"), section.at("each"))
    answer = {name: value for name, value in document.items() if name != "each"}
    part = _object_part(key, answer, pointer, ANSWER, needs="value")

    def read(row: Row) -> object:
        found = each.search(row.document, row.pointer, row.envelope)
        elements = found if isinstance(found, list) else [] if found is None else [found]
        rows = [replace(row, document=one) for one in elements[:MAX_ANSWERS] if isinstance(one, Mapping)]
        return [said for one in rows if (said := part.read(one)) is not None]

    return Part(key, read, (each,))


def _attributes_part(key: str, document: object, pointer: str) -> Part:
    section = Section.of(document, pointer)
    for name in section.value:
        if not is_attribute_name(name):
            raise MappingError(
                "bad_name",
                f"{name[:70]!r} is no attribute name",
                pointer=section.at(name),
                cure="Use letters, digits and underscores, a letter first, 63 at most.",
            )
    values = {
        name: compile_value(value, section.at(name), Form.AS_IS) for name, value in section.value.items()
    }
    return Part(key, lambda row: _stated(values, row), tuple(value.origin for value in values.values()))


def _stated(values: Mapping[str, Value], row: Row) -> dict[str, object]:
    read = ((name, value.read(row)) for name, value in values.items())
    return {name: value for name, value in read if value is not None}


def _instant_reader(time: TimeValue) -> Callable[[Row], object]:
    def read(row: Row) -> object:
        moment = time.read(row)
        return None if moment is None else _rfc3339(moment.at)

    return read


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def columns_of(origins: Iterator[Origin]) -> frozenset[str]:
    """Names of the row's keys that these places read."""
    names: set[str] = set()
    for origin in origins:
        if isinstance(origin, Expression):
            names |= origin.fields()
        elif isinstance(origin, Column):
            names.add(origin.name)
    return frozenset(names)
