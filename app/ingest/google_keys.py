"""The public keys with which Google signs tokens: asked through the guarded client, kept for an hour."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from app.domain.errors import DomainError
from app.ingest.pulling.client import PullClient, PullError
from app.kit import json
from app.kit.clock import Clock
from app.sources.oidc import PublicKeys, TokenError, key_id_of, public_keys
from app.sources.pulls import PullRequest

log = structlog.get_logger()

URL = "https://www.googleapis.com/oauth2/v3/certs"
KEPT = timedelta(hours=1)
AGAIN = timedelta(minutes=1)
"""How often an unknown key may make us ask: strangers choose the key ids that they send."""


class GoogleKeysError(Exception):
    """The keys cannot be had now; the same delivery may succeed later."""


class GoogleKeys:
    """One cache per process; a key that rotated in is found at its first use."""

    def __init__(self, client: PullClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._keys: PublicKeys = {}
        self._read_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def keys_for(self, token: str) -> PublicKeys:
        """The keys that could have signed the token. Raises GoogleKeysError when there are none."""
        try:
            wanted = key_id_of(token)
        except TokenError:
            return self._keys  # no key could make it good
        if not self._is_due(wanted):
            return self._keys
        async with self._lock:
            if self._is_due(wanted):
                await self._read()
        if not self._keys:
            raise GoogleKeysError("Google's public keys cannot be read now; send it again")
        return self._keys

    def _is_due(self, wanted: str) -> bool:
        now = self._clock()
        if self._asked_at is not None and now - self._asked_at < AGAIN:
            return False
        return self._read_at is None or now - self._read_at > KEPT or wanted not in self._keys

    async def _read(self) -> None:
        self._asked_at = self._clock()
        try:
            answer = await self._client.fetch(PullRequest(URL, {"Accept": "application/json"}))
            keys = public_keys(json.parse_untrusted(answer.body))
        except (PullError, DomainError, json.JsonError) as error:
            log.warning("google_keys_unavailable", error=str(error))
            return
        if keys:
            self._keys, self._read_at = keys, self._asked_at
