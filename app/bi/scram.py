"""The verifier that PostgreSQL stores of a password, made here: the password itself meets no server log."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

ITERATIONS = 4096
_SALT_BYTES = 16
_PASSWORD_BYTES = 24


def generate_password() -> str:
    """A new password: 192 random bits in letters that need no escaping in a URL."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def verifier_of(password: str, salt: bytes | None = None) -> str:
    """`SCRAM-SHA-256$...` of an ASCII password (RFC 5803)."""
    salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    written = [base64.b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${ITERATIONS}:{written[0]}${written[1]}:{written[2]}"
