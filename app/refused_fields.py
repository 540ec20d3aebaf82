"""What the schemas refused, in our words: each place with what is wrong there and how to mend it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from fastapi import Request
from pydantic import BaseModel

from app.domain.sla.document import nearest
from app.problems import ProblemError, pointer_of

_MALFORMED = "json_invalid"
_CURES = {
    "greater_than_equal": "send at least {ge}",
    "greater_than": "send more than {gt}",
    "less_than_equal": "send at most {le}",
    "less_than": "send less than {lt}",
    "string_too_long": "send at most {max_length} characters",
    "string_too_short": "send at least {min_length} characters",
    "string_pattern": "write it by the pattern {pattern}",
    "string": "send a text in quotation marks",
    "too_long": "send at most {max_length} of them",
    "too_short": "send at least {min_length} of them",
    "timezone_aware": "send an offset (`...Z` or `...+02:00`)",
    "datetime": "send RFC 3339 with an offset, for example 2026-11-22T10:15:00+02:00",
    "date": "send a date, for example 2026-11-22",
    "time": "send a time of day, for example 09:00",
    "int": "send a whole number",
    "float": "send a number",
    "decimal": "send a number",
    "bool": "send true or false",
    "list": "send a list: [...]",
    "model": "send an object: {{...}}",
    "dict": "send an object: {{...}}",
    "value_error": "see what is said of it, or the description of this route at /docs",
}
"""What to send instead, by how the kind of a refusal begins."""


def refused_fields(
    request: Request, found: Sequence[Mapping[str, Any]], document: object = None
) -> list[ProblemError]:
    """The places of a pydantic error (`ValidationError.errors()`), in its order; `document`: the body."""
    return [_place(request, item, document) for item in found]


def is_malformed(errors: Sequence[ProblemError]) -> bool:
    """True when the body is no JSON at all."""
    return any(error.code == _MALFORMED for error in errors)


def _place(request: Request, item: Mapping[str, Any], document: object) -> ProblemError:
    location, kind, detail = item["loc"], str(item["type"]), str(item["msg"])
    pointer = pointer_of(_without_tried(location, document, missing=kind == "missing"))
    match kind:
        case "missing":
            return ProblemError(
                pointer=pointer, code="missing_field", detail="this field is required", cure="send it"
            )
        case "extra_forbidden":
            name = str(location[-1])[:80]
            return ProblemError(
                pointer=pointer,
                code="unknown_field",
                detail=f"there is no field `{name}` here",
                cure=_known_instead(name, _known_fields(request, location[:-1])),
            )
        case "enum" | "literal_error":
            expected = [word.strip(" '") for word in _expected(item).replace(" or ", ", ").split(",")]
            return ProblemError(
                pointer=pointer, code=kind, detail=detail, cure=nearest(item.get("input"), expected)
            )
        case "json_invalid":
            return ProblemError(
                pointer=pointer, code=kind, detail=detail, cure="send one JSON document in UTF-8"
            )
        case _:
            return ProblemError(pointer=pointer, code=kind, detail=detail, cure=_cure(kind, item))


def _without_tried(location: Sequence[int | str], document: Any, *, missing: bool) -> Sequence[int | str]:
    """The location without the members of unions that were tried: they are no part of the body."""
    if document is None or not location or location[0] != "body":
        return location
    for depth, part in enumerate(location[1:], start=1):
        in_list = isinstance(document, list) and isinstance(part, int) and part < len(document)
        if not in_list and not (isinstance(document, dict) and part in document):
            return location[: depth + missing]
        document = document[part]
    return location


def _cure(kind: str, item: Mapping[str, Any]) -> str:
    """What to send instead, by the kind of the refusal and the bound that was broken."""
    limits = item.get("ctx", {})
    found = next((text for start, text in _CURES.items() if kind.startswith(start)), "see /docs")
    return found.format_map(_Limits(limits))


class _Limits(dict[str, Any]):
    """Bounds by name; one that is not told is `the bound`."""

    def __missing__(self, name: str) -> str:
        return "the bound"


def _expected(item: Mapping[str, Any]) -> str:
    return str(item.get("ctx", {}).get("expected", ""))


def _known_instead(name: str, known: Collection[str]) -> str:
    return nearest(name, known) if known else "leave it out"


def _known_fields(request: Request, location: Sequence[int | str]) -> Collection[str]:
    """Names of the fields of the object at this place; empty where it is no object of a schema."""
    route = request.scope.get("route")
    body = getattr(route, "body_field", None)
    if body is None or not location or location[0] != "body":
        return ()
    model = _model(body.field_info.annotation)
    for part in location[1:]:
        if isinstance(part, int):
            continue  # what lies in a list is described by the list
        if model is None:
            return ()
        field = next((info for name, info in model.model_fields.items() if part in (name, info.alias)), None)
        if field is not None:  # else it names the member of a union that was tried
            model = _model(field.annotation)
    return () if model is None else [info.alias or name for name, info in model.model_fields.items()]


def _model(annotation: Any) -> type[BaseModel] | None:
    """The one schema that this type holds, alone or in a list or beside None; None for none or several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    origin = get_origin(annotation)
    if origin is Annotated:
        return _model(get_args(annotation)[0])
    if origin in (list, tuple, Union, UnionType):
        models = {model for member in get_args(annotation) if (model := _model(member)) is not None}
        return models.pop() if len(models) == 1 else None
    return None
