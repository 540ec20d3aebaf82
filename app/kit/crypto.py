"""Secrets at rest: AES-256-GCM under a named master key, bound to where the secret belongs."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = 1


class SealError(Exception):
    """A sealed secret cannot be opened, or a master key cannot be used; `reason` is a slug."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Sealer:
    """Seals under the first master key and opens under any of them, so that keys can be rotated.

    A sealed secret is: version (1 byte), length of the key id (1 byte), key id, nonce, ciphertext.
    `context` says whose secret it is (say the tenant and row); it is authenticated, not stored, so
    a sealed value copied into another row does not open there.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise SealError("no_key", "at least one master key `id:base64` (32 bytes) is needed")
        self._keys = dict(map(_parse_key, keys))
        self.key_id = next(iter(self._keys))

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt under the first key."""
        key_id = self.key_id.encode()
        head = bytes([_VERSION, len(key_id)]) + key_id
        nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + self._keys[self.key_id].encrypt(nonce, plain, head + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt. Raises SealError (`unknown_key`, `unreadable`)."""
        key_id, nonce_at = key_id_of(sealed), 2 + sealed[1]
        cipher = self._keys.get(key_id)
        if cipher is None:
            raise SealError("unknown_key", f"the master key {key_id!r} is not among the configured ones")
        head, nonce = sealed[:nonce_at], sealed[nonce_at : nonce_at + _NONCE_BYTES]
        try:
            return cipher.decrypt(nonce, sealed[nonce_at + _NONCE_BYTES :], head + context)
        except (InvalidTag, ValueError) as error:
            raise SealError("unreadable", "a sealed secret was altered, or belongs elsewhere") from error


def key_id_of(sealed: bytes) -> str:
    """Which master key sealed this: what a rotation looks for. Raises SealError (`unreadable`)."""
    if len(sealed) < 2 or sealed[0] != _VERSION or len(sealed) < 2 + sealed[1] + _NONCE_BYTES:
        raise SealError("unreadable", "this is not a sealed secret")
    return sealed[2 : 2 + sealed[1]].decode("utf-8", "replace")


def generate_master_key(key_id: str) -> str:
    """A new master key as settings hold it: `id:base64`."""
    return f"{key_id}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"


def _parse_key(text: str) -> tuple[str, AESGCM]:
    key_id, _, encoded = text.partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SealError("bad_key", f"the master key {key_id!r} is not base64") from error
    if not key_id or len(key_id.encode()) > 255 or len(key) != KEY_BYTES:
        raise SealError("bad_key", f"a master key is `id:base64` of {KEY_BYTES} bytes")
    return key_id, AESGCM(key)
