"""Opaque page cursors: where a keyset page ended, as URL-safe text."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from app.kit import json


class CursorError(ValueError):
    """The text is not a cursor that this service gave out."""


def encode_cursor(*key: Any) -> str:
    """The cursor of a page whose last row has this sort key."""
    return base64.urlsafe_b64encode(json.dumps(list(key))).decode().rstrip("=")


def decode_cursor(text: str, length: int) -> list[Any]:
    """The sort key behind a cursor. Raises CursorError when it is not one of `length` parts."""
    try:
        key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error) as error:
        raise CursorError("not a cursor of this service") from error
    if not isinstance(key, list) or len(key) != length:
        raise CursorError("a cursor of another list")
    return key
