"""A mapping document compiled: rows in, events out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from app.domain.events import Event
from app.sources.base import SourceContext
from app.sources.errors import MappingError, PayloadError
from app.sources.mapping.data import columns_of
from app.sources.mapping.expression import Expression, compile_expression
from app.sources.mapping.forms import Form
from app.sources.mapping.functions import NOWHERE, Envelope
from app.sources.mapping.rules import EventRule, compile_rule
from app.sources.mapping.section import Section, wrong_type
from app.sources.mapping.values import Origin, Row, Value, compile_value

FORMATS = ("csv", "ndjson", "json")
MAX_EVENTS = 50

_KEYS: tuple[str, ...] = ("mapping", "id", "title", "format", "csv", "zone", "absent", "optional")
_KEYS += ("embedded", "items", "row_id", "events")


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """How a CSV file is written."""

    delimiter: str = ","
    encoding: str = "utf-8-sig"


@dataclass(frozen=True, slots=True)
class CompiledMapping:
    """A mapping ready to read rows. Stateless: the same row gives the same events for ever."""

    id: str
    format: str
    dialect: CsvDialect
    zone: ZoneInfo | None
    absent: frozenset[str]
    optional: frozenset[str]
    embedded: frozenset[str]
    items: Expression | None
    row_id: Value | None
    rules: tuple[EventRule, ...]

    def events(
        self,
        row: object,
        context: SourceContext,
        row_number: int | None = None,
        file_identity: str | None = None,
        envelope: Envelope = NOWHERE,
    ) -> list[Event]:
        """The events that one row or payload item states; none when no rule applies.

        `row_number` counts data rows from 1; `file_identity` is the SHA-256 (hex) of the whole file: both
        together name a row that has no id of its own. Raises PayloadError whose pointer starts with the row.
        """
        pointer = "" if row_number is None else f"/{row_number}"
        if not isinstance(row, Mapping):
            raise PayloadError(
                "wrong_type",
                f"{type(row).__name__} where an object belongs",
                pointer=pointer,
                cure="Send an object.",
            )
        zone = self.zone or context.zone
        unnamed = Row(row, pointer, context.received_at, zone, self.absent, None, envelope)
        identity = self._identity(unnamed, row_number, file_identity)
        named = replace(unnamed, identity=identity)
        events = [rule.event(named, context) for rule in self.rules if rule.applies(named)]
        if len({event.id for event in events}) < len(events):
            raise PayloadError(
                "duplicate_id",
                "two events of one row have one id",
                pointer=pointer,
                cure="Leave `id` out: the name of each event then tells them apart.",
            )
        return events

    def columns(self) -> frozenset[str]:
        """Names that rows must have: a file whose header lacks one was not written for this mapping.

        To import it anyway would give facts with holes, whose ids stand for ever.
        """
        return columns_of(self._origins()) - self.optional

    def headers(self) -> frozenset[str]:
        """Names of the headers that the mapping reads: they are kept with the payload."""
        expressions = (one for one in self._origins() if isinstance(one, Expression))
        return frozenset(name for one in expressions for name in one.headers())

    def _origins(self) -> Iterator[Origin]:
        if self.row_id is not None:
            yield self.row_id.origin
        for rule in self.rules:
            yield from rule.origins()

    def _identity(self, row: Row, row_number: int | None, file_identity: str | None) -> str | None:
        if self.row_id is not None:
            stated = self.row_id.read(row)
            if stated in (None, ""):
                raise PayloadError(
                    "row_id_missing",
                    "the row has no identity",
                    pointer=row.pointer_to(self.row_id.origin),
                    cure="Fill it in, or leave row_id out of the mapping to name rows by file and number.",
                )
            return str(stated)
        if row_number is not None and file_identity is not None:
            return f"row:{file_identity[:16]}:{row_number}"
        if all(rule.id is not None or rule.version is not None for rule in self.rules):
            return None
        # Equal payloads become one event. It is a guess, and the only name that such a payload has.
        return f"digest:{_digest(row.document)}"


def compile_mapping(document: object) -> CompiledMapping:
    """A mapping document v1 -> its compiled form. Raises MappingError at the first thing that is wrong."""
    section = Section.of(document, "")
    section.only(_KEYS)
    if section.required("mapping") != 1:
        raise MappingError(
            "unknown_version", "only version 1 is known", pointer="/mapping", cure='Write "mapping": 1.'
        )
    form = section.word("format", FORMATS)
    items = section.text("items")
    if items is not None and form != "json":
        raise MappingError(
            "unknown_key",
            f"'items' has no meaning in a {form} file, whose rows are the items",
            pointer="/items",
            cure="Leave it out.",
        )
    if "embedded" in section and form != "json":
        raise MappingError(
            "unknown_key",
            f"'embedded' has no meaning in a {form} file",
            pointer="/embedded",
            cure="Leave it out.",
        )
    return CompiledMapping(
        id=section.required_text("id"),
        format=form,
        dialect=_dialect(section, form),
        zone=section.zone("zone"),
        absent=_texts(section, "absent") | {""},
        optional=_texts(section, "optional"),
        embedded=_texts(section, "embedded"),
        items=None if items is None else compile_expression(items, "/items"),
        row_id=compile_value(section.value["row_id"], "/row_id", Form.IDENTIFIER)
        if "row_id" in section
        else None,
        rules=_rules(section, live=form == "json"),
    )


def _rules(section: Section, *, live: bool) -> tuple[EventRule, ...]:
    entries = section.items("events")
    if not 1 <= len(entries) <= MAX_EVENTS:
        raise MappingError(
            "wrong_size",
            f"{len(entries)} events",
            pointer="/events",
            cure=f"Describe between 1 and {MAX_EVENTS} events.",
        )
    rules = tuple(compile_rule(entry, pointer, live=live) for pointer, entry in entries)
    names = [rule.name for rule in rules]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise MappingError(
                "duplicate_name",
                f"two events are named {name!r}",
                pointer=f"/events/{index}",
                cure="Give each event a 'name' of its own: it is part of the event's id.",
            )
    return rules


def _dialect(section: Section, form: str) -> CsvDialect:
    if "csv" not in section:
        return CsvDialect()
    dialect = section.section("csv")
    if form != "csv":
        raise MappingError("unknown_key", f"'csv' in a {form} mapping", pointer="/csv", cure="Leave it out.")
    dialect.only(("delimiter", "encoding"))
    delimiter = dialect.text("delimiter") or ","
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise wrong_type(delimiter, "one character", dialect.at("delimiter"))
    encoding = dialect.text("encoding") or "utf-8-sig"
    try:
        "a".encode(encoding)
    except (LookupError, ValueError) as error:
        raise MappingError(
            "unknown_encoding",
            f"there is no encoding {encoding[:40]!r}",
            pointer=dialect.at("encoding"),
            cure="Use utf-8, utf-16, windows-1251, ...",
        ) from error
    return CsvDialect(delimiter, encoding)


def _texts(section: Section, key: str) -> frozenset[str]:
    """A list of texts, none when absent."""
    if key not in section:
        return frozenset()
    words: set[str] = set()
    for pointer, word in section.items(key):
        if not isinstance(word, str):
            raise wrong_type(word, "text", pointer)
        words.add(word.strip())
    return frozenset(words)


def _digest(document: Mapping[str, object]) -> str:
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]
