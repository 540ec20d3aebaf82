"""A partner's way of signing, described instead of programmed: the families `custom` and `google_oidc`.

{"header": "X-Delighted-Webhook-Signature", "prefix": "sha256="}            HMAC-SHA256 of the body, hex
{"header": "X-Sig", "part": "v1", "timestamp": {"header": "X-Sig", "part": "t"},
 "signed": "{timestamp}.{body}"}                                            `t=1700000000,v1=abc...`
{"header": "X-Hmac", "encoding": "base64", "signed": "{method}{url}{body}", "algorithm": "sha1"}
{"field": "token"}                                                          the secret stands in the body
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.domain.errors import InvalidError
from app.sources.delivery import Body, FormField, Header, HeaderPart, Method, Place, Url
from app.sources.signatures import (
    FAMILIES,
    EchoedSecret,
    Encoding,
    Family,
    KeyForm,
    OidcToken,
    Signature,
    Stamp,
    get_family,
)

CUSTOM, GOOGLE_OIDC = "custom", "google_oidc"
VERIFICATIONS = (*FAMILIES, CUSTOM, GOOGLE_OIDC)
_HOLE = re.compile(r"\{([^{}]*)\}")


def family_of(name: str, header: str | None, described: Mapping[str, Any] | None) -> Family:
    """The family by its name; `described` is the document of one that has no name of its own.

    Raises InvalidError with the pointer of what is wrong.
    """
    if name == GOOGLE_OIDC:
        stated = described or {}
        if not stated.get("audience"):
            raise _wrong("audience", "the audience that the push subscription was given is missing")
        return OidcToken(str(stated["audience"]), stated.get("email"))
    if name != CUSTOM:
        if described:
            raise _wrong("", f"the family {name!r} is known: nothing is to be described")
        return get_family(name, header)
    if not described:
        raise _wrong(
            "", "the family `custom` needs its description", cure='Send `signature`: {"header": ...}.'
        )
    return _custom(described)


def _custom(described: Mapping[str, Any]) -> Family:
    field, header = described.get("field"), str(described.get("header") or "")
    if (field is None) == (not header):
        raise _wrong("header", "exactly one of `header` and `field` says where the proof stands")
    if field is not None:
        return EchoedSecret(FormField(field))
    stamp = _stamp(described.get("timestamp"))
    signed = _signed(described.get("signed") or "{body}", stamp)
    if not any(isinstance(part, Body) for part in signed):
        raise _wrong("signed", "the body is not signed: anybody could change it")
    return Signature(
        _place(header, described.get("part")),
        signed,
        algorithm=described.get("algorithm") or "sha256",
        encoding=Encoding(described.get("encoding") or "hex"),
        prefix=described.get("prefix") or "",
        key=KeyForm.STANDARD_WEBHOOKS if described.get("secret_form") == "base64" else KeyForm.PLAIN,
        stamp=stamp,
        undotted=tuple(part for part in signed if isinstance(part, Header)),
    )


def _stamp(described: Mapping[str, Any] | None) -> Stamp | None:
    if described is None:
        return None
    place = _place(described["header"], described.get("part"))
    return Stamp(place, described.get("form") or "epoch_s", described.get("window_seconds") or 300)


def _signed(template: str, stamp: Stamp | None) -> tuple[Place | bytes, ...]:
    """`{timestamp}.{body}` -> its parts."""
    parts: list[Place | bytes] = []
    for number, piece in enumerate(_HOLE.split(template)):
        if number % 2 == 0:
            parts += [piece.encode()] if piece else []
            continue
        match piece.partition(":"):
            case ("body", "", ""):
                parts.append(Body())
            case ("url", "", ""):
                parts.append(Url())
            case ("method", "", ""):
                parts.append(Method())
            case ("timestamp", "", "") if stamp is not None:
                parts.append(stamp.place)
            case ("header", ":", name) if name:
                parts.append(Header(name.lower()))
            case _:
                raise _wrong(
                    "signed",
                    f"{{{piece[:40]}}} is nothing that is signed",
                    cure="Use {body}, {url}, {method}, {header:X-Name}, and {timestamp} with a `timestamp`.",
                )
    if stamp is not None and stamp.place not in parts:
        raise _wrong("signed", "the timestamp is not signed, so it proves nothing", cure="Add {timestamp}.")
    return tuple(parts)


def _place(header: str, part: str | None) -> Header | HeaderPart:
    return Header(header.lower()) if part is None else HeaderPart(header.lower(), part)


def _wrong(key: str, detail: str, *, cure: str = "") -> InvalidError:
    pointer = f"/signature/{key}" if key else "/signature"
    return InvalidError(
        "signature_document", detail, pointer=pointer, cure=cure or "Correct the description."
    )
