"""`/healthz` (the process lives, no database asked) and `/readyz` (it can do its work)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse

from app.db.readiness import check_login, check_schema
from app.deps import DatabaseDep
from app.operations.repository import get_queues

router = APIRouter(tags=["Operations"])


class Health(BaseModel):
    """The process answers."""

    status: str = Field(examples=["ok"])


class Readiness(BaseModel):
    """Whether the process can do its work, and what stands in the way."""

    status: str = Field(examples=["ready"])
    problems: list[str] = Field(default_factory=list)
    queues: dict[str, Any] = Field(default_factory=dict, description="depth and age of what waits")
    listening: bool = Field(description="false: woken by polling only")


@router.get("/", include_in_schema=False)
async def show_documentation() -> RedirectResponse:
    """Whoever opens the service in a browser is shown what it can do."""
    return RedirectResponse("/docs")


@router.get("/healthz", summary="Does the process live?", operation_id="get_health")
async def get_health() -> Health:
    """Asks nobody."""
    return Health(status="ok")


@router.get(
    "/readyz", summary="Can it work?", operation_id="get_readiness", responses={503: {"model": Readiness}}
)
async def get_readiness(request: Request, response: Response, database: DatabaseDep) -> Readiness:
    """503 while the database is away, the schema is behind, or the login could see too much."""
    problems: list[str] = []
    queues: dict[str, Any] = {}
    try:
        async with database.worker() as tx:
            problems += await check_login(tx)
            problems += await check_schema(tx)
            queues = await get_queues(tx)
    except Exception as error:  # noqa: BLE001 - whatever it is, the answer is: not ready, and why
        problems.append(f"database: {type(error).__name__}")
    if problems:
        response.status_code = 503
    listening = bool(request.app.state.bell.listening)
    return Readiness(
        status="not ready" if problems else "ready", problems=problems, queues=queues, listening=listening
    )
