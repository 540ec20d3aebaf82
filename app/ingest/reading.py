"""Bytes to events: JSON object, array, NDJSON, structured CloudEvents; each item is judged by itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from app.domain.errors import InvalidError
from app.domain.events import Event, EventType, Subject, SubjectKind
from app.ingest.cloudevents import binary_event, envelope_of, is_binary
from app.ingest.schemas import DATA_MODELS, EventIn
from app.journal.ports import OWN_SOURCE
from app.kit import json
from app.kit.http import BodyError
from app.kit.turns import in_slices

MAX_EVENTS = 10_000
JSON_TYPES = ("application/json", "application/cloudevents+json")
NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
BATCH_TYPES = ("application/cloudevents-batch+json",)

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)?")
_EARLIEST_DEADLINE, _LATEST_DEADLINE = 1900, 2200


@dataclass(frozen=True, slots=True)
class Refusal:
    """One item that is no event: where it is wrong and how to mend it."""

    id: str | None
    error: InvalidError


@dataclass(frozen=True, slots=True)
class Reading:
    """The items of a request in input order; `single` when it was one object."""

    items: list[Event | Refusal]
    single: bool


async def read_events(
    body: bytes,
    media_type: str,
    idempotency_key: str | None,
    headers: Mapping[str, str] | None = None,
) -> Reading:
    """The items of a body, in turns with other work. Raises BodyError when the whole request cannot be read.

    `headers` (lower-case names) hold the attributes of a CloudEvent in binary mode.
    """
    raw, single = _split(body, media_type)
    if headers is not None and is_binary(headers):
        raw, single = [binary_event(headers, raw[0] if single else raw)], True
    _refuse_too_many(len(raw))
    key = idempotency_key.strip('"') if idempotency_key else None
    items: list[Event | Refusal] = []
    async for part in in_slices(raw):
        for item in part:
            fallback = None if key is None else key if single else f"{key}/{len(items)}"
            items.append(_read_item(item, fallback))
    return Reading(items, single)


def _refuse_too_many(count: int) -> None:
    if count > MAX_EVENTS:
        raise BodyError(413, "too_many_events", f"{count} events in one request; send at most {MAX_EVENTS}")


def _split(body: bytes, media_type: str) -> tuple[list[Any], bool]:
    if media_type in NDJSON_TYPES:
        lines = [line for line in body.split(b"\n") if line.strip()]
        _refuse_too_many(len(lines))
        return [_read_line(line) for line in lines], False
    if media_type not in (*JSON_TYPES, *BATCH_TYPES):
        raise BodyError(
            415,
            "unsupported_media_type",
            f"Content-Type {media_type or '(none)'}: send application/json, application/x-ndjson "
            "or application/cloudevents+json",
        )
    try:
        value = json.parse_untrusted(body)
    except json.JsonError as error:
        raise BodyError(400, error.reason, str(error)) from None
    return (value, False) if isinstance(value, list) else ([value], True)


def _read_line(line: bytes) -> Any:
    try:
        return json.parse_untrusted(line)
    except json.JsonError as error:
        return InvalidError(error.reason, str(error), cure="send one JSON object a line")


def _read_item(item: Any, fallback_id: str | None) -> Event | Refusal:
    if isinstance(item, InvalidError):
        return Refusal(None, item)
    if not isinstance(item, dict):
        return Refusal(None, InvalidError("not_an_object", "an event is a JSON object"))
    if "specversion" in item:
        try:
            item = envelope_of(item)
        except InvalidError as error:
            stated = item.get("id")
            return Refusal(stated if isinstance(stated, str) and len(stated) <= 200 else None, error)
    if "id" not in item and fallback_id is not None:
        item["id"] = fallback_id
    stated = item.get("id")
    shown = stated if isinstance(stated, str) and len(stated) <= 200 else None
    try:
        return event_of(item)
    except InvalidError as error:
        return Refusal(shown, error)


def event_of(item: Mapping[str, Any]) -> Event:
    """The event of an envelope. Raises InvalidError with a pointer into it."""
    try:
        envelope = EventIn.model_validate(item)
    except ValidationError as error:
        raise _invalid(error, "", item) from None
    if envelope.type.is_derived:
        raise InvalidError(
            "derived_type",
            f"`{envelope.type.value}` is stated by this service only",
            pointer="/type",
            cure="send the fact from which it follows",
        )
    if envelope.source == OWN_SOURCE:
        raise InvalidError(
            "reserved_source",
            f"the source `{OWN_SOURCE}` names what this service itself states",
            pointer="/source",
            cure="name the system that sends",
        )
    try:
        data = DATA_MODELS[envelope.type].model_validate(envelope.data)
    except ValidationError as error:
        raise _invalid(error, "/data", envelope.data) from None
    subject = envelope.subject
    raw = envelope.occurred_at
    return Event(
        type=envelope.type,
        id=envelope.id,
        source=envelope.source,
        occurred_at=parse_time(raw, "/occurred_at"),
        data=_normalise(data.model_dump(mode="json", exclude_none=True), envelope.data),
        subject=None if subject is None else Subject(SubjectKind(subject.kind), subject.ref),
        object=envelope.object,
        version=_version(envelope.version),
        time_raw=raw if raw[-1:] not in "Zz" else None,
        day_precision=envelope.precision == "day",
    )


def validated(event: Event) -> Event:
    """An adapter's event, its data held to the same contract as a caller's. Raises InvalidError."""
    try:
        data = DATA_MODELS[event.type].model_validate(dict(event.data))
    except ValidationError as error:
        raise _invalid(error, "/data", event.data) from None
    return replace(event, data=_normalise(data.model_dump(mode="json", exclude_none=True), event.data))


def parse_time(text: str, pointer: str) -> datetime:
    """A time as it was written: aware with an offset, naive without. Raises InvalidError."""
    if _TIME.fullmatch(text) is not None:
        try:
            return datetime.fromisoformat(text.upper().replace(" ", "T", 1))
        except (ValueError, OverflowError):
            pass
    raise InvalidError(
        "unreadable_time",
        f"{text[:40]!r} is no time",
        pointer=pointer,
        cure="send RFC 3339 with an offset, for example 2026-11-22T10:15:00+02:00",
    )


def _normalise(data: dict[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    """Times inside the data become UTC; scores stay as they were written."""
    for name in ("due_at", "promised_at", "experienced_at"):
        if name in data:
            moment = parse_time(str(stated[name]), f"/data/{name}")
            if moment.tzinfo is None:
                raise InvalidError(
                    "missing_zone",
                    f"{name} has no offset",
                    pointer=f"/data/{name}",
                    cure="send an offset (`...Z` or `...+02:00`)",
                )
            if not _EARLIEST_DEADLINE <= moment.year <= _LATEST_DEADLINE:
                raise InvalidError(
                    "value_out_of_bounds",
                    f"{name} lies outside the years {_EARLIEST_DEADLINE} to {_LATEST_DEADLINE}",
                    pointer=f"/data/{name}",
                    cure="send the time that was set; a placeholder date is none",
                )
            data[name] = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return data


def _version(value: Decimal | str | None) -> Decimal | None:
    if value is None:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        moment = parse_time(str(value), "/version")
        return Decimal(int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1_000_000))
    if not _is_storable(number):
        raise InvalidError(
            "bad_version",
            "a version is a number of at most 30 digits and 18 decimals, or a time",
            pointer="/version",
            cure="send a counter or the time at which the source changed the thing",
        )
    return number


def _is_storable(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -18 and number.adjusted() < 30


def _invalid(error: ValidationError, prefix: str, stated: Mapping[str, Any]) -> InvalidError:
    first = error.errors(include_url=False)[0]
    kind, detail = first["type"], first["msg"]
    path = _pointer(first["loc"], stated, missing=kind == "missing")
    if path == "/type" and not prefix:
        return _unknown_type(stated.get("type"))
    if kind == "extra_forbidden":
        return InvalidError(
            "unknown_field",
            f"there is no field `{first['loc'][-1]}` here",
            pointer=prefix + path,
            cure="leave it out, or put it under `data.attributes`",
        )
    if kind == "missing":
        return InvalidError("missing_field", "this field is required", pointer=prefix + path, cure="send it")
    reason = "invalid_value" if not kind.startswith("value_error") else "value_out_of_bounds"
    return InvalidError(reason, detail, pointer=prefix + path, cure="see the schema of this event type")


def _pointer(location: Sequence[int | str], document: Any, *, missing: bool) -> str:
    """Pydantic's location as a pointer into the document. Its tail may be no part of the document: the
    member of a union that was tried (left out here), or the field that is missing.
    """
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in location]
    for depth, part in enumerate(location):
        in_list = isinstance(document, list) and isinstance(part, int)
        if in_list or (isinstance(document, dict) and part in document):
            document = document[part]
        else:
            del parts[depth + missing :]
            break
    return "".join("/" + part for part in parts)


def _trigrams(text: str) -> frozenset[str]:
    return frozenset(text[at : at + 3] for at in range(len(text) - 2))


_TYPE_TRIGRAMS = {
    event_type.value: _trigrams(event_type.value) for event_type in EventType if not event_type.is_derived
}


def _nearest_type(stated: str) -> str | None:
    """The type that shares the most letters in a row: cheap enough for ten thousand wrong ones at once."""
    parts = _trigrams(stated)
    shared = {name: len(parts & known) / len(parts | known) for name, known in _TYPE_TRIGRAMS.items()}
    best = max(shared, key=shared.__getitem__)
    return best if shared[best] > 0.2 else None


def _unknown_type(stated: Any) -> InvalidError:
    near = _nearest_type(str(stated)[:40])
    hint = "" if near is None else f"the nearest is `{near}`; "
    return InvalidError(
        "unknown_type",
        f"there is no event type {str(stated)[:100]!r}",
        pointer="/type",
        cure=f"{hint}the types are listed in the API description",
    )
