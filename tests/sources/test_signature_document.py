"""A partner's way of signing as a document: what it proves, and what it is refused for."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.errors import InvalidError
from app.sources.delivery import Delivery
from app.sources.signature_document import family_of
from app.sources.verification import VerificationError, verify

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
KEY, BODY, URL = "key", b'{"score": 9}', "https://feedback.example.com/in"
STAMP = str(int(NOW.timestamp()))


def mac(message: bytes, algorithm: str = "sha256", key: bytes = KEY.encode()) -> bytes:
    return hmac.new(key, message, algorithm).digest()


def b64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


CASES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"header": "X-Sig"}, {"x-sig": mac(BODY).hex()}),
    ({"header": "X-Sig", "prefix": "sha256="}, {"x-sig": "sha256=" + mac(BODY).hex()}),
    ({"header": "Tally-Signature", "encoding": "base64"}, {"tally-signature": b64(mac(BODY))}),
    ({"header": "X-Sig", "algorithm": "sha512"}, {"x-sig": mac(BODY, "sha512").hex()}),
    (
        {"header": "X-S", "signed": "{method}:{url}:{header:X-Id}:{body}", "algorithm": "sha1"},
        {"x-s": mac(b"POST:" + URL.encode() + b":7:" + BODY, "sha1").hex(), "x-id": "7"},
    ),
    (
        {
            "header": "X-S",
            "part": "v1",
            "timestamp": {"header": "X-S", "part": "t"},
            "signed": "{timestamp}.{body}",
        },
        {"x-s": f"t={STAMP}, v1={mac(STAMP.encode() + b'.' + BODY).hex()}"},
    ),
    (
        {"header": "X-Sig", "secret_form": "base64"},
        {"x-sig": mac(BODY, key=base64.b64decode("a2V5a2V5")).hex()},
    ),
]


@pytest.mark.parametrize(("document", "headers"), CASES)
def test_what_is_described_is_proven_and_nothing_else(
    document: dict[str, Any], headers: dict[str, str]
) -> None:
    family = family_of("custom", None, document)
    secret = "a2V5a2V5" if "secret_form" in document else KEY
    verify(family, Delivery(headers, BODY, url=URL), [secret], NOW)
    for delivery in (
        Delivery(headers, BODY + b" ", url=URL),
        Delivery({}, BODY, url=URL),
        Delivery({name: value[:-1] for name, value in headers.items()}, BODY, url=URL),
    ):
        with pytest.raises(VerificationError):
            verify(family, delivery, [secret], NOW)
    with pytest.raises(VerificationError):
        verify(family, Delivery(headers, BODY, url=URL), ["Zm9yZ2Vk"], NOW)


def test_a_signed_time_binds_a_replay() -> None:
    document, headers = CASES[5]
    family = family_of("custom", None, document)
    with pytest.raises(VerificationError) as caught:
        verify(family, Delivery(headers, BODY), [KEY], NOW + timedelta(minutes=6))
    assert caught.value.reason == "timestamp_too_old"


def test_a_secret_in_the_body_is_compared() -> None:
    family = family_of("custom", None, {"field": "token"})
    verify(family, Delivery({}, b'{"token": "key"}'), [KEY], NOW)
    with pytest.raises(VerificationError):
        verify(family, Delivery({}, b'{"token": "kex"}'), [KEY], NOW)


@pytest.mark.parametrize(
    ("name", "document", "pointer"),
    [
        ("custom", None, "/signature"),
        ("custom", {}, "/signature"),
        ("custom", {"prefix": "x"}, "/signature/header"),
        ("custom", {"header": "a", "field": "b"}, "/signature/header"),
        ("custom", {"header": "a", "signed": "{url}"}, "/signature/signed"),
        ("custom", {"header": "a", "signed": "{timestamp}{body}"}, "/signature/signed"),
        ("custom", {"header": "a", "signed": "{bodi}"}, "/signature/signed"),
        ("custom", {"header": "a", "timestamp": {"header": "t"}}, "/signature/signed"),
        ("meta", {"header": "a"}, "/signature"),
        ("google_oidc", {}, "/signature/audience"),
        ("curtsy", None, "/verification"),
    ],
)
def test_a_description_that_proves_nothing_is_refused(
    name: str, document: dict[str, Any] | None, pointer: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        family_of(name, None, document)
    assert caught.value.pointer == pointer
