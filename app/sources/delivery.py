"""What was delivered at the door, as bytes, and the places where partners put signatures and secrets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import parse_qsl, urlsplit

from app.sources.bodies import decode_json
from app.sources.errors import PayloadError

MAX_FORM_FIELDS = 200
KEPT_HEADERS = (
    "content-type",
    "user-agent",
    "webhook-id",
    "x-request-id",
    "x-chatwoot-delivery",
    "x-shopify-event-id",
    "x-shopify-shop-domain",
    "x-shopify-topic",
    "x-shopify-webhook-id",
    "x-zendesk-webhook-id",
    "x-zendesk-webhook-invocation-id",
)
"""What is kept of a delivery's headers beside its body; never a signature, a secret or a credential."""


class UnreadableDeliveryError(Exception):
    """A signature lies inside a form or a JSON body, and the body is neither."""


@dataclass(frozen=True, slots=True)
class Header:
    """The value of a header, by its lower-case name."""

    name: str


@dataclass(frozen=True, slots=True)
class HeaderPart:
    """The value of one part of a header that is a list: `v1` of `t=1700000000,v1=abc`."""

    name: str
    part: str


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
    """The fields of a urlencoded body, sorted, each name followed by its value.

    A body that is no form is bound by the URL instead, whose `bodySHA256` is its digest (Twilio).
    """


@dataclass(frozen=True, slots=True)
class SortedUrl:
    """The public URL with its query sorted, a `?` before the form and a `.` between the two (Plivo)."""


Place = Header | HeaderPart | FormField | JsonField | Body | Method | Url | SortedForm | SortedUrl


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
            case HeaderPart(name, part):
                return self._header_part(name, part)
            case FormField(name):
                return self._form_or_json_text(name)
            case JsonField(name):
                return self._json_text(name)
            case Body():
                return self.body
            case Method():
                return self.method.upper().encode("utf-8", "surrogatepass")
            case Url():
                return self.url.encode("utf-8", "surrogatepass")
            case SortedForm():
                return (
                    b"".join(key + value for key, value in sorted(set(self._form())))
                    if self.is_form
                    else self._bound()
                )
            case SortedUrl():
                return self._sorted_url()
            case _:
                assert_never(place)

    @property
    def is_form(self) -> bool:
        """Whether the body is a urlencoded form, as far as it says."""
        kind = self.headers.get("content-type", "application/x-www-form-urlencoded").partition(";")[0]
        return kind.strip().lower() == "application/x-www-form-urlencoded"

    def _header_part(self, name: str, part: str) -> bytes | None:
        for written in self.headers.get(name, "").replace(";", ",").split(",")[:MAX_FORM_FIELDS]:
            key, found, value = written.partition("=")
            if found and key.strip() == part:
                return _header_bytes(value.strip())
        return None

    def _bound(self) -> bytes:
        query = dict(parse_qsl(urlsplit(self.url).query))
        if query.get("bodySHA256", "").lower() != hashlib.sha256(self.body).hexdigest():
            raise UnreadableDeliveryError("the URL does not bind this body")
        return b""

    def _sorted_url(self) -> bytes:
        url = urlsplit(self.url)
        pairs = sorted(parse_qsl(url.query, keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS))
        query = "&".join(f"{key}={value}" for key, value in pairs)
        base = f"{url.scheme}://{url.netloc}{url.path}"
        form = bool(self._form()) if self.body else False
        mark = ("?" if query or form else "") + query + ("." if query and form else "")
        return (base + mark).encode("utf-8", "surrogatepass")

    def _form_or_json_text(self, name: str) -> bytes | None:
        """A field of a form; the same name written as a path where the form came as JSON (`auth[token]`)."""
        if self.body.lstrip()[:1] != b"{":
            return next((value for key, value in self._form() if key == name.encode()), None)
        value: object = self._json()
        for part in name.replace("]", "").split("["):
            value = value.get(part) if isinstance(value, dict) else None
        return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else None

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

    def _json(self) -> object:
        try:
            return decode_json(self.body)
        except PayloadError as error:
            raise UnreadableDeliveryError("not a JSON body") from error

    def _json_text(self, name: str) -> bytes | None:
        document = self._json()
        value = document.get(name) if isinstance(document, dict) else None
        return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else None


def _header_bytes(value: str) -> bytes:
    """The bytes that travelled: servers hand headers on as latin-1."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
