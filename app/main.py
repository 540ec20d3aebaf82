"""create_app(): the routers, what stands in front of them, and the life of one API process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from copy import copy
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline
from starlette.datastructures import State

from app import __doc__ as about
from app.asking import router as asking_router
from app.bi.odata import router as odata_router
from app.cases import router as cases_router
from app.configuration import router as configuration_router
from app.feedback import router as feedback_router
from app.improvement import registers_router
from app.improvement import router as improvement_router
from app.ingest import inlet
from app.ingest import router as events_router
from app.ingest.door import PATH, EventsDoor
from app.ingest.payloads import router as payloads_router
from app.ingest.trial import router as trial_router
from app.journey import router as journey_router
from app.kit.asgi import Front
from app.kit.memory import settle_memory
from app.metrics import router as metrics_router
from app.metrics.alerts import router as alerts_router
from app.metrics.declared import router as cuboids_router
from app.metrics.drill import router as drill_router
from app.metrics.saved import router as saved_router
from app.metrics.views import router as metric_views_router
from app.operations import router as operations_router
from app.privacy import router as privacy_router
from app.problem_handlers import install_problem_handlers, unexpected_problem
from app.problems import problem_response
from app.sla import router as sla_router
from app.sla.recomputations import router as recomputations_router
from app.sla.simulations import router as simulations_router
from app.tenants import operator_router
from app.tenants import router as keys_router
from app.webhooks import messages_router, replays_router
from app.webhooks import router as endpoints_router
from app.webhooks.openapi import describe_webhooks
from app.wiring import Services
from app.worker import run_worker

API_VERSION = "1.0.0"
_SMALL_BODY_BYTES = 4 * 1024 * 1024


def create_app(services: Services, *, with_worker: bool = False) -> Front:
    """The ASGI application of one process; `with_worker` runs the background loops beside it."""
    settings = services.settings
    api = create_api(services)
    api.state.with_worker = with_worker
    door = EventsDoor(
        services.ingest,
        services.journal,
        max_body_bytes=settings.max_body_bytes,
        deadline_seconds=settings.body_deadline_seconds,
    )
    return Front(
        api,
        hot={("POST", PATH): door},
        opaque=("/in/",),
        secret=("/in/", "/feeds/"),
        refuse=lambda error, request_id: problem_response(
            error.status, error.code, str(error), request_id=request_id
        ),
        recover=unexpected_problem,
        max_body_bytes=min(_SMALL_BODY_BYTES, settings.max_body_bytes),
        deadline_seconds=settings.body_deadline_seconds,
    )


def create_api(services: Services) -> FastAPI:
    """The framework's application: every route but the hot ones, and the description of all."""
    api = copy(_routes())
    api.middleware_stack = None
    api.state = State(
        {
            "services": services,
            "with_worker": False,
            "database": services.database,
            "clock": services.clock,
            "sealer": services.sealer,
            "bell": services.bell,
            "egress": services.egress,
            "webhook_origin": services.settings.webhook_origin,
        }
    )
    return api


@cache
def _routes() -> FastAPI:
    """The application without a process: its routes take half a second to build and hold no state."""
    api = FastAPIOffline(
        title="Vidhuk",
        version=API_VERSION,
        description=about or "",
        lifespan=_lifespan,
        docs_url="/docs",
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    install_problem_handlers(api)
    for router in ROUTERS:
        api.include_router(router)
    describe_webhooks(api)
    api.openapi = lambda: _openapi(api)  # type: ignore[method-assign]
    return api


ROUTERS = (
    events_router.router,
    inlet.router,
    payloads_router.router,
    trial_router.router,
    configuration_router.router,
    feedback_router.router,
    cases_router.router,
    improvement_router.router,
    registers_router.router,
    sla_router.router,
    simulations_router.router,
    recomputations_router.router,
    keys_router.router,
    operator_router.router,
    metrics_router.router,
    drill_router.router,
    saved_router.router,
    saved_router.feeds_router,
    alerts_router.router,
    cuboids_router.router,
    metric_views_router.router,
    asking_router.router,
    odata_router.router,
    journey_router.router,
    privacy_router.router,
    endpoints_router.router,
    messages_router.router,
    replays_router.router,
    operations_router.router,
)


@asynccontextmanager
async def _lifespan(api: FastAPI) -> AsyncIterator[None]:
    """Run what the process needs beside its routes: the loops (role `all`), or the bell alone."""
    services: Services = api.state.services
    stop = asyncio.Event()
    beside: Coroutine[None, None, None] = (
        run_worker(services, stop) if api.state.with_worker else services.bell.run(stop)
    )
    task = asyncio.create_task(beside, name="beside")
    settle_memory()
    try:
        yield
    finally:
        stop.set()
        services.bell.ring()
        await task
        await services.close()


def _openapi(api: FastAPI) -> dict[str, Any]:
    if api.openapi_schema is None:
        schema = get_openapi(
            title=api.title,
            version=api.version,
            description=api.description,
            routes=api.routes,
            webhooks=api.webhooks.routes,
        )
        schema.setdefault("components", {}).setdefault("schemas", {}).update(events_router.event_schemas())
        api.openapi_schema = schema
    return api.openapi_schema
