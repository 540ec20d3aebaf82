"""A webhook's body, in any of the forms that partners use, as the document that an adapter reads."""

from __future__ import annotations

import re
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

from app.kit import json
from app.sources.errors import PayloadError

MAX_FIELDS = 2_000
MAX_DEPTH = 64
_FORM_KEY = re.compile(r"([^\[\]]*)((?:\[[^\[\]]*\])*)")
# A text in quotes is left as it is; what stands outside of one may be a comment or a comma too many.
_LOOSE = re.compile(rb'("(?:[^"\\]|\\.)*+")|//[^\n]*+|##[^\n]*+|,(?=\s*+(?:(?://|##)[^\n]*+\s*+)*+[}\]])')


def decode(body: bytes, content_type: str) -> object:
    """The document of a body: JSON, a form (`a[b]=c` nested), multipart, or plain text.

    Raises PayloadError (malformed_json, malformed_form, too_deep, too_many_fields, ...).
    """
    media_type = content_type.partition(";")[0].strip().lower()
    looks_like_json = body.lstrip()[:1] in (b"{", b"[")
    if media_type == "multipart/form-data":
        return _multipart(body, content_type)
    if media_type == "application/x-www-form-urlencoded" and not looks_like_json:
        return _form(body)
    if media_type == "text/csv" or (media_type == "text/plain" and not looks_like_json):
        return _text(body)
    return decode_json(body)


def decode_json(body: bytes) -> object:
    """JSON; templates of partners leave comments and trailing commas in it: those are overlooked."""
    try:
        return _parse(body)
    except PayloadError as error:
        if error.reason != "malformed_json":
            raise
        mended = _LOOSE.sub(rb"\1", body.removeprefix(b"\xef\xbb\xbf"))
        if mended == body:
            raise
        try:
            return _parse(mended)
        except PayloadError:
            raise error from None


def embedded_json(value: object, pointer: str) -> object:
    """JSON inside a text field. Raises PayloadError."""
    if not isinstance(value, str):
        return value
    try:
        return _parse(value.encode("utf-8", "surrogatepass"))
    except PayloadError as error:
        raise PayloadError(error.reason, error.detail, pointer=pointer, cure="Send JSON in it.") from error


def _parse(body: bytes) -> object:
    try:
        return json.parse_untrusted(body, max_depth=MAX_DEPTH)
    except json.JsonError as error:
        raise PayloadError(error.reason, str(error), cure="Send JSON.") from error


def _form(body: bytes) -> object:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise _malformed(f"not a urlencoded form: {error}") from error
    return _nested(pairs)


def _multipart(body: bytes, content_type: str) -> object:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message: Message = BytesParser(policy=HTTP).parsebytes(head + body)
    parts = message.get_payload() if message.is_multipart() else None
    if not isinstance(parts, list) or not parts or len(parts) > MAX_FIELDS:
        raise _malformed("not a multipart form")
    pairs = [pair for part in parts if isinstance(part, Message) and (pair := _part(part)) is not None]
    if not pairs:
        raise _malformed("a multipart form without a field")
    return _nested(pairs)


def _part(part: Message) -> tuple[str, str] | None:
    """A named text field; files are left in the raw body."""
    name = part.get_param("name", header="content-disposition")
    payload = part.get_payload(decode=True)
    if not isinstance(name, str) or part.get_filename() is not None or not isinstance(payload, bytes):
        return None
    try:
        return name, payload.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise _malformed(f"the field {name[:60]!r} is not UTF-8") from error


def _nested(pairs: list[tuple[str, str]]) -> object:
    """`data[FIELDS][ID]=7` as `{"data": {"FIELDS": {"ID": "7"}}}`; keys 0..n-1 become a list."""
    document: dict[str, Any] = {}
    for key, value in pairs:
        if "\x00" in key or "\x00" in value:
            raise PayloadError("nul_character", "a field holds the character U+0000", cure="Leave it out.")
        match = _FORM_KEY.fullmatch(key)
        names = [key] if match is None else [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        if len(names) > MAX_DEPTH:
            raise PayloadError("too_deep", "a field nested too deep", cure="Send a flatter form.")
        place = document
        for name in names[:-1]:
            below = place.setdefault(name, {})
            if not isinstance(below, dict):
                below = place[name] = {}
            place = below
        name = names[-1] or str(len(place))
        place.setdefault(name, value)
    return _with_lists(document, top=True)


def _with_lists(value: Any, *, top: bool = False) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _with_lists(below) for name, below in value.items()}
    if not top and inner and all(name == str(index) for index, name in enumerate(inner)):
        return list(inner.values())
    return inner


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PayloadError("malformed_text", "the text is not UTF-8", cure="Send UTF-8.") from error
    if "\x00" in text:
        raise PayloadError("nul_character", "the text holds the character U+0000", cure="Leave it out.")
    return text


def _malformed(detail: str) -> PayloadError:
    return PayloadError("malformed_form", detail, cure="Send application/x-www-form-urlencoded or JSON.")
