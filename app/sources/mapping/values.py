"""What a mapping reads from a row: a scalar VALUE, from a place, through words, in a form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from app.sources.errors import MappingError, PayloadError
from app.sources.mapping.expression import Expression, compile_expression
from app.sources.mapping.forms import CASTS, Form, formed
from app.sources.mapping.functions import NOWHERE, Envelope
from app.sources.mapping.section import Scalar, Section, join, unknown_word, wrong_type

_PLACES = ("path", "column", "value")


@dataclass(frozen=True, slots=True)
class Row:
    """One row or payload item while it is being read; `pointer` leads to it from the file or payload."""

    document: Mapping[str, object]
    pointer: str
    received_at: datetime
    zone: ZoneInfo | None
    absent: frozenset[str]
    identity: str | None = None
    envelope: Envelope = NOWHERE

    def find(self, origin: Origin) -> object:
        """The raw value at a place, None where the row says nothing."""
        match origin:
            case Column(name):
                found = self.document.get(name)
            case Constant(value):
                return value
            case Expression():
                found = origin.search(self.document, self.pointer, self.envelope)
            case _:
                assert_never(origin)
        if isinstance(found, str):
            found = found.strip()
            return None if found in self.absent else found
        return found

    def pointer_to(self, origin: Origin) -> str:
        """Pointer to the place, as near as it can be told."""
        return join(self.pointer, origin.name) if isinstance(origin, Column) else self.pointer


@dataclass(frozen=True, slots=True)
class Column:
    """A key of the row, taken literally."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The same for every row."""

    value: Scalar


Origin = Column | Expression | Constant


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar of the row, translated by `words`, with a default, in the form its key wants.

    `lenient`: a default was written, be it null: what the words do not know is that.
    """

    place: str
    origin: Origin
    form: Form
    words: Mapping[str, Scalar | None] | None = None
    default: Scalar | None = None
    allowed: frozenset[str] | None = None
    lenient: bool = False

    def read(self, row: Row) -> Scalar | None:
        """The value, or None where the row says nothing. Raises PayloadError with the place and the cure."""
        found = row.find(self.origin)
        if found is None:
            return self.default
        if self.words is not None:
            return self._translate(found, row)
        return self._check(formed(found, self.form, row.pointer_to(self.origin)), row)

    def _translate(self, found: object, row: Row) -> Scalar | None:
        key = str(found).lower() if isinstance(found, bool) else str(found)
        words = self.words or {}
        if key in words:
            return words[key]
        if self.default is not None or self.lenient:
            return self.default
        raise PayloadError(
            "unmapped_value",
            f"{key[:60]!r} has no word in the map at {self.place}",
            pointer=row.pointer_to(self.origin),
            cure="Add it to the map, or give the map a default (null: what it lacks says nothing).",
        )

    def _check(self, value: Scalar, row: Row) -> Scalar:
        if self.allowed is not None and value not in self.allowed:
            raise PayloadError(
                "unknown_word",
                f"{str(value)[:60]!r} is none of {', '.join(sorted(self.allowed))}",
                pointer=row.pointer_to(self.origin),
                cure=f"Translate it with a map at {self.place}.",
            )
        return value


def compile_value(document: object, pointer: str, form: Form, allowed: frozenset[str] | None = None) -> Value:
    """A VALUE of the document. Raises MappingError."""
    if isinstance(document, str):
        if allowed is not None and document in allowed:
            raise constant_as_path(document, pointer)
        return Value(pointer, compile_expression(document, pointer), form, allowed=allowed)
    section = Section.of(document, pointer)
    section.only(("path", "column", "value", "map", "default", *(("cast",) if form is Form.AS_IS else ())))
    if "cast" in section:
        form = Form(section.word("cast", CASTS))
    origin = origin_of(section)
    if isinstance(origin, Constant):
        section.only(("value", "cast"))
        origin = Constant(_constant(origin.value, section.at("value"), form, allowed))
    default = section.value.get("default")
    return Value(
        pointer,
        origin,
        form,
        words=_words(section, form, allowed) if "map" in section else None,
        default=None if default is None else _constant(default, section.at("default"), form, allowed),
        allowed=allowed,
        lenient="default" in section,
    )


def origin_of(section: Section) -> Origin:
    """The one place that a VALUE or a TIME names. Raises MappingError."""
    given = [key for key in _PLACES if key in section]
    if len(given) != 1:
        raise MappingError(
            "place_unclear",
            f"{len(given)} of path, column and value are given",
            pointer=section.pointer,
            cure="Give exactly one of them.",
        )
    if given == ["path"]:
        return compile_expression(section.required_text("path"), section.at("path"))
    if given == ["column"]:
        return Column(section.required_text("column"))
    return Constant(_scalar(section.required("value"), section.at("value")))


def _words(section: Section, form: Form, allowed: frozenset[str] | None) -> Mapping[str, Scalar | None]:
    words = section.section("map")
    return {
        raw: None if word is None else _constant(word, words.at(raw), form, allowed)
        for raw, word in words.value.items()
    }


def _constant(value: object, pointer: str, form: Form, allowed: frozenset[str] | None) -> Scalar:
    scalar = _scalar(value, pointer)
    try:
        scalar = formed(scalar, form, pointer)
    except PayloadError as error:
        raise MappingError(error.reason, error.detail, pointer=pointer, cure=error.cure) from error
    if allowed is not None and scalar not in allowed:
        raise unknown_word("unknown_word", str(scalar), allowed, pointer)
    return scalar


def _scalar(value: object, pointer: str) -> Scalar:
    if not isinstance(value, str | int | float | bool):
        raise wrong_type(value, "a text, a number, true or false", pointer)
    return value


def constant_as_path(word: str, pointer: str) -> MappingError:
    """The error of a word that was meant as it stands."""
    return MappingError(
        "constant_as_path",
        f"{word!r} is read as a path into the row, and it is a word of this key",
        pointer=pointer,
        cure=f'Write {{"value": "{word}"}} for the constant, {{"path": "{word}"}} for the field.',
    )
