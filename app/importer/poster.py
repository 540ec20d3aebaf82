"""Posting events and waiting out what passes: a busy or restarting service costs time, never a row."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

PATH = "/v1/events"
NDJSON = "application/x-ndjson"
TRIES = 8
FIRST_TRIES = 3
LONGEST_WAIT_SECONDS = 30.0

_PASSING = (429, 500, 502, 503, 504)

Sleep = Callable[[float], Awaitable[None]]


class ServiceError(Exception):
    """The service does not take the request: `reason` is its code, or `unreachable`."""

    def __init__(self, reason: str, detail: str, cure: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.cure = cure


@dataclass(frozen=True, slots=True)
class Flags:
    """How the service is asked to take the events."""

    backfill: bool = True
    open_cases: bool = False
    dry_run: bool = False

    def parameters(self) -> dict[str, str]:
        """As query parameters; only what is asked for."""
        flags = {
            "backfill": self.backfill,
            "open_cases": self.open_cases and self.backfill,
            "dry_run": self.dry_run,
        }
        return {name: "true" for name, value in flags.items() if value}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event."""

    status: str
    code: str = ""
    pointer: str = ""
    detail: str = ""
    cure: str = ""
    retryable: bool = False


class Poster:
    """Posts batches in order through one client (which carries the base URL and the key)."""

    def __init__(self, client: httpx.AsyncClient, flags: Flags, *, sleep: Sleep = asyncio.sleep) -> None:
        self._client = client
        self._flags = flags
        self._sleep = sleep
        self._met = False

    async def post(self, lines: Sequence[bytes]) -> list[Outcome]:
        """One outcome per envelope, in order. Raises ServiceError when the service is away or refuses us.

        What the service calls retryable is sent again; a batch that it finds too large is halved.
        """
        outcomes: list[Outcome | None] = [None] * len(lines)
        waiting = list(range(len(lines)))
        for attempt in range(TRIES):
            if attempt:
                await self._sleep(_pause(attempt))
            for index, outcome in zip(waiting, await self._send([lines[i] for i in waiting]), strict=True):
                outcomes[index] = outcome
            waiting = [index for index in waiting if _is_retryable(outcomes[index])]
            if not waiting:
                return [outcome for outcome in outcomes if outcome is not None]
        raise ServiceError(
            "unavailable", f"{len(waiting)} events cannot be stored now", "Run the import again when it can."
        )

    async def _send(self, lines: Sequence[bytes]) -> list[Outcome]:
        if not lines:
            return []
        response = await self._request(b"\n".join(lines))
        if response.status_code == 413 and len(lines) > 1:
            middle = len(lines) // 2
            return [*await self._send(lines[:middle]), *await self._send(lines[middle:])]
        if response.status_code == 413:
            return [Outcome("rejected", "too_large", detail="the service finds this event too large")]
        results = _results(response)
        if len(results) != len(lines):
            raise ServiceError(
                "unexpected_answer",
                f"{len(results)} results for {len(lines)} events",
                "Check that --url leads to this service.",
            )
        return [_outcome(result) for result in results]

    async def _request(self, body: bytes) -> httpx.Response:
        """One request, again while the service is away or busy; one never met is not waited for long."""
        problem = ""
        tries = TRIES if self._met else FIRST_TRIES
        for attempt in range(tries):
            wait = _pause(attempt)
            try:
                response = await self._client.post(
                    PATH, content=body, params=self._flags.parameters(), headers={"Content-Type": NDJSON}
                )
            except httpx.UnsupportedProtocol as error:
                raise ServiceError("bad_url", str(error), "Give --url as http://host:port.") from error
            except httpx.TransportError as error:
                problem = str(error) or type(error).__name__
            else:
                # 503 with results is an answer for each event; without, it is a door that is shut for now.
                if response.status_code not in _PASSING or _has_results(response):
                    self._met = True
                    return response
                problem = f"HTTP {response.status_code}: {_problem(response)[1]}"
                wait = _retry_after(response) or wait
            if attempt + 1 < tries:
                await self._sleep(min(LONGEST_WAIT_SECONDS, wait))
        raise ServiceError("unreachable", problem, "Start the service or check --url, then import again.")


def _pause(attempt: int) -> float:
    return min(LONGEST_WAIT_SECONDS, 0.25 * 2.0**attempt)


def _results(response: httpx.Response) -> list[Any]:
    if _has_results(response):
        results = response.json()["results"]
        return results if isinstance(results, list) else []
    code, detail = _problem(response)
    cures = {
        401: "Give a live key with --key or VIDHUK_KEY.",
        403: "Use a key with the scope events:write.",
        404: "Check that --url leads to this service.",
    }
    raise ServiceError(
        code, detail, cures.get(response.status_code, "See the detail; nothing of this batch was stored.")
    )


def _has_results(response: httpx.Response) -> bool:
    try:
        document = response.json()
    except ValueError:
        return False
    return isinstance(document, dict) and "results" in document


def _problem(response: httpx.Response) -> tuple[str, str]:
    """Code and detail of a problem document, or of whatever else answered."""
    try:
        document = response.json()
    except ValueError:
        document = None
    if isinstance(document, dict) and "code" in document:
        return str(document["code"]), str(document.get("detail", ""))
    return f"http_{response.status_code}", f"HTTP {response.status_code}"


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None


def _outcome(result: dict[str, Any]) -> Outcome:
    error = result.get("error") or {}
    return Outcome(
        status=str(result.get("status", "rejected")),
        code=str(error.get("code") or ""),
        pointer=str(error.get("pointer") or ""),
        detail=str(error.get("detail") or ""),
        cure=str(error.get("cure") or ""),
        retryable=bool(error.get("retryable")),
    )


def _is_retryable(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.retryable
