"""What was delivered at the door, as bytes, and the places where partners put signatures and secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import parse_qsl

MAX_FORM_FIELDS = 200


class UnreadableDeliveryError(Exception):
    """A signature lies inside a form or a JSON body, and the body is neither."""


@dataclass(frozen=True, slots=True)
class Header:
    """The value of a header, by its lower-case name."""

    name: str


@dataclass(frozen=True, slots=True)
class FormField:
    """The value of a field in a urlencoded body."""

    name: str


@dataclass(frozen=True, slots=True)
class JsonField:
    """The text under a top-level key of a JSON body."""

    name: str


@dataclass(frozen=True, slots=True)
class Body:
    """The raw body."""


@dataclass(frozen=True, slots=True)
class Method:
    """The HTTP method, upper case."""


@dataclass(frozen=True, slots=True)
class Url:
    """The public URL as the partner knows it."""


@dataclass(frozen=True, slots=True)
class SortedForm:
    """The fields of a urlencoded body, sorted, each name followed by its value."""


Place = Header | FormField | JsonField | Body | Method | Url | SortedForm


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request. `headers` have lower-case names; `url` is the configured public URL (with query),
    not the one seen behind a proxy: Square, Twilio and HubSpot sign the public one.
    """

    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    url: str = ""

    def find(self, place: Place) -> bytes | None:
        """The bytes at a place, None when nothing is there. Raises UnreadableDeliveryError."""
        match place:
            case Header(name):
                value = self.headers.get(name)
                return None if value is None else _header_bytes(value)
            case FormField(name):
                return next((value for key, value in self._form() if key == name.encode()), None)
            case JsonField(name):
                return self._json_text(name)
            case Body():
                return self.body
            case Method():
                return self.method.upper().encode("utf-8", "surrogatepass")
            case Url():
                return self.url.encode("utf-8", "surrogatepass")
            case SortedForm():
                return b"".join(key + value for key, value in sorted(set(self._form())))
            case _:
                assert_never(place)

    def _form(self) -> list[tuple[bytes, bytes]]:
        try:
            pairs = parse_qsl(
                self.body.decode("ascii"),
                keep_blank_values=True,
                encoding="latin-1",
                max_num_fields=MAX_FORM_FIELDS,
            )
        except ValueError as error:
            raise UnreadableDeliveryError("not a urlencoded form") from error
        return [(key.encode("latin-1"), value.encode("latin-1")) for key, value in pairs]

    def _json_text(self, name: str) -> bytes | None:
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise UnreadableDeliveryError("not a JSON body") from error
        value = document.get(name) if isinstance(document, dict) else None
        return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else None


def _header_bytes(value: str) -> bytes:
    """The bytes that travelled: servers hand headers on as latin-1."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
