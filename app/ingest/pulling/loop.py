"""Asks the sources whose turn it is; a fault of one waits longer each time and leaves the others alone."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from app.db.engine import Database
from app.domain.errors import DomainError
from app.ingest.adapting import ConfiguredSource, get_source, read_payload
from app.ingest.inlet import accept_events, keep_delivery
from app.ingest.pulling import repository
from app.ingest.pulling.client import PullClient, PullError
from app.ingest.pulling.exports import export
from app.ingest.results import Status
from app.ingest.service import Ingest
from app.kit import json
from app.kit.clock import Clock
from app.kit.crypto import Sealer
from app.sources.pulls import Recipe, first_page, get_recipe, next_page, page_request, token_request

log = structlog.get_logger()

MAX_PAGES = 20
MAX_BACKOFF_SECONDS = 6 * 3_600
IDLE_SECONDS = 60.0
_JSON = {"content-type": "application/json"}


def credentials_context(tenant_id: UUID, source: str) -> bytes:
    """To whom sealed credentials belong."""
    return tenant_id.bytes + b"pull:" + source.encode()


def backoff_seconds(every_seconds: float, failures: int, retry_after_seconds: int | None) -> float:
    """How long to wait after that many failures in a row: doubled each time, to six hours at most."""
    doubled = min(every_seconds * 2 ** min(failures, 10), max(MAX_BACKOFF_SECONDS, every_seconds))
    return float(max(doubled, retry_after_seconds or 0))


@dataclass(frozen=True, slots=True)
class _Asked:
    """One source while it is being asked."""

    source: ConfiguredSource
    recipe: Recipe
    settings: dict[str, str]
    credentials: dict[str, str]
    now: datetime


class PullLoop:
    """One step asks every source that is due, one after the other."""

    def __init__(
        self, database: Database, sealer: Sealer, ingest: Ingest, clock: Clock, client: PullClient
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._ingest = ingest
        self._clock = clock
        self._client = client

    async def step(self) -> float:
        """Ask who is due; the seconds until the next one is."""
        while (claimed := await repository.claim_pull(self._database)) is not None:
            await self._pull(*claimed)
        seconds = await repository.seconds_until_next(self._database)
        return IDLE_SECONDS if seconds is None else min(max(seconds, 0.5), IDLE_SECONDS)

    async def _pull(self, claim_id: UUID, row: Any) -> None:
        configured = await repository.find_configured(self._database, row["tenant_id"], row["source"])
        pull = (configured or {}).get("pull") if configured is not None else None
        every = float((pull or {}).get("every_seconds", 900))
        cursor = dict(row["cursor"] or {})
        failures, error, retry, done_at = 0, None, None, self._clock()
        try:
            if pull is not None:
                await self._ask(await self._asked(row, configured, pull), cursor)
        except PullError as failure:
            failures, error, retry = row["failures"] + 1, str(failure), failure.retry_after_seconds
        except DomainError as failure:
            failures, error = row["failures"] + 1, f"{failure.reason}: {failure.detail}"
        if error is not None:
            log.warning("pull_failed", source=row["source"], error=error)
        await repository.settle_pull(
            self._database,
            row["pull_id"],
            claim_id,
            after_seconds=backoff_seconds(every, failures, retry) if error else every,
            cursor=cursor,
            failures=failures,
            error=error,
            pulled_at=None if error else done_at,
        )

    async def _asked(self, row: Any, configured: Any, pull: dict[str, Any]) -> _Asked:
        now = self._clock()
        tenant_id, key = row["tenant_id"], row["source"]
        source = await get_source(self._database, self._sealer, tenant_id, key, now)
        sealed = configured["sealed_credentials"]
        if not sealed:
            raise PullError("the source has no credentials")
        opened = self._sealer.open(base64.b64decode(sealed), credentials_context(tenant_id, key))
        recipe = get_recipe(configured["adapter"])
        return _Asked(source, recipe, pull["settings"], json.loads(opened), now)

    async def _ask(self, asked: _Asked, cursor: dict[str, Any]) -> None:
        """Page after page until nothing is new, or enough was asked; `cursor` says where to go on."""
        if asked.recipe.exported:
            exported = await export(
                self._client, asked.recipe, asked.settings, asked.credentials, cursor, self._clock
            )
            if exported is not None:
                await self._take(asked, exported, cursor)
            return
        token = await self._token(asked)
        url = cursor.pop("next", None) or first_page(asked.recipe, asked.settings)
        for _ in range(MAX_PAGES):
            request = page_request(asked.recipe, url, asked.credentials, token, self._clock())
            body = (await self._client.fetch(request)).body
            new = await self._take(asked, body, cursor)
            following = next_page(asked.recipe, asked.settings, _document(body))
            if following is None or (asked.recipe.newest_first and not new):
                return
            url = following
        cursor["next"] = url

    async def _token(self, asked: _Asked) -> str | None:
        request = token_request(asked.recipe, asked.credentials, asked.now)
        if request is None:
            return None
        document = _document((await self._client.fetch(request)).body)
        token = document.get("access_token") if isinstance(document, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise PullError("the partner gave no access token")
        return token

    async def _take(self, asked: _Asked, body: bytes, cursor: dict[str, Any]) -> bool:
        """Store a page as a delivery is stored; whether anything of it was new."""
        source = asked.source
        reading = read_payload(source.adapter, source.context, body, _JSON)
        results = await accept_events(self._ingest, source, reading.events, asked.now)
        if any(result.retryable for result in results):
            raise PullError("the database cannot answer now")
        rejected = [result.error for result in results if result.error is not None]
        refused: list[DomainError] = [*reading.refusals, *rejected]
        new = any(result.status not in (Status.DUPLICATE, Status.REJECTED) for result in results)
        # A statement that is not understood stands on its page at every pull: it is kept once.
        told = hashlib.sha256(repr([(one.reason, one.pointer) for one in refused]).encode()).hexdigest()[:16]
        if new or (refused and cursor.get("refused") != told):
            await keep_delivery(self._database, source, asked.now, _JSON, body, reading, results, refused)
        if refused:
            cursor["refused"] = told
        return new


def _document(body: bytes) -> Any:
    try:
        return json.parse_untrusted(body)
    except json.JsonError as error:
        raise PullError(f"the partner's answer is no JSON ({error.reason})") from error
