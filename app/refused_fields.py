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


def refused_fields(request: Request, found: Sequence[Mapping[str, Any]]) -> list[ProblemError]:
    """The places of a pydantic error (`ValidationError.errors()`), in its order."""
    return [_place(request, item) for item in found]


def is_malformed(errors: Sequence[ProblemError]) -> bool:
    """True when the body is no JSON at all."""
    return any(error.code == _MALFORMED for error in errors)


def _place(request: Request, item: Mapping[str, Any]) -> ProblemError:
    location, kind, detail = item["loc"], str(item["type"]), str(item["msg"])
    pointer = pointer_of(location)
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
            return ProblemError(pointer=pointer, code=kind, detail=detail)


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
