"""CloudEvents 1.0: structured, batch and binary mode, as the envelope of an event; extensions are ignored."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from app.domain.errors import InvalidError
from app.ingest.schemas import EventIn
from app.kit import json

PREFIX = "ce-"

_ENVELOPE = frozenset(EventIn.model_fields)
_JSON = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json|", re.IGNORECASE)


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether the attributes of an event stand in the headers and the body is its data."""
    return f"{PREFIX}specversion" in headers and not headers.get("content-type", "").startswith(
        "application/cloudevents"
    )


def binary_event(headers: Mapping[str, str], data: Any) -> dict[str, Any]:
    """The structured form of an event in binary mode; header values are percent-encoded."""
    attributes: dict[str, Any] = {
        name[len(PREFIX) :]: unquote(value) for name, value in headers.items() if name.startswith(PREFIX)
    }
    return {**attributes, "data": data}


def envelope_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """Our envelope of a structured event: `time` is when it happened, `subject` is `kind/ref`.

    An attribute that is null is unset. Raises InvalidError for data that is not JSON.
    """
    envelope: dict[str, Any] = {}
    for name, value in item.items():
        if value is None:
            continue
        if name == "time":
            envelope["occurred_at"] = value
        elif name == "subject" and isinstance(value, str):
            kind, separator, ref = value.partition("/")
            envelope["subject"] = {"kind": kind, "ref": ref} if separator else value
        elif name == "objectversion":
            envelope["version"] = value
        elif name in _ENVELOPE:
            envelope[name] = value
    if "data" not in envelope and item.get("data_base64") is not None:
        envelope["data"] = _decoded(item["data_base64"])
    media_type = item.get("datacontenttype")
    if isinstance(media_type, str) and _JSON.fullmatch(media_type.partition(";")[0].strip()) is None:
        raise InvalidError(
            "unsupported_data",
            f"data of the type {media_type[:60]!r} cannot be read",
            pointer="/datacontenttype",
            cure="send the data as application/json",
        )
    return envelope


def _decoded(value: Any) -> Any:
    try:
        return json.parse_untrusted(base64.b64decode(str(value), validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidError(
            "unreadable_data",
            "data_base64 holds no JSON",
            pointer="/data_base64",
            cure="send base64 of JSON, or `data`",
        ) from error
