"""The signed part of a feed's address: which tenant and feed it is, sealed so that nobody can make one up."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple
from uuid import UUID

from app.domain.errors import NotFoundError
from app.kit.crypto import Sealer, SealError

_CONTEXT = b"query feed"
_LONGEST = 400


class FeedName(NamedTuple):
    """Whose feed, and which."""

    tenant_id: UUID
    feed_id: UUID


def seal_feed(sealer: Sealer, name: FeedName) -> str:
    """The text that stands in the address; only this service's master key opens it."""
    sealed = sealer.seal(name.tenant_id.bytes + name.feed_id.bytes, _CONTEXT)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def open_feed(sealer: Sealer, token: str) -> FeedName:
    """What a token names. Raises NotFoundError for every text that this service did not seal."""
    try:
        if len(token) > _LONGEST:
            raise ValueError
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        plain = sealer.open(sealed, _CONTEXT)
        return FeedName(UUID(bytes=plain[:16]), UUID(bytes=plain[16:]))
    except (ValueError, IndexError, binascii.Error, SealError):
        raise no_such_feed() from None


def no_such_feed() -> NotFoundError:
    """The refusal of an address that is no feed."""
    return NotFoundError(
        "no_such_feed", "this address is no feed", cure="ask whoever gave it to you for a new one"
    )
