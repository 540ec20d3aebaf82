"""When something happened, as a mapping reads it from a row: a TIME."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.sources.errors import PayloadError
from app.sources.mapping.expression import compile_expression
from app.sources.mapping.section import Section, unknown_word, wrong_type
from app.sources.mapping.values import Origin, Row, origin_of
from app.sources.times import (
    Moment,
    epoch_milliseconds,
    epoch_seconds,
    iso_day,
    iso_time,
    patterned_time,
    start_of_day,
)

FORMATS = ("iso", "epoch_s", "epoch_ms", "rfc_2822")
MAX_FORMATS = 5
RFC_2822 = "%a, %d %b %Y %H:%M:%S %z"


@dataclass(frozen=True, slots=True)
class TimeValue:
    """A time of the row; `origin` None means the arrival of the payload."""

    place: str
    origin: Origin | None
    formats: tuple[str, ...] = ("iso",)
    zone: ZoneInfo | None = None
    day: bool = False

    def read(self, row: Row) -> Moment | None:
        """The instant, or None where the row says nothing. Raises PayloadError."""
        if self.origin is None:
            return Moment(row.received_at, row.received_at.isoformat())
        found = row.find(self.origin)
        if found is None:
            return None
        zone, pointer = self.zone or row.zone, row.pointer_to(self.origin)
        if self.day and "iso" in self.formats and isinstance(found, str) and len(found) == 10:
            return iso_day(found, zone, pointer)
        moment = self._instant(found, zone, pointer)
        return start_of_day(moment, zone, pointer) if self.day else moment

    def _instant(self, found: object, zone: ZoneInfo | None, pointer: str) -> Moment:
        """The first format that fits; of none of them, what the last one says."""
        for form in self.formats[:-1]:
            try:
                return _written(form, found, zone, pointer)
            except PayloadError as error:
                if error.reason != "time_invalid":
                    raise
        return _written(self.formats[-1], found, zone, pointer)


def compile_time(document: object, pointer: str, *, live: bool, days: bool) -> TimeValue:
    """A TIME of the document; `live` admits the arrival, `days` admits day precision. Raises MappingError."""
    if isinstance(document, str):
        return TimeValue(pointer, compile_expression(document, pointer))
    section = Section.of(document, pointer)
    if live and "received_at" in section:
        section.only(("received_at",))
        if section.value["received_at"] is not True:
            raise wrong_type(section.value["received_at"], "true", section.at("received_at"))
        return TimeValue(pointer, None)
    section.only(("path", "column", "format", "zone", *(("precision",) if days else ())))
    forms = _formats(section)
    day = "precision" in section and section.word("precision", ("day", "instant")) == "day"
    return TimeValue(pointer, origin_of(section), forms, section.zone("zone"), day)


def _formats(section: Section) -> tuple[str, ...]:
    """One format or a list of them, tried in turn."""
    written = section.value.get("format", "iso")
    forms = tuple(written) if isinstance(written, list | tuple) else (written,)
    if not 1 <= len(forms) <= MAX_FORMATS:
        raise wrong_type(written, f"one format or a list of up to {MAX_FORMATS}", section.at("format"))
    for form in forms:
        if not isinstance(form, str):
            raise wrong_type(form, "a format written as text", section.at("format"))
        if form not in FORMATS and "%" not in form:
            raise unknown_word("unknown_word", form, FORMATS, section.at("format"))
    return forms


def _written(form: str, found: object, zone: ZoneInfo | None, pointer: str) -> Moment:
    match form:
        case "iso":
            return iso_time(found, zone, pointer)
        case "epoch_s":
            return epoch_seconds(found, pointer)
        case "epoch_ms":
            return epoch_milliseconds(found, pointer)
        case "rfc_2822":
            return patterned_time(found, RFC_2822, zone, pointer)
        case pattern:
            return patterned_time(found, pattern, zone, pointer)
