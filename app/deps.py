"""What a router may ask for: the principal with a scope, the database, the clock, a parsed id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBasic, HTTPBearer

from app.auth import Principal, Scope, find_principal, key_of, refuse_scope
from app.db.engine import Database
from app.domain.errors import InvalidError, NotFoundError
from app.kit.clock import Clock
from app.kit.ids import parse_public_id
from app.missing import NOUNS

_bearer = HTTPBearer(auto_error=False, description="API key `vk_...`")
_basic = HTTPBasic(auto_error=False, description="any user name, the API key as the password")
_header = APIKeyHeader(name="X-Api-Key", auto_error=False)


def get_database(request: Request) -> Database:
    """The pool of this process."""
    database: Database = request.app.state.database
    return database


def get_now(request: Request) -> datetime:
    """The time of this request, by the application's clock."""
    clock: Clock = request.app.state.clock
    return clock()


def require(scope: Scope, *others: Scope) -> Callable[..., Awaitable[Principal]]:
    """A dependency: the principal of the request, refused unless it holds `scope` (or one of the others)."""

    async def principal_with_scope(
        request: Request,
        _bearer_key: Annotated[object, Security(_bearer)] = None,
        _basic_key: Annotated[object, Security(_basic)] = None,
        _header_key: Annotated[object, Security(_header)] = None,
    ) -> Principal:
        principal = await find_principal(get_database(request), key_of(request.headers), get_now(request))
        if not any(principal.may(known) for known in (scope, *others)):
            raise refuse_scope(principal, scope)
        request.state.principal = principal
        return principal

    return principal_with_scope


def known_query(request: Request, *known: str) -> None:
    """Refuse query parameters that nobody reads: a dropped filter would widen the answer."""
    for name in request.query_params:
        if name not in known:
            raise InvalidError(
                "unknown_parameter",
                f"there is no query parameter `{name}` here",
                pointer=f"query:{name}",
                cure=f"use one of: {', '.join(sorted(known))}" if known else "leave it out",
            )


def refuse_unknown_query(request: Request) -> None:
    """A router-wide dependency: refuse query parameters that the route does not declare."""
    route = request.scope.get("route")
    dependant = getattr(route, "dependant", None)
    if dependant is None:
        return
    names: set[str] = set()
    pending = [dependant]
    while pending:
        current = pending.pop()
        names.update(field.alias for field in current.query_params)
        pending.extend(current.dependencies)
    known_query(request, *names)


def parse_id(prefix: str, text: str) -> UUID:
    """The UUID behind a public id; an id of another shape names nothing (404)."""
    value = parse_public_id(prefix, text)
    if value is None:
        raise NotFoundError("not_found", f"there is no {NOUNS.get(prefix, prefix)} with the id {text[:80]!r}")
    return value


DatabaseDep = Annotated[Database, Depends(get_database)]
NowDep = Annotated[datetime, Depends(get_now)]
EventsWriter = Annotated[Principal, Depends(require(Scope.EVENTS_WRITE))]
FeedbackReader = Annotated[Principal, Depends(require(Scope.FEEDBACK_READ))]
MetricsReader = Annotated[Principal, Depends(require(Scope.METRICS_READ))]
CasesReader = Annotated[Principal, Depends(require(Scope.CASES_WRITE, Scope.FEEDBACK_READ))]
CasesWriter = Annotated[Principal, Depends(require(Scope.CASES_WRITE))]
WebhooksManager = Annotated[Principal, Depends(require(Scope.WEBHOOKS_MANAGE))]
ConfigManager = Annotated[Principal, Depends(require(Scope.CONFIG_MANAGE))]
Admin = Annotated[Principal, Depends(require(Scope.ADMIN))]
