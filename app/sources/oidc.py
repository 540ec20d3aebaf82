"""Is a bearer token one that Google issued for us? Pure: the public keys are brought, not fetched.

RS256 only, by a key that Google publishes; issuer, audience, expiry and, where the source states one, the
verified e-mail of the service account that pushes (a token for the same audience may be anybody's).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from app.sources.signatures import OidcToken

ISSUERS = ("https://accounts.google.com", "accounts.google.com")
LEEWAY_SECONDS = 60
MAX_TOKEN = 8_192

PublicKeys = Mapping[str, rsa.RSAPublicKey]


class TokenError(Exception):
    """The token proves nothing; `reason` is a slug for logs and metrics."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def key_id_of(token: str) -> str:
    """Which key the token says it is signed with. Raises TokenError."""
    header = _part(token.partition(".")[0])
    key_id = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(key_id, str) or not 1 <= len(key_id) <= 200:
        raise TokenError("token_malformed")
    return key_id


def check_token(token: str, wanted: OidcToken, keys: PublicKeys, now: datetime) -> None:
    """Return when the token is genuine and meant for us. Raises TokenError."""
    parts = token.split(".")
    if len(token) > MAX_TOKEN or len(parts) != 3:
        raise TokenError("token_malformed")
    key = keys.get(key_id_of(token))
    if key is None:
        raise TokenError("token_key_unknown")
    try:
        signed = f"{parts[0]}.{parts[1]}".encode()
        key.verify(_decoded(parts[2]), signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise TokenError("signature_mismatch") from None
    _check_claims(_part(parts[1]), wanted, now)


def public_keys(document: object) -> dict[str, rsa.RSAPublicKey]:
    """A JSON Web Key Set as keys by their id; what is no RSA signing key is left out."""
    listed = document.get("keys") if isinstance(document, Mapping) else None
    found: dict[str, rsa.RSAPublicKey] = {}
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, Mapping) or one.get("kty") != "RSA" or one.get("use") not in ("sig", None):
            continue
        try:
            modulus, exponent = (int.from_bytes(_decoded(str(one[name]))) for name in ("n", "e"))
            found[str(one["kid"])] = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        except (KeyError, ValueError, TokenError):
            continue
    return found


def _check_claims(claims: Mapping[str, Any], wanted: OidcToken, now: datetime) -> None:
    at = now.timestamp()
    if claims.get("iss") not in ISSUERS:
        raise TokenError("token_issuer")
    if not hmac.compare_digest(str(claims.get("aud")).encode(), wanted.audience.encode()):
        raise TokenError("token_audience")
    expires, issued = claims.get("exp"), claims.get("iat")
    if not isinstance(expires, int | float) or isinstance(expires, bool) or expires + LEEWAY_SECONDS < at:
        raise TokenError("token_expired")
    if not isinstance(issued, int | float) or issued - LEEWAY_SECONDS > at:
        raise TokenError("token_in_future")
    if wanted.email is not None and (claims.get("email"), claims.get("email_verified")) != (
        wanted.email,
        True,
    ):
        raise TokenError("token_email")


def _part(text: str) -> dict[str, Any]:
    try:
        found = json.loads(_decoded(text))
    except (ValueError, RecursionError):
        raise TokenError("token_malformed") from None
    if not isinstance(found, dict):
        raise TokenError("token_malformed")
    return found


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise TokenError("token_malformed") from None
