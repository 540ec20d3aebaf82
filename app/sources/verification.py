"""Is a delivery genuine? One engine over the families of `signatures.py`; pure, over raw bytes.

`verify` answers by returning or by raising VerificationError, whatever an attacker puts into headers,
body or URL. Two live secrets serve a rotation; comparisons take constant time and are made on bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from app.sources.delivery import Delivery, UnreadableDeliveryError
from app.sources.errors import PayloadError
from app.sources.oidc import PublicKeys, TokenError, check_token
from app.sources.signatures import (
    BasicAuth,
    EchoedSecret,
    Encoding,
    Family,
    KeyForm,
    OidcToken,
    Signature,
    Stamp,
    Unsigned,
)
from app.sources.times import epoch_milliseconds, epoch_seconds, iso_time

MAX_SIGNATURES = 16
_HEX = re.compile(rb"[0-9A-Fa-f]+")


class VerificationError(Exception):
    """The delivery is not proven genuine: 401, whatever the `reason` (a slug for logs and metrics only)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def verify(
    family: Family,
    delivery: Delivery,
    secrets: Sequence[str],
    now: datetime,
    keys: PublicKeys | None = None,
) -> None:
    """Return when one of the live `secrets` proves the delivery; raise VerificationError otherwise.

    A family that needs a secret refuses everything while the source has none; a token is proven by `keys`.
    """
    try:
        match family:
            case Signature():
                _verify_signature(family, delivery, secrets, now)
            case EchoedSecret():
                _verify_echo(family, delivery, secrets)
            case BasicAuth():
                _verify_basic(delivery, secrets)
            case OidcToken():
                _verify_token(family, delivery, keys or {}, now)
            case Unsigned():
                pass
            case _:
                assert_never(family)
    except UnreadableDeliveryError as error:
        raise VerificationError("delivery_unreadable") from error


def _verify_signature(family: Signature, delivery: Delivery, secrets: Sequence[str], now: datetime) -> None:
    keys = _keys(family.key, secrets)
    given = delivery.find(family.place)
    if not given:
        raise VerificationError("signature_missing")
    candidates = _candidates(family, given)
    if not candidates:
        raise VerificationError("signature_malformed")
    if family.stamp is not None:
        _check_window(family.stamp, delivery, now)
    message = _message(family, delivery)
    expected = [_digest(family, key, message) for key in keys]
    if not _any_equal(expected, candidates):
        raise VerificationError("signature_mismatch")


def _verify_echo(family: EchoedSecret, delivery: Delivery, secrets: Sequence[str]) -> None:
    keys = _keys(KeyForm.PLAIN, secrets)
    given = delivery.find(family.place)
    if not given:
        raise VerificationError("secret_missing")
    if not _any_equal(keys, [given]):
        raise VerificationError("secret_mismatch")


def _verify_basic(delivery: Delivery, secrets: Sequence[str]) -> None:
    keys = _keys(KeyForm.PLAIN, secrets)
    scheme, _, encoded = delivery.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "basic":
        raise VerificationError("credentials_missing")
    given = _base64(encoded.strip().encode("utf-8", "surrogatepass"))
    if given is None or b":" not in given:
        raise VerificationError("credentials_malformed")
    if not _any_equal(keys, [given]):
        raise VerificationError("credentials_mismatch")


def bearer_of(delivery: Delivery) -> str:
    """The token of `Authorization: Bearer`. Raises VerificationError."""
    scheme, _, token = delivery.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise VerificationError("credentials_missing")
    return token.strip()


def _verify_token(family: OidcToken, delivery: Delivery, keys: PublicKeys, now: datetime) -> None:
    try:
        check_token(bearer_of(delivery), family, keys, now)
    except TokenError as error:
        raise VerificationError(error.reason) from error


def _any_equal(ours: Sequence[bytes], theirs: Sequence[bytes]) -> bool:
    """Whether any pair is equal. Every pair is compared: the time taken tells nothing of which was near."""
    matches = [hmac.compare_digest(one, other) for one in ours for other in theirs]
    return any(matches)


def _keys(form: KeyForm, secrets: Sequence[str]) -> list[bytes]:
    keys = [key for secret in secrets if (key := _key(form, secret))]
    if not keys:
        raise VerificationError("no_live_secret")
    return keys


def _key(form: KeyForm, secret: str) -> bytes | None:
    match form:
        case KeyForm.PLAIN:
            return secret.encode("utf-8", "surrogatepass")
        case KeyForm.STANDARD_WEBHOOKS:
            return _base64(secret.removeprefix("whsec_").encode("utf-8", "surrogatepass"))
        case _:
            assert_never(form)


def _candidates(family: Signature, given: bytes) -> list[bytes]:
    """The digests that the sender offers, decoded; what is not of the family's form is left out."""
    match family.several:
        case "spaces":
            written = given.split()[:MAX_SIGNATURES]
        case "commas":
            written = [one.strip() for one in given.split(b",")[:MAX_SIGNATURES]]
        case None:
            written = [given.strip()]
        case _:
            assert_never(family.several)
    prefix = family.prefix.encode()
    size = hashlib.new(family.algorithm).digest_size
    decoded = [_decode(family.encoding, text[len(prefix) :]) for text in written if text.startswith(prefix)]
    return [digest for digest in decoded if digest is not None and len(digest) == size]


def _decode(encoding: Encoding, text: bytes) -> bytes | None:
    match encoding:
        case Encoding.HEX:
            return bytes.fromhex(text.decode()) if _HEX.fullmatch(text) and len(text) % 2 == 0 else None
        case Encoding.BASE64:
            return _base64(text)
        case _:
            assert_never(encoding)


def _base64(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _message(family: Signature, delivery: Delivery) -> bytes:
    parts: list[bytes] = []
    for part in family.signed:
        if isinstance(part, bytes):
            parts.append(part)
            continue
        value = delivery.find(part)
        if value is None:
            raise VerificationError("signed_part_missing")
        if part in family.undotted and b"." in value:
            raise VerificationError("signed_part_malformed")
        parts.append(value)
    return b"".join(parts)


def _digest(family: Signature, key: bytes, message: bytes) -> bytes:
    if family.keyed:
        return hmac.new(key, message, family.algorithm).digest()
    return hashlib.new(family.algorithm, key + message).digest()


def _check_window(stamp: Stamp, delivery: Delivery, now: datetime) -> None:
    written = delivery.find(stamp.place)
    if not written:
        raise VerificationError("timestamp_missing")
    try:
        text = written.decode("ascii")
        match stamp.form:
            case "epoch_s":
                sent_at = epoch_seconds(text).at
            case "epoch_ms":
                sent_at = epoch_milliseconds(text).at
            case "iso":
                sent_at = iso_time(text).at
            case _:
                assert_never(stamp.form)
    except (PayloadError, UnicodeDecodeError) as error:
        raise VerificationError("timestamp_malformed") from error
    window = timedelta(seconds=stamp.window_seconds)
    if sent_at < now - window:
        raise VerificationError("timestamp_too_old")
    if sent_at > now + window:
        raise VerificationError("timestamp_in_future")
