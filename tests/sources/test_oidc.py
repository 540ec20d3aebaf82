"""Google's tokens: only one for us, by a key that Google publishes, proves a delivery."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from app.sources.delivery import Delivery
from app.sources.oidc import public_keys
from app.sources.signature_document import family_of
from app.sources.verification import VerificationError, verify

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUSHER = "push@x.iam.gserviceaccount.com"
FAMILY = family_of("google_oidc", None, {"audience": "https://us/in", "email": PUSHER})
CLAIMS = {
    "iss": "https://accounts.google.com",
    "aud": "https://us/in",
    "email": PUSHER,
    "email_verified": True,
    "iat": AT,
    "exp": AT + 3600,
}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key_set(key: rsa.RSAPrivateKey = KEY, **changed: Any) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()
    n, e = (b64(value.to_bytes((value.bit_length() + 7) // 8)) for value in (numbers.n, numbers.e))
    return {"keys": [{"kty": "RSA", "use": "sig", "kid": "k1", "n": n, "e": e} | changed]}


def token(key: rsa.RSAPrivateKey = KEY, head: dict[str, Any] | None = None, **changed: Any) -> str:
    parts = [{"alg": "RS256", "kid": "k1", "typ": "JWT"} | (head or {}), CLAIMS | changed]
    signed = ".".join(b64(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{b64(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def prove(written: str) -> None:
    keys = public_keys(key_set())
    verify(FAMILY, Delivery({"authorization": f"Bearer {written}"}, b"{}"), [], NOW, keys)


def test_a_token_of_google_for_us_passes() -> None:
    prove(token())


@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        (token(OTHER), "signature_mismatch"),
        (token(aud="https://another/in"), "token_audience"),
        (token(aud=["https://us/in"]), "token_audience"),
        (token(iss="https://evil.example"), "token_issuer"),
        (token(exp=AT - 61), "token_expired"),
        (token(exp="never"), "token_expired"),
        (token(iat=AT + 61), "token_in_future"),
        (token(email="other@x.iam.gserviceaccount.com"), "token_email"),
        (token(email_verified="true"), "token_email"),
        (token(head={"kid": "k2"}), "token_key_unknown"),
        (token(head={"alg": "none"}), "token_malformed"),
        (token(head={"alg": "HS256"}), "token_malformed"),
        (token()[:-4] + "AAAA", "signature_mismatch"),
        ("a.b", "token_malformed"),
        ("", "credentials_missing"),
        ("...", "token_malformed"),
        ("x" * 9000, "token_malformed"),
    ],
)
def test_any_other_token_proves_nothing(forged: str, reason: str) -> None:
    with pytest.raises(VerificationError) as caught:
        prove(forged)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "document", [None, [], {"keys": 5}, {"keys": [5]}, key_set(kty="EC"), key_set(n="!"), key_set(use="enc")]
)
def test_what_is_no_signing_key_is_left_out(document: Any) -> None:
    assert public_keys(document) == {}
