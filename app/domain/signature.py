"""Standard Webhooks signatures: secrets as text, the signed bytes, `v1` (HMAC) and `v1a` (Ed25519)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.domain.errors import InvalidError

HMAC_PREFIX = "whsec_"
PRIVATE_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
MIN_KEY_BYTES, MAX_KEY_BYTES = 24, 64
SEED_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class HmacSecret:
    """A shared key of 24 to 64 random bytes. It has no `repr`, so that no log can show it."""

    key: bytes

    def __post_init__(self) -> None:
        if not MIN_KEY_BYTES <= len(self.key) <= MAX_KEY_BYTES:
            raise InvalidError(
                "secret_length",
                f"a signing secret holds {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes, this one {len(self.key)}",
                cure="leave the secret out and one is generated",
            )

    @property
    def text(self) -> str:
        """The secret as its owner keeps it: `whsec_` and base64."""
        return HMAC_PREFIX + _encode(self.key)

    def signature(self, signed: bytes) -> str:
        """`v1,` and the base64 of HMAC-SHA256 over the signed bytes."""
        return "v1," + _encode(hmac.digest(self.key, signed, hashlib.sha256))


@dataclass(frozen=True, slots=True, repr=False)
class Ed25519Secret:
    """A private key of 32 bytes; receivers hold only `public_text` and can forge nothing."""

    seed: bytes

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            detail = f"an Ed25519 key holds {SEED_BYTES} bytes, not {len(self.seed)}"
            raise InvalidError("secret_length", detail)

    @property
    def text(self) -> str:
        """The private key: `whsk_` and base64 of seed and public key (64 bytes)."""
        return PRIVATE_PREFIX + _encode(self.seed + self._public_bytes())

    @property
    def public_text(self) -> str:
        """What receivers verify with: `whpk_` and base64 of the public key."""
        return PUBLIC_PREFIX + _encode(self._public_bytes())

    def signature(self, signed: bytes) -> str:
        """`v1a,` and the base64 of the Ed25519 signature over the signed bytes."""
        return "v1a," + _encode(Ed25519PrivateKey.from_private_bytes(self.seed).sign(signed))

    def _public_bytes(self) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.seed).public_key().public_bytes_raw()


Secret = HmacSecret | Ed25519Secret


def parse_secret(text: str) -> Secret:
    """Read `whsec_...` or `whsk_...`.

    A private key may be the seed alone (32 bytes) or seed and public key (64 bytes, which must
    belong together). Raises InvalidError (`secret_format`, `secret_length`, `secret_mismatch`).
    """
    if text.startswith(HMAC_PREFIX):
        return HmacSecret(_decode(text.removeprefix(HMAC_PREFIX)))
    if text.startswith(PRIVATE_PREFIX):
        key = _decode(text.removeprefix(PRIVATE_PREFIX))
        secret = Ed25519Secret(key[:SEED_BYTES] if len(key) == 2 * SEED_BYTES else key)
        if len(key) == 2 * SEED_BYTES and secret.text != PRIVATE_PREFIX + _encode(key):
            raise InvalidError("secret_mismatch", "the two halves of this Ed25519 key do not belong together")
        return secret
    raise InvalidError(
        "secret_format",
        f"a signing secret starts with `{HMAC_PREFIX}` or `{PRIVATE_PREFIX}`",
        cure="leave the secret out and one is generated",
    )


def sign(message_id: str, timestamp: int, body: bytes, secrets: Sequence[Secret]) -> str:
    """The `webhook-signature` of one attempt: a signature by each secret, separated by spaces.

    Signed are `message_id.timestamp.body` with `timestamp` in whole Unix seconds of the attempt.
    Raises InvalidError for an id that holds a dot (the signed bytes would be ambiguous) and for no secret.
    """
    if "." in message_id or not message_id.isascii():
        raise InvalidError("message_id_format", "the id of a message is ASCII and holds no dot")
    if not secrets:
        raise InvalidError("no_secret", "a message cannot leave unsigned")
    signed = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    return " ".join(secret.signature(signed) for secret in secrets)


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidError("secret_format", "the secret is not base64 after its prefix") from error
