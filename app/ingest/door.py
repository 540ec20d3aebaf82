"""`POST /v1/events` as plain ASGI, in front of the framework: the hot path pays only for what it uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.responses import Response

from app.auth import Principal, Scope, UnauthenticatedError, find_principal, hash_key, key_of, refuse_scope
from app.domain.errors import DomainError, InvalidError
from app.domain.events import Event, EventType
from app.ingest.batcher import OverloadedError
from app.ingest.reading import Reading, read_events
from app.ingest.results import BATCH_REFUSED, Result, Status, Terms
from app.ingest.service import Ingest
from app.journal.journal import Journal
from app.kit import http, json
from app.problems import domain_problem, error_of, problem_response

PATH = "/v1/events"
_Outcome = tuple[str | None, Result]
_FLAGS = ("atomic", "dry_run", "backfill", "open_cases")
_KNOWN_PRINCIPALS = 10_000


@dataclass(frozen=True, slots=True)
class _Flags:
    atomic: bool
    dry_run: bool
    backfill: bool
    open_cases: bool


class EventsDoor:
    """Authenticates, reads, stores and answers one request.

    A key is looked up once and then checked in the very transaction that stores the events, so
    its revocation counts from the next request on and costs no look-up of its own.
    """

    def __init__(
        self, ingest: Ingest, journal: Journal, *, max_body_bytes: int, deadline_seconds: float
    ) -> None:
        self._ingest = ingest
        self._journal = journal
        self._max_body_bytes = max_body_bytes
        self._deadline_seconds = deadline_seconds
        self._principals: dict[bytes, Principal] = {}

    async def __call__(self, scope: http.Scope, receive: http.Receive, send: http.Send) -> None:
        """The ASGI application."""
        request_id = scope.get("state", {}).get("request_id")
        headers = http.headers_of(scope)
        try:
            response = await self._answer(scope, headers, receive, request_id)
        except http.BodyError as error:
            response = problem_response(error.status, error.code, str(error), request_id=request_id)
            response.headers["Connection"] = "close"
        except DomainError as error:
            response = domain_problem(error, request_id)
        except OverloadedError:
            response = problem_response(
                503,
                "overloaded",
                "too many events wait to be stored; nothing of this request was",
                request_id=request_id,
            )
        await response(scope, receive, send)

    async def _answer(
        self, scope: http.Scope, headers: Mapping[str, str], receive: http.Receive, request_id: str | None
    ) -> Response:
        principal = await self._principal(headers)
        flags = _flags(scope["query_string"].decode("latin-1"))
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        _refuse_charset(headers.get("content-type", ""))
        raw = await http.read_body(
            receive, limit=self._max_body_bytes, deadline_seconds=self._deadline_seconds
        )
        body = http.unpack(raw, headers.get("content-encoding", ""), limit=self._max_body_bytes)
        reading = await read_events(body, media_type, headers.get("idempotency-key"), headers)
        if not any(isinstance(item, Event) for item in reading.items):
            principal = await self._principal(headers, anew=True)  # no transaction will check the key
        if _asks_for_erasure(reading) and not principal.may(Scope.ADMIN):
            raise refuse_scope(principal, Scope.ADMIN)
        terms = Terms(
            principal.key_id,
            self._journal.clock(),
            backfill=flags.backfill,
            open_cases=flags.open_cases or not flags.backfill,
        )
        try:
            outcome = await self._store(principal.tenant_id, reading, terms, flags)
        except UnauthenticatedError:
            self._forget(principal)
            raise
        if reading.single:
            return _single(*outcome[0], dry_run=flags.dry_run, request_id=request_id)
        return _batch(outcome, dry_run=flags.dry_run)

    async def _store(self, tenant_id: UUID, reading: Reading, terms: Terms, flags: _Flags) -> list[_Outcome]:
        events = [item for item in reading.items if isinstance(item, Event)]
        refused = flags.atomic and len(events) < len(reading.items)
        results = iter(
            [BATCH_REFUSED] * len(events)
            if refused
            else await self._ingest.accept(
                tenant_id, events, terms, atomic=flags.atomic, dry_run=flags.dry_run
            )
        )
        return [
            (item.id, next(results) if isinstance(item, Event) else Result(Status.REJECTED, error=item.error))
            for item in reading.items
        ]

    async def _principal(self, headers: Mapping[str, str], *, anew: bool = False) -> Principal:
        key = key_of(headers)
        key_hash = hash_key(key)
        principal = None if anew else self._principals.get(key_hash)
        if principal is None:
            principal = await find_principal(self._journal.database, key, self._journal.clock())
            if len(self._principals) >= _KNOWN_PRINCIPALS:
                self._principals.clear()
            self._principals[key_hash] = principal
        if not principal.may(Scope.EVENTS_WRITE):
            raise refuse_scope(principal, Scope.EVENTS_WRITE)
        return principal

    def _forget(self, principal: Principal) -> None:
        """Look this key up anew next time."""
        self._principals = {key: known for key, known in self._principals.items() if known != principal}


def _asks_for_erasure(reading: Reading) -> bool:
    """Whoever may report what happened may not therefore make a person be forgotten."""
    return any(isinstance(item, Event) and item.type is EventType.ERASURE_REQUESTED for item in reading.items)


def _flags(query: str) -> _Flags:
    values = dict.fromkeys(_FLAGS, False)
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in values:
            raise InvalidError(
                "unknown_parameter",
                f"there is no query parameter `{name}` here",
                pointer=f"query:{name}",
                cure=f"use one of: {', '.join(_FLAGS)}",
            )
        if value not in ("true", "false", "1", "0"):
            raise InvalidError(
                "invalid_value", f"{value!r} is neither true nor false", pointer=f"query:{name}"
            )
        values[name] = value in ("true", "1")
    return _Flags(**values)


def _refuse_charset(content_type: str) -> None:
    for part in content_type.split(";")[1:]:
        name, _, value = part.strip().partition("=")
        if name.lower() == "charset" and value.strip('"').lower() not in ("utf-8", "utf8"):
            raise http.BodyError(415, "unsupported_charset", f"charset {value}: send UTF-8")


def _single(stated_id: str | None, result: Result, *, dry_run: bool, request_id: str | None) -> Response:
    entry = result.as_json(0, stated_id)
    error = result.error
    if error is None:
        del entry["index"]
        status = 201 if result.status is Status.CREATED and not dry_run else 200
        return Response(json.dumps(entry), status, media_type="application/json")
    status = entry["error"]["status"]
    return problem_response(
        status, error.reason, error.detail, errors=[error_of(error)], request_id=request_id
    )


def _batch(outcome: list[_Outcome], *, dry_run: bool) -> Response:
    counts = dict.fromkeys((status.value for status in Status), 0)
    for _, result in outcome:
        counts[result.status.value] += 1
    body = {
        "dry_run": dry_run,
        "counts": counts,
        "results": [result.as_json(index, stated) for index, (stated, result) in enumerate(outcome)],
    }
    retry = bool(outcome) and all(result.retryable for _, result in outcome)
    headers = {"Retry-After": "1"} if retry else None
    return Response(json.dumps(body), 503 if retry else 200, media_type="application/json", headers=headers)
