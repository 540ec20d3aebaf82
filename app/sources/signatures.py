"""The verification families as data: where a partner puts its proof and over what it is made.

A new partner of a known family is a line in FAMILIES; a new family is a value of `Signature`.
Checked on published bytes: Standard Webhooks, Messenger sha1, Viber, Square, Twilio, HubSpot v1-v3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Literal

from app.domain.errors import InvalidError
from app.sources.delivery import Body, FormField, Header, JsonField, Method, Place, SortedForm, SortedUrl, Url


class Encoding(StrEnum):
    """How a digest is written."""

    HEX = "hex"
    BASE64 = "base64"


class KeyForm(StrEnum):
    """How a secret becomes key bytes."""

    PLAIN = "plain"
    STANDARD_WEBHOOKS = "standard_webhooks"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A signed time of sending. It binds a replay to the window; a time that is not signed binds nothing."""

    place: Place
    form: Literal["epoch_s", "epoch_ms", "iso"] = "epoch_s"
    window_seconds: int = 300


@dataclass(frozen=True, slots=True)
class Signature:
    """A digest over `signed`, keyed (HMAC) or plain over secret + message.

    `several`: the place holds a list, apart by these. `undotted`: parts in which a dot would let two
    different deliveries have the same signed bytes.
    """

    place: Place
    signed: tuple[Place | bytes, ...] = (Body(),)
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Encoding = Encoding.HEX
    prefix: str = ""
    key: KeyForm = KeyForm.PLAIN
    stamp: Stamp | None = None
    several: Literal["spaces", "commas"] | None = None
    keyed: bool = True
    undotted: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class EchoedSecret:
    """The secret itself travels in a header or in the body."""

    place: Place


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """HTTP Basic; the secret is `user:password`."""


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Nothing is signed: the secret is the URL, as long as nobody learns it."""


@dataclass(frozen=True, slots=True)
class OidcToken:
    """A bearer token that Google issued for `audience`, to the service account `email` where it is stated."""

    audience: str
    email: str | None = None


Family = Signature | EchoedSecret | BasicAuth | OidcToken | Unsigned

_STANDARD_ID, _STANDARD_TIMESTAMP = Header("webhook-id"), Header("webhook-timestamp")
_CHATWOOT_TIMESTAMP = Header("x-chatwoot-timestamp")
_ZENDESK_TIMESTAMP = Header("x-zendesk-webhook-signature-timestamp")
_HUBSPOT_TIMESTAMP = Header("x-hubspot-request-timestamp")

FAMILIES: Mapping[str, Family] = {
    "none": Unsigned(),
    "basic": BasicAuth(),
    "secret_header": EchoedSecret(Header("x-webhook-secret")),
    "hmac_hex_body": Signature(Header("x-signature")),
    "hmac_base64_body": Signature(Header("x-signature"), encoding=Encoding.BASE64),
    "hmac_hex_timestamp": Signature(
        Header("x-signature"),
        (Header("x-timestamp"), b".", Body()),
        stamp=Stamp(Header("x-timestamp")),
    ),
    "standard_webhooks": Signature(
        Header("webhook-signature"),
        (_STANDARD_ID, b".", _STANDARD_TIMESTAMP, b".", Body()),
        encoding=Encoding.BASE64,
        prefix="v1,",
        key=KeyForm.STANDARD_WEBHOOKS,
        stamp=Stamp(_STANDARD_TIMESTAMP),
        several="spaces",
        undotted=(_STANDARD_ID,),
    ),
    "chatwoot": Signature(
        Header("x-chatwoot-signature"),
        (_CHATWOOT_TIMESTAMP, b".", Body()),
        prefix="sha256=",
        stamp=Stamp(_CHATWOOT_TIMESTAMP),
    ),
    "meta": Signature(Header("x-hub-signature-256"), prefix="sha256="),
    "viber": Signature(Header("x-viber-content-signature")),
    "hub_sha1": Signature(Header("x-hub-signature"), algorithm="sha1", prefix="sha1="),
    "segment": Signature(Header("x-signature"), algorithm="sha1"),
    "shopify": Signature(Header("x-shopify-hmac-sha256"), encoding=Encoding.BASE64),
    "typeform": Signature(Header("typeform-signature"), encoding=Encoding.BASE64, prefix="sha256="),
    "zendesk": Signature(
        Header("x-zendesk-webhook-signature"),
        (_ZENDESK_TIMESTAMP, Body()),
        encoding=Encoding.BASE64,
        stamp=Stamp(_ZENDESK_TIMESTAMP, "iso"),
    ),
    "square": Signature(Header("x-square-hmacsha256-signature"), (Url(), Body()), encoding=Encoding.BASE64),
    "hubspot_v1": Signature(Header("x-hubspot-signature"), keyed=False),
    "hubspot_v2": Signature(Header("x-hubspot-signature"), (Method(), Url(), Body()), keyed=False),
    "hubspot_v3": Signature(
        Header("x-hubspot-signature-v3"),
        (Method(), Url(), Body(), _HUBSPOT_TIMESTAMP),
        encoding=Encoding.BASE64,
        stamp=Stamp(_HUBSPOT_TIMESTAMP, "epoch_ms"),
    ),
    "twilio": Signature(
        Header("x-twilio-signature"), (Url(), SortedForm()), algorithm="sha1", encoding=Encoding.BASE64
    ),
    "plivo": Signature(
        Header("x-plivo-signature-v3"),
        (SortedUrl(), SortedForm(), b".", Header("x-plivo-signature-v3-nonce")),
        encoding=Encoding.BASE64,
        several="commas",
    ),
    "surveymonkey": Signature(Header("sm-signature"), algorithm="sha1", encoding=Encoding.BASE64),
    "qualtrics": Signature(FormField("HMAC"), (FormField("MSG"),), algorithm="sha512"),
    "telegram": EchoedSecret(Header("x-telegram-bot-api-secret-token")),
    "livechat": EchoedSecret(JsonField("secret_key")),
    "aircall": EchoedSecret(JsonField("token")),
    "bitrix24": EchoedSecret(FormField("auth[application_token]")),
}


def get_family(name: str, header: str | None = None) -> Family:
    """The family of that name, its proof read from another `header` if one is given.

    Raises InvalidError naming the nearest family, or when the family has no header to move.
    """
    family = FAMILIES.get(name)
    if family is None:
        near = get_close_matches(name, FAMILIES, n=1)
        raise InvalidError(
            "unknown_verification",
            f"no verification family is named {name[:60]!r}",
            pointer="/verification",
            cure=f"Did you mean {near[0]!r}?" if near else f"One of: {', '.join(sorted(FAMILIES))}.",
        )
    if header is None:
        return family
    if isinstance(family, Signature | EchoedSecret) and isinstance(family.place, Header):
        return replace(family, place=Header(header.lower()))
    raise InvalidError(
        "verification_has_no_header",
        f"the family {name!r} reads no header of its own",
        pointer="/verification_header",
        cure="Leave verification_header out.",
    )
