"""Standard Webhooks signatures: the published vector, rotation, both schemes, and what is refused."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.domain.errors import InvalidError
from app.domain.signature import Ed25519Secret, HmacSecret, parse_secret, sign

VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def now() -> int:
    return int(datetime.now(UTC).timestamp())


def headers(signature: str, timestamp: int, message_id: str = "msg_1") -> dict[str, str]:
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def test_the_published_vector_is_reproduced() -> None:
    assert sign(VECTOR_ID, 1614265330, VECTOR_BODY, [parse_secret(VECTOR_SECRET)]) == VECTOR_SIGNATURE


@given(key=st.binary(min_size=24, max_size=64), body=st.text(st.characters(codec="utf-8")))
def test_an_independent_verifier_accepts_what_we_sign_and_nothing_else(key: bytes, body: str) -> None:
    secret, at = HmacSecret(key), now()
    signature = sign("msg_1", at, body.encode(), [secret])

    Webhook(secret.text).verify(body, headers(signature, at), json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret.text).verify(body + " ", headers(signature, at), json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret.text).verify(body, headers(signature, at, "msg_2"), json_parse=False)


def test_during_an_overlap_holders_of_either_secret_verify() -> None:
    old, new, stranger = (HmacSecret(bytes([letter]) * 32) for letter in b"ons")
    at = now()
    signed = headers(sign("msg_1", at, b"{}", [new, old]), at)

    for secret in (old, new):
        Webhook(secret.text).verify(b"{}", signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(stranger.text).verify(b"{}", signed)


def test_an_ed25519_signature_verifies_with_the_public_key_alone() -> None:
    secret = Ed25519Secret(bytes(range(32)))
    version, _, encoded = sign("msg_1", 1_700_000_000, b"{}", [secret]).partition(",")
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(secret.public_text.removeprefix("whpk_")))

    assert version == "v1a"
    public.verify(base64.b64decode(encoded), b"msg_1.1700000000.{}")
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(encoded), b"msg_1.1700000001.{}")


def test_both_schemes_stand_side_by_side_while_a_receiver_changes_over() -> None:
    signature = sign("msg_1", 1, b"{}", [Ed25519Secret(bytes(32)), HmacSecret(bytes(32))])
    assert [part.partition(",")[0] for part in signature.split(" ")] == ["v1a", "v1"]


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_shared_secret_survives_its_text(size: int) -> None:
    secret = HmacSecret(bytes(range(size)))
    assert parse_secret(secret.text) == secret
    assert parse_secret(secret.text.rstrip("=")) == secret


def test_a_private_key_is_read_with_and_without_its_public_half() -> None:
    secret = Ed25519Secret(bytes(range(32)))
    assert parse_secret(secret.text) == secret
    assert parse_secret("whsk_" + base64.b64encode(secret.seed).decode()) == secret


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "secret_format"),
        ("hunter2", "secret_format"),
        ("whpk_" + base64.b64encode(bytes(32)).decode(), "secret_format"),
        ("whsec_", "secret_length"),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), "secret_length"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "secret_length"),
        ("whsec_not base64!", "secret_format"),
        ("whsec_" + "А" * 40, "secret_format"),
        ("whsk_" + base64.b64encode(bytes(31)).decode(), "secret_length"),
        ("whsk_" + base64.b64encode(bytes(64)).decode(), "secret_mismatch"),
    ],
)
def test_a_text_that_is_no_secret_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_secret(text)
    assert refused.value.reason == reason


def test_an_ambiguous_id_or_no_secret_cannot_be_signed() -> None:
    with pytest.raises(InvalidError, match="dot"):
        sign("msg.1", 1, b"{}", [HmacSecret(bytes(32))])
    with pytest.raises(InvalidError, match="unsigned"):
        sign("msg_1", 1, b"{}", [])


def test_a_secret_never_shows_itself_in_a_log() -> None:
    for secret in (HmacSecret(b"k" * 32), Ed25519Secret(b"k" * 32)):
        assert "kkk" not in repr(secret) + str(secret)
